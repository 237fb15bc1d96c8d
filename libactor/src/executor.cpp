// SPDX-License-Identifier: BSL-1.0
#include "executor.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

namespace libactor::detail {

namespace {
constexpr unsigned most_idle = 4;  // threads that stay when there is nothing to do
}

bool executor::post(callback_task& task) noexcept {
  const std::lock_guard guard{mutex_};
  task.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &task;
  last_ = &task;
  if (is_virtual_)
    return false;
  if (wakes_ < idle_) {
    ++wakes_;
    changed_.notify_one();
    return false;
  }
  if (threads_.empty() && add_thread())
    return false;
  if (check_wanted_)
    return false;
  check_wanted_ = true;
  taken_at_check_ = taken_;
  return true;
}

std::optional<std::int64_t> executor::check(std::int64_t now) noexcept {
  const std::lock_guard guard{mutex_};
  if (!check_wanted_)
    return std::nullopt;
  if (!check_at_) {
    check_at_ = now + patience;
    return check_at_;
  }
  if (now < *check_at_)
    return check_at_;
  if (first_ == nullptr) {
    check_wanted_ = false;
    check_at_.reset();
    return std::nullopt;
  }
  if (taken_ == taken_at_check_ && wakes_ >= idle_)
    add_thread();
  taken_at_check_ = taken_;
  check_at_ = now + patience;
  return check_at_;
}

callback_task* executor::pop() noexcept {
  auto* task = first_;
  if (task == nullptr)
    return nullptr;
  first_ = task->next;
  if (first_ == nullptr) {
    last_ = nullptr;
    if (stopping_)
      drained_.notify_all();
  }
  ++taken_;
  return task;
}

bool executor::run_pending() noexcept {
  bool any = false;
  for (;;) {
    std::unique_lock guard{mutex_};
    auto* task = pop();
    guard.unlock();
    if (task == nullptr)
      return any;
    task->run();
    any = true;
  }
}

bool executor::add_thread() noexcept {
  try {
    threads_.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {
    // Too many threads: the task waits for one that is there, or for the next try.
  } catch (const std::bad_alloc&) {
  }
  return false;
}

void executor::work() noexcept {
  std::unique_lock guard{mutex_};
  auto finished = std::exchange(finished_, {});
  guard.unlock();
  for (auto& old : finished)  // which may run what the program does at a thread's end
    old.join();
  guard.lock();
  for (;;) {
    if (auto* task = pop()) {
      guard.unlock();
      task->run();
      guard.lock();
      continue;
    }
    if (stopping_)
      return;
    if (idle_ >= most_idle) {
      const auto me = std::find_if(threads_.begin(), threads_.end(),
                                   [](const std::thread& t) { return t.get_id() == std::this_thread::get_id(); });
      finished_.push_back(std::move(*me));
      threads_.erase(me);
      return;
    }
    ++idle_;
    changed_.wait(guard, [this] { return stopping_ || wakes_ != 0; });
    --idle_;
    if (wakes_ != 0)
      --wakes_;
  }
}

// Nobody calls `check` any more: so this adds threads where tasks block, and runs one itself where none can be had.
void executor::drain(std::unique_lock<std::mutex>& guard) noexcept {
  while (first_ != nullptr) {
    const auto before = taken_;
    if (!is_virtual_)
      drained_.wait_for(guard, std::chrono::nanoseconds{patience}, [this] { return first_ == nullptr; });
    if (first_ == nullptr || taken_ != before || (!is_virtual_ && add_thread()))
      continue;
    auto* task = pop();
    guard.unlock();
    task->run();
    guard.lock();
  }
}

void executor::shut_down() noexcept {
  std::unique_lock guard{mutex_};
  stopping_ = true;
  for (;;) {
    drain(guard);
    auto threads = std::exchange(threads_, {});
    std::move(finished_.begin(), finished_.end(), std::back_inserter(threads));
    finished_.clear();
    if (threads.empty())
      return;
    changed_.notify_all();
    guard.unlock();
    for (auto& thread : threads)  // which may post until they end
      thread.join();
    guard.lock();
  }
}

}  // namespace libactor::detail
