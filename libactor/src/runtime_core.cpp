// SPDX-License-Identifier: BSL-1.0
#include "runtime_core.hpp"

#include "hook_node.hpp"
#include "libactor/violation.hpp"

#include <array>
#include <ctime>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace libactor::detail {

namespace {

std::int64_t steady_now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

bool is_hook(std::uintptr_t cell) noexcept {
  return (cell & tag_mask) == static_cast<std::uintptr_t>(timer_kind::hook);
}

}  // namespace

runtime_core::runtime_core(context_runtime& runtime, bool virtual_clock)
    : owner{&runtime}, is_virtual{virtual_clock}, usual_{!virtual_clock}, executor_{virtual_clock} {
  std::construct_at(&root.word, std::uint64_t{0});
  root.kind = static_cast<std::uint8_t>(node_kind::root);
  root.core = this;
  root.refs.store(1, std::memory_order_relaxed);
  root.word.store(node_head::live | node_head::handles | node_head::never, std::memory_order_release);
  if (!is_virtual)
    driver_ = std::thread{[this] { drive(); }};
}

runtime_core::~runtime_core() {
  for (auto* node : leaving_) {
    if (node != nullptr)
      node_pool::deallocate_smallest(node);
  }
}

std::int64_t runtime_core::now() const noexcept {
  return is_virtual ? virtual_now.load(std::memory_order_acquire) : steady_now();
}

// -- time of derivation -----------------------------------------------------------------------------------------------

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t publish_every = 2 * ms;
constexpr std::int64_t publish_for = 128 * ms;  // then those who derive have to ask again
// Readings of the clock by one thread within one millisecond of it that make it ask for the time to be published: a
// thread that derives less often than that does better with the clock, and leaves the driver asleep.
constexpr unsigned busy_readings = 512;

std::int64_t read_coarse() noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
  timespec coarse{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
  return static_cast<std::int64_t>(coarse.tv_sec) * 1000 + coarse.tv_nsec / ms;
#else
  return steady_now() / ms;
#endif
}

}  // namespace

std::uint64_t runtime_core::read_coarse_ms() noexcept {
  if (is_virtual)
    return static_cast<std::uint64_t>(virtual_now.load(std::memory_order_relaxed) / ms);
  struct readings {
    std::int64_t at = 0;
    unsigned count = 0;
  };
  thread_local constinit readings recent;
  const auto at = read_coarse();
  if (at != recent.at) {
    recent = {at, 0};
  } else if (++recent.count == busy_readings && !wants_time_.exchange(true, std::memory_order_relaxed)) {
    poke();
  }
  return static_cast<std::uint64_t>(at);
}

std::int64_t runtime_core::publish_time(std::int64_t at) noexcept {
  if (at >= publish_until_) {
    if (!wants_time_.exchange(false, std::memory_order_relaxed)) {
      published_ms_.store(0, std::memory_order_relaxed);
      counter_.pause();
      return INT64_MAX;
    }
    publish_until_ = at + publish_for;
    publishes_counter_ = counter_clock::trusted();
  }
  if (publishes_counter_)
    counter_.publish(steady_now);
  published_ms_.store(static_cast<std::uint64_t>(at / ms), std::memory_order_relaxed);
  return at + publish_every;
}

// -- deadlines --------------------------------------------------------------------------------------------------------

void runtime_core::arm(timer_link& timer, timer_kind kind, std::int64_t due) {
  const auto word = lock(root.word);
  try {
    if (is_virtual)
      ordered_.insert(timer, kind, due);
    else
      wheel_.insert(timer, kind, due);
  } catch (const std::bad_alloc&) {
    unlock(root.word, word);
    throw;
  }
  const bool wake = wakes_driver(due);
  unlock(root.word, word);
  if (wake)
    poke();
}

bool runtime_core::disarm(timer_link& timer) noexcept {
  const auto word = lock(root.word);
  const bool was_in = is_virtual ? ordered_.erase(timer) : wheel_.erase(timer);
  unlock(root.word, word);
  return was_in;
}

std::optional<std::int64_t> runtime_core::next_wake() noexcept {
  const auto word = lock(root.word);
  const auto next = is_virtual ? ordered_.next_wake() : wheel_.next_wake();
  driver_wakes_at_ = next.value_or(INT64_MAX);
  unlock(root.word, word);
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
  const auto word = lock(root.word);
  while (count < most) {
    const auto cell = is_virtual ? ordered_.pop(at) : wheel_.pop(at);
    if (cell == 0)
      break;
    const auto due = static_cast<timer_link*>(untagged(cell))->due.load(std::memory_order_relaxed);
    // A node that is dying waits for the queue's lock to disarm itself; it is not touched any more after that.
    if (is_hook(cell) || try_pin(node_of_timer(cell)))
      batch[count++] = {cell, due};
  }
  unlock(root.word, word);
  for (std::size_t i = 0; i < count; ++i)
    fire_cell(batch[i].cell, batch[i].due);
  return count != 0;
}

void runtime_core::fire_cell(std::uintptr_t cell, std::int64_t due) noexcept {
  if (is_hook(cell)) {
    auto& hook = hook_of_timer(cell);
    hook.fire();
    release(hook);
    return;
  }
  auto& node = node_of_timer(cell);
  expire(node, due);
  unpin(node);
}

std::vector<ordered_deadlines::due_timer> runtime_core::due_at(std::int64_t at) {
  const auto word = lock(root.word);
  try {
    auto all = ordered_.due(at);
    unlock(root.word, word);
    return all;
  } catch (const std::bad_alloc&) {
    unlock(root.word, word);
    throw;
  }
}

bool runtime_core::is_armed(const ordered_deadlines::due_timer& one) noexcept {
  const auto word = lock(root.word);
  const bool is = ordered_.contains(one);
  unlock(root.word, word);
  return is;
}

void runtime_core::fire_one(const ordered_deadlines::due_timer& one) noexcept {
  const auto word = lock(root.word);
  const bool fires = ordered_.pop(one) && (is_hook(one.cell) || try_pin(node_of_timer(one.cell)));
  unlock(root.word, word);
  if (fires)
    fire_cell(one.cell, one.due);
}

runtime_core::hook_call runtime_core::call_of(const ordered_deadlines::due_timer& one) noexcept {
  return is_hook(one.cell) ? hook_of_timer(one.cell).hook.fire : nullptr;
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
    std::int64_t publish_at;
    for (;;) {
      const auto at = now();
      publish_at = publish_time(at);
      if (!fire_due(at))
        break;
    }
    auto next = next_wake();
    if (publish_at != INT64_MAX && (!next || publish_at < *next))
      next = publish_at;
    if (const auto check = executor_.check(now()); check && (!next || *check < *next))
      next = check;
    std::unique_lock guard{sleep_mutex_};
    const auto woken = [this] { return poked_ || stopping_; };
    if (!next)
      sleep_.wait(guard, woken);
    else
      sleep_.wait_until(guard, time_point{duration{*next}}, woken);
    if (stopping_) {
      published_ms_.store(0, std::memory_order_relaxed);
      return;
    }
    poked_ = false;
  }
}

void runtime_core::post(callback_task& task) noexcept {
  if (executor_.post(task))
    poke();
}

// -- events -----------------------------------------------------------------------------------------------------------

std::uint64_t runtime_core::subscribe(listener what) {
  const std::lock_guard guard{listeners_mutex_};
  auto fresh = listeners_ != nullptr ? std::make_shared<subscriptions>(*listeners_) : std::make_shared<subscriptions>();
  const auto number = next_subscription_++;
  fresh->push_back(std::make_shared<const subscription>(subscription{number, std::move(what)}));
  listeners_ = std::move(fresh);
  observed_.store(true, std::memory_order_relaxed);
  usual_.store(false, std::memory_order_relaxed);
  return number;
}

void runtime_core::unsubscribe(std::uint64_t number) noexcept {
  std::shared_ptr<const subscriptions> old;  // goes after the lock
  const std::lock_guard guard{listeners_mutex_};
  auto fresh = std::make_shared<subscriptions>();
  for (const auto& one : *listeners_) {
    if (one->number != number)
      fresh->push_back(one);
  }
  observed_.store(!fresh->empty(), std::memory_order_relaxed);
  usual_.store(!is_virtual && fresh->empty(), std::memory_order_relaxed);
  old = std::exchange(listeners_, std::move(fresh));
}

context_event runtime_core::event_of(context_event::what step, const context_node& node,
                                     const cause_rep* why) const noexcept {
  return {.step = step,
          .kind = node.what(),
          .id = id_of(node),
          .parent = node.parent != nullptr ? id_of(*node.parent) : 0,
          .where = node.where(),
          .at = time_point{duration{now()}},
          .why = cause_access::share(why)};
}

void runtime_core::tell(const context_event& event) noexcept {
  std::shared_ptr<const subscriptions> all;
  {
    const std::lock_guard guard{listeners_mutex_};
    all = listeners_;
  }
  if (all == nullptr)
    return;
  for (const auto& one : *all) {
    try {
      one->what(event);
    } catch (...) {
      violated("a subscriber to a runtime's events must not throw");
    }
  }
}

// -- end --------------------------------------------------------------------------------------------------------------

void runtime_core::shut_down() noexcept {
  if (driver_.joinable()) {
    {
      const std::lock_guard guard{sleep_mutex_};
      stopping_ = true;
      sleep_.notify_one();
    }
    driver_.join();
  }
  executor_.shut_down();
  for (;;) {
    const auto word = lock(root.word);
    const auto cell = is_virtual ? ordered_.pop(INT64_MAX) : wheel_.pop(INT64_MAX);
    unlock(root.word, word);
    if (cell == 0)
      return;
    // Contexts have ended by now, and have left the queue.
    if (is_hook(cell))
      release(hook_of_timer(cell));
  }
}

}  // namespace libactor::detail
