// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_node.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace libactor::detail {

enum class timer_kind : std::uintptr_t { node = 0, hook = 1 };

// Deadlines by time, each in O(1): a hierarchical timing wheel (Varghese and Lauck, scheme 6) of 256 slots a level,
// with ticks of 2^16 ns. Nothing comes out before its time, nor more than a tick after it; save that the last tick
// before the clock's end stands for what is after it, too. Not synchronised.
//
// Invariants
//  1. A timer's tick is its time rounded up. One whose tick is not after `now_` stands in `ready_`; every other stands
//     on the level of the highest byte in which its tick and `now_` differ, in the slot that this byte of its tick
//     says: so where it stands follows from its time and `now_` alone, and need not be stored.
//  2. `now_` moves to the next occupied slot's begin, and that slot is emptied: downwards, or into `ready_`.
//  3. A bit in `occupied_` is set where the slot is not empty.
class timing_wheel {
 public:
  static constexpr int tick_shift = 16;

  timing_wheel() = default;
  timing_wheel(const timing_wheel&) = delete;
  timing_wheel& operator=(const timing_wheel&) = delete;
  // Timers that are still in it must not be used any more.
  ~timing_wheel() {
    ready_.forget();
    for (auto& level : slots_) {
      for (auto& slot : level)
        slot.forget();
    }
  }

  // Requires: the timer stands nowhere. Throws std::bad_alloc.
  void insert(timer_link& timer, timer_kind kind, std::int64_t due) {
    timer.due.store(due, std::memory_order_relaxed);
    place(timer, static_cast<std::uintptr_t>(kind), tick_of(due));
  }

  // The same where that takes no memory; false, without effect, where it does.
  [[gnu::always_inline]] bool insert_in_place(timer_link& timer, timer_kind kind, std::int64_t due) noexcept {
    const auto tick = tick_of(due);
    if (tick <= now_)
      return false;
    const auto at = position_of(tick);
    timer.due.store(due, std::memory_order_relaxed);
    if (!slots_[at.level][at.index].push_in_place(timer, static_cast<std::uintptr_t>(kind)))
      return false;
    occupied_[at.level][at.index / 64] |= 1ULL << at.index % 64;
    return true;
  }

  // Whether it was in.
  [[gnu::always_inline]] bool erase(timer_link& timer) noexcept {
    if (timer.slot == nullptr)
      return false;
    const auto tick = tick_of(timer.due.load(std::memory_order_relaxed));
    if (tick <= now_) {
      ready_.remove(timer);
      return true;
    }
    const auto at = position_of(tick);
    auto& slot = slots_[at.level][at.index];
    slot.remove(timer);
    if (slot.empty())
      clear(at);
    return true;
  }

  // Moves the wheel's time and takes out one timer that is due at `now`; 0 if none is. May throw std::bad_alloc, and
  // then what had to be moved stays where it was.
  std::uintptr_t pop(std::int64_t now) {
    if (ready_.empty())
      advance(static_cast<std::uint64_t>(now < 0 ? 0 : now) >> tick_shift);
    const auto cell = ready_.back();
    if (cell != 0) {
      ready_.pop();
    }
    return cell;
  }

  // When `pop` has something to do next, in nanoseconds; none if it is empty.
  std::optional<std::int64_t> next_wake() const noexcept {
    if (!ready_.empty())
      return static_cast<std::int64_t>(now_ << tick_shift);
    if (const auto next = next_slot())
      return static_cast<std::int64_t>(next->tick << tick_shift);
    return std::nullopt;
  }

  // Counts them, for tests.
  std::size_t size() const {
    std::size_t all = 0;
    const auto count = [&](std::uintptr_t) { ++all; };
    ready_.each(count);
    for (const auto& level : slots_) {
      for (const auto& slot : level)
        slot.each(count);
    }
    return all;
  }

 private:
  static constexpr unsigned levels = 6;  // 8 bits each, of the 47 that a tick has
  static constexpr unsigned width = 256;

  struct position {
    unsigned level;
    unsigned index;
  };
  struct slot_time {
    position at;
    std::uint64_t tick;
  };

  static std::uint64_t tick_of(std::int64_t due) noexcept {
    constexpr auto last = static_cast<std::uint64_t>(INT64_MAX) >> tick_shift;
    return due <= 0 ? 0 : std::min((static_cast<std::uint64_t>(due) + (1U << tick_shift) - 1) >> tick_shift, last);
  }
  position position_of(std::uint64_t tick) const noexcept {
    const auto level = static_cast<unsigned>(std::bit_width(tick ^ now_) - 1) / 8;
    return {level, static_cast<unsigned>(tick >> (8 * level)) & (width - 1)};
  }
  void clear(position at) noexcept { occupied_[at.level][at.index / 64] &= ~(1ULL << at.index % 64); }

  void place(timer_link& timer, std::uintptr_t tag, std::uint64_t tick) {
    if (tick <= now_) {
      ready_.push(timer, tag);
      return;
    }
    const auto at = position_of(tick);
    slots_[at.level][at.index].push(timer, tag);
    occupied_[at.level][at.index / 64] |= 1ULL << at.index % 64;
  }

  std::optional<slot_time> next_slot() const noexcept {
    for (unsigned level = 0; level < levels; ++level) {
      const auto here = static_cast<unsigned>(now_ >> (8 * level)) & (width - 1);
      for (auto word = here / 64; word < width / 64; ++word) {
        auto bits = occupied_[level][word];
        if (word == here / 64)
          bits &= here % 64 == 63 ? 0 : ~0ULL << (here % 64 + 1);
        if (bits == 0)
          continue;
        const auto index = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
        const auto above = now_ >> (8 * (level + 1)) << (8 * (level + 1));
        return slot_time{{level, index}, above | static_cast<std::uint64_t>(index) << (8 * level)};
      }
    }
    return std::nullopt;
  }

  // Until something is ready, or the time is reached. `ready_` is empty.
  void advance(std::uint64_t to) {
    while (ready_.empty()) {
      const auto next = next_slot();
      if (!next || next->tick > to) {
        now_ = to > now_ ? to : now_;
        return;
      }
      auto& slot = slots_[next->at.level][next->at.index];
      now_ = next->tick;
      if (next->at.level == 0) {
        slot.move_to(ready_);
      } else {
        while (!slot.empty()) {
          const auto cell = slot.back();
          auto& timer = *static_cast<timer_link*>(untagged(cell));
          slot.pop();
          place(timer, cell & tag_mask, tick_of(timer.due.load(std::memory_order_relaxed)));
        }
      }
      clear(next->at);
    }
  }

  std::array<std::array<pointer_bag, width>, levels> slots_;
  std::array<std::array<std::uint64_t, width / 64>, levels> occupied_{};
  pointer_bag ready_;
  std::uint64_t now_ = 0;
};

}  // namespace libactor::detail
