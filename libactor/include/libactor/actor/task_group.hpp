// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/detail/group_core.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/actor/worker.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace libactor {

namespace detail {
/// What a task of a `task_group<T>` leaves.
template <class T>
using task_value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
}  // namespace detail

/// A worker that does one piece of work for a `task_group<T>`, and leaves a value. A body that takes `task<T>*` goes on
/// until `succeed` or `finish` are called, or until it has no behavior and waits for no answer.
template <class T>
class task : public worker {
 public:
  using value_type = detail::task_value<T>;
  task(caf::actor_config& cfg, worker_options options, std::shared_ptr<std::optional<value_type>> into)
      : worker(cfg, std::move(options)), into_(std::move(into)) {}

  /// Leaves the value made of `xs`, and finishes without error. A later call does nothing.
  template <class... Ts>
  void succeed(Ts&&... xs) {
    if (!*into_)
      into_->emplace(std::forward<Ts>(xs)...);
    finish();
  }

  const char* name() const override { return "libactor.task"; }

 private:
  std::shared_ptr<std::optional<value_type>> into_;
};

/// How one task ended.
template <class T>
struct task_result {
  std::string name;
  caf::error error;                            ///< none: it finished
  std::optional<detail::task_value<T>> value;  ///< empty where it failed, or left none
  bool finished() const noexcept { return !error; }
};

/// How all tasks of a group ended, by the order in which they were added.
template <class T>
struct group_outcome {
  std::vector<task_result<T>> tasks;
  std::optional<std::size_t> first_failed;  ///< the place of the task that failed first
  /// The error of that task; none if all finished.
  caf::error error() const { return first_failed ? tasks[*first_failed].error : caf::error{}; }
};

/// Runs tasks, each a worker, under one context derived for them; each leaves a `T`. The first task that ends in any
/// way but normally cancels the others. Those that were canceled, or never started because of it, have `errc::canceled`
/// as their error; those that a deadline ended, `errc::deadline_exceeded`.
///
/// A group made by a worker belongs to it, and lives below the context of the work it has in hand: a worker that ends
/// with `finish` waits for its tasks; one that is gone before them leaves them to its supervisor, which kills what is
/// still there after `kill_grace`, and starts no successor before.
///
/// The handle is move-only. When it goes, the group is closed, and canceled unless a worker waits for it in `join`;
/// that does not wait for the tasks. Thread-safe, except for move and destruction.
template <class T = void>
class task_group {
 public:
  /// Belongs to `self`. Ends at the latest after `timeout`. In the worker's own handlers only.
  explicit task_group(worker* self, duration timeout = infinite) : core_(detail::group_core::make(*self, timeout)) {}
  /// Belongs to nobody, and lives below `ctx`: for threads. Requires: the system outlives the tasks; `ctx` has a
  /// runtime where `timeout` is finite.
  task_group(caf::actor_system& system, const context& ctx, duration timeout = infinite)
      : core_(std::make_shared<detail::group_core>(system, ctx, timeout)) {}

  task_group(task_group&&) noexcept = default;
  task_group& operator=(task_group&& other) noexcept {
    if (core_ && core_ != other.core_)
      core_->leave();
    core_ = std::move(other.core_);
    return *this;
  }
  ~task_group() {
    if (core_)
      core_->leave();
  }

  /// At most `at_once` tasks run at the same time; others wait for their turn, in the order in which they were added.
  /// Requires: at least one.
  task_group& limit(std::size_t at_once) {
    core_->limit(at_once);
    return *this;
  }

  /// Tasks that start from now on have a thread each: for what blocks.
  task_group& on_threads() {
    core_->on_threads();
    return *this;
  }

  /// Adds a task with the body `fun(self, xs...)`, where `self` is a `worker*`, and what `fun` returns is the value; or
  /// a `task<T>*`, and `fun` is the body of a worker that calls `succeed`. Refused with `errc::closed` by a closed
  /// group, and by one whose context is done with the error of that.
  template <class Fun, class... Ts>
  caf::error spawn(Fun fun, Ts&&... xs) {
    return spawn_named({}, std::move(fun), std::forward<Ts>(xs)...);
  }
  /// The same with a name, which its result has, and its path ends in. By default the n-th is `task#n`.
  template <class Fun, class... Ts>
  caf::error spawn_named(std::string name, Fun fun, Ts&&... xs) {
    auto value = std::make_shared<std::optional<value_type>>();
    auto launch = [&system = core_->system(), value, body = body_with(std::move(fun)),
                   args = std::make_tuple(std::decay_t<Ts>(std::forward<Ts>(xs))...)](worker_options options) {
      caf::actor_config cfg{options.host};
      cfg.init_fun = std::apply([&](const auto&... ys) { return detail::body_of<task<T>>(body, ys...); }, args);
      return detail::spawn_actor<task<T>>(system, cfg, std::move(options), value);
    };
    return core_->add(std::move(name), std::move(launch), std::move(value));
  }

  /// No more tasks are taken.
  void close() { core_->close(); }
  /// Ends the context of the tasks.
  void cancel(cause why = {}) { core_->cancel(std::move(why)); }
  /// The context that all tasks share.
  const context& ctx() const noexcept { return core_->ctx(); }

  /// Blocks the calling thread until the group is closed and all its tasks are down. Any number of threads may wait.
  /// Not from an actor.
  group_outcome<T> join() const {
    core_->wait();
    return collect(*core_);
  }

  /// Calls `then(group_outcome<T>)` in `self` once the group is closed and all its tasks are down; never in this call.
  /// Not called if the worker ends first.
  template <class Fun>
  void join(worker* self, Fun then) const {
    core_->when_over(*self, [core = core_, then = std::move(then)]() mutable { then(collect(*core)); });
  }

 private:
  using value_type = detail::task_value<T>;

  // The body of a `task<T>`, made of what `spawn` takes.
  template <class Fun>
  static auto body_with(Fun fun) {
    if constexpr (std::is_same_v<typename detail::first_argument<Fun>::type, task<T>>) {
      return fun;
    } else {
      return [fun = std::move(fun)](task<T>* self, auto&... xs) mutable {
        if constexpr (std::is_void_v<T>) {
          fun(self, xs...);
          self->succeed();
        } else {
          self->succeed(fun(self, xs...));
        }
      };
    }
  }

  static group_outcome<T> collect(const detail::group_core& core) {
    group_outcome<T> all;
    for (auto& ended : core.results()) {
      auto value = ended.error ? std::nullopt : *std::static_pointer_cast<std::optional<value_type>>(ended.value);
      all.tasks.push_back({std::move(ended.name), std::move(ended.error), std::move(value)});
    }
    all.first_failed = core.first_failed();
    return all;
  }

  std::shared_ptr<detail::group_core> core_;
};

}  // namespace libactor
