// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/doubles.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/actor/reason.hpp"
#include "testkit/world_scheduler.hpp"

#include <caf/default_attachable.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace libactor::testkit {

const char* to_string(fault what) noexcept {
  switch (what) {
    case fault::none:
      return "none";
    case fault::throws_in_start:
      return "throws_in_start";
    case fault::throws_in_handler:
      return "throws_in_handler";
    case fault::throws_in_stop:
      return "throws_in_stop";
    case fault::declines:
      return "declines";
    case fault::never_ready:
      return "never_ready";
    case fault::ignores_down_signal:
      return "ignores_down_signal";
    case fault::slow_to_stop:
      return "slow_to_stop";
    case fault::stuck:
      return "stuck";
    case fault::exits:
      return "exits";
    case fault::floods_parent:
      return "floods_parent";
    case fault::drops_monitor:
      return "drops_monitor";
    case fault::fails_after_first_start:
      return "fails_after_first_start";
  }
  return "";
}

namespace {

using act_now = caf::atom_constant<caf::atom("fault")>;

class double_worker final : public worker {
 public:
  double_worker(caf::actor_config& cfg, worker_options options, fault what, double_options how, bool reports_ready)
      : worker(cfg, std::move(options)), what_(what), how_(std::move(how)), reports_ready_(reports_ready) {}

  const char* name() const override { return "libactor.double"; }

  caf::behavior make_behavior() override {
    if (what_ == fault::throws_in_start)
      throw std::runtime_error("a double that throws in its start");
    if (what_ == fault::never_ready && !reports_ready_)
      defer_start();
    worker::make_behavior();
    on_down_signal([this](const down_signal&) { stop(); });
    set_default_handler(caf::drop);
    set_error_handler([](caf::scheduled_actor*, caf::error&) {});  // whoever does not know what it sends says so
    if (what_ != fault::never_ready && reports_ready_)
      ready();
    if (acts())
      send(this, act_now::value);
    return {[this](act_now) { act(); }};
  }

  // Stuck: whoever resumes it gets nothing done, as long as its world goes on.
  caf::resumable::resume_result resume(caf::execution_unit* host, std::size_t most) override {
    if (stuck_ && !dynamic_cast<world_scheduler&>(system().scheduler()).ends())
      return caf::resumable::awaiting_message;
    return worker::resume(host, most);
  }

 private:
  bool acts() const noexcept {
    return what_ == fault::throws_in_handler || what_ == fault::stuck || what_ == fault::exits ||
           what_ == fault::floods_parent || what_ == fault::drops_monitor || what_ == fault::fails_after_first_start;
  }

  void act() {
    switch (what_) {
      case fault::throws_in_handler:
      case fault::fails_after_first_start:
        throw std::runtime_error("a double that throws");
      case fault::stuck:
        stuck_ = true;
        // Where a handler does not return, its thread holds the actor.
        dynamic_cast<world_scheduler&>(system().scheduler()).hold(caf::strong_actor_ptr{ctrl()});
        return;
      case fault::exits:
        return finish(how_.reason);
      case fault::floods_parent:
        for (std::uint32_t i = 0; i != how_.count; ++i)
          send(caf::actor_cast<caf::actor>(line().supervisor()), std::string("flood"));
        return;
      case fault::drops_monitor: {
        const auto parent = caf::actor_cast<caf::actor>(line().supervisor());
        monitor(parent);
        demonitor(parent);
        return;
      }
      default:
        return;
    }
  }

  void stop() {
    switch (what_) {
      case fault::throws_in_stop:
        throw std::runtime_error("a double that throws in its stop");
      case fault::ignores_down_signal:
        return;
      case fault::slow_to_stop:
        after(how_.delay, [this] { finish(caf::exit_reason::user_shutdown); });
        return;
      default:
        return finish(caf::exit_reason::user_shutdown);
    }
  }

  const fault what_;
  const double_options how_;
  const bool reports_ready_;
  bool stuck_ = false;
};

void replace(child_spec& spec, const std::string& path, const std::map<std::string, fault>& faults,
             const double_options& options) {
  spec.isolation = isolation::shared;
  if (auto* fixed = std::get_if<static_supervisor>(&spec.what)) {
    for (auto& child : fixed->children)
      replace(child, path + "/" + child.id, faults, options);
    return;
  }
  if (auto* pool = std::get_if<dynamic_supervisor>(&spec.what)) {
    if (pool->child != nullptr) {
      auto model = *pool->child;
      replace(model, path + "/*", faults, options);
      pool->child = std::make_shared<const child_spec>(std::move(model));
    }
    return;
  }
  const auto found = faults.find(path);
  spec.what = function_child{a_double(found == faults.end() ? fault::none : found->second, options, spec.awaits_ready)};
}

void list(const child_spec& spec, const std::string& path, std::vector<std::string>& into) {
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what)) {
    for (const auto& child : fixed->children)
      list(child, path + "/" + child.id, into);
  } else if (const auto* pool = std::get_if<dynamic_supervisor>(&spec.what)) {
    if (pool->child != nullptr)
      list(*pool->child, path + "/*", into);
  } else {
    into.push_back(path);
  }
}

// A fault that nobody has would make a test that can't fail.
void check(const std::map<std::string, fault>& faults, const std::vector<std::string>& workers) {
  for (const auto& [path, what] : faults) {
    if (std::find(workers.begin(), workers.end(), path) != workers.end())
      continue;
    std::string all;
    for (const auto& worker : workers)
      all += (all.empty() ? "" : ", ") + worker;
    throw std::invalid_argument("with_doubles: `" + path + "` is no worker's path; the workers are " +
                                (all.empty() ? "none" : all));
  }
}

}  // namespace

start_function a_double(fault what, double_options options, bool reports_ready) {
  return [=](child_start& start) -> caf::expected<started_child> {
    if (what == fault::declines)
      return start.decline();
    if (what == fault::fails_after_first_start && start.incarnation() > 1)
      throw std::runtime_error("a double that can't be started again");
    return start.spawn_class<double_worker>(what, options, reports_ready);
  };
}

tree_spec with_doubles(tree_spec tree, const std::map<std::string, fault>& faults, double_options options) {
  if (!faults.empty())
    check(faults, workers_of(tree));
  replace(tree.root, "/" + tree.root.id, faults, options);
  return tree;
}

fault maybe(trial& in, fault what, std::string_view where) {
  return in.maybe(std::string(to_string(what)) + " at " + std::string(where)) ? what : fault::none;
}

std::vector<std::string> workers_of(const tree_spec& tree) {
  std::vector<std::string> all;
  list(tree.root, "/" + tree.root.id, all);
  return all;
}

}  // namespace libactor::testkit
