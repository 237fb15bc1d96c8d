// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/context_actor.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace libactor {
class worker;
}

namespace libactor::detail {

/// What is the same in every `task_group<T>`: which tasks wait, run and have ended, and who waits for that. The tasks,
/// the group's handle and the worker it belongs to share it. Thread-safe.
class group_core : public std::enable_shared_from_this<group_core> {
 public:
  /// Spawns one task.
  using launch = std::function<caf::actor(worker_options)>;
  struct result {
    std::string name;
    caf::error error;             ///< none: it ended normally
    std::shared_ptr<void> value;  ///< where the task leaves its value
  };

  /// A group of nobody, below `ctx`.
  group_core(caf::actor_system& system, const context& ctx, duration timeout);
  /// One that belongs to a worker, below the context of the work it has in hand.
  static std::shared_ptr<group_core> make(worker& owner, duration timeout);

  caf::actor_system& system() const noexcept { return system_; }
  const context& ctx() const noexcept { return own_.ctx(); }
  void limit(std::size_t at_once);
  void on_threads();
  /// Why it was refused; none if it was not. An empty name stands for `task#n`.
  caf::error add(std::string name, launch how, std::shared_ptr<void> value);
  void close();
  void cancel(cause why) noexcept { own_.cancel(std::move(why)); }
  /// Its handle goes: closed, and canceled unless a worker waits for it.
  void leave();
  /// The worker that it belongs to has ended.
  void owner_gone();

  /// Closed, and its tasks are down.
  bool over() const;
  /// Nothing runs in it, or waits to.
  bool idle() const;
  /// Blocks until it is.
  void wait() const;
  /// Calls `action` in the worker once it is.
  void when_over(worker& self, std::function<void()> action);
  /// By the order of `add`. Requires: it is over.
  std::vector<result> results() const;
  /// The place of the first task that failed.
  std::optional<std::size_t> first_failed() const;

 private:
  using lock = std::unique_lock<std::mutex>;
  struct waiting_task {
    std::size_t place;
    launch how;
  };
  struct waiter {
    caf::weak_actor_ptr who;
    std::uint64_t key;
  };

  caf::error refusal() const;
  void pump(lock& held);
  void start(waiting_task next, lock& held);
  void ended(std::size_t place, const std::shared_ptr<lifeline>& line, caf::error reason);
  void adopt(const std::shared_ptr<lifeline>& of);
  void orphan_ended(const lifeline& line);
  void settle(lock& held);
  bool is_over() const noexcept { return closed_ && running_ == 0 && waiting_.empty() && orphans_ == 0; }
  void tell(const waiter& whom) const noexcept;

  caf::actor_system& system_;
  scope own_;
  std::shared_ptr<lifeline> owner_line_;  // of the worker, or of its own where it belongs to none; holds the tasks
  caf::weak_actor_ptr owner_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Under the mutex:
  std::size_t limit_ = std::numeric_limits<std::size_t>::max();
  bool detached_ = false;
  std::vector<result> results_;
  std::deque<waiting_task> waiting_;
  std::size_t running_ = 0;
  std::size_t orphans_ = 0;
  std::optional<std::size_t> first_failed_;
  std::vector<waiter> waiters_;
  bool closed_ = false;
  bool kept_ = false;     // a worker waits for it
  bool pumping_ = false;  // a thread starts tasks, and looks again before it stops
  bool told_ = false;     // that it is over
};

}  // namespace libactor::detail
