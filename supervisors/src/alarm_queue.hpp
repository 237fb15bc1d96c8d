// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"

#include <cstddef>
#include <cstdint>
#include <queue>
#include <vector>

namespace libactor {

/// What a supervisor does with a child when its time is up.
enum class alarm_action : std::uint8_t { fail_start, kill, kill_orphans, abandon, restart, advance };

/// The times of one supervisor's children, of which only the earliest needs a timer. An alarm that was taken back stays
/// until it is the earliest: one start after another, each taken back in time, keeps the queue at one entry.
/// Complexity: O(1) for an alarm that is not before the last one in order, as nearly all are; else O(log n). Not
/// thread-safe.
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
    const entry fresh{at, ++last_, key, action};
    if (first_ == in_order_.size() || !later{}(in_order_.back(), fresh))
      in_order_.push_back(fresh);
    else
      others_.push(fresh);
    return last_;
  }
  bool empty() const noexcept { return first_ == in_order_.size() && others_.empty(); }
  const entry& earliest() const { return is_in_order() ? in_order_[first_] : others_.top(); }
  void pop() {
    if (!is_in_order()) {
      others_.pop();
    } else if (++first_ * 2 > in_order_.size()) {
      in_order_.erase(in_order_.begin(), in_order_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

 private:
  struct later {
    bool operator()(const entry& a, const entry& b) const noexcept {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };
  bool is_in_order() const {
    return others_.empty() || (first_ != in_order_.size() && !later{}(in_order_[first_], others_.top()));
  }

  std::vector<entry> in_order_;  // from `first_` on: each not before the one before it
  std::size_t first_ = 0;
  std::priority_queue<entry, std::vector<entry>, later> others_;
  std::uint64_t last_ = 0;
};

}  // namespace libactor
