// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/due_timers.hpp"
#include "testkit/guide.hpp"
#include "testkit/world_clock.hpp"

#include <caf/fwd.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace libactor::testkit {

class step_watch;

// A scheduler without threads: `step` has one actor handle one message.
//
// Invariants
//  1. `jobs_` holds each runnable actor once, in the order in which they became so, with the reference that CAF gave.
//  2. `known_` has every actor that was ever runnable here and has not ended.
//  3. While it is guided, an actor's start and its first message are two steps: whether a message came before the start
//     makes no difference then.
class world_scheduler final : public caf::scheduler::abstract_coordinator {
 public:
  using chooser = std::function<std::size_t(std::span<const std::uint64_t>)>;

  explicit world_scheduler(caf::actor_system& system) : caf::scheduler::abstract_coordinator(system) {}
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  // Whose clock CAF's timers follow, and whose callbacks are steps too. Null: none.
  void follow(context_runtime* contexts) noexcept;
  // Empty: the first of those that are runnable.
  void choose_by(chooser choose) { choose_ = std::move(choose); }
  // From now on `by` chooses, `seen_by` sees each step, and acts are steps too. Null: as before.
  void guided(guide* by, step_watch* seen_by) noexcept;
  // A step that may be taken at any time from now on, once. Requires: it is guided.
  process add_act(std::function<void()> what);
  // Moves time to `at`, at which something is due, and has that happen: where the world is guided and several are, in
  // steps to come. Acts that were put off may be taken again.
  void pass_time(time_point at);
  // Nothing is due any more: acts that were put off are taken now. Whether there are any.
  bool acts_must() noexcept;
  // Whether there was anything to do. One message of one actor, or the callbacks that are due. `alone`: who asks for it
  // looks at the world before the next.
  bool step(bool alone = false);
  std::uint64_t steps() const noexcept { return steps_; }
  // The world ends: actors that pretended to be stuck go on.
  void end_world();
  // Keeps an actor until then.
  void hold(caf::strong_actor_ptr whom) { held_.push_back(std::move(whom)); }
  bool ends() const noexcept { return ends_; }
  // Those that have not ended.
  std::vector<caf::strong_actor_ptr> actors() const;
  world_clock& timers() noexcept { return clock_; }

  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override { return clock_; }
  bool detaches_utility_actors() const override { return false; }

 protected:
  void init(caf::actor_system_config& cfg) override;
  void start() override;
  void stop() override;

 private:
  // Fills `offered_`: jobs, and the callbacks if they wait.
  void offer(bool callbacks);
  // Which of them is next; the one past the last job: the callbacks.
  std::size_t choose(bool callbacks);
  caf::resumable* take(std::size_t index);
  void run(caf::resumable* job, std::size_t messages = 1);
  bool guided_step(bool alone);
  const void* newest_callback() const;

  world_clock clock_;
  context_runtime* contexts_ = nullptr;
  chooser choose_;
  std::uint64_t steps_ = 0;
  std::vector<std::uint64_t> offered_;  // to `choose_`, or to `guide_`

  guide* guide_ = nullptr;
  step_watch* watch_ = nullptr;
  due_timers due_;
  std::vector<std::pair<process, std::function<void()>>> acts_;
  process next_act_ = first_act;
  bool waiting_ = false;  // acts that could be taken were put off until something happens
  bool acts_must_ = false;
  bool ends_ = false;
  std::vector<caf::strong_actor_ptr> held_;

  mutable std::mutex mutex_;  // detached actors are threads of their own
  std::deque<caf::resumable*> jobs_;
  std::unordered_map<caf::actor_id, caf::weak_actor_ptr> known_;
  bool stopped_ = false;
};

}  // namespace libactor::testkit
