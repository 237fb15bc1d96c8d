// SPDX-License-Identifier: BSL-1.0
// Random trees with one fault anywhere, in random order. `LIBACTOR_SEEDS=from-to` runs other seeds than CI does, and
// with a single seed everything that happened is printed.
#include "history.hpp"

#include <caf/actor_registry.hpp>
#include <cstdlib>
#include <numeric>
#include <sstream>

using namespace libactor;
using namespace libactor::tests;

namespace {

struct outcome {
  std::vector<std::string> faults;
  std::vector<event> events;
  std::uint64_t steps = 0;
};

/// Whether each supervisor that lives counts what lives.
void check_counts(world& w, const scenario& of, std::vector<std::string>& faults) {
  const auto paths = w.runtime().alive();
  for (const auto& [path, seen] : of.supervisors) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end())
      continue;
    const auto counts = w.ask<child_counts>(path, supervisor_verb::count_children());
    const auto list = w.ask<std::vector<child_info>>(path, supervisor_verb::which_children());
    if (!counts || !*counts || !list || !*list) {
      faults.push_back(path + " does not count its children");
      continue;
    }
    std::size_t alive = 0;
    for (const auto& child : paths) {
      if (child.size() > path.size() && child.starts_with(path + "/") && child.find('/', path.size() + 1) == child.npos)
        ++alive;
    }
    std::size_t handles = 0;
    for (const auto& child : **list) {
      handles += child.handle ? 1 : 0;
      // One that never starts or ends may still be asked to, and holds up what is above it.
      const bool slow = of.what == fault::never_starts || of.what == fault::ignores_stop;
      if (slow && of.victim.starts_with(child.path))
        continue;
      if (child.state == child_state::starting || child.state == child_state::stopping ||
          child.state == child_state::killing || child.state == child_state::adopted)
        faults.push_back(child.path + " is " + to_string(child.state) + " though all is quiet");
    }
    if ((*counts)->active != alive || handles != alive)
      faults.push_back(path + " counts " + std::to_string((*counts)->active) + " and lists " + std::to_string(handles) +
                       " children, but " + std::to_string(alive) + " live");
    if ((*counts)->supervisors + (*counts)->workers != (*list)->size())
      faults.push_back(path + " counts other specifications than it lists");
  }
}

outcome run(const scenario& of) {
  outcome all;
  world w{of.seed * 2 + 1};
  bool told = false;
  w.runtime().start(of.tree, {}, [&](const caf::error& why) {
    told = true;
    if (errc_of(why) == errc::invalid_spec)
      all.faults.push_back("no valid tree: " + describe(why));
  });
  auto next = of.acts.begin();
  while (next != of.acts.end()) {
    for (; next != of.acts.end() && next->step <= w.steps(); ++next)
      next->run(w);
    if (!w.step() && next != of.acts.end()) {
      // Nothing happens before time passes: then either that is next, or the act.
      next->run(w);
      ++next;
      w.advance(of.seed % 3 * 250ms);
    }
  }
  if (!of.stops_in_between) {
    w.advance(20s);
    check_counts(w, of, all.faults);
    w.stop();
  }
  if (!w.run_until_ended(1h))
    all.faults.push_back("it does not end");
  w.settle();
  if (*of.unanswered != 0)
    all.faults.push_back(std::to_string(*of.unanswered) + " verbs have no answer");
  if (!told)
    all.faults.push_back("nobody was told of its start");
  for (const auto& path : w.runtime().alive())
    all.faults.push_back(path + " is alive at the end");
  if (const auto left = w.system().registry().running(); left != 0)
    all.faults.push_back(std::to_string(left) + " actors run at the end");
  if (!w.runtime().report().within_budget)
    all.faults.push_back("the report says that the budget was not kept");
  all.events = w.events();
  all.steps = w.steps();
  for (auto& what : judge(of, all.events))
    all.faults.push_back(std::move(what));
  return all;
}

std::pair<std::uint64_t, std::uint64_t> seeds() {
  std::pair<std::uint64_t, std::uint64_t> range{0, 20'000};
  if (const char* given = std::getenv("LIBACTOR_SEEDS")) {
    std::istringstream words{given};
    char dash = 0;
    words >> range.first;
    range.second = words >> dash >> range.second ? range.second : range.first + 1;
  }
  return range;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_schedules)

BOOST_AUTO_TEST_CASE(no_schedule_and_no_fault_breaks_a_rule_of_supervision) {
  const auto [from, to] = seeds();
  std::uint64_t events = 0;
  std::map<fault, std::uint64_t> tried;
  std::map<event_kind, std::uint64_t> happened;
  int broken = 0;
  for (auto seed = from; seed != to && broken < 5; ++seed) {
    const scenario one{seed};
    const auto how = run(one);
    events += how.events.size();
    ++tried[one.what];
    for (const auto& what : how.events)
      ++happened[what.kind];
    std::string words;
    for (const auto& fault : how.faults)
      words += "\n  " + fault;
    if (!words.empty())
      ++broken;
    BOOST_TEST(how.faults.empty(), one.words() << "\nbroken:" << words << "\nwhat happened:" << to_text(how.events));
    if (to - from == 1)
      BOOST_TEST_MESSAGE(one.words() << to_text(how.events));
  }
  if (to - from < 20'000)
    return;
  // That the scenarios are worth their time.
  BOOST_TEST(tried.size() == faults);
  for (const auto kind : {event_kind::started, event_kind::start_failed, event_kind::declined, event_kind::stop_asked,
                          event_kind::deadline, event_kind::stopped, event_kind::ended, event_kind::crashed,
                          event_kind::killed, event_kind::restarting, event_kind::gave_up})
    BOOST_TEST(happened[kind] > 1000, to_string(kind) << ": " << happened[kind]);
  BOOST_TEST_MESSAGE(events << " events");
}

BOOST_AUTO_TEST_SUITE_END()
