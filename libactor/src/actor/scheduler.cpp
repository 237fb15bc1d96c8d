// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/scheduler.hpp"

#include "actor/scheduler_clock.hpp"
#include "actor/scheduler_pool.hpp"

#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <thread>

namespace libactor {

namespace {

constexpr std::size_t default_messages_a_turn = 50;

std::size_t default_threads() noexcept { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace

void configure(caf::actor_system_config& cfg) { cfg.load<scheduler>(); }

scheduler::scheduler(caf::actor_system& system)
    : caf::scheduler::abstract_coordinator(system),
      clock_(std::make_unique<detail::scheduler_clock>([this] { return pool_->rescue(); })),
      pool_(std::make_unique<detail::scheduler_pool>(system, [this] { clock_->watch(); })) {}

scheduler::~scheduler() = default;

caf::actor_system::module* scheduler::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new scheduler(system);
}

scheduler* scheduler::of(caf::actor_system& system) noexcept { return dynamic_cast<scheduler*>(&system.scheduler()); }

void scheduler::init(caf::actor_system_config& cfg) {
  max_throughput_ = std::max(std::size_t{1}, caf::get_or(cfg, "scheduler.max-throughput", default_messages_a_turn));
  num_workers_ = std::max(std::size_t{1}, caf::get_or(cfg, "scheduler.max-threads", default_threads()));
}

void scheduler::start() {
  pool_->start(num_workers_, max_throughput_);
  clock_->start(system());
  abstract_coordinator::start();  // the actors that every scheduler of CAF brings: the printer
}

// The clock goes last, and both outlive this: threads of detached actors still come here afterwards.
void scheduler::stop() {
  stop_actors();
  pool_->stop();
  clock_->stop();
}

void scheduler::enqueue(caf::resumable* job) { pool_->enqueue(job); }

caf::actor_clock& scheduler::clock() noexcept { return *clock_; }

std::vector<scheduler_thread> scheduler::threads() const {
  std::vector<scheduler_thread> all;
  pool_->each_thread([&](const detail::pool_thread& thread) {
    const auto id = thread.kernel_id.load(std::memory_order_relaxed);
    if (id == 0)
      return;  // it does not run
    all.push_back({id, thread.sequence.load(std::memory_order_acquire), thread.actor.load(std::memory_order_relaxed),
                   thread.lost.load(std::memory_order_relaxed)});
  });
  return all;
}

std::size_t scheduler::timers() const noexcept { return clock_->size(); }

void scheduler::add_thread() { pool_->add_thread(); }

bool scheduler::abandon_thread(int thread, std::uint64_t sequence) { return pool_->abandon(thread, sequence); }

}  // namespace libactor
