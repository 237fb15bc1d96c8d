// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the nodes of a runtime share. It lives as long as the root node in it, which each node of the runtime keeps
// alive; the `context_runtime` itself may be gone before.

#include "context_node.hpp"
#include "counter_clock.hpp"
#include "executor.hpp"
#include "libactor/context_event.hpp"
#include "libactor/context_runtime.hpp"
#include "ordered_deadlines.hpp"
#include "timing_wheel.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace libactor::detail {

struct runtime_core {
  runtime_core(context_runtime& owner, bool is_virtual);
  ~runtime_core();
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;

  static runtime_core& of(context_runtime& runtime) noexcept;

  std::int64_t now() const noexcept;
  // Milliseconds of `now`, some milliseconds late: what the driver publishes, where it does.
  std::uint64_t coarse_ms() noexcept {
    const auto published = published_ms_.load(std::memory_order_relaxed);
    return published != 0 ? published : read_coarse_ms();
  }

  // A time not before `now`, and at most 23 µs after it, which costs less where time is published: for what must not be
  // early.
  std::int64_t now_or_just_after() const noexcept {
    if (counter_.running()) [[likely]] {
      if (const auto at = counter_.at(counter_clock::read()); at != counter_clock::unknown) [[likely]]
        return at;
    }
    return now();
  }

  // Puts a timer into the queue. Throws std::bad_alloc. May be called with no lock held only.
  void arm(timer_link& timer, timer_kind kind, std::int64_t due);
  // Whether it was in the queue.
  bool disarm(timer_link& timer) noexcept;
  // Makes a node right below the root live, counts and arms it, all at once. False, without effect, where that can't
  // be.
  bool join_root_armed(context_node& node, std::uint64_t flags, std::int64_t due) noexcept;
  // The way back: for a node below the root that is dead if `die()`, asked under the lock, says so; else no effect.
  // Gives back the memory of a node that died before, or none.
  template <class Die>
  bool leave_root_armed(context_node& node, Die die) noexcept;
  // Fires what is due at `at`, once over; whether there was anything.
  bool fire_due(std::int64_t at) noexcept;
  // On the virtual clock, for who has timers that are due together fire in another order: what is due at `at`, in the
  // usual one; whether one of them is still armed; and firing it, if it is.
  std::vector<ordered_deadlines::due_timer> due_at(std::int64_t at);
  bool is_armed(const ordered_deadlines::due_timer& one) noexcept;
  void fire_one(const ordered_deadlines::due_timer& one) noexcept;
  // What a timer of a hook calls; null: it is a context's deadline.
  using hook_call = void (*)(void*) noexcept;
  static hook_call call_of(const ordered_deadlines::due_timer& one) noexcept;
  std::optional<std::int64_t> next_wake() noexcept;
  // Drops every timer unfired, and stops the driver.
  void shut_down() noexcept;

  // -- callbacks
  void post(callback_task& task) noexcept;
  bool run_callbacks() noexcept { return executor_.run_pending(); }
  // The latest that waits; null: none does.
  const callback_task* newest_callback() noexcept { return executor_.newest_pending(); }

  // -- events
  using listener = std::function<void(const context_event&)>;
  bool observed() const noexcept { return observed_.load(std::memory_order_relaxed); }
  // On a real clock, and not observed.
  bool usual() const noexcept { return usual_.load(std::memory_order_relaxed); }
  std::uint64_t subscribe(listener what);
  void unsubscribe(std::uint64_t number) noexcept;
  context_event event_of(context_event::what step, const context_node& node, const cause_rep* why) const noexcept;
  // With no lock held.
  void tell(const context_event& event) noexcept;
  void tell(context_event::what step, const context_node& node) noexcept { tell(event_of(step, node, nullptr)); }

  context_node root;  // first: its end is the core's
  std::atomic<context_runtime*> owner;
  const bool is_virtual;
  std::atomic<std::int64_t> virtual_now{0};
  std::mutex end_mutex;            // of who shuts the runtime down
  std::atomic<bool> fence{false};  // whether an actor that lives here was abandoned: set once, never taken back

 private:
  void drive() noexcept;
  // What was taken out of the queue, and pinned.
  static void fire_cell(std::uintptr_t cell, std::int64_t due) noexcept;
  // With the queue locked: whether the driver has to be poked for a new timer.
  bool wakes_driver(std::int64_t due) noexcept {
    if (due >= driver_wakes_at_)
      return false;
    driver_wakes_at_ = due;
    return !is_virtual;
  }
  void poke() noexcept;
  std::uint64_t read_coarse_ms() noexcept;
  // For the driver: publishes `at` if anybody wants it, and says until when to sleep at the most.
  std::int64_t publish_time(std::int64_t at) noexcept;

  std::atomic<std::uint64_t> published_ms_{0};  // 0: not published
  std::atomic<bool> wants_time_{false};
  std::int64_t publish_until_ = INT64_MIN;  // the driver's own
  bool publishes_counter_ = false;
  counter_clock counter_;

  // The queue is locked by the root's word: so a deadline right below the root is counted and armed in one step.
  timing_wheel wheel_;                        // of a production runtime
  ordered_deadlines ordered_;                 // of a virtual one
  std::int64_t driver_wakes_at_ = INT64_MAX;  // under the queue's lock
  // Dead nodes that still stand in the wheel, whose places there are being fetched: nearly all that releasing one of a
  // million deadlines costs is waiting for that memory. Under the queue's lock.
  std::array<context_node*, 8> leaving_{};
  unsigned next_leaving_ = 0;

  struct subscription {
    std::uint64_t number;
    listener what;
  };
  using subscriptions = std::vector<std::shared_ptr<const subscription>>;
  std::atomic<bool> observed_{false};
  std::atomic<bool> usual_;
  std::mutex listeners_mutex_;
  std::shared_ptr<const subscriptions> listeners_;  // replaced as a whole
  std::uint64_t next_subscription_ = 1;

  executor executor_;

  std::mutex sleep_mutex_;
  std::condition_variable sleep_;
  bool poked_ = false;
  bool stopping_ = false;
  std::thread driver_;
};

inline context_node::context_node(context_node& above, node_kind kind, source_location from) noexcept
    : context_node{above, kind, from, above.env, no_time} {}

inline context_node::context_node(context_node& above, std::int64_t at, source_location from) noexcept
    : context_node{above, node_kind::deadline, from, this, at} {}

inline context_node::context_node(context_node& above, node_kind kind, source_location from, context_node* nearest,
                                  std::int64_t at) noexcept
    : node_front{kind, above},
      timer_link{at},
      core{above.core},
      env{nearest},
      file{from.file_name()},
      function{from.function_name()},
      // Never younger than its parent, whatever clock that was stamped by.
      stamp{(core != nullptr ? std::max(core->coarse_ms(), above.born()) : 0) << line_bits |
            std::min<std::uint64_t>(from.line(), line_mask)} {}

[[gnu::always_inline]] inline bool runtime_core::join_root_armed(context_node& node, std::uint64_t flags,
                                                                 std::int64_t due) noexcept {
  if (node.parent != &root || !usual()) [[unlikely]]
    return false;
  const auto word = lock(root.word);
  if ((word & (node_head::sharded | node_head::done_bit)) != 0 || !wheel_.insert_in_place(node, timer_kind::node, due))
      [[unlikely]] {
    unlock(root.word, word);
    return false;
  }
  node.word.store(node_head::live | node_head::handles | flags, std::memory_order_release);
  const bool wake = wakes_driver(due);
  unlock(root.word, word + node_head::one);
  if (wake) [[unlikely]]
    poke();
  return true;
}

template <class Die>
[[gnu::always_inline]] inline bool runtime_core::leave_root_armed(context_node& node, Die die) noexcept {
  const auto word = lock(root.word);
  if (!die()) {
    unlock(root.word, word);
    return false;
  }
  __builtin_prefetch(node.timer_link::slot, 1);
  auto* gone = std::exchange(leaving_[next_leaving_], &node);
  next_leaving_ = (next_leaving_ + 1) % leaving_.size();
  if (gone != nullptr)
    wheel_.erase(*gone);
  // The runtime itself has gone if this was the last.
  const bool last = locked_registry::dying(word - node_head::one);
  unlock(root.word, (word - node_head::one) & ~(last ? node_head::live : 0));
  if (gone != nullptr)
    node_pool::deallocate_smallest(gone);
  if (last) [[unlikely]]
    bury(&root);
  return true;
}

// Tells whoever subscribed that the node exists.
inline void announce(context_node& node) noexcept {
  if (node.core != nullptr && node.core->observed()) [[unlikely]]
    node.core->tell(context_event::what::derived, node);
}

}  // namespace libactor::detail
