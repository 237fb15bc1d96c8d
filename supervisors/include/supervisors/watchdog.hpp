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

struct watchdog_options {
  bool threaded = true;  ///< looks by itself, on the steady clock; otherwise only `scan` looks
  int look_signal = 0;   ///< 0: the library's choice
  int interrupt_signal = 0;
  std::size_t most_letters = 1024;  ///< leak events that wait for a slow sink; those beyond are lost, and counted
  /// Makes up for a thread that a handler of `actor` holds, where the scheduler can.
  std::function<void(int thread, std::uint64_t actor)> make_up{};
  /// Makes up for all threads if each is in the same turn as at the last call.
  std::function<void()> relieve{};
};

/// Looks at watched children on a thread of its own, so that no stuck scheduler can starve it; reports what overstays
/// its time, and ends it as far as its `watch_spec` says: docs/watchdog.md has the kinds and the ladder. It reads
/// activity cells without locks. A handler's time counts from the first look that saw it, and time in which the
/// watchdog itself did not run does not count: a report is late by at most one period, and never early. What the
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
  /// While the tree stops: looks more often whether actors that would end could run at all.
  void hurry(bool yes);
  /// Whether all that was reported so far has reached the sinks, within `limit`.
  bool flush(duration limit);
  /// Leak events that a slow sink had no room for.
  std::uint64_t lost() const noexcept;
  /// The stacks of the threads (0: none) as they are now, innermost first: each within about 50 ms; together, with
  /// their symbols, by `until`: what takes longer stays as it is known.
  std::vector<std::vector<stack_frame>> stacks(const std::vector<int>& threads, time_point until) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace libactor
