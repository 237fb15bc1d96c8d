// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/world.hpp"

#include <algorithm>
#include <caf/scheduler/test_coordinator.hpp>

namespace libactor::testkit {

namespace {

/// One turn of an actor: what it makes runnable stands behind all that is runnable already, so that a long backlog of
/// one actor does not go before the first message of another.
class turn final : public caf::execution_unit {
 public:
  turn(caf::actor_system* system, std::deque<caf::resumable*>& jobs) : caf::execution_unit(system), jobs_(jobs) {}
  void exec_later(caf::resumable* what) override { jobs_.push_back(what); }

 private:
  std::deque<caf::resumable*>& jobs_;
};

}  // namespace

void event_recorder::on_event(const event& what) noexcept {
  std::lock_guard guard{mutex_};
  events_.push_back(what);
}

std::vector<event> event_recorder::events() const {
  std::lock_guard guard{mutex_};
  return events_;
}

void event_recorder::clear() {
  std::lock_guard guard{mutex_};
  events_.clear();
}

caf::actor_system_config& world::configured(caf::actor_system_config& cfg) {
  cfg.set("scheduler.policy", caf::atom("testing"));
  return cfg;
}

world::world()
    : system_(configured(config_)),
      recorder_(std::make_shared<event_recorder>()),
      start_result_(std::make_shared<std::optional<caf::error>>()) {
  runtime_options options;
  options.driver = context_runtime::driver::virtual_;
  options.sinks.push_back(recorder_);
  runtime_ = std::make_unique<libactor::runtime>(system_, std::move(options));
}

world::~world() {
  runtime_->stop_now(cause("the world ends", cause_origin::shutdown));
  settle();
  run_until_ended(std::chrono::hours(1));
  runtime_.reset();
  settle();
}

std::optional<caf::error> world::start(const tree_spec& tree, const child_catalog& catalog) {
  runtime_->start(tree, catalog, [result = start_result_](const caf::error& e) { *result = e; });
  settle();
  return *start_result_;
}

void world::settle() {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  turn unit{&system_, scheduler.jobs};
  while (!scheduler.jobs.empty()) {
    auto* job = scheduler.jobs.front();
    scheduler.jobs.pop_front();
    switch (job->resume(&unit, 1)) {
      case caf::resumable::resume_later:
        scheduler.jobs.push_back(job);
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        caf::intrusive_ptr_release(job);
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
    }
  }
}

void world::advance(duration d) {
  auto& contexts = runtime_->contexts();
  const auto target = contexts.now() + d;
  settle();
  for (auto due = contexts.next_due(); due && *due <= target; due = contexts.next_due()) {
    contexts.advance_to(std::max(*due, contexts.now()));
    settle();
  }
  contexts.advance_to(target);
  settle();
}

void world::stop() {
  runtime_->request_stop({});
  settle();
}

bool world::run_until_ended(duration limit) {
  auto& contexts = runtime_->contexts();
  const auto target = contexts.now() + limit;
  settle();
  while (!runtime_->wait_ended(duration{})) {
    const auto due = contexts.next_due();
    if (!due || *due > target)
      return false;
    advance(std::max(duration{}, *due - contexts.now()));
  }
  return true;
}

bool world::is_alive(std::string_view path) const {
  const auto paths = runtime_->alive();
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

std::vector<std::string> world::log(std::initializer_list<event_kind> kinds) const {
  std::vector<std::string> lines;
  for (const auto& what : recorder_->events()) {
    if (std::find(kinds.begin(), kinds.end(), what.kind) == kinds.end())
      continue;
    lines.push_back(std::string(to_string(what.kind)) + " " + what.path +
                    (what.reason.empty() ? "" : " " + what.reason));
  }
  return lines;
}

}  // namespace libactor::testkit
