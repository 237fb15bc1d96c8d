// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/lifeline.hpp"
#include "libactor/event.hpp"
#include "supervisors/leak_event.hpp"
#include "supervisors/watchdog.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace libactor::detail {

/// A leak event on its way, its stack not yet read.
struct leak_letter {
  std::shared_ptr<event_sink> to;
  std::shared_ptr<leak_event> leak;
  std::vector<std::uintptr_t> frames;
};

/// Takes leak events to their sinks, so that a slow sink holds up nobody but the events behind it: of those, as many as
/// fit are kept and the others counted. Reads stacks' symbols on the way. Thread-safe.
class leak_courier {
 public:
  /// `threaded`: on a thread of its own, made with the first letter; otherwise in `post`.
  leak_courier(bool threaded, std::size_t capacity) : threaded_(threaded), capacity_(capacity) {}
  /// Delivers what it has first.
  ~leak_courier();
  leak_courier(const leak_courier&) = delete;
  leak_courier& operator=(const leak_courier&) = delete;

  void post(leak_letter letter);
  /// Reads a stack's symbols as soon as it can, without a letter.
  void read(std::shared_ptr<pending_stack> stack);
  /// Lets go of actors, on its thread.
  void drop(std::vector<lifeline::task> actors);
  /// Waits until all that was posted is delivered; whether it is so before `until`.
  bool flush(std::chrono::steady_clock::time_point until);
  /// Events that had no room.
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  struct item {
    leak_letter letter;
    std::shared_ptr<pending_stack> stack;
    std::vector<lifeline::task> actors;
  };
  void push(item what);
  void run();
  void deliver(leak_letter& letter);

  const bool threaded_;
  const std::size_t capacity_;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t told_ = 0;  // of those lost; the thread's own
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<item> items_;  // under `mutex_`
  bool busy_ = false;       // under `mutex_`
  bool stop_ = false;       // under `mutex_`
  std::thread thread_;      // under `mutex_` while it is made
};

}  // namespace libactor::detail
