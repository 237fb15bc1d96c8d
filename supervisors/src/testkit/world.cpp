// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/world.hpp"

#include "actor/caf_seam.hpp"
#include "testkit/step_watch.hpp"
#include "testkit/world_scheduler.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <random>

namespace libactor::testkit {

namespace {

world::chooser by_seed(std::uint64_t seed) {
  return [random = std::mt19937_64{seed}](std::span<const std::uint64_t> runnable) mutable {
    return static_cast<std::size_t>(random() % runnable.size());
  };
}

}  // namespace

void event_recorder::on_event(const event& what) noexcept {
  std::lock_guard guard{mutex_};
  events_.push_back(what);
}

std::vector<event> event_recorder::events() const {
  std::lock_guard guard{mutex_};
  return events_;
}

std::size_t event_recorder::size() const noexcept {
  std::lock_guard guard{mutex_};
  return events_.size();
}

void event_recorder::clear() {
  std::lock_guard guard{mutex_};
  events_.clear();
}

caf::actor_system_config& world::configured(caf::actor_system_config& cfg) {
  cfg.load<world_scheduler>();
  return cfg;
}

world::world() : world(chooser{}) {}

world::world(std::uint64_t seed) : world(by_seed(seed)) {}

world::world(chooser choose)
    : system_(configured(config_)),
      scheduler_(dynamic_cast<world_scheduler&>(system_.scheduler())),
      recorder_(std::make_shared<event_recorder>()),
      start_result_(std::make_shared<std::optional<caf::error>>()) {
  runtime_options options;
  options.driver = context_runtime::driver::virtual_;
  options.sinks.push_back(recorder_);
  runtime_ = std::make_unique<libactor::runtime>(system_, std::move(options));
  scheduler_.choose_by(std::move(choose));
  scheduler_.follow(&runtime_->contexts());
}

world::world(guide& by) : world() {
  watch_ = std::make_unique<step_watch>(by, runtime_->contexts(), *recorder_);
  scheduler_.guided(&by, watch_.get());
  scheduler_.timers().seen_by(watch_.get());
}

world::~world() {
  if (watch_ != nullptr) {
    scheduler_.guided(nullptr, nullptr);
    scheduler_.timers().seen_by(nullptr);
    watch_->leave();
  }
  scheduler_.end_world();
  runtime_->stop_now(cause("the world ends", cause_origin::shutdown));
  settle();
  run_until_ended(std::chrono::hours(1));
  for (const auto& whom : scheduler_.actors())
    detail::seam::exit_urgent(caf::actor_cast<caf::actor>(whom), caf::exit_reason::kill);
  settle();
  scheduler_.timers().cancel_all();
  scheduler_.follow(nullptr);
  runtime_.reset();
  settle();
}

std::optional<caf::error> world::start(const tree_spec& tree, const child_catalog& catalog) {
  runtime_->start(tree, catalog, [result = start_result_](const caf::error& e) { *result = e; });
  settle();
  return *start_result_;
}

bool world::step() { return scheduler_.step(); }

void world::settle() {
  while (scheduler_.step()) {
  }
}

std::uint64_t world::steps() const noexcept { return scheduler_.steps(); }

std::optional<time_point> world::next_due() const {
  const auto deadline = runtime_->contexts().next_due();
  const auto timer = scheduler_.timers().next_due();
  return deadline && timer ? std::min(*deadline, *timer) : deadline ? deadline : timer;
}

void world::advance(duration d) {
  auto& contexts = runtime_->contexts();
  const auto target = contexts.now() + d;
  settle();
  for (auto due = next_due(); due && *due <= target; due = next_due()) {
    contexts.advance_to(std::max(*due, contexts.now()));
    scheduler_.timers().fire_due(contexts.now());
    if (watch_ != nullptr) {
      watch_->time_passed();
      scheduler_.acts_wait(false);
    }
    settle();
  }
  contexts.advance_to(target);
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
    const auto due = next_due();
    if (!due || *due > target) {
      if (!scheduler_.acts_wait(true))
        return false;
      settle();
      scheduler_.acts_wait(false);
      continue;
    }
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
