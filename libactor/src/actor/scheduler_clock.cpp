// SPDX-License-Identifier: BSL-1.0
#include "actor/scheduler_clock.hpp"

#include "actor/system_thread.hpp"

#include <sys/prctl.h>
#include <caf/abstract_actor.hpp>
#include <caf/group.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <array>

namespace libactor::detail {

namespace {

constexpr std::int64_t rescue_period = 1'000'000;  // ns

std::int64_t steady_now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

std::uint64_t number_of(caf::atom_value type) noexcept { return static_cast<std::uint64_t>(type); }

class timeout_timer final : public actor_timer {
 public:
  timeout_timer(caf::strong_actor_ptr who, caf::atom_value type, std::uint64_t id)
      : who_(std::move(who)), type_(type), id_(id) {}
  void ship() override { who_->get()->eq_impl(caf::make_message_id(), who_, nullptr, caf::timeout_msg{type_, id_}); }
  bool is(std::uint64_t type, std::uint64_t) const noexcept override { return number_of(type_) == type; }

 private:
  caf::strong_actor_ptr who_;
  caf::atom_value type_;
  std::uint64_t id_;
};

class request_timer final : public actor_timer {
 public:
  request_timer(caf::strong_actor_ptr who, caf::message_id request) : who_(std::move(who)), request_(request) {}
  void ship() override { who_->get()->eq_impl(request_, who_, nullptr, caf::sec::request_timeout); }
  bool is(std::uint64_t, std::uint64_t id) const noexcept override { return request_.integer_value() == id; }

 private:
  caf::strong_actor_ptr who_;
  caf::message_id request_;
};

class message_timer final : public actor_timer {
 public:
  message_timer(caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content)
      : receiver_(std::move(receiver)), content_(std::move(content)) {}
  void ship() override { receiver_->enqueue(std::move(content_), nullptr); }

 private:
  caf::strong_actor_ptr receiver_;
  caf::mailbox_element_ptr content_;
};

class group_timer final : public actor_timer {
 public:
  group_timer(caf::group target, caf::strong_actor_ptr sender, caf::message content)
      : target_(std::move(target)), sender_(std::move(sender)), content_(std::move(content)) {}
  void ship() override { target_->eq_impl(caf::make_message_id(), std::move(sender_), nullptr, std::move(content_)); }

 private:
  caf::group target_;
  caf::strong_actor_ptr sender_;
  caf::message content_;
};

actor_timer& timer_of(std::uintptr_t cell) noexcept {
  return static_cast<actor_timer&>(*static_cast<timer_link*>(untagged(cell)));
}

// Many timers at once, chained, and freed when no lock is held.
struct timer_chain {
  timer_chain() = default;
  timer_chain(const timer_chain&) = delete;
  timer_chain& operator=(const timer_chain&) = delete;
  ~timer_chain() {
    while (first != nullptr)
      delete std::exchange(first, first->next);
  }
  void add(actor_timer& timer) noexcept { timer.next = std::exchange(first, &timer); }
  actor_timer* first = nullptr;
};

}  // namespace

scheduler_clock::~scheduler_clock() { stop(); }

void scheduler_clock::start(caf::actor_system& system) {
  thread_ = std::thread{[this, &system] {
    const system_thread here{system, "libactor.clock"};
    drive();
  }};
}

void scheduler_clock::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
  cancel_all();
}

// -- the timers -------------------------------------------------------------------------------------------------------

void scheduler_clock::insert(actor_timer& timer, timer_index& index, time_point due) {
  index.insert(timer);
  try {
    wheel_.insert(timer, timer_kind::hook, due.time_since_epoch().count());
  } catch (const std::bad_alloc&) {
    index.erase(timer);
    throw;
  }
  size_.fetch_add(1, std::memory_order_relaxed);
}

void scheduler_clock::take_out(actor_timer& timer) noexcept {
  wheel_.erase(timer);
  timer.index->erase(timer);
  size_.fetch_sub(1, std::memory_order_relaxed);
}

void scheduler_clock::add(owned_timer timer, timer_index& index, time_point due) {
  bool sooner = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;  // the argument goes after the lock
    insert(*timer.get(), index, due);
    static_cast<void>(timer.release());
    const auto at = due.time_since_epoch().count();
    sooner = at < wakes_at_;
    if (sooner)
      wakes_at_ = at;
  }
  if (sooner)
    changed_.notify_one();
}

void scheduler_clock::set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                                           std::uint64_t id) {
  auto timer = std::make_unique<timeout_timer>(self->ctrl(), type, id);
  timer->owner = self;
  cancel_ordinary_timeout(self, type);
  add(std::move(timer), receive_timeouts_, t);
}

void scheduler_clock::set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                                        std::uint64_t id) {
  auto timer = std::make_unique<timeout_timer>(self->ctrl(), type, id);
  timer->owner = self;
  add(std::move(timer), others_, t);
}

void scheduler_clock::set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) {
  auto timer = std::make_unique<request_timer>(self->ctrl(), id);
  timer->owner = self;
  add(std::move(timer), others_, t);
}

void scheduler_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  if (size_.load(std::memory_order_relaxed) == 0)
    return;  // an actor's own timers were set on its own thread, or handed over with it
  owned_timer old;
  const std::lock_guard lock{mutex_};
  old.reset(receive_timeouts_.find(self, [&](const actor_timer& x) { return x.is(number_of(type), 0); }));
  if (old)
    take_out(*old);
}

void scheduler_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  owned_timer old;
  const std::lock_guard lock{mutex_};
  old.reset(others_.find(self, [&](const actor_timer& x) { return x.is(0, id.integer_value()); }));
  if (old)
    take_out(*old);
}

void scheduler_clock::cancel_timeouts(caf::abstract_actor* self) {
  // Every actor that ends comes here, most without a timer.
  if (size_.load(std::memory_order_relaxed) == 0)
    return;
  timer_chain gone;
  const std::lock_guard lock{mutex_};
  for (auto* index : {&receive_timeouts_, &others_}) {
    while (auto* timer = index->find(self, [](const actor_timer&) { return true; })) {
      take_out(*timer);
      gone.add(*timer);
    }
  }
}

void scheduler_clock::schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) {
  const auto* owner = receiver->get();
  auto timer = std::make_unique<message_timer>(std::move(receiver), std::move(content));
  timer->owner = owner;
  add(std::move(timer), others_, t);
}

void scheduler_clock::schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                                       caf::message content) {
  add(std::make_unique<group_timer>(std::move(target), std::move(sender), std::move(content)), others_, t);
}

void scheduler_clock::cancel_all() {
  timer_chain gone;
  const std::lock_guard lock{mutex_};
  for (auto* index : {&receive_timeouts_, &others_}) {
    index->drain([&](actor_timer& timer) {
      wheel_.erase(timer);
      gone.add(timer);
    });
  }
  size_.store(0, std::memory_order_relaxed);
}

// -- the thread -------------------------------------------------------------------------------------------------------

caf::actor_clock::time_point scheduler_clock::now() const noexcept {
  if (counter_.running()) {
    if (const auto at = counter_.at(counter_clock::read()); at != counter_clock::unknown)
      return time_point{std::chrono::nanoseconds{at}};
  }
  return std::chrono::steady_clock::now();
}

void scheduler_clock::start_watching() noexcept {
  if (watching_.exchange(true, std::memory_order_seq_cst))
    return;
  const std::lock_guard lock{mutex_};
  wakes_at_ = INT64_MIN;
  changed_.notify_one();
}

bool scheduler_clock::fire_due(std::unique_lock<std::mutex>& lock) {
  std::array<actor_timer*, 64> batch;
  std::size_t count = 0;
  const auto now = steady_now();
  while (count != batch.size()) {
    const auto cell = wheel_.pop(now);
    if (cell == 0)
      break;
    auto& timer = timer_of(cell);
    timer.index->erase(timer);
    size_.fetch_sub(1, std::memory_order_relaxed);
    batch[count++] = &timer;
  }
  if (count == 0)
    return false;
  lock.unlock();
  for (std::size_t i = 0; i != count; ++i) {
    const owned_timer timer{batch[i]};
    timer->ship();
  }
  lock.lock();
  return true;
}

void scheduler_clock::drive() {
  prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 µs would add to every timer's lateness
  auto next_rescue = std::int64_t{0};
  bool reads_counter = false;
  bool was_watching = false;
  std::unique_lock lock{mutex_};
  while (!stopped_) {
    const bool fired = fire_due(lock);
    auto until = wheel_.next_wake().value_or(INT64_MAX);
    if (watching_.load(std::memory_order_seq_cst)) {
      const auto now = steady_now();
      if (now >= next_rescue) {
        lock.unlock();
        if (!std::exchange(was_watching, true))
          reads_counter = counter_clock::trusted();
        if (reads_counter)
          counter_.publish(steady_now);
        const bool again = rescue_();
        if (!again) {
          watching_.store(false, std::memory_order_seq_cst);
          // Who filled a slot just before saw that there is a watch: that slot is seen here, or the next time.
          if (rescue_()) {
            watching_.store(true, std::memory_order_seq_cst);
          } else {
            was_watching = false;
            counter_.pause();
          }
        }
        lock.lock();
        next_rescue = now + rescue_period;
        continue;
      }
      until = std::min(until, next_rescue);
    }
    if (fired)
      continue;
    wakes_at_ = until;
    if (until == INT64_MAX)
      changed_.wait(lock);
    else
      changed_.wait_until(lock, time_point{std::chrono::nanoseconds{until}});
  }
}

}  // namespace libactor::detail
