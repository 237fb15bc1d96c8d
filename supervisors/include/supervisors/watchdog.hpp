// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/lifeline.hpp"
#include "libactor/context_runtime.hpp"
#include "supervisors/child_spec.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace libactor {

/// Looks at watched children on a thread of its own, so that no stuck scheduler can starve it, and reports:
/// `stuck`, one handler runs for longer than `stuck_after`; `overdue`, alive after its supervisor's stop-by; and
/// `recovered`, which closes either. It reads activity cells without locks and ends nothing by itself. A handler's time
/// counts from the first look that saw it, so a report is late by at most one period, and never early.
/// Thread-safe.
class watchdog {
 public:
  /// `threaded`: look by itself, on the steady clock; otherwise only `scan` looks.
  watchdog(context_runtime& contexts, bool threaded);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Watches an incarnation until `remove`. `line->watched` was set before its actor was spawned.
  void add(std::uint64_t actor, std::shared_ptr<const lifeline> line, const watch_spec& spec);
  void remove(std::uint64_t actor);

  /// One look at everything. Complexity: O(watched).
  void scan(time_point now);

 private:
  struct watched {
    std::shared_ptr<const lifeline> line;
    watch_spec spec;
    std::uint64_t sequence = 0;  ///< of the activity when last looked at
    time_point since{};          ///< when this sequence was first seen
    bool stuck = false;
    bool overdue = false;
  };

  void run();
  void look(std::uint64_t actor, watched& w, time_point now);

  context_runtime& contexts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, watched> watched_;  // under `mutex_`
  duration period_ = infinite;                          // under `mutex_`
  bool stop_ = false;                                   // under `mutex_`
  std::thread thread_;
};

}  // namespace libactor
