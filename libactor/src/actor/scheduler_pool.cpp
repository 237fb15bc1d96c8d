// SPDX-License-Identifier: BSL-1.0
#include "actor/scheduler_pool.hpp"

#include "actor/system_thread.hpp"
#include "context_node.hpp"
#include "libactor/detail/done_hook.hpp"

#include <unistd.h>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace libactor::detail {

namespace {

// The pool's thread that this code runs on, if it is one.
thread_local pool_thread* here = nullptr;

// So many looks without a turn and without a job in a slot end the watch over the slots.
constexpr unsigned looks_until_idle = 10;

// A job that a thread leaves alone in the queue while it has another waits for so many of its turns.
constexpr unsigned most_turns_before = 4;

// So many looks of the deadline thread end a burst: after one to two milliseconds.
constexpr unsigned looks_until_shared = 2;

// What is more is worth a second thread: so many short jobs take one about a millisecond.
constexpr std::uint64_t longest_burst = 2'048;

// Of a shorter queue each thread takes one job at a time.
constexpr std::uint64_t long_queue = 32;

// About 10 to 20 µs, and 2 µs.
constexpr int looks_before_sleep = 500;
constexpr int looks_before_help = 60;

// Held for a few dozen instructions only: to wait for it in the kernel takes longer than to wait for it here.
std::unique_lock<std::mutex> lock_soon(std::mutex& mutex) {
  for (int i = 0; i != 200; ++i) {
    if (mutex.try_lock())
      return std::unique_lock{mutex, std::adopt_lock};
    pause_cpu();
  }
  return std::unique_lock{mutex};
}

// Brings an actor's memory near before its turn: of many idle ones that are woken at once, each turn would wait for
// some twenty cache lines one after another. `job` is a base within the actor; what is fetched besides does no harm.
void fetch_ahead(const caf::resumable* job) noexcept {
  constexpr std::uintptr_t line = 64, lines = 20, before = 3;
  const auto first = reinterpret_cast<std::uintptr_t>(job) - before * line;
  for (std::uintptr_t i = 0; i != lines; ++i)
    __builtin_prefetch(reinterpret_cast<const void*>(first + i * line), 1);
}

std::uint64_t actor_id_of(const caf::resumable& job) noexcept {
  return job.subtype() == caf::resumable::scheduled_actor ? static_cast<const caf::scheduled_actor&>(job).id() : 0;
}

}  // namespace

void pool_thread::exec_later(caf::resumable* job) { pool_.put(*this, job); }

scheduler_pool::~scheduler_pool() {
  for (auto* thread = newest_.load(); thread != nullptr;)
    delete std::exchange(thread, thread->older_.load());
}

// -- where jobs come from ---------------------------------------------------------------------------------------------

// What a cancel makes runnable while it goes on, so that the lock is not taken for each: where a hundred thousand idle
// workers are woken, the threads that run them want it too.
struct scheduler_pool::batch {
  scheduler_pool* pool = nullptr;
  std::size_t count = 0;
  std::array<caf::resumable*, 64> jobs{};

  void add(scheduler_pool& to, caf::resumable* job) {
    if (count == jobs.size() || (pool != &to && count != 0))
      flush();
    pool = &to;
    jobs[count++] = job;
  }
  void flush() {
    auto* const to = pool;
    auto* const turn_of = here != nullptr && &here->pool_ == to ? here : nullptr;
    const auto all = jobs;  // once the pool has stopped, what is cleaned up may begin a new batch
    to->push_all(all.data(), std::exchange(count, 0), turn_of, true);
    if (turn_of != nullptr)
      to->slot_filled_();
  }
};

thread_local constinit scheduler_pool::batch scheduler_pool::batch_here;

void scheduler_pool::enqueue(caf::resumable* job) {
  if (bulk_here.depth != 0) {
    bulk_here.at_end = []() noexcept { batch_here.flush(); };
    batch_here.add(*this, job);
  } else if (here != nullptr && &here->pool_ == this)
    put(*here, job);
  else
    push(job);
}

void scheduler_pool::put(pool_thread& self, caf::resumable* job) {
  if (auto* before = self.slot.exchange(job, std::memory_order_seq_cst))
    self.left_one_ = push_all(&before, 1, &self);
  slot_filled_();
}

bool scheduler_pool::push_all(caf::resumable* const* jobs, std::size_t count, const pool_thread* turn_of,
                              bool at_once) {
  auto lock = lock_soon(mutex_);
  if (stopped_) {
    lock.unlock();
    for (std::size_t i = 0; i != count; ++i)
      clean_up(jobs[i]);
    return false;
  }
  if (at_once && bulk_here.expected <= longest_burst && queue_.empty() && last_job_ == UINT64_MAX) {
    burst_of_ = turn_of;
    burst_looks_ = 0;
  }
  for (std::size_t i = 0; i != count; ++i)
    queue_.push(jobs[i]);
  if (burst_of_ != turn_of || turn_of == nullptr || queue_.size() > longest_burst)
    share_queue();
  const bool left = turn_of != nullptr && !at_once && queue_.size() == 1;
  const bool wake = !left && should_wake();
  lock.unlock();
  if (wake)
    work_.notify_one();
  return left;
}

void scheduler_pool::share_queue() noexcept {
  burst_of_ = nullptr;
  arrivals_.store(queue_.pushed(), std::memory_order_relaxed);
}

bool scheduler_pool::has_job_for(const pool_thread& self) const noexcept {
  return !queue_.empty() && (burst_of_ == nullptr || burst_of_ == &self);
}

bool scheduler_pool::should_wake() noexcept {
  if (sleeping_ == 0 || waking_ || looking_out_ || burst_of_ != nullptr || queue_.empty())
    return false;
  waking_ = true;
  return true;
}

caf::resumable* scheduler_pool::take_slot(pool_thread& self) noexcept {
  if (self.slot.load(std::memory_order_relaxed) == nullptr)
    return nullptr;
  return self.slot.exchange(nullptr, std::memory_order_acq_rel);
}

caf::resumable* scheduler_pool::take_stashed(pool_thread& self) noexcept {
  while (self.stash_next_ != self.stash_end_) {
    auto* job = self.stash_[self.stash_next_++].exchange(nullptr, std::memory_order_acq_rel);
    if (job == nullptr)
      continue;
    if (self.stash_next_ != self.stash_end_) {
      if (const auto* soon = self.stash_[self.stash_next_].load(std::memory_order_relaxed))
        fetch_ahead(soon);
    }
    return job;
  }
  return nullptr;
}

void scheduler_pool::fill_stash(pool_thread& self) noexcept {
  self.stash_next_ = self.stash_end_ = 0;
  if (self.has_stash_.load(std::memory_order_relaxed))
    self.has_stash_.store(false, std::memory_order_relaxed);
  if (queue_.size() < long_queue)
    return;
  const auto share = static_cast<unsigned>(queue_.size() / (2 * active_));
  self.stash_end_ = std::min(pool_thread::most_stashed, share);
  for (unsigned i = 0; i != self.stash_end_; ++i)
    self.stash_[i].store(queue_.pop(), std::memory_order_release);
  self.has_stash_.store(self.stash_end_ != 0, std::memory_order_seq_cst);
}

void scheduler_pool::free_jobs_of(pool_thread& thread) {
  auto lock = lock_soon(mutex_);
  const auto move = [&](std::atomic<caf::resumable*>& place) {
    if (auto* job = place.exchange(nullptr, std::memory_order_acq_rel))
      queue_.push(job);
  };
  move(thread.slot);
  if (thread.has_stash_.exchange(false, std::memory_order_relaxed)) {
    for (auto& place : thread.stash_)
      move(place);
  }
  share_queue();
  const bool wake = should_wake();
  lock.unlock();
  if (wake)
    work_.notify_one();
}

caf::resumable* scheduler_pool::steal() noexcept {
  caf::resumable* job = nullptr;
  each_thread([&](pool_thread& thread) {
    if (job != nullptr || !thread.has_stash_.load(std::memory_order_relaxed))
      return;
    for (auto i = pool_thread::most_stashed; i-- != 0 && job == nullptr;) {
      if (thread.stash_[i].load(std::memory_order_relaxed) != nullptr)
        job = thread.stash_[i].exchange(nullptr, std::memory_order_acq_rel);
    }
  });
  return job;
}

// -- the threads ------------------------------------------------------------------------------------------------------

void scheduler_pool::run(pool_thread& self) {
  const system_thread scope{system_, "libactor.pool"};
  here = &self;
  self.kernel_id.store(::gettid(), std::memory_order_relaxed);
  for (auto* job = next(self, nullptr); job != nullptr;)
    job = next(self, run_turn(self, job));
  self.kernel_id.store(0, std::memory_order_relaxed);
  here = nullptr;
}

caf::resumable* scheduler_pool::run_turn(pool_thread& self, caf::resumable* job) {
  const auto before = self.sequence.load(std::memory_order_relaxed);
  self.actor.store(actor_id_of(*job), std::memory_order_relaxed);
  self.sequence.store(before + 1, std::memory_order_release);
  if (!logs_)
    without_logger();
  if (job->resume(&self, messages_a_turn_) != caf::resumable::resume_later) {
    caf::intrusive_ptr_release(job);  // may destroy the actor, which is a part of its turn
    job = nullptr;
  }
  self.sequence.store(before + 2, std::memory_order_release);
  return job;
}

caf::resumable* scheduler_pool::next(pool_thread& self, caf::resumable* again) {
  if (again == nullptr && !self.lost.load(std::memory_order_relaxed)) {
    // What was taken along comes first: what it makes runnable is then mostly one actor, which has all to do at once.
    if (auto* job = take_stashed(self))
      return job;
    if (self.streak_ < (self.left_one_ ? most_turns_before : longest_streak)) {
      if (auto* job = take_slot(self)) {
        ++self.streak_;
        return job;
      }
    }
  }
  self.streak_ = 0;
  auto lock = lock_soon(mutex_);
  auto* const from_slot = take_slot(self);
  for (auto* job : {from_slot, again}) {
    if (job != nullptr)
      queue_.push(job);
  }
  if (burst_of_ != &self && (from_slot != nullptr || again != nullptr))
    share_queue();
  if (self.lost.load(std::memory_order_relaxed))
    come_back(self);
  if (auto* job = take_stashed(self))
    return job;
  bool looks_out = several_cores_;
  for (;;) {
    if (active_ > wanted_ || queue_.taken() >= last_job_) {
      if (burst_of_ == &self)
        share_queue();
      --active_;
      retired_.push_back(&self);  // room was made for it in `launch`
      // What woke this thread may have been meant for one that stays.
      waking_ = false;
      if (should_wake())
        work_.notify_one();
      return nullptr;
    }
    if (has_job_for(self)) {
      auto* job = queue_.pop();
      fill_stash(self);
      if (queue_.empty())
        burst_of_ = nullptr;
      const auto* soon = self.stash_end_ != 0 ? self.stash_[0].load(std::memory_order_relaxed) : queue_.peek(1);
      self.left_one_ = self.left_one_ && queue_.size() == 1;
      const bool wake = !self.left_one_ && should_wake();
      lock.unlock();
      if (wake)
        work_.notify_one();
      if (soon != nullptr)
        fetch_ahead(soon);
      if (self.stash_end_ != 0)
        slot_filled_();
      return job;
    }
    if (burst_of_ == nullptr) {
      if (auto* job = steal())
        return job;
    }
    if (looks_out && !looking_out_) {
      looks_out = false;
      look_out(self, lock);
      continue;
    }
    ++sleeping_;
    work_.wait(lock);
    --sleeping_;
    waking_ = false;
    looks_out = several_cores_;
  }
}

// Where actors on two threads answer each other, a thread's next job comes sooner than it could fall asleep and be
// woken, which costs both sides more than most turns do. A job is left for a moment to the thread that queued it: most
// turns are shorter, and the job finds its data in that thread's cache.
void scheduler_pool::look_out(const pool_thread& self, std::unique_lock<std::mutex>& lock) {
  looking_out_ = true;
  auto seen = queue_.pushed();
  for (int left = looks_before_sleep; left > 0 && !has_job_for(self);) {
    lock.unlock();
    while (left-- > 0 && arrivals_.load(std::memory_order_relaxed) == seen)
      pause_cpu();
    for (int i = 0; i != looks_before_help; ++i)
      pause_cpu();
    lock.lock();
    seen = queue_.pushed();
  }
  looking_out_ = false;
}

void scheduler_pool::come_back(pool_thread& self) noexcept {
  self.lost.store(false, std::memory_order_relaxed);
  ++active_;
  if (active_ > wanted_ && sleeping_ != 0)
    work_.notify_one();
}

bool scheduler_pool::rescue() {
  bool busy = false;
  each_thread([&](pool_thread& thread) {
    const auto sequence = thread.sequence.load(std::memory_order_acquire);
    const bool same_turn = sequence == std::exchange(thread.looked_at_, sequence);
    const bool holds =
        thread.slot.load(std::memory_order_seq_cst) != nullptr || thread.has_stash_.load(std::memory_order_seq_cst);
    busy = busy || holds || !same_turn;
    if (!holds || !same_turn)
      return;
    free_jobs_of(thread);
  });
  busy = look_at_queue() || busy;
  idle_looks_ = busy ? 0 : idle_looks_ + 1;
  const bool tidies = memory_.look();
  return tidies || idle_looks_ < looks_until_idle;
}

bool scheduler_pool::look_at_queue() {
  auto lock = lock_soon(mutex_);
  const bool moves = std::exchange(taken_at_look_, queue_.taken()) != queue_.taken();
  if (queue_.empty())
    return false;
  const bool is_burst = burst_of_ != nullptr;
  if (is_burst ? ++burst_looks_ < looks_until_shared : moves)
    return true;
  share_queue();
  const bool wake = should_wake();
  lock.unlock();
  if (wake)
    work_.notify_one();
  return is_burst || wake;
}

// -- how many there are -----------------------------------------------------------------------------------------------

void scheduler_pool::launch() {
  pool_thread* thread = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (!retired_.empty()) {
      thread = retired_.back();
      retired_.pop_back();
    } else {
      retired_.reserve(launched_ + 1);  // a thread that retires must not fail
      ++launched_;
    }
    ++active_;
  }
  try {
    if (thread == nullptr) {
      thread = new pool_thread{&system_, *this};
      auto* newest = newest_.load(std::memory_order_relaxed);
      do
        thread->older_.store(newest, std::memory_order_relaxed);
      while (!newest_.compare_exchange_weak(newest, thread, std::memory_order_release, std::memory_order_relaxed));
    }
    if (thread->thread_.joinable())
      thread->thread_.join();
    thread->thread_ = std::thread{[this, thread] { run(*thread); }};
  } catch (...) {
    const std::lock_guard lock{mutex_};
    --active_;
    if (thread != nullptr)
      retired_.push_back(thread);
    throw;
  }
}

void scheduler_pool::start(std::size_t threads, std::size_t messages_a_turn) {
  messages_a_turn_ = messages_a_turn;
  logs_ = logs(system_);
  wanted_ = threads;
  for (std::size_t i = 0; i != threads; ++i)
    launch();
}

void scheduler_pool::add_thread() {
  const std::lock_guard launches{launches_};
  {
    const std::lock_guard lock{mutex_};
    if (last_job_ != UINT64_MAX)
      return;
    ++wanted_;  // first, or the new one finds itself to be one too many
  }
  try {
    launch();
  } catch (...) {
    const std::lock_guard lock{mutex_};
    --wanted_;
    throw;
  }
}

bool scheduler_pool::abandon(int kernel_id, std::uint64_t sequence) {
  pool_thread* stuck = nullptr;
  each_thread([&](pool_thread& thread) {
    if (thread.kernel_id.load(std::memory_order_relaxed) == kernel_id)
      stuck = &thread;
  });
  if (stuck == nullptr || sequence % 2 == 0)
    return false;
  const std::lock_guard launches{launches_};
  {
    const std::lock_guard lock{mutex_};
    if (last_job_ != UINT64_MAX)
      return false;
    // It may end its turn right now: then it sees later that it was given up, and one thread retires at once.
    if (stuck->lost.load(std::memory_order_relaxed) || stuck->sequence.load(std::memory_order_acquire) != sequence)
      return false;
    stuck->lost.store(true, std::memory_order_relaxed);
    --active_;
  }
  try {
    launch();
  } catch (...) {
    const std::lock_guard lock{mutex_};
    if (stuck->lost.load(std::memory_order_relaxed))
      come_back(*stuck);
    throw;
  }
  free_jobs_of(*stuck);
  return true;
}

void scheduler_pool::stop() {
  {
    const std::lock_guard launches{launches_};
    const std::lock_guard lock{mutex_};
    last_job_ = queue_.pushed();
    share_queue();
  }
  work_.notify_all();
  each_thread([](pool_thread& thread) {
    if (thread.thread_.joinable())
      thread.thread_.join();
  });
  std::unique_lock lock{mutex_};
  stopped_ = true;
  while (!queue_.empty()) {
    auto* job = queue_.pop();
    lock.unlock();
    clean_up(job);
    lock.lock();
  }
}

// To an actor of another system one of this one's has sent something, on the thread that it ran on.
void scheduler_pool::clean_up(caf::resumable* job) {
  if (job->subtype() == caf::resumable::scheduled_actor) {
    auto& home = static_cast<caf::scheduled_actor*>(job)->home_system();
    if (&home != &system_)
      return home.scheduler().enqueue(job);
  }
  caf::scheduler::abstract_coordinator::cleanup_and_release(job);
}

}  // namespace libactor::detail
