// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/lifeline.hpp"
#include "libactor/context_runtime.hpp"
#include "supervisors/child_spec.hpp"
#include "supervisors/leak_event.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace libactor {

class family;

/// One incarnation, as the watchdog knows it.
struct watched_child {
  std::uint64_t actor = 0;
  caf::weak_actor_ptr handle{};
  std::shared_ptr<const lifeline> line{};  ///< `line->watched` was set before its actor was spawned
  context ctx{};
  watch_spec spec{};
  std::shared_ptr<const family> below{};  ///< of a supervisor
  std::uint64_t restarts = 0;             ///< of this child so far
  /// Set once the actor has ended; where it is null, `remove` says so.
  std::shared_ptr<const std::atomic<bool>> over{};
};

/// A stack that was taken.
struct pending_stack {
  std::vector<std::uintptr_t> frames;  ///< innermost first
  std::vector<stack_frame> stack;      ///< once `ready`
  std::atomic<bool> ready{false};
};
/// With symbols if they have been read; else with as much as costs nothing.
std::vector<stack_frame> frames_of(const pending_stack& of);

struct watchdog_options {
  bool threaded = true;  ///< looks by itself, on the steady clock; else `scan` does, and timers that it sets
  int look_signal = 0;   ///< 0: the library's choice
  int interrupt_signal = 0;
  std::size_t most_letters = 1024;  ///< leak events that wait for a slow sink; those beyond are lost, and counted
  /// Makes up for a thread that a handler of `actor` holds, where the scheduler can.
  std::function<void(int thread, std::uint64_t actor)> make_up{};
};

/// Looks at watched children on a thread of its own, so that no stuck scheduler can starve it; reports what overstays
/// its time, and ends it as far as its `watch_spec` says: docs/watchdog.md has the kinds and the ladder. It reads
/// activity cells without locks. A handler's time counts from the first look that saw it, and time in which the
/// watchdog itself did not run does not count: a report is late by less than two periods, and never early. What the
/// supervisors tell it is done at the next look.
/// Thread-safe.
class watchdog {
 public:
  explicit watchdog(context_runtime& contexts, watchdog_options options = {});
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  // -- the supervisors'
  /// Watches an incarnation until `remove`.
  void add(watched_child who);
  /// It has ended, so; `for_good`: no successor will be started.
  void remove(std::uint64_t actor, std::string reason, bool for_good);
  /// After a `remove` that was not for good: there will be no successor.
  void gone(std::string path);
  /// It ignored its down-signal until its stop-by.
  void late(watched_child who, time_point stop_by);
  /// Its parent ended at `since`, and it did not.
  void orphaned(watched_child who, time_point since);
  /// Its supervisor ended before it: nobody will `remove` it. `over` is set once it has ended.
  void left_alone(std::uint64_t actor, std::shared_ptr<const std::atomic<bool>> over);
  /// It is no longer waited for.
  void abandoned(watched_child who);

  // -- the runtime's
  /// Requires: not threaded. One look at everything. Complexity: O(watched).
  void scan(time_point now);
  /// Calls `each` from its thread every 20 ms, until `calm`, or until this is called without one.
  void hurry(std::function<void()> each);
  /// Ends that, and returns once no such call runs. Not from such a call.
  void calm();
  /// Looks, where it has a thread; then waits until all that was reported so far has reached the sinks. Whether all
  /// that took at most `limit`. Not from a call of `hurry`'s, nor from a sink.
  bool flush(duration limit);
  /// Leak events that a slow sink had no room for.
  std::uint64_t lost() const noexcept;
  /// The addresses on the thread's stack as it is now, innermost first; empty if it does not answer within 50 ms.
  std::vector<std::uintptr_t> look(int thread) const;
  /// The same with symbols, once they have been read; null if it does not answer.
  std::shared_ptr<const pending_stack> look_and_read(int thread);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace libactor
