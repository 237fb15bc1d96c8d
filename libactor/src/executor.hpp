// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace libactor::detail {

// A callback to be run once, off its poster's stack. Counted by its registration and by the queue.
struct callback_task {
  virtual ~callback_task() = default;
  // Runs the callback unless it was stopped. Drops the queue's reference afterwards.
  virtual void run() noexcept = 0;
  callback_task* next = nullptr;
};

// Runs tasks on threads of its own, or, on a virtual clock, when told to. Threads are made when needed: one for the
// first task, one more whenever the first task of the queue has not been taken for `patience`, because the others
// block.
class executor {
 public:
  static constexpr std::int64_t patience = 2'000'000;  // ns

  explicit executor(bool is_virtual) noexcept : is_virtual_{is_virtual} {}

  // Whether `check` should be called at `patience` from now. Thread-safe, like all members.
  bool post(callback_task& task) noexcept;
  // Adds a thread if the queue has stood still since the call before. When to call again, if at all.
  std::optional<std::int64_t> check(std::int64_t now) noexcept;
  // Runs what is queued, on this thread. Virtual only. Whether there was anything.
  bool run_pending() noexcept;
  // The latest that is queued; null: nothing is.
  const callback_task* newest_pending() noexcept {
    const std::lock_guard guard{mutex_};
    return last_;
  }
  // Runs what is queued and waits for all that runs.
  void shut_down() noexcept;

 private:
  void work() noexcept;
  void drain(std::unique_lock<std::mutex>& guard) noexcept;
  callback_task* pop() noexcept;
  // Whether there was one to be had.
  bool add_thread() noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable drained_;  // of who shuts down
  callback_task* first_ = nullptr;
  callback_task* last_ = nullptr;
  std::uint64_t taken_ = 0;
  std::uint64_t taken_at_check_ = 0;
  std::optional<std::int64_t> check_at_;
  bool check_wanted_ = false;
  unsigned idle_ = 0;
  unsigned wakes_ = 0;  // idle threads that were told of a task, and have not looked yet
  bool stopping_ = false;
  const bool is_virtual_;
  std::vector<std::thread> threads_;
  std::vector<std::thread> finished_;
};

}  // namespace libactor::detail
