// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/runtime.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace libactor::testkit {

/// Keeps every event. Thread-safe.
class event_recorder final : public event_sink {
 public:
  void on_event(const event& what) noexcept override;
  std::vector<event> events() const;
  std::size_t size() const noexcept;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<event> events_;
};

class guide;
class step_watch;
class world_scheduler;

/// A world in which nothing runs by itself: one thread has one actor handle one message at a time, and time stands
/// still until `advance`. There is one clock, for CAF's timers, deadlines, backoffs, the watchdog, and the callbacks of
/// `after_cancel`; it moves only when nothing can run, from one moment at which something is due to the next. Messages
/// between two actors keep their order, whoever chooses. The same program with the same choices sees the same, event
/// for event.
///
/// Detached and blocking actors, and processes, are threads of their own, which no world can hold up: `start` refuses
/// trees with such children, and `settle`, and what settles, throws std::logic_error where such an actor runs. A call
/// that blocks the test's own thread for an answer, as `caf::scoped_actor` and `supervisor_ref` do, waits for ever: use
/// `ask`.
///
/// Not thread-safe.
class world {
 public:
  /// Chooses who handles a message next: an index into the ids of the actors that have one, in the order in which they
  /// came to have it; 0 stands for the callbacks of `after_cancel` that are due, and is last.
  using chooser = std::function<std::size_t(std::span<const std::uint64_t> runnable)>;

  /// In the order in which actors came to have something to handle.
  world();
  /// At random, by `seed`.
  explicit world(std::uint64_t seed);
  explicit world(chooser choose);
  /// Kills the tree and every other actor that this world ever ran, and lets them end: what their mailboxes hold is not
  /// handled any more, and who has not begun does not begin.
  ~world();

  caf::actor_system& system() noexcept { return system_; }
  libactor::runtime& runtime() noexcept { return *runtime_; }
  time_point now() const { return runtime_->contexts().now(); }

  /// Starts the tree and settles. The result is empty while the start still waits for time to pass. Refuses, as an
  /// invalid specification, children on a thread of their own, and processes.
  std::optional<caf::error> start(const tree_spec& tree, const child_catalog& catalog = {});
  /// The result of the start, once there is one.
  const std::optional<caf::error>& start_result() const noexcept { return *start_result_; }

  /// One message of one actor, or the callbacks that are due. Whether there was anything to do.
  bool step();
  /// Takes steps until none is left; time stands still. Throws: std::logic_error if a detached or blocking actor runs.
  void settle();
  /// Settles, and moves time by `d`, in steps of what is due, settling after each. The watchdog looks on the way.
  void advance(duration d);
  /// How many messages actors have handled so far.
  std::uint64_t steps() const noexcept;

  /// Asks the tree to stop, and settles.
  void stop();
  /// Lets time pass until the tree has ended, for `limit` at most; whether it has.
  bool run_until_ended(duration limit);

  /// Sends a verb to the supervisor at `path`, settles, and gives the answer; empty while there is none.
  template <class T>
  std::optional<caf::expected<T>> ask(std::string_view path, supervisor_verb verb);

  bool is_alive(std::string_view path) const;
  std::vector<event> events() const;
  /// Events of these kinds as `kind path` or, with a reason, `kind path reason`, in order.
  std::vector<std::string> log(std::initializer_list<event_kind> kinds) const;
  void forget_events() { recorder_->clear(); }
  /// What keeps the events: for a supervisor of the test's own.
  std::shared_ptr<event_sink> sink() const { return recorder_; }

 protected:
  /// One whose every step is chosen by a guide, and seen.
  explicit world(guide& by);
  world_scheduler& steps_by() noexcept { return scheduler_; }
  step_watch& seen() noexcept { return *watch_; }
  // Throws: std::logic_error if a detached or blocking actor runs.
  void refuse_threads();

 private:
  void looked() const;
  time_point in(duration d) const;
  static caf::actor_system_config& configured(caf::actor_system_config& cfg);
  std::optional<time_point> next_due() const;
  void kill_all();
  void run_dry();
  void run_dry_and_look();
  void pass(duration d);
  bool pass_until_ended(duration limit);

  caf::actor_system_config config_;
  caf::actor_system system_;
  world_scheduler& scheduler_;
  std::shared_ptr<event_recorder> recorder_;
  std::shared_ptr<std::optional<caf::error>> start_result_;
  std::unique_ptr<libactor::runtime> runtime_;
  std::unique_ptr<step_watch> watch_;
};

}  // namespace libactor::testkit

#include "supervisors/testkit/world_ask.hpp"
