// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "actor/timer_index.hpp"
#include "counter_clock.hpp"
#include "timing_wheel.hpp"

#include <caf/actor_clock.hpp>
#include <caf/fwd.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace libactor::detail {

// CAF's timers on a timing wheel, and the thread that drives it. The same thread calls `rescue` every millisecond while
// there is reason to (see scheduler_pool.hpp).
//
// Invariants
//  1. A timer stands in the wheel and in one of the indexes; both under `mutex_`.
//  2. No code of others runs under `mutex_`: timers are shipped and freed after it is released. So nothing here waits
//     for anything but a few steps of another thread, whatever a message's or an actor's destructor does.
//  3. An actor that ends takes its timers with it (CAF calls `cancel_timeouts`); until then each of them keeps it
//     alive, as CAF's do: an actor that only its own ticks keep going is not destroyed between two of them.
class scheduler_clock final : public caf::actor_clock {
 public:
  // `rescue` is called by this clock's thread, and says whether to call it again in a millisecond.
  explicit scheduler_clock(std::function<bool()> rescue) : rescue_(std::move(rescue)) {}
  ~scheduler_clock() override;

  void start(caf::actor_system& system);
  // Drops all timers, and every one that is set later.
  void stop();
  // Has `rescue` called from now on. Cheap where that is so already.
  void watch() noexcept {
    if (!watching_.load(std::memory_order_seq_cst)) [[unlikely]]
      start_watching();
  }

  // Not before the steady clock's, and at most 23 µs after it: CAF asks for it with each message.
  time_point now() const noexcept override;

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

 private:
  using owned_timer = std::unique_ptr<actor_timer>;

  // Both: with `mutex_` held.
  void insert(actor_timer& timer, timer_index& index, time_point due);
  void take_out(actor_timer& timer) noexcept;

  void add(owned_timer timer, timer_index& index, time_point due);
  void start_watching() noexcept;
  void drive();
  bool fire_due(std::unique_lock<std::mutex>& lock);

  std::function<bool()> rescue_;
  counter_clock counter_;
  std::atomic<bool> watching_{false};

  std::mutex mutex_;
  timing_wheel wheel_;
  timer_index receive_timeouts_;  // at most one for each actor and type: found fast, whatever else the actor waits for
  timer_index others_;
  std::atomic<std::size_t> size_{0};
  std::condition_variable changed_;
  std::int64_t wakes_at_ = INT64_MAX;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace libactor::detail
