// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "timing_wheel.hpp"

#include <set>
#include <tuple>
#include <vector>

namespace libactor::detail {

// Deadlines in exact order of time, and of arming among equals: what the virtual clock needs. Not synchronised.
// A timer's `slot` holds its sequence number, odd so that it is never null.
class ordered_deadlines {
 public:
  void insert(timer_link& timer, timer_kind kind, std::int64_t due) {
    const auto number = next_;
    timers_.insert(
        {due, number,
         reinterpret_cast<std::uintptr_t>(static_cast<bag_link*>(&timer)) | static_cast<std::uintptr_t>(kind)});
    next_ += 2;
    timer.due.store(due, std::memory_order_relaxed);
    timer.slot = reinterpret_cast<std::uintptr_t*>(number);
  }

  bool erase(timer_link& timer) noexcept {
    if (timer.slot == nullptr)
      return false;
    timers_.erase(timers_.lower_bound(
        {timer.due.load(std::memory_order_relaxed), reinterpret_cast<std::uintptr_t>(timer.slot), 0}));
    timer.slot = nullptr;
    return true;
  }

  // Takes out the first timer if it is due at `now`; else 0.
  std::uintptr_t pop(std::int64_t now) noexcept {
    if (timers_.empty() || std::get<0>(*timers_.begin()) > now)
      return 0;
    const auto cell = std::get<2>(*timers_.begin());
    timers_.erase(timers_.begin());
    untagged(cell)->slot = nullptr;
    return cell;
  }

  // A timer that is due, in the order of `pop`.
  struct due_timer {
    std::int64_t due = 0;
    std::uintptr_t number = 0;  // its own, for as long as it is armed
    std::uintptr_t cell = 0;
  };
  std::vector<due_timer> due(std::int64_t now) const {
    std::vector<due_timer> all;
    for (auto i = timers_.begin(); i != timers_.end() && std::get<0>(*i) <= now; ++i)
      all.push_back({std::get<0>(*i), std::get<1>(*i), std::get<2>(*i)});
    return all;
  }
  bool contains(const due_timer& one) const noexcept { return timers_.contains({one.due, one.number, one.cell}); }
  // Takes that one out; whether it was in.
  bool pop(const due_timer& one) noexcept {
    if (timers_.erase({one.due, one.number, one.cell}) == 0)
      return false;
    untagged(one.cell)->slot = nullptr;
    return true;
  }

  std::optional<std::int64_t> next_wake() const noexcept {
    if (timers_.empty())
      return std::nullopt;
    return std::get<0>(*timers_.begin());
  }

  std::size_t size() const noexcept { return timers_.size(); }

 private:
  std::set<std::tuple<std::int64_t, std::uintptr_t, std::uintptr_t>> timers_;
  std::uintptr_t next_ = 1;
};

}  // namespace libactor::detail
