// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/event.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/shutdown_report.hpp"
#include "supervisors/supervisor.hpp"
#include "supervisors/tree_spec.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace libactor {

struct running_handler;
struct tree_snapshot;

struct runtime_options {
  context_runtime::driver driver = context_runtime::driver::thread;
  /// Each gets every event.
  std::vector<std::shared_ptr<event_sink>> sinks{};
  /// Called once, when the tree has ended, with the root's reason; on a thread of the actor system: it must not block.
  std::function<void(const caf::error&)> on_ended{};
  /// What the watchdog sends to threads of stuck handlers: to see their stack, and to make a blocking call return. Two
  /// signals that nothing else waits for; a host's handlers for them are still called for signals of its own.
  /// 0: the last real-time signals but one and but two.
  int look_signal = 0, interrupt_signal = 0;
};

/// Joins an `actor_system` to a runtime of contexts and runs one tree on both. Several runtimes may share one system,
/// and one process. Thread-safe, except for construction and destruction.
///
/// Requires: the system outlives the runtime.
class runtime {
 public:
  explicit runtime(caf::actor_system& system, runtime_options options = {});
  /// Stops what still runs, within the tree's budget, or at once if that budget is infinite.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  context_runtime& contexts() noexcept;

  /// Starts the tree: returns once every child has started, in order (or is ready, where it declares readiness). If one
  /// does not, those that had started are stopped in reverse, and the error names the child's path and the cause. A
  /// specification with faults starts nothing: `errc::invalid_spec` with all of them. Once a runtime, then
  /// `errc::already_started`; not from an actor.
  caf::error start(const tree_spec& tree, const child_catalog& catalog = {});

  /// The same without blocking: `done` is called once, in an actor, or in this call where nothing is started, and must
  /// not block.
  void start(const tree_spec& tree, const child_catalog& catalog, std::function<void(const caf::error&)> done);

  /// Asks the tree to stop in order, within its budget, and returns at once. Later calls do nothing.
  void request_stop(cause why);

  /// Ends everything at once, in no order: all contexts are done when this returns, and every actor is killed.
  void stop_now(cause why);

  /// Stops the tree in order and returns when it is down, or when `budget` (by default the tree's) is used up, unless
  /// the tree says `on_overrun: wait`; what is late is killed `kill_grace` before that. Where a stop has begun before,
  /// this one waits no longer than its own budget, and what is late is killed when the first one says. Reports each
  /// child, and what else holds up the actor system. Not from an actor.
  shutdown_report stop(std::optional<duration> budget = {}, cause why = {});

  /// Has the watchdog look, and waits, for `limit` at most, until all that it has to tell has reached the sinks; then
  /// flushes each of those. Whether that limit was kept. Not from an actor, nor a sink.
  bool flush(duration limit = std::chrono::seconds(1));

  /// For a host that can't let its actor system end, because actors had to be abandoned: flushes the sinks, then ends
  /// the process with `status`, running no destructors.
  [[noreturn]] void leave(int status);

  /// Whether the tree ended within `limit` of real time. Not from an actor.
  bool wait_ended(duration limit) const;

  /// The report so far; complete once the tree has ended.
  shutdown_report report() const;

  /// The current incarnation at a path such as `/shop/store`. While there is none, `errc::no_incarnation` for a path
  /// that the specification lists, and `errc::not_found` for any other. Complexity: O(depth · siblings).
  caf::expected<caf::actor> find(std::string_view path) const;

  /// The stable address of the child at a path: an actor that hands each message on to the incarnation that is up when
  /// it is sent, and is there for as long as the tree, whatever becomes of incarnations. While none is up, a request is
  /// answered with `errc::no_incarnation`, and any other message dropped and counted; or, where the child's
  /// specification has `address_hold`, both are held for that time, and then go to the successor in order. The path is
  /// one that the specification lists (for a child of a dynamic supervisor `id#number`), or at which somebody runs;
  /// else `errc::not_found`, as before `start`. A monitor of the address is told when the tree ends.
  caf::expected<caf::actor> ref(std::string_view path);

  /// The supervisor at a path, for administration.
  caf::expected<supervisor_ref> supervisor(std::string_view path) const;

  /// Paths of everything that lives, in start order within each supervisor.
  std::vector<std::string> alive() const;

  /// Virtual driver only: one look of the watchdog. A production runtime has a thread for it.
  void scan_watchdog();

 private:
  friend tree_snapshot snapshot(const runtime& of);
  friend std::vector<running_handler> running_handlers(runtime& of, duration limit);
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace libactor
