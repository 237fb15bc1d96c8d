// SPDX-License-Identifier: BSL-1.0
#include "testkit/world_scheduler.hpp"

#include "libactor/violation.hpp"
#include "runtime_core.hpp"
#include "testkit/step_watch.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/execution_unit.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>

namespace libactor::testkit {

namespace {

// What an actor makes runnable in its turn stands behind all that is runnable already, so that a long backlog of one
// actor does not go before the first message of another.
class turn final : public caf::execution_unit {
 public:
  explicit turn(world_scheduler& scheduler) : caf::execution_unit(&scheduler.system()), scheduler_(scheduler) {}
  void exec_later(caf::resumable* job) override { scheduler_.enqueue(job); }

 private:
  world_scheduler& scheduler_;
};

std::uint64_t actor_id_of(const caf::resumable& job) noexcept {
  return job.subtype() == caf::resumable::scheduled_actor ? static_cast<const caf::scheduled_actor&>(job).id() : 0;
}

// Stands in for CAF's own, which is a blocking actor with a thread.
class immediate_printer final : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;
  const char* name() const override { return "libactor.printer"; }
  caf::behavior make_behavior() override {
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::message{};  // to flush, or to redirect: all goes to one place, and at once
    });
    return {[](caf::add_atom, caf::actor_id, const std::string& text) { std::cout << text; }};
  }
};

}  // namespace

caf::actor_system::module* world_scheduler::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new world_scheduler(system);
}

void world_scheduler::init(caf::actor_system_config&) {
  max_throughput_ = 1;
  num_workers_ = 1;
}

void world_scheduler::start() { utility_actors_[printer_id] = system().spawn<immediate_printer, caf::hidden>(); }

// Nobody would run the actors that the base waits for.
void world_scheduler::stop() {
  utility_actors_[printer_id] = nullptr;
  clock_.cancel_all();
  std::deque<caf::resumable*> left;
  {
    const std::lock_guard guard{mutex_};
    stopped_ = true;
    left.swap(jobs_);
  }
  for (auto* job : left)
    cleanup_and_release(job);
}

void world_scheduler::follow(context_runtime* contexts) noexcept {
  contexts_ = contexts;
  clock_.follow(contexts);
}

void world_scheduler::enqueue(caf::resumable* job) {
  {
    const std::lock_guard guard{mutex_};
    if (!stopped_) {
      jobs_.push_back(job);
      if (const auto id = actor_id_of(*job); id != 0) {
        auto& whom = static_cast<caf::scheduled_actor&>(*job);
        if (known_.try_emplace(id, whom.ctrl()).second && watch_ != nullptr)
          watch_->meet(whom);
      }
      return;
    }
  }
  cleanup_and_release(job);
}

void world_scheduler::end_world() {
  ends_ = true;
  for (const auto& one : actors()) {
    auto* whom = static_cast<caf::scheduled_actor*>(one->get());
    const std::lock_guard guard{mutex_};
    if (whom->mailbox().blocked() || whom->mailbox().closed() ||
        std::find(jobs_.begin(), jobs_.end(), whom) != jobs_.end())
      continue;
    caf::intrusive_ptr_add_ref(static_cast<caf::resumable*>(whom));
    jobs_.push_back(whom);
  }
  held_.clear();
}

std::vector<caf::strong_actor_ptr> world_scheduler::actors() const {
  std::vector<caf::strong_actor_ptr> all;
  {
    const std::lock_guard guard{mutex_};
    for (const auto& [id, weak] : known_) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
        all.push_back(std::move(strong));
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->id() < b->id(); });
  return all;
}

// -- steps ------------------------------------------------------------------------------------------------------------

void world_scheduler::offer(bool callbacks) {
  {
    const std::lock_guard guard{mutex_};
    for (const auto* job : jobs_)
      offered_.push_back(actor_id_of(*job));
  }
  if (callbacks)
    offered_.push_back(0);
}

std::size_t world_scheduler::choose(bool callbacks) {
  if (!choose_)
    return 0;
  offered_.clear();
  offer(callbacks);
  if (offered_.empty())
    return 0;
  const auto index = choose_(offered_);
  if (index >= offered_.size())
    violated("the choice of the next step must be one of those offered");
  return index;
}

caf::resumable* world_scheduler::take(std::size_t index) {
  const std::lock_guard guard{mutex_};
  if (index >= jobs_.size())
    return nullptr;
  const auto place = jobs_.begin() + static_cast<std::ptrdiff_t>(index);
  auto* job = *place;
  jobs_.erase(place);
  return job;
}

const void* world_scheduler::newest_callback() const {
  return contexts_ != nullptr ? detail::runtime_core::of(*contexts_).newest_callback() : nullptr;
}

bool world_scheduler::step(bool alone) {
  if (guide_ != nullptr)
    return guided_step(alone);
  const bool callbacks = newest_callback() != nullptr;
  if (auto* job = take(choose(callbacks))) {
    ++steps_;
    run(job);
    return true;
  }
  return callbacks && contexts_->run_callbacks();
}

// -- guided -----------------------------------------------------------------------------------------------------------

void world_scheduler::guided(guide* by, step_watch* seen_by) noexcept {
  guide_ = by;
  watch_ = seen_by;
  due_.clear();  // where nobody chooses, they fire as time goes on
}

process world_scheduler::add_act(std::function<void()> what) {
  acts_must_ = false;
  acts_.emplace_back(next_act_, std::move(what));
  return next_act_++;
}

void world_scheduler::pass_time(time_point at) {
  at = std::max(at, contexts_->now());
  if (guide_ == nullptr) {
    contexts_->advance_to(at);
    clock_.fire_due(at);
  } else {
    detail::runtime_core::of(*contexts_).virtual_now.store(at.time_since_epoch().count());
    // The only one races with nobody; the callbacks that it leads to do.
    if (due_.collect(*contexts_, clock_, at) == 1) {
      offered_.clear();
      due_.offer(*contexts_, clock_, offered_);
      due_.fire(*contexts_, clock_, offered_.front());
    }
  }
  if (watch_ != nullptr)
    watch_->time_passed(newest_callback());
  acts_must_ = false;
  waiting_ = false;
}

bool world_scheduler::acts_must() noexcept {
  acts_must_ = !acts_.empty();
  waiting_ = false;
  return acts_must_;
}

bool world_scheduler::guided_step(bool alone) {
  if (watch_->is_within_step())
    throw std::logic_error(
        "an act, or a handler, is a step of its own, and can't take others: let it send or ask (`request_stop`), and "
        "settle in the test's body");
  const auto* const callback = newest_callback();
  if (watch_->look_for_pause(callback))
    waiting_ = false;
  offered_.clear();
  due_.offer(*contexts_, clock_, offered_);
  const auto timers = offered_.size();
  offer(callback != nullptr);
  const bool idle = offered_.empty();
  if (idle && waiting_)
    return false;
  for (const auto& [act, what] : acts_)
    offered_.push_back(act);
  if (offered_.empty())
    return false;
  if (idle && !acts_must_)
    offered_.push_back(nobody_yet);
  const auto index = guide_->choose(offered_, idle || alone);
  if (index >= offered_.size())
    violated("the choice of the next step must be one of those offered");
  const auto who = offered_[index];
  if (who == nobody_yet) {
    waiting_ = true;
    watch_->nobody();
    return false;
  }
  watch_->begin(who, system().latest_actor_id());
  if (alone)
    watch_->touch_everything();
  if (is_timer(who)) {
    if (due_.may_do_anything(who))
      watch_->touch_everything();
    due_.fire(*contexts_, clock_, who);
  } else if (who >= first_act) {
    const auto act = std::find_if(acts_.begin(), acts_.end(), [&](const auto& one) { return one.first == who; });
    const auto what = std::move(act->second);
    acts_.erase(act);
    try {
      what();
    } catch (...) {
      watch_->end(newest_callback());
      throw;
    }
  } else if (who == 0) {
    contexts_->run_callbacks();
  } else {
    ++steps_;
    run(take(index - timers), watch_->is_fresh(who) ? 0 : 1);
  }
  watch_->end(newest_callback());
  return true;
}

void world_scheduler::run(caf::resumable* job, std::size_t messages) {
  const auto id = actor_id_of(*job);
  turn unit{*this};
  const auto resume = [&] {
    if (ends_ && id != 0) {
      if (auto& whom = static_cast<caf::scheduled_actor&>(*job); !whom.getf(caf::abstract_actor::is_initialized_flag)) {
        whom.cleanup(caf::exit_reason::kill, &unit);
        return caf::resumable::done;
      }
    }
    return job->resume(&unit, messages);
  };
  switch (resume()) {
    case caf::resumable::resume_later:
      enqueue(job);
      break;
    case caf::resumable::done:
      if (id != 0) {
        const std::lock_guard guard{mutex_};
        known_.erase(id);
      }
      [[fallthrough]];
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      break;
    case caf::resumable::shutdown_execution_unit:
      break;
  }
}

}  // namespace libactor::testkit
