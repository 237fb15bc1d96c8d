// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the nodes of a runtime share. It lives as long as the root node in it, which each node of the runtime keeps
// alive; the `context_runtime` itself may be gone before.

#include "context_node.hpp"
#include "executor.hpp"
#include "libactor/context_event.hpp"
#include "libactor/context_runtime.hpp"
#include "ordered_deadlines.hpp"
#include "timing_wheel.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace libactor::detail {

struct runtime_core {
  runtime_core(context_runtime& owner, bool is_virtual);
  ~runtime_core();
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;

  static runtime_core& of(context_runtime& runtime) noexcept;

  std::int64_t now() const noexcept;
  // Milliseconds of a cheap, coarse clock.
  std::uint32_t age_stamp() const noexcept;

  // Puts a timer into the queue. Throws std::bad_alloc. May be called with no lock held only.
  void arm(timer_link& timer, timer_kind kind, std::int64_t due);
  // Whether it was in the queue.
  bool disarm(timer_link& timer) noexcept;
  // Fires what is due at `at`, once over; whether there was anything.
  bool fire_due(std::int64_t at) noexcept;
  std::optional<std::int64_t> next_wake() noexcept;
  // Drops every timer unfired, and stops the driver.
  void shut_down() noexcept;

  // -- callbacks
  void post(callback_task& task) noexcept;
  bool run_callbacks() noexcept { return executor_.run_pending(); }

  // -- events
  using listener = std::function<void(const context_event&)>;
  bool observed() const noexcept { return observed_.load(std::memory_order_relaxed); }
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

 private:
  void drive() noexcept;
  void poke() noexcept;

  std::atomic<std::uint64_t> queue_word_{0};  // a spinlock over the queue
  timing_wheel wheel_;                        // of a production runtime
  ordered_deadlines ordered_;                 // of a virtual one
  std::int64_t driver_wakes_at_ = INT64_MAX;  // under the queue's lock

  struct subscription {
    std::uint64_t number;
    listener what;
  };
  using subscriptions = std::vector<std::shared_ptr<const subscription>>;
  std::atomic<bool> observed_{false};
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

}  // namespace libactor::detail
