// SPDX-License-Identifier: BSL-1.0
#pragma once

// Invariants
//  1. `push` waits for nobody but another push and the writer's exchange of two vectors: nothing is written, formatted
//     or freed under the lock.
//  2. What was taken in is written, in order, or is still here; only the destructor gives up what can't be written.
//  3. At most `limit` entries are here, those in the writer's hand included. What comes beyond is lost, counted, and
//     told of by an entry that stands where the lost ones would, and takes nobody's room.
//  4. No signal is handled on the writer's thread, and none that a write raises, as for a broken pipe, ends the
//     process.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace libactor::observe {

/// A bounded queue, and the thread that empties it. Thread-safe.
template <class T>
class batch_queue {
 public:
  /// Writes some from the front of the batch and erases that; what is left is handed to it again, after a while if it
  /// says that it failed. On the queue's own thread; must not throw.
  using writer = std::function<bool(std::vector<T>& batch)>;
  /// The entry that tells of so many lost ones.
  using teller = std::function<T(std::uint64_t lost)>;

  static constexpr std::chrono::milliseconds first_pause{50};
  static constexpr std::chrono::milliseconds longest_pause{5000};

  batch_queue(std::size_t limit, writer write, teller tell)
      : limit_(limit), write_(std::move(write)), tell_(std::move(tell)), thread_([this] { run(); }) {}
  ~batch_queue() {
    {
      std::lock_guard guard{mutex_};
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  batch_queue(const batch_queue&) = delete;
  batch_queue& operator=(const batch_queue&) = delete;

  /// Takes in what `make()` gives; what throws is lost like what there is no room for.
  template <class Fun>
  void push(Fun make) noexcept {
    try {
      add(make());
    } catch (...) {
      std::lock_guard guard{mutex_};
      ++lost_;
      ++untold_;
    }
  }

  /// Waits until what was taken in so far is written, and the lost ones are told of, or something could not be; for
  /// `limit` at the most. Whether it is written.
  bool flush(std::chrono::milliseconds limit) {
    std::unique_lock lock{mutex_};
    const auto wanted = put_in_ + (untold_ != 0 ? 1 : 0);
    const auto tries = failures_;
    hurry_ = true;
    changed_.notify_all();
    progress_.wait_for(lock, limit, [&] { return put_out_ >= wanted || failures_ > tries; });
    return put_out_ >= wanted;
  }

  std::uint64_t written() const {
    std::lock_guard guard{mutex_};
    return written_;
  }
  std::uint64_t lost() const {
    std::lock_guard guard{mutex_};
    return lost_;
  }
  /// How often the writer could not write all.
  std::uint64_t failures() const {
    std::lock_guard guard{mutex_};
    return failures_;
  }

 private:
  void add(T what) {
    bool wakes = false;
    {
      std::lock_guard guard{mutex_};
      if (taken_in_ - written_ >= limit_) {
        ++lost_;
        ++untold_;
        return;
      }
      tell_of_lost();
      queued_.push_back(std::move(what));
      ++put_in_;
      ++taken_in_;
      wakes = std::exchange(idle_, false);
    }
    if (wakes)
      changed_.notify_all();
  }

  void run() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::vector<T> batch;
    std::unique_lock lock{mutex_};
    auto pause = first_pause;
    for (;;) {
      if (batch.empty()) {
        idle_ = queued_.empty();
        changed_.wait(lock, [this] { return !queued_.empty() || untold_ != 0 || stop_; });
        idle_ = false;
        if (queued_.empty() && untold_ == 0)
          return;
        tell_of_lost();
        batch.swap(queued_);
      }
      const auto before = batch.size();
      const bool last = stop_;
      hurry_ = false;
      lock.unlock();
      const bool ok = write_(batch);
      lock.lock();
      put_out_ += before - batch.size();
      written_ += before - batch.size();
      for (; !tellers_.empty() && tellers_.front() < put_out_; tellers_.pop_front())
        --written_;
      progress_.notify_all();
      if (ok) {
        pause = first_pause;
        continue;
      }
      ++failures_;
      if (last) {
        lost_ += taken_in_ - written_;
        return;
      }
      changed_.wait_for(lock, pause, [this] { return stop_ || hurry_; });
      pause = std::min(2 * pause, longest_pause);
    }
  }

  // Under the lock. An entry that tells of lost ones counts as nothing that was taken in.
  void tell_of_lost() {
    if (untold_ == 0)
      return;
    auto one = tell_(untold_);
    tellers_.push_back(put_in_);
    queued_.push_back(std::move(one));
    ++put_in_;
    untold_ = 0;
  }

  const std::size_t limit_;
  const writer write_;
  const teller tell_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;   // something to do
  std::condition_variable progress_;  // something was done
  // All under `mutex_`:
  std::vector<T> queued_;
  std::deque<std::uint64_t> tellers_;  // which of all that were put in tell of lost ones, and are not written yet
  std::uint64_t put_in_ = 0, put_out_ = 0;
  std::uint64_t taken_in_ = 0, written_ = 0;  // the same without those that tell
  std::uint64_t lost_ = 0;
  std::uint64_t untold_ = 0;
  std::uint64_t failures_ = 0;
  bool idle_ = false;   // the writer waits, and nobody has woken it
  bool hurry_ = false;  // somebody flushes
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace libactor::observe
