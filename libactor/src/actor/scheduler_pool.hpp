// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "actor/job_ring.hpp"
#include "libactor/detail/block_pool.hpp"

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace libactor::detail {

class scheduler_pool;

// A thread of the pool, as CAF sees it, and what others may read of it.
class pool_thread final : public caf::execution_unit {
 public:
  pool_thread(caf::actor_system* system, scheduler_pool& pool) : caf::execution_unit(system), pool_(pool) {}
  void exec_later(caf::resumable* job) override;

  // -- written by the thread itself, read by all
  std::atomic<std::uint64_t> sequence{0};  // odd while a turn runs
  std::atomic<std::uint64_t> actor{0};
  std::atomic<int> kernel_id{0};
  // -- the job that runs next; others may take it out
  std::atomic<caf::resumable*> slot{nullptr};
  // -- set with the pool's lock held
  std::atomic<bool> lost{false};

 private:
  friend class scheduler_pool;
  scheduler_pool& pool_;
  unsigned streak_ = 0;      // turns in a row that came from the slot
  bool left_one_ = false;    // a job in the queue for which nobody was woken
  unsigned stash_next_ = 0;  // the first that may still be in the stash
  unsigned stash_end_ = 0;
  std::uint64_t looked_at_ = 0;  // the deadline thread's: `sequence` when it looked last
  std::atomic<pool_thread*> older_{nullptr};
  std::thread thread_;
  // Jobs that were taken along from a long queue; others may take them out. Whether there may be any: set with the
  // pool's lock held.
  static constexpr unsigned most_stashed = 15;
  std::atomic<bool> has_stash_{false};
  std::array<std::atomic<caf::resumable*>, most_stashed> stash_{};
};

// The threads that run actors, and what they run.
//
// Invariants
//  1. A job is in one place: the queue, a slot, a stash, or a thread that runs it. Each holds the reference that CAF
//     gave with it.
//  2. Only its thread puts jobs into a slot, and only while it runs a turn; or into a stash, and only into an empty
//     one, on its way to a turn. So an idle thread has neither.
//  3. A sleeping thread is being woken (`waking_`) whenever the queue is not empty, a thread sleeps, and no thread is
//     between its turns or looks out for jobs (`looking_out_`). A woken thread wakes the next one while there is more:
//     one at a time, so that a burst of jobs does not wake all threads for the first of them. Except for a single job
//     that a thread in its turn leaves there, as it has one in its slot, too: to wake another thread takes longer than
//     most turns do. It takes it itself some turns later; and when the slot is rescued, a thread is woken for both, as
//     it is when the deadline thread sees that nothing was taken since it looked before.
//     And except for a burst (`burst_of_`): jobs that one turn made runnable at once, such as children that are asked
//     to end, while the queue was empty. For a millisecond or two the queue is that thread's alone: they answer to the
//     actor that asked them, so that a second thread mostly waits for what the first has written. The deadline
//     thread's second look ends it, and so does any job of another thread's, or from outside.
//  4. `active_` counts the threads that run and are not lost; where it exceeds `wanted_`, the next one between its
//     turns retires.
//  5. What stands in a slot or a stash behind a turn that goes on is moved to the queue by the deadline thread, and by
//     whoever gives the thread up; and a thread that finds the queue empty takes from the others' stashes.
class scheduler_pool {
 public:
  // `slot_filled` is called whenever a job may have to be rescued from a slot: by the thread that filled it.
  scheduler_pool(caf::actor_system& system, std::function<void()> slot_filled)
      : system_(system), slot_filled_(std::move(slot_filled)) {}
  ~scheduler_pool();

  void start(std::size_t threads, std::size_t messages_a_turn);
  // Runs what was queued before, ends the threads, and cleans up after what was queued since.
  void stop();

  // Takes over the reference that CAF gave to `job`. Any thread.
  void enqueue(caf::resumable* job);
  // The deadline thread's: moves jobs out of the slots of threads that are in the same turn as when it looked last.
  // Whether there is reason to look again.
  bool rescue();

  // Neither makes a thread once the pool stops.
  void add_thread();
  bool abandon(int kernel_id, std::uint64_t sequence);

  template <class Visit>
  void each_thread(Visit visit) const {
    for (auto* thread = newest_.load(std::memory_order_acquire); thread != nullptr;
         thread = thread->older_.load(std::memory_order_relaxed))
      visit(*thread);
  }

 private:
  friend class pool_thread;

  void put(pool_thread& self, caf::resumable* job);
  void push(caf::resumable* job) { push_all(&job, 1); }
  // `turn_of`: the thread whose turn made them runnable; `at_once`: with others that it makes so. Whether a single job
  // was left in the queue without waking anybody for it.
  bool push_all(caf::resumable* const* jobs, std::size_t count, const pool_thread* turn_of = nullptr,
                bool at_once = false);
  // For a job that will not be run here, as the pool has stopped.
  void clean_up(caf::resumable* job);
  void run(pool_thread& self);
  // The job, if it has more to do.
  caf::resumable* run_turn(pool_thread& self, caf::resumable* job);
  // `again` is queued behind the others. Null: the thread has to end.
  caf::resumable* next(pool_thread& self, caf::resumable* again);
  caf::resumable* take_slot(pool_thread& self) noexcept;
  caf::resumable* take_stashed(pool_thread& self) noexcept;
  // With `mutex_` held: takes some jobs of a long queue along, so that the lock is not taken for each.
  void fill_stash(pool_thread& self) noexcept;
  // Moves what waits in the thread's slot and stash into the queue.
  void free_jobs_of(pool_thread& thread);
  // With `mutex_` held: a job from another thread's stash.
  caf::resumable* steal() noexcept;
  // With `mutex_` held: what is in the queue is for all threads.
  void share_queue() noexcept;
  // The deadline thread's: shares what it has seen to be a burst before, and wakes somebody for what has not moved
  // since. Whether there is reason to look again.
  bool look_at_queue();
  // With `mutex_` held: whether there is a job in the queue that the thread may take.
  bool has_job_for(const pool_thread& self) const noexcept;
  // With `mutex_` held; the caller notifies after it has let go, if true.
  bool should_wake() noexcept;
  // With `lock` held, and again when it returns: waits awhile for a job without going to sleep.
  void look_out(const pool_thread& self, std::unique_lock<std::mutex>& lock);
  // With `mutex_` held: a thread that was lost.
  void come_back(pool_thread& self) noexcept;
  void launch();

  struct batch;
  static thread_local batch batch_here;
  static constexpr unsigned longest_streak = 64;

  caf::actor_system& system_;
  std::function<void()> slot_filled_;
  std::size_t messages_a_turn_ = 0;
  bool logs_ = true;
  const bool several_cores_ = std::thread::hardware_concurrency() > 1;
  std::atomic<pool_thread*> newest_{nullptr};

  // Held, before the other one, by who makes a thread when there are some, and by a stop before it waits for all.
  std::mutex launches_;
  std::mutex mutex_;
  std::condition_variable work_;
  job_ring queue_;
  std::vector<pool_thread*> retired_;  // may be started again
  std::size_t sleeping_ = 0;
  std::size_t launched_ = 0;
  std::size_t active_ = 0;
  std::size_t wanted_ = 0;
  std::uint64_t last_job_ = UINT64_MAX;  // while stopping: how many are still taken
  bool waking_ = false;
  bool looking_out_ = false;
  const pool_thread* burst_of_ = nullptr;
  unsigned burst_looks_ = 0;                // of the deadline thread since it began
  std::atomic<std::uint64_t> arrivals_{0};  // jobs that came to the queue, for the thread that looks out
  bool stopped_ = false;
  // The deadline thread's:
  unsigned idle_looks_ = 0;
  std::uint64_t taken_at_look_ = 0;
  block_pool::tidier memory_;
};

}  // namespace libactor::detail
