// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"

#include <cstdint>
#include <queue>
#include <vector>

namespace libactor {

/// What a supervisor does with a child when its time is up.
enum class alarm_action : std::uint8_t { fail_start, kill, kill_orphans, abandon, restart, advance };

/// The times of one supervisor's children, of which only the earliest needs a timer. An alarm that was taken back stays
/// until it is the earliest: one start after another, each taken back in time, keeps the queue at one entry.
/// Complexity: O(log n) an alarm, O(1) where each is later than those before. Not thread-safe.
class alarm_queue {
 public:
  struct entry {
    time_point at;
    std::uint64_t number;  ///< counts from 1; of those that are due together the one that was set first goes first
    std::uint64_t key;     ///< of the child
    alarm_action action;
  };

  /// Returns the alarm's number.
  std::uint64_t add(time_point at, std::uint64_t key, alarm_action action) {
    entries_.push({at, ++last_, key, action});
    return last_;
  }
  bool empty() const noexcept { return entries_.empty(); }
  const entry& earliest() const { return entries_.top(); }
  void pop() { entries_.pop(); }

 private:
  struct later {
    bool operator()(const entry& a, const entry& b) const noexcept {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };
  std::priority_queue<entry, std::vector<entry>, later> entries_;
  std::uint64_t last_ = 0;
};

}  // namespace libactor
