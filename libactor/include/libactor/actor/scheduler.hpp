// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace libactor {

namespace detail {
class scheduler_clock;
class scheduler_pool;
}  // namespace detail

/// Sets up a configuration for trees of actors: loads `scheduler`. Call it before the `actor_system` is made. Two of
/// CAF's own keys are read: `scheduler.max-threads` (here: as many as the machine has, at least 2) and
/// `scheduler.max-throughput`, the messages that an actor handles in one turn (here: 50). 0 stands for 1.
void configure(caf::actor_system_config& cfg);

/// What one thread of the scheduler is doing. Each field is read on its own: between two readings the thread may have
/// gone on, which `sequence` tells.
struct scheduler_thread {
  int thread = 0;              ///< the kernel's id
  std::uint64_t sequence = 0;  ///< odd while a turn runs; each turn adds 2
  std::uint64_t actor = 0;     ///< the id of the actor whose turn it is, or was; 0 for what is no actor
  bool abandoned = false;      ///< made up for by another, until its turn ends
};

/// A scheduler for CAF: jobs in one queue, first in first out, and beside it a slot for each thread, which holds the
/// job that the thread made runnable last and runs next. A job in the slot of a thread whose turn takes longer than
/// about a millisecond goes to another thread. Timers stand in a timing wheel: a canceled one is freed at once, and
/// those of an actor that has ended go with it.
///
/// Thread-safe: all members.
class scheduler final : public caf::scheduler::abstract_coordinator {
 public:
  explicit scheduler(caf::actor_system& system);
  ~scheduler() override;

  /// For `caf::actor_system_config::load`.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);
  /// The system's scheduler if it is one of these, else null.
  static scheduler* of(caf::actor_system& system) noexcept;

  /// Reads no lock, and so sees threads that are stuck. Throws: std::bad_alloc.
  std::vector<scheduler_thread> threads() const;

  /// How many of CAF's timers are set.
  std::size_t timers() const noexcept;

  /// One more thread, for good; none while the system stops. Throws: std::system_error, and then there is none.
  void add_thread();

  /// Gives up on a thread that is still in the turn `sequence`: another takes its place, and what stood in its slot
  /// goes to the others. When its turn ends after all, one thread retires. Whether it was so; false if the turn has
  /// ended, the thread is abandoned already, or the system stops. Throws: std::system_error, and then the thread is not
  /// abandoned.
  bool abandon_thread(int thread, std::uint64_t sequence);

  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override;

 protected:
  void init(caf::actor_system_config& cfg) override;
  void start() override;
  void stop() override;

 private:
  std::unique_ptr<detail::scheduler_clock> clock_;
  std::unique_ptr<detail::scheduler_pool> pool_;
};

}  // namespace libactor
