// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/trial.hpp"

#include "libactor/actor/reason.hpp"
#include "supervisors/tree_text.hpp"
#include "testkit/run_control.hpp"
#include "testkit/step_watch.hpp"
#include "testkit/world_scheduler.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace libactor::testkit {

trial::trial(run_control& by) : world(by), by_(by) {}

trial::~trial() = default;

std::size_t trial::choose(std::size_t alternatives, std::string_view what) {
  refuse_within_step(what);
  return by_.choose_for_body(alternatives, what);
}

bool trial::maybe(std::string_view fault) {
  refuse_within_step(fault);
  return by_.maybe(fault);
}

void trial::refuse_within_step(std::string_view choice) {
  if (seen().is_within_step())
    by_.fail("the body ends", "a choice within a step, which is whole: choose `" + std::string(choice) +
                                  "` in the body, before the step");
}

void trial::at_any_time(std::string name, std::function<void()> act) {
  by_.mention(name);
  const auto who = steps_by().add_act(std::move(act));
  seen().name(who, std::move(name));
}

void trial::must(std::vector<property> all) {
  for (auto& one : all)
    properties_.push_back(std::move(one));
}

void trial::expect(bool holds, std::string_view what) {
  if (!holds)
    by_.fail("expect", std::string(what));
}

void trial::touch(step_watch& seen, std::uint64_t variable, bool writes) {
  seen.touch(variable, writes ? deed::write : deed::read);
}

// -- trees ------------------------------------------------------------------------------------------------------------

namespace {

std::optional<happening> happening_of(const event& what) {
  switch (what.kind) {
    case event_kind::start_asked:
      return happening::start_asked;
    case event_kind::started:
      return happening::started;
    case event_kind::ready:
      return happening::ready;
    case event_kind::stop_asked:
      return happening::stop_asked;
    case event_kind::killed:
      return happening::killed;
    case event_kind::abandoned:
      return happening::abandoned;
    case event_kind::restarting:
      return happening::restarted;
    case event_kind::gave_up:
      return happening::gave_up;
    case event_kind::deadline:
      return happening::deadline;
    case event_kind::stuck:
    case event_kind::overdue:
    case event_kind::orphan:
    case event_kind::runaway:
    case event_kind::undead:
      return happening::leaked;
    case event_kind::note:
      return what.text == "drained" ? std::optional{happening::drained} : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

void trial::is_about(const tree_spec& tree) {
  by_.mention(tree_text(tree));
  tree_ = tree;
}

std::optional<caf::error> trial::start(const tree_spec& tree, const child_catalog& catalog) {
  by_.mention(tree_text(tree));
  auto earlier = std::exchange(tree_, by_.cut_down(tree));
  auto result = world::start(*tree_, catalog);
  if (result && *result && (errc_of(*result) == errc::invalid_spec || errc_of(*result) == errc::already_started))
    tree_ = std::move(earlier);  // this one does not run
  return result;
}

// -- what happened ----------------------------------------------------------------------------------------------------

history trial::so_far() const {
  auto& watch = const_cast<trial&>(*this).seen();
  history made;
  made.tree = tree_;
  made.tree_ended = const_cast<trial&>(*this).runtime().wait_ended(duration{0});
  const auto report = const_cast<trial&>(*this).runtime().report();
  if (tree_ && (report.ended != report.began || made.tree_ended))
    made.stop_took = report.ended - report.began;
  const auto all_events = events();
  const auto& steps = watch.event_steps();
  std::unordered_map<std::uint64_t, std::pair<std::string, std::uint32_t>> names;  // of actors that have no lifeline
  for (std::size_t i = 0; i != all_events.size(); ++i) {
    const auto& one = all_events[i];
    if (one.actor != 0)
      names.try_emplace(one.actor, one.path, one.incarnation);
    const auto step = i < steps.size() ? steps[i] : watch.now();
    if (const auto what = happening_of(one))
      made.all.push_back({*what, one.path, one.incarnation, one.actor, one.at, step, one.reason});
  }
  const auto now_at = now();
  const auto& taken = watch.steps();
  const auto time_of = [&](std::uint32_t step) { return step < taken.size() ? taken[step].at : now_at; };
  for (auto& life : watch.lives()) {
    if (life.path.empty()) {
      const auto i = names.find(life.who);
      if (i == names.end())
        continue;
      std::tie(life.path, life.incarnation) = i->second;
    }
    if (life.path.empty())
      continue;  // what keeps the root
    made.lives.push_back(
        {life.path, life.incarnation, life.from, life.ended ? std::optional{life.to} : std::optional<std::uint32_t>{}});
    if (life.ended) {
      made.all.push_back({happening::stopped, life.path, life.incarnation, life.who, time_of(life.to), life.to, {}});
    } else if (made.tree_ended) {
      made.all.push_back({happening::leaked, life.path, life.incarnation, life.who, now_at, watch.now(), {}});
    }
  }
  std::stable_sort(made.all.begin(), made.all.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  // Each step knows of the one before of the same process.
  std::unordered_map<process, std::uint32_t> last;
  made.causes.resize(watch.now() + 1);
  for (std::uint32_t i = 0; i != taken.size(); ++i) {
    for (const auto cause : taken[i].causes) {
      if (cause < i)
        made.causes[i].push_back(cause);
    }
    if (taken[i].is_pause)
      continue;
    if (const auto before = last.find(taken[i].who); before != last.end())
      made.causes[i].push_back(before->second);
    last[taken[i].who] = i;
  }
  return made;
}

std::string trial::trace() const {
  auto& watch = const_cast<trial&>(*this).seen();
  const auto all = events();
  const auto& steps = watch.event_steps();
  std::string text;
  std::size_t next = 0;
  auto tell = [&](std::uint32_t step) {
    for (; next != all.size() && (next >= steps.size() || steps[next] <= step); ++next) {
      const auto& one = all[next];
      text += "  " + std::string(to_string(one.kind)) + " " + one.path + "#" + std::to_string(one.incarnation) + " " +
              std::to_string(one.actor) + (one.reason.empty() ? "" : " (" + one.reason + ")") +
              (one.text.empty() ? "" : " " + one.text) + "\n";
    }
  };
  for (std::uint32_t i = 0; i != watch.steps().size(); ++i) {
    const auto& step = watch.steps()[i];
    text += std::to_string(i) + " " + std::to_string(step.at.time_since_epoch().count()) + " " +
            (step.is_pause ? step.is_time ? "time" : "test" : watch.name_of(step.who)) + "\n";
    tell(i);
  }
  tell(~std::uint32_t{0});
  return text;
}

}  // namespace libactor::testkit
