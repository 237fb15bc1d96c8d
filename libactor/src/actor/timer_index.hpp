// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_node.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace libactor::detail {

class timer_index;

// One of CAF's timers.
class actor_timer : public timer_link {
 public:
  actor_timer() = default;
  actor_timer(const actor_timer&) = delete;
  actor_timer& operator=(const actor_timer&) = delete;
  virtual ~actor_timer() = default;
  // Its time has come.
  virtual void ship() = 0;
  // Whether it is the one that its actor knows by these; see the callers.
  virtual bool is(std::uint64_t /*type*/, std::uint64_t /*id*/) const noexcept { return false; }

  const caf::abstract_actor* owner = nullptr;  // which it keeps alive; its id alone may be another node's, too
  timer_index* index = nullptr;                // where it stands
  actor_timer* next = nullptr;
  actor_timer** self = nullptr;  // what points to it
};

// Timers by the actor that they belong to: a hash table with chains through the timers themselves. Not synchronised.
class timer_index {
 public:
  // Throws std::bad_alloc, and then nothing has changed.
  void insert(actor_timer& timer) {
    if (size_ == buckets_.size())
      grow();
    link(buckets_, timer);
    timer.index = this;
    ++size_;
  }

  void erase(actor_timer& timer) noexcept {
    *timer.self = timer.next;
    if (timer.next != nullptr)
      timer.next->self = timer.self;
    timer.next = nullptr;
    timer.index = nullptr;
    --size_;
  }

  // Takes out all, and calls `visit` with each.
  template <class Visit>
  void drain(Visit visit) {
    for (auto*& head : buckets_) {
      while (auto* timer = head) {
        erase(*timer);
        visit(*timer);
      }
    }
  }

  // The first of `owner` for which `wanted` holds, or null.
  template <class Wanted>
  actor_timer* find(const caf::abstract_actor* owner, Wanted wanted) const noexcept {
    if (size_ == 0)
      return nullptr;
    for (auto* timer = buckets_[place(buckets_, owner)]; timer != nullptr; timer = timer->next) {
      if (timer->owner == owner && wanted(*timer))
        return timer;
    }
    return nullptr;
  }

 private:
  using buckets = std::vector<actor_timer*>;

  // Fibonacci hashing (Knuth, 6.4): actors of one size stand at even distances.
  static std::size_t place(const buckets& where, const caf::abstract_actor* owner) noexcept {
    return (reinterpret_cast<std::uintptr_t>(owner) * 0x9e3779b97f4a7c15U) >> 32 & (where.size() - 1);
  }

  static void link(buckets& where, actor_timer& timer) noexcept {
    auto& head = where[place(where, timer.owner)];
    timer.next = head;
    timer.self = &head;
    if (head != nullptr)
      head->self = &timer.next;
    head = &timer;
  }

  void grow() {
    buckets fresh(buckets_.empty() ? 64 : 2 * buckets_.size());
    for (auto* timer : buckets_) {
      while (timer != nullptr) {
        auto* next = timer->next;
        link(fresh, *timer);
        timer = next;
      }
    }
    buckets_.swap(fresh);
  }

  buckets buckets_;
  std::size_t size_ = 0;
};

}  // namespace libactor::detail
