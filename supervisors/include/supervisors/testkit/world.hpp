// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/runtime.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace libactor::testkit {

/// Keeps every event. Thread-safe.
class event_recorder final : public event_sink {
 public:
  void on_event(const event& what) noexcept override;
  std::vector<event> events() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<event> events_;
};

/// A world in which nothing runs by itself: one thread handles one message at a time, in the order in which actors
/// became runnable, and time stands still until `advance`. Not thread-safe. Detached and blocking actors are real
/// threads, and out of its reach.
class world {
 public:
  world();
  /// Ends everything, and lets it end.
  ~world();

  caf::actor_system& system() noexcept { return system_; }
  libactor::runtime& runtime() noexcept { return *runtime_; }
  time_point now() const { return runtime_->contexts().now(); }

  /// Starts the tree and settles. The result is empty while the start still waits for time to pass.
  std::optional<caf::error> start(const tree_spec& tree, const child_catalog& catalog = {});
  /// The result of the start, once there is one.
  const std::optional<caf::error>& start_result() const noexcept { return *start_result_; }

  /// Handles messages until none is left; time stands still.
  void settle();
  /// Moves time by `d`, in steps of what is due, and settles after each.
  void advance(duration d);

  /// Asks the tree to stop, and settles.
  void stop();
  /// Lets time pass until the tree has ended, for `limit` at most; whether it has.
  bool run_until_ended(duration limit);

  /// Sends a verb to the supervisor at `path`, settles, and gives the answer; empty while there is none.
  template <class T>
  std::optional<caf::expected<T>> ask(std::string_view path, supervisor_verb verb);

  bool is_alive(std::string_view path) const;
  std::vector<event> events() const { return recorder_->events(); }
  /// Events of these kinds as `kind path` or, with a reason, `kind path reason`, in order.
  std::vector<std::string> log(std::initializer_list<event_kind> kinds) const;
  void forget_events() { recorder_->clear(); }

 private:
  static caf::actor_system_config& configured(caf::actor_system_config& cfg);

  caf::actor_system_config config_;
  caf::actor_system system_;
  std::shared_ptr<event_recorder> recorder_;
  std::shared_ptr<std::optional<caf::error>> start_result_;
  std::unique_ptr<libactor::runtime> runtime_;
};

}  // namespace libactor::testkit

#include "supervisors/testkit/world_ask.hpp"
