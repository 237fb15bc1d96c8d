// SPDX-License-Identifier: BSL-1.0
#include "runtime_core.hpp"

#include "hook_node.hpp"

#include <array>
#include <ctime>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace libactor::detail {

namespace {

std::int64_t steady_now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

runtime_core::runtime_core(context_runtime& runtime, bool virtual_clock) : owner{&runtime}, is_virtual{virtual_clock} {
  root.kind = static_cast<std::uint8_t>(node_kind::root);
  root.core = this;
  root.refs.store(1, std::memory_order_relaxed);
  root.word.store(node_head::live | node_head::handles | node_head::never, std::memory_order_release);
  if (!is_virtual)
    driver_ = std::thread{[this] { drive(); }};
}

runtime_core::~runtime_core() = default;

std::int64_t runtime_core::now() const noexcept {
  return is_virtual ? virtual_now.load(std::memory_order_acquire) : steady_now();
}

std::uint32_t runtime_core::age_stamp() const noexcept {
  if (is_virtual)
    return static_cast<std::uint32_t>(virtual_now.load(std::memory_order_relaxed) / 1'000'000);
#ifdef CLOCK_MONOTONIC_COARSE
  timespec coarse{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
  return static_cast<std::uint32_t>(coarse.tv_sec * 1000 + coarse.tv_nsec / 1'000'000);
#else
  return static_cast<std::uint32_t>(steady_now() / 1'000'000);
#endif
}

void runtime_core::arm(timer_link& timer, timer_kind kind, std::int64_t due) {
  bool wake = false;
  lock(queue_word_);
  try {
    if (is_virtual)
      ordered_.insert(timer, kind, due);
    else
      wheel_.insert(timer, kind, due);
  } catch (const std::bad_alloc&) {
    unlock(queue_word_, 0);
    throw;
  }
  if (due < driver_wakes_at_) {
    driver_wakes_at_ = due;
    wake = !is_virtual;
  }
  unlock(queue_word_, 0);
  if (wake)
    poke();
}

bool runtime_core::disarm(timer_link& timer) noexcept {
  lock(queue_word_);
  const bool was_in = is_virtual ? ordered_.erase(timer) : wheel_.erase(timer);
  unlock(queue_word_, 0);
  return was_in;
}

std::optional<std::int64_t> runtime_core::next_wake() noexcept {
  lock(queue_word_);
  const auto next = is_virtual ? ordered_.next_wake() : wheel_.next_wake();
  driver_wakes_at_ = next.value_or(INT64_MAX);
  unlock(queue_word_, 0);
  return next;
}

bool runtime_core::fire_due(std::int64_t at) noexcept {
  struct due_timer {
    std::uintptr_t cell;
    std::int64_t due;
  };
  std::array<due_timer, 64> batch;
  std::size_t count = 0;
  // One at a time on the virtual clock: what fires may disarm what is due at the same time.
  const auto most = is_virtual ? std::size_t{1} : batch.size();
  lock(queue_word_);
  while (count < most) {
    const auto cell = is_virtual ? ordered_.pop(at) : wheel_.pop(at);
    if (cell == 0)
      break;
    const auto due = static_cast<timer_link*>(untagged(cell))->due.load(std::memory_order_relaxed);
    // A node that is dying waits for the queue's lock to disarm itself; it is not touched any more after that.
    if ((cell & tag_mask) == static_cast<std::uintptr_t>(timer_kind::hook) || try_pin(node_of_timer(cell)))
      batch[count++] = {cell, due};
  }
  unlock(queue_word_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    if ((batch[i].cell & tag_mask) == static_cast<std::uintptr_t>(timer_kind::hook)) {
      auto& hook = hook_of_timer(batch[i].cell);
      hook.fire();
      release(hook);
      continue;
    }
    auto& node = node_of_timer(batch[i].cell);
    expire(node, batch[i].due);
    unpin(node);
  }
  return count != 0;
}

void runtime_core::poke() noexcept {
  const std::lock_guard guard{sleep_mutex_};
  poked_ = true;
  sleep_.notify_one();
}

void runtime_core::drive() noexcept {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 µs would add to every deadline's lateness
#endif
  for (;;) {
    while (fire_due(now())) {
    }
    const auto next = next_wake();
    std::unique_lock guard{sleep_mutex_};
    const auto woken = [this] { return poked_ || stopping_; };
    if (!next)
      sleep_.wait(guard, woken);
    else
      sleep_.wait_until(guard, time_point{duration{*next}}, woken);
    if (stopping_)
      return;
    poked_ = false;
  }
}

void runtime_core::shut_down() noexcept {
  if (driver_.joinable()) {
    {
      const std::lock_guard guard{sleep_mutex_};
      stopping_ = true;
      sleep_.notify_one();
    }
    driver_.join();
  }
  for (;;) {
    lock(queue_word_);
    const auto cell = is_virtual ? ordered_.pop(INT64_MAX) : wheel_.pop(INT64_MAX);
    unlock(queue_word_, 0);
    if (cell == 0)
      return;
    // Contexts have ended by now, and have left the queue.
    if ((cell & tag_mask) == static_cast<std::uintptr_t>(timer_kind::hook))
      release(hook_of_timer(cell));
  }
}

}  // namespace libactor::detail
