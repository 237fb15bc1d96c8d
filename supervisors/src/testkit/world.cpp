// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/world.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/actor/reason.hpp"
#include "supervisors/child_catalog.hpp"
#include "testkit/step_watch.hpp"
#include "testkit/world_scheduler.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <random>
#include <stdexcept>

namespace libactor::testkit {

namespace {

world::chooser by_seed(std::uint64_t seed) {
  return [random = std::mt19937_64{seed}](std::span<const std::uint64_t> runnable) mutable {
    return static_cast<std::size_t>(random() % runnable.size());
  };
}

// What runs outside of a world, or nothing.
std::string outsider(const child_spec& spec, const std::string& path, const child_catalog& catalog) {
  if (spec.isolation != isolation::shared)
    return path + ": a child with a " + to_string(spec.isolation) +
           " of its own does not run in a world, which can't hold it up; put a double in its place, or `isolation: "
           "shared`";
  if (const auto* named = std::get_if<kind_child>(&spec.what)) {
    const auto* kind = catalog.find(named->kind);
    if (kind != nullptr && kind->is_process)
      return path + ": a process of the kind " + named->kind +
             " does not run in a world, which can't hold it up; put a double in its place";
  }
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what)) {
    for (const auto& child : fixed->children) {
      if (auto found = outsider(child, path + "/" + child.id, catalog); !found.empty())
        return found;
    }
  }
  if (const auto* pool = std::get_if<dynamic_supervisor>(&spec.what); pool != nullptr && pool->child != nullptr)
    return outsider(*pool->child, path + "/*", catalog);
  return {};
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
  // At once: an actor that is never at rest would go on for ever, and what handlers of the test refer to may be gone.
  kill_all();
  run_dry();
  pass_until_ended(std::chrono::hours(1));
  kill_all();
  run_dry();
  scheduler_.timers().cancel_all();
  scheduler_.follow(nullptr);
  runtime_.reset();
  run_dry();
}

void world::kill_all() {
  for (const auto& whom : scheduler_.actors())
    detail::seam::exit_urgent(caf::actor_cast<caf::actor>(whom), caf::exit_reason::kill);
}

std::optional<caf::error> world::start(const tree_spec& tree, const child_catalog& catalog) {
  if (auto why = outsider(tree.root, "/" + tree.root.id, catalog); !why.empty())
    return make_error(errc::invalid_spec, std::move(why));
  runtime_->start(tree, catalog, [result = start_result_](const caf::error& e) { *result = e; });
  settle();
  return *start_result_;
}

bool world::step() { return scheduler_.step(true); }

void world::settle() {
  run_dry();
  refuse_threads();
}

void world::refuse_threads() {
  if (system_.detached_actors() != 0)
    throw std::logic_error(
        "a detached or blocking actor runs in a world: on a thread of its own, which no world can hold up; spawn it "
        "without that, or put a double in its place");
}

void world::run_dry() {
  while (scheduler_.step()) {
  }
}

std::uint64_t world::steps() const noexcept { return scheduler_.steps(); }

std::optional<time_point> world::next_due() const {
  const auto deadline = runtime_->contexts().next_due();
  const auto timer = scheduler_.timers().next_due();
  return deadline && timer ? std::min(*deadline, *timer) : deadline ? deadline : timer;
}

// The watchdog looks when nothing moves, and then at the times at which that may show it something new.
void world::run_dry_and_look() {
  run_dry();
  runtime_->scan_watchdog();
}

void world::advance(duration d) {
  settle();
  pass(d);
}

void world::pass(duration d) {
  auto& contexts = runtime_->contexts();
  const auto target = in(d);
  for (run_dry_and_look();; run_dry_and_look()) {
    const auto due = next_due();
    if (!due || *due > target)
      break;
    scheduler_.pass_time(*due);
  }
  if (target > contexts.now())
    scheduler_.pass_time(target);
}

void world::stop() {
  runtime_->request_stop({});
  settle();
}

bool world::run_until_ended(duration limit) {
  settle();
  return pass_until_ended(limit);
}

bool world::pass_until_ended(duration limit) {
  auto& contexts = runtime_->contexts();
  const auto target = in(limit);
  run_dry_and_look();
  while (!runtime_->wait_ended(duration{})) {
    const auto due = next_due();
    if (!due || *due > target) {
      if (!scheduler_.acts_must())
        return false;
      run_dry_and_look();
      continue;
    }
    pass(std::max(duration{}, *due - contexts.now()));
  }
  return true;
}

// No later than time itself ends.
time_point world::in(duration d) const {
  const auto at = now();
  return d > time_point::max() - at ? time_point::max() : at + d;
}

void world::looked() const {
  if (watch_ != nullptr)
    watch_->look();
}

std::vector<event> world::events() const {
  looked();
  return recorder_->events();
}

bool world::is_alive(std::string_view path) const {
  looked();
  const auto paths = runtime_->alive();
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

std::vector<std::string> world::log(std::initializer_list<event_kind> kinds) const {
  std::vector<std::string> lines;
  for (const auto& what : events()) {
    if (std::find(kinds.begin(), kinds.end(), what.kind) == kinds.end())
      continue;
    lines.push_back(std::string(to_string(what.kind)) + " " + what.path +
                    (what.reason.empty() ? "" : " " + what.reason));
  }
  return lines;
}

}  // namespace libactor::testkit
