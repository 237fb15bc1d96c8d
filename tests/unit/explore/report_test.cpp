// SPDX-License-Identifier: BSL-1.0
// What can happen in a run, what each double does, what holds of every tree, and what a failure comes to.
#include "faulty_trees.hpp"
#include "supervisors/testkit/replay.hpp"

#include <caf/event_based_actor.hpp>

#include <map>
#include <set>
#include <sstream>

using namespace libactor;
using namespace libactor::tests;

namespace {

constexpr std::array all_faults{fault::none,
                                fault::throws_in_start,
                                fault::throws_in_handler,
                                fault::throws_in_stop,
                                fault::declines,
                                fault::never_ready,
                                fault::ignores_down_signal,
                                fault::slow_to_stop,
                                fault::stuck,
                                fault::exits,
                                fault::floods_parent,
                                fault::drops_monitor,
                                fault::fails_after_first_start};

std::size_t count_of(const std::string& what, const std::string& in) {
  std::size_t n = 0;
  for (auto at = in.find(what); at != in.npos; at = in.find(what, at + 1))
    ++n;
  return n;
}

/// The first run of a tree with one double, drawn.
std::string drawing_of(fault what) {
  explore_options options;
  options.default_properties = false;
  options.minimise = false;
  const auto result = explore(options, [&](trial& t) {
    t.start(one_for_one().child_started_by("x", a_double(what)).shutdown(2s).tree());
    t.stop();
    t.run_until_ended(1h);
    t.must(never({happening::start_asked, "/root"}));
  });
  BOOST_REQUIRE(result.failed);
  return result.failed->text;
}

/// What a hand-made run of a tree with `first` and `second`, the latter after the former, comes to.
struct made_up {
  history run;
  std::uint32_t step = 0;

  made_up() : made_up(infinite) {}
  explicit made_up(duration budget) {
    auto tree = one_for_one().child("first", ordinary).child("second", ordinary).tree();
    tree.budget = budget;
    run.tree = tree;
  }
  made_up& then(happening what, const char* path, std::uint32_t incarnation = 1) {
    run.all.push_back({what, path, incarnation, 0, {}, step, {}});
    if (what == happening::start_asked)
      run.lives.push_back({path, incarnation, step, {}});
    for (auto& life : run.lives) {
      if (what == happening::stopped && life.path == path && life.incarnation == incarnation)
        life.to = step;
    }
    run.causes.emplace_back();
    if (step != 0)
      run.causes.back().push_back(step - 1);
    ++step;
    return *this;
  }
  /// The names of the default properties that do not hold.
  std::set<std::string> broken() const {
    std::set<std::string> names;
    for (const auto& one : default_properties()) {
      if (one.check(run))
        names.insert(one.name);
    }
    return names;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(reports)

BOOST_AUTO_TEST_CASE(each_kind_of_event_is_seen) {
  std::map<happening, std::set<std::string>> seen;
  const auto look = [&](const tree_spec& tree) {
    explore_options options;
    options.default_properties = false;
    options.max_schedules = 1;
    explore(options, [&](trial& t) {
      t.start(tree);
      t.advance(2s);
      t.stop();
      t.run_until_ended(1h);
      for (const auto& one : t.so_far().all)
        seen[one.what].insert(one.path);
    });
  };
  look(one_for_one().child_started_by("ready", a_double(fault::none, {}, true)).awaits_ready().drain(1s).tree());
  look(one_for_one().child_started_by("crash", a_double(fault::throws_in_handler)).tree());
  look(one_for_one().child_started_by("late", a_double(fault::stuck)).shutdown(1s).tree());
  look(one_for_one().child_started_by("timed", a_double()).timeout(1s).restart(restart_type::temporary).tree());
  for (const auto& [what, path] : std::map<happening, std::string>{{happening::start_asked, "/root/ready"},
                                                                   {happening::started, "/root/ready"},
                                                                   {happening::ready, "/root/ready"},
                                                                   {happening::stop_asked, "/root/ready"},
                                                                   {happening::drained, "/root/ready"},
                                                                   {happening::stopped, "/root/ready"},
                                                                   {happening::killed, "/root/late"},
                                                                   {happening::abandoned, "/root/late"},
                                                                   {happening::restarted, "/root/crash"},
                                                                   {happening::gave_up, "/root"},
                                                                   {happening::deadline, "/root/timed"},
                                                                   {happening::leaked, "/root/late"}})
    BOOST_TEST(seen[what].contains(path), to_string(what) << " " << path);
  BOOST_TEST(seen.size() == 12U);
  BOOST_TEST(!seen[happening::leaked].contains("/root/ready"));
  BOOST_TEST(!seen[happening::drained].contains("/root/crash"));
}

BOOST_AUTO_TEST_CASE(doubles_flood_forget_and_wait_as_they_say) {
  const auto well = drawing_of(fault::none);
  BOOST_TEST(count_of("-> /root: \"flood\"", well) == 0U, well);
  BOOST_TEST(count_of("-> /root: \"flood\"", drawing_of(fault::floods_parent)) == 3U);
  // Slow, and stuck: what time they take.
  BOOST_TEST(drawing_of(fault::slow_to_stop).find("1s        /root/x  stopped /root/x") != std::string::npos);
  BOOST_TEST(drawing_of(fault::ignores_down_signal).find("2s        /root    killed /root/x") != std::string::npos);
  BOOST_TEST(drawing_of(fault::stuck).find("3s        /root    abandoned /root/x") != std::string::npos);
  // A monitor that comes and goes conflicts with the end of who is watched, and with nothing else.
  std::map<fault, std::uint64_t> schedules;
  for (const auto what : {fault::none, fault::drops_monitor})
    schedules[what] = explore({}, [what](trial& t) {
                        stopped_at_any_time(t, one_for_one().child_started_by("x", a_double(what)).tree());
                      }).schedules;
  BOOST_TEST(schedules[fault::drops_monitor] > schedules[fault::none]);
  // Readiness that is awaited, and never comes: a start that fails in time.
  lines log;
  explore_options options;
  options.default_properties = false;
  options.max_schedules = 1;
  for (const bool awaited : {true, false}) {
    explore(options, [&](trial& t) {
      auto root = one_for_one().child_started_by("x", a_double(fault::never_ready, {}, awaited)).start_timeout(3s);
      if (awaited)
        root.awaits_ready(2s);
      const auto result = t.start(root.tree());
      BOOST_TEST(!result.has_value());
      t.advance(awaited ? 1999ms : 2999ms);
      BOOST_TEST(t.log({event_kind::start_failed}).empty());
      t.advance(1ms);
      log = t.log({event_kind::start_failed});
    });
    BOOST_REQUIRE(!log.empty());
    BOOST_TEST(log.front().starts_with("start_failed /root/x"), log.front());
  }
}

BOOST_AUTO_TEST_CASE(each_double_may_be_a_choice) {
  for (const auto what : all_faults) {
    if (what == fault::none)
      continue;
    std::set<fault> seen;
    const auto body = [&](trial& t) { seen.insert(maybe(t, what, "/root/x")); };
    explore_options options;
    const auto both = explore(options, body);
    BOOST_TEST(both.exhausted);
    BOOST_TEST(both.schedules == 2U);
    BOOST_TEST((seen == std::set<fault>{fault::none, what}), to_string(what));
    seen.clear();
    options.max_faults = 0;
    BOOST_TEST(!explore(options, body).exhausted);
    BOOST_TEST((seen == std::set<fault>{fault::none}), to_string(what));
  }
}

BOOST_AUTO_TEST_CASE(what_holds_of_every_tree_can_fail) {
  using enum happening;
  const auto up = [](made_up one) {
    return one.then(start_asked, "/root")
        .then(start_asked, "/root/first")
        .then(started, "/root/first")
        .then(start_asked, "/root/second")
        .then(started, "/root/second")
        .then(started, "/root");
  };
  const auto right = [&](made_up one) {
    return up(std::move(one))
        .then(stop_asked, "/root")
        .then(stop_asked, "/root/second")
        .then(stopped, "/root/second")
        .then(stop_asked, "/root/first")
        .then(stopped, "/root/first")
        .then(stopped, "/root");
  };
  BOOST_TEST(right({}).broken() == std::set<std::string>{}, boost::test_tools::per_element());
  const auto only = [](const char* name) { return std::set<std::string>{name}; };
  BOOST_TEST(
      up({}).then(stop_asked, "/root").then(stop_asked, "/root/second").then(stop_asked, "/root/first").broken() ==
          only("a child is down before what it depends on is asked to stop"),
      boost::test_tools::per_element());
  // In the right order, by luck: nothing led from the end of the one to the other.
  auto lucky = right({});
  for (auto& causes : lucky.run.causes)
    causes.clear();
  BOOST_TEST(lucky.broken() == only("a child is down before what it depends on is asked to stop"),
             boost::test_tools::per_element());
  BOOST_TEST(
      up({}).then(stopped, "/root/second").then(stop_asked, "/root").then(start_asked, "/root/second", 2).broken() ==
          only("nothing starts below a supervisor that stops"),
      boost::test_tools::per_element());
  BOOST_TEST(up({}).then(start_asked, "/root/second", 2).broken() == only("no child starts while it lives"),
             boost::test_tools::per_element());
  auto left = right({}).then(leaked, "/root/second");
  left.run.tree_ended = true;
  BOOST_TEST(left.broken() == std::set<std::string>{}, boost::test_tools::per_element());  // the watchdog told of it
  left.run.lives.push_back({"/root/second", 1, left.step, {}});
  BOOST_TEST(left.broken() == only("nothing is left"), boost::test_tools::per_element());
  auto late = right(made_up{5s});
  late.run.stop_took = 5s;
  BOOST_TEST(late.broken() == std::set<std::string>{}, boost::test_tools::per_element());
  late.run.stop_took = 5s + 1ns;
  BOOST_TEST(late.broken() == only("the budget is kept"), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_the_watchdog_told_of_and_was_killed_in_time_is_not_left) {
  const auto result = explore({}, [](trial& t) {
    t.must(exactly(1, {happening::leaked, "/root/x"}));
    t.must(everything_stopped());
    t.start(
        one_for_one().child_started_by("x", a_double(fault::ignores_down_signal)).shutdown(2s).watch({}).tree(1min));
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_TEST(result.exhausted, result.to_text());
}

BOOST_AUTO_TEST_CASE(how_far_it_is_is_told_each_second_and_time_is_a_bound) {
  std::ostringstream told;
  explore_options options;
  options.progress = &told;
  options.max_time = 1300ms;
  const auto result = explore(options, [](trial& t) {
    for (int i = 0; i != 30; ++i)
      t.choose(2, "which");
  });
  BOOST_TEST(!result.exhausted);
  BOOST_TEST(result.took < 20s);
  BOOST_TEST(count_of(" schedules, ", told.str()) == 1U, told.str());
  BOOST_TEST(told.str().ends_with(" a second\n"));
  BOOST_TEST(result.to_text().find("not exhausted") != std::string::npos);
}

// What fails in either of two ways, and is made smaller in one: that which comes first.
BOOST_AUTO_TEST_CASE(a_failure_loses_faults_then_children_then_choices) {
  const auto token_of = [](const std::function<bool(const history&, bool faulty, bool early)>& fails) {
    bool all = false;
    const auto body = [&](trial& t) {
      const bool faulty = t.maybe("fault");
      auto early = std::make_shared<bool>(false);
      t.must({"it holds", [=](const history& of) {
                return fails(of, faulty, *early) ? std::optional{finding{"it does not", {}, {}}} : std::nullopt;
              }});
      t.at_any_time("act", [&t, early] { *early = t.runtime().alive().empty(); });
      t.start(pair_of(fault::none, fault::none));
      t.run_until_ended(1s);
      all = faulty && *early;
    };
    // A run that does all of it.
    explore_options options;
    options.mode = search_mode::random;
    options.max_schedules = 1;
    options.default_properties = false;
    for (options.seed = 1; options.seed != 300; ++options.seed) {
      options.minimise = false;
      const auto whole = explore(options, body);
      if (!whole.failed || !all)
        continue;
      options.minimise = true;
      const auto less = explore(options, body);
      BOOST_REQUIRE(less.failed);
      BOOST_TEST(less.failed->replays);
      return less.failed->token.substr(less.failed->token.find(':', 4));
    }
    BOOST_ERROR("no run does all of it");
    return std::string();
  };
  const auto lives = [](const history& of, const char* path) {
    return std::any_of(of.lives.begin(), of.lives.end(), [&](const auto& one) { return one.path == path; });
  };
  BOOST_TEST(token_of([](const history&, bool, bool) { return true; }) == ":0::/root/store,/root/api");
  // With the fault it would need no child; without, it needs one.
  BOOST_TEST(token_of([=](const history& of, bool faulty, bool) { return faulty || lives(of, "/root/store"); }) ==
             ":0::/root/api");
  // With that child it would need no choice; without, it needs one.
  const auto token = token_of([=](const history& of, bool, bool early) { return early || lives(of, "/root/store"); });
  BOOST_TEST(token.starts_with(":0:"), token);
  BOOST_TEST(!token.starts_with(":0::"), token);
  BOOST_TEST(token.ends_with(":/root/store,/root/api"), token);
}

BOOST_AUTO_TEST_CASE(a_token_is_refused_when_the_test_has_changed) {
  const auto body = [](std::size_t alternatives, std::string what, std::string act) {
    return [=](trial& t) {
      const auto chosen = t.choose(alternatives, what);
      t.at_any_time(act, [] {});
      t.expect(chosen != 1, "it is not that");
    };
  };
  explore_options options;
  options.name = "a test";
  const auto result = explore(options, body(3, "which", "act"));
  BOOST_REQUIRE(result.failed);
  const auto& token = result.failed->token;
  BOOST_TEST(replay(token, body(3, "which", "act"), options).failed.has_value());
  for (const auto& other : {body(4, "which", "act"), body(3, "what", "act"), body(3, "which", "another")}) {
    const auto refused = replay(token, other, options);
    BOOST_TEST(refused.refused.find("another test") != std::string::npos, refused.refused);
    BOOST_TEST(!refused.failed);
  }
  for (const auto* wrong : {"", "lt1", "lt2:0.1:::", "lt1:xyz.1:::", "lt1:0.1:a::", "lt1:0.1::1:", "lt1:0.1::1.1,:",
                            "lt1:0000000000000000.9:1::"})
    BOOST_TEST(!replay(wrong, body(3, "which", "act"), options).refused.empty(), wrong);
}

BOOST_AUTO_TEST_CASE(a_diagram_marks_the_pair_and_nothing_else) {
  const auto result = explore({}, [](trial& t) {
    t.must(happens_before({happening::stopped, "/root/store"}, {happening::stop_asked, "/root/api"}));
    t.start(pair_of(fault::none, fault::none));
    t.stop();
  });
  BOOST_REQUIRE(result.failed);
  const auto& mermaid = result.failed->mermaid;
  BOOST_TEST(count_of("  rect rgb(255, 200, 200)\n", mermaid) == 2U, mermaid);
  BOOST_TEST(count_of("  end\n", mermaid) == 2U);
  for (const auto* marked : {"stopped /root/store", "stop_asked /root/api"}) {
    const auto at = mermaid.find(std::string(": ") + marked + "\n  end\n");
    BOOST_REQUIRE(at != mermaid.npos);
    BOOST_TEST(mermaid.rfind("  rect rgb(255, 200, 200)\n  Note over ", at) == mermaid.rfind("  rect", at));
    BOOST_TEST(result.failed->text.find(marked) != std::string::npos);
  }
  std::istringstream text(result.failed->text);
  for (std::string line; std::getline(text, line);)
    BOOST_TEST(
        line.starts_with(">> ") == (line.ends_with(" stopped /root/store") || line.ends_with(" stop_asked /root/api")),
        line);
}

BOOST_AUTO_TEST_SUITE_END()
