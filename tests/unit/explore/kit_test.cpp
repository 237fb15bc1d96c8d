// SPDX-License-Identifier: BSL-1.0
// What an exploration is asked and what it says: bounds, sampling, threads, acts, properties, tokens, doubles.
#include "programs.hpp"
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/replay.hpp"

#include <set>
#include <sstream>

using namespace libactor;
using namespace libactor::tests;

namespace {

tree_spec pair_of(fault store, fault api) {
  return one_for_one()
      .child_started_by("store", a_double(store))
      .shutdown(2s)
      .child_started_by("api", a_double(api))
      .shutdown(2s)
      .tree();
}

/// A tree that is stopped at any time.
void stopped_at_any_time(trial& t, const tree_spec& tree) {
  t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
  t.start(tree);
  t.run_until_ended(1h);
}

/// Each child's own events, in order: what an order of steps comes to, whatever is between.
std::set<std::string> events_of(const trial& t) {
  std::map<std::string, std::string> by_path;
  for (const auto& one : t.events()) {
    if (one.kind == event_kind::gave_up)
      continue;  // told by the supervisor itself, not by the one above it
    by_path[one.path] += std::string(to_string(one.kind)) + "#" + std::to_string(one.incarnation) + "@" +
                         std::to_string(one.at.time_since_epoch().count()) + one.reason + ";";
  }
  std::set<std::string> all;
  for (const auto& [path, events] : by_path)
    all.insert(path + events);
  return all;
}

/// A body that fails if a message is late.
void lost_update(trial& t) {
  const shared<int> x{t, 0};
  for (int i = 0; i != 2; ++i)
    run_thread(t, [x, seen = -1]() mutable {
      if (seen < 0) {
        seen = x.read();
        return true;
      }
      x.write(seen + 1);
      return false;
    });
  t.settle();
  t.expect(x.read() == 2, "no update is lost");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kit)

BOOST_AUTO_TEST_CASE(T001_exhausted_is_said_only_where_no_bound_was_met) {
  const auto body = [](trial& t) { readers(t, 3); };
  explore_options options;
  BOOST_TEST(explore(options, body).exhausted);
  options.max_schedules = 7;
  const auto bounded = explore(options, body);
  BOOST_TEST(bounded.schedules == 7U);
  BOOST_TEST(!bounded.exhausted);
  options.max_schedules = 0;
  options.max_steps = 5;
  const auto cut = explore(options, body);
  BOOST_TEST(cut.cut > 0U);
  BOOST_TEST(!cut.exhausted);
  BOOST_TEST(cut.to_text().find("not exhausted") != std::string::npos);
  options.max_steps = 10'000;
  options.mode = search_mode::random;
  BOOST_TEST(!explore(options, body).exhausted);
}

BOOST_AUTO_TEST_CASE(T002_a_bound_on_faults_leaves_faults_out_and_says_so) {
  std::set<int> seen;
  const auto body = [&](trial& t) {
    int faults = 0;
    for (int i = 0; i != 3; ++i)
      faults += t.maybe("fault " + std::to_string(i)) ? 1 : 0;
    seen.insert(faults);
  };
  explore_options options;
  BOOST_TEST(explore(options, body).schedules == 8U);
  BOOST_TEST(seen == (std::set<int>{0, 1, 2, 3}));
  seen.clear();
  options.max_faults = 1;
  const auto result = explore(options, body);
  BOOST_TEST(seen == (std::set<int>{0, 1}));
  BOOST_TEST(result.schedules == 4U);
  BOOST_TEST(result.faults_left_out > 0U);
  BOOST_TEST(!result.exhausted);
}

BOOST_AUTO_TEST_CASE(T003_every_mode_finds_a_lost_update) {
  for (const auto mode : {search_mode::exhaustive, search_mode::random, search_mode::pct}) {
    explore_options options;
    options.mode = mode;
    const auto result = explore(options, lost_update);
    BOOST_REQUIRE_MESSAGE(result.failed, result.to_text());
    BOOST_TEST(result.failed->property == "expect");
    BOOST_TEST(result.failed->what == "no update is lost");
    BOOST_TEST(result.failed->replays);
  }
}

BOOST_AUTO_TEST_CASE(T004_two_threads_take_the_same_orders_as_one) {
  for (int round = 0; round != 5; ++round) {
    std::mutex mutex;
    std::map<std::vector<caf::actor_id>, int> seen;
    explore_options options;
    options.threads = 2;
    const auto result = explore(options, [&](trial& t) {
      auto order = ends_under_a_monitor(t, 5);
      const std::lock_guard guard{mutex};
      ++seen[std::move(order)];
    });
    BOOST_TEST(result.exhausted);
    BOOST_TEST(result.schedules == 120U);
    BOOST_TEST(seen.size() == 120U);
  }
}

BOOST_AUTO_TEST_CASE(T005_a_body_that_is_not_the_same_twice_is_refused) {
  int runs = 0;
  BOOST_CHECK_THROW(explore({}, [&](trial& t) { readers(t, 2 + runs++ % 2); }), std::logic_error);
}

BOOST_AUTO_TEST_CASE(T006_what_a_body_throws_is_a_failure) {
  const auto result = explore({}, [](trial& t) {
    if (t.choose(3, "which") == 2)
      throw std::runtime_error("boom");
  });
  BOOST_REQUIRE(result.failed);
  BOOST_TEST(result.failed->what == "it threw: boom");
  BOOST_TEST(result.schedules == 3U);
}

BOOST_AUTO_TEST_CASE(T007_an_act_comes_at_any_time_and_time_may_pass_before) {
  std::set<std::string> when;
  const auto result = explore({}, [&](trial& t) {
    std::string seen = "never";
    t.at_any_time("look", [&] { seen = libactor::to_string(duration{t.now().time_since_epoch()}); });
    t.start(pair_of(fault::none, fault::slow_to_stop));
    t.runtime().request_stop({});
    t.advance(3s);
    when.insert(seen);
  });
  BOOST_TEST(result.exhausted);
  BOOST_TEST(when == (std::set<std::string>{"0s", "1s", "never"}));
}

BOOST_AUTO_TEST_CASE(T008_a_message_that_comes_to_who_has_ended_is_a_step_that_counts) {
  std::set<bool> answered;
  const auto result = explore({}, [&](trial& t) {
    const auto whom = t.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
      return {[self](int) { self->quit(); }, [](double x) { return x; }};
    });
    t.settle();
    bool got = false;
    const auto asks = t.system().spawn([whom, &got](caf::event_based_actor* self) -> caf::behavior {
      self->request(whom, caf::infinite, 1.0).then([&got](double) { got = true; }, [](const caf::error&) {});
      return {[](int) {}};
    });
    caf::anon_send(whom, 1);
    t.settle();
    answered.insert(got);
  });
  BOOST_TEST(result.exhausted);
  BOOST_TEST(answered == std::set<bool>({false}));  // the body's own message is first
}

BOOST_AUTO_TEST_CASE(T010_an_order_by_luck_is_no_happens_before) {
  // The two never speak to one another.
  const auto body = [](bool causal) {
    return [causal](trial& t) {
      auto tree = one_for_one().start_order(start_mode::graph);
      tree.child_started_by("a", a_double()).child_started_by("b", a_double());
      const moment first{happening::stopped, "/root/a"};
      const moment second{happening::stopped, "/root/b"};
      t.must(causal ? happens_before(first, second) : seen_before(first, second));
      t.start(tree.tree());
      t.stop();
    };
  };
  explore_options options;
  options.mode = search_mode::random;
  options.max_schedules = 1;
  int lucky = 0;
  for (options.seed = 1; options.seed != 20; ++options.seed) {
    BOOST_TEST(!explore(options, body(true)));
    lucky += explore(options, body(false)) ? 1 : 0;
  }
  BOOST_TEST(lucky > 0);
  BOOST_TEST(lucky < 19);
}

BOOST_AUTO_TEST_CASE(T011_each_property_holds_and_fails_where_it_should) {
  const auto run = [](const property& one, fault api) {
    explore_options options;
    options.minimise = false;
    return static_cast<bool>(explore(options, [&](trial& t) {
      t.must(one);
      t.start(pair_of(fault::none, api));
      t.advance(100ms);
      t.stop();
      t.run_until_ended(1h);
    }));
  };
  const moment asked{happening::stop_asked, "/root/api"};
  const moment down{happening::stopped, "/root/api"};
  const moment store{happening::stop_asked, "/root/store"};
  const moment killed{happening::killed, "*"};
  BOOST_TEST(run(chain({asked, down, store}), fault::none));
  BOOST_TEST(!run(chain({asked, store, down}), fault::none));
  BOOST_TEST(run(never(killed), fault::slow_to_stop));
  BOOST_TEST(!run(never(killed), fault::ignores_down_signal));
  BOOST_TEST(run(exactly(1, killed), fault::ignores_down_signal));
  BOOST_TEST(!run(exactly(2, killed), fault::ignores_down_signal));
  BOOST_TEST(run(within(1s, asked, down), fault::slow_to_stop));
  BOOST_TEST(!run(within(999ms, asked, down), fault::slow_to_stop));
  BOOST_TEST(run(not_during(store, asked, down), fault::none));
  BOOST_TEST(!run(not_during(killed, asked, down), fault::ignores_down_signal));
  BOOST_TEST(run(no_leaks(), fault::ignores_down_signal));
  BOOST_TEST(!run(no_leaks(), fault::stuck));
  BOOST_TEST(run(everything_stopped(), fault::none));
  BOOST_TEST(!run(everything_stopped(), fault::stuck));
  BOOST_TEST(!run(never({happening::restarted, "/root/api"}), fault::exits));
  BOOST_TEST(!run(never({happening::gave_up, "/root"}), fault::throws_in_handler));
  BOOST_TEST(run(seen_before(asked, down), fault::none));
  BOOST_TEST(!run(seen_before(down, asked), fault::none));
}

BOOST_AUTO_TEST_CASE(T012_doubles_do_what_they_are_named_for) {
  const auto log = [](fault what) {
    lines seen;
    explore_options options;
    options.default_properties = false;
    options.max_schedules = 1;
    explore(options, [&](trial& t) {
      t.start(
          one_for_one().intensity(3, 5s).child_started_by("x", a_double(what)).shutdown(2s).start_timeout(1s).tree());
      t.advance(100ms);
      t.stop();
      t.run_until_ended(1h);
      seen = t.log({event_kind::start_failed, event_kind::declined, event_kind::crashed, event_kind::ended,
                    event_kind::restarting, event_kind::killed, event_kind::abandoned, event_kind::stopped,
                    event_kind::gave_up});
      std::erase_if(seen, [](const auto& line) {
        return line.find("/root/x") == line.npos && line.find("gave_up") == line.npos;
      });
    });
    return seen;
  };
  const auto starts = [&](fault what, const std::string& begin) {
    const auto seen = log(what);
    return !seen.empty() && seen.front().starts_with(begin);
  };
  BOOST_TEST(starts(fault::none, "stopped /root/x"));
  BOOST_TEST(starts(fault::throws_in_start, "start_failed /root/x"));
  BOOST_TEST(starts(fault::throws_in_handler, "crashed /root/x"));
  BOOST_TEST(log(fault::throws_in_stop) ==
             lines{"stopped /root/x runtime_error: std::runtime_error: a double that throws in its stop"});
  BOOST_TEST(starts(fault::declines, "declined /root/x"));
  BOOST_TEST(starts(fault::never_ready, "stopped /root/x"));  // before its time to start was up
  BOOST_TEST(starts(fault::ignores_down_signal, "killed /root/x"));
  BOOST_TEST(starts(fault::slow_to_stop, "stopped /root/x"));
  BOOST_TEST(log(fault::stuck) ==
             (lines{"killed /root/x", "abandoned /root/x abandoned", "stopped /root/x abandoned"}));
  BOOST_TEST(starts(fault::exits, "ended /root/x"));
  BOOST_TEST(starts(fault::floods_parent, "stopped /root/x"));
  BOOST_TEST(starts(fault::drops_monitor, "stopped /root/x"));
  const auto once = log(fault::fails_after_first_start);
  BOOST_TEST(once.front().starts_with("crashed /root/x"));
  BOOST_TEST(std::count_if(once.begin(), once.end(), [](const auto& x) { return x.starts_with("start_failed"); }) > 0);
}

BOOST_AUTO_TEST_CASE(T013_what_no_world_can_hold_up_is_refused) {
  explore({}, [](trial& t) {
    const auto why = t.start(one_for_one().child("x", ordinary).isolation(isolation::thread).tree());
    t.expect(why && errc_of(*why) == errc::invalid_spec && describe(*why).find("/root/x") != std::string::npos,
             "a thread is refused");
  });
  const auto result = explore({}, [](trial& t) {
    const auto tree = with_doubles(one_for_one().child("x", ordinary).isolation(isolation::thread).tree());
    const auto why = t.start(tree);
    t.expect(why && !*why, "a double runs in its place");
    t.stop();
  });
  BOOST_TEST(!result.failed, result.to_text());
  const auto detached = explore({}, [](trial& t) {
    t.system().spawn<caf::detached>([](caf::event_based_actor*) {});
    t.settle();
  });
  BOOST_REQUIRE(detached.failed);
  BOOST_TEST(detached.failed->what.find("thread of its own") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(T014_a_token_of_another_test_is_refused) {
  const auto body = [](const tree_spec& tree) {
    return [tree](trial& t) {
      t.must(never({happening::killed, "*"}));
      stopped_at_any_time(t, tree);
    };
  };
  explore_options options;
  options.name = "kill";
  const auto tree = pair_of(fault::none, fault::ignores_down_signal);
  const auto result = explore(options, body(tree));
  BOOST_REQUIRE(result.failed);
  const auto token = result.failed->token;
  BOOST_TEST(token.ends_with(":/root/store"), token);  // it takes one child
  BOOST_TEST(replay(token, body(tree), options).failed.has_value());
  const auto other_tree = one_for_all().child("store", ordinary).tree();
  BOOST_TEST(!replay(token, body(other_tree), options).refused.empty());
  BOOST_TEST(!replay(token, body(tree), {}).refused.empty());
  BOOST_TEST(!replay("lt1:x", body(tree), options).refused.empty());
  // The same test, of which the bug is gone.
  const auto mended = replay(token, body(pair_of(fault::none, fault::none)), options);
  BOOST_TEST(mended.refused.empty(), mended.refused);
  BOOST_TEST(!mended.failed);
}

BOOST_AUTO_TEST_CASE(T015_a_counter_example_marks_its_two_events) {
  const auto result = explore({}, [](trial& t) {
    t.must(happens_before({happening::stopped, "/root/store"}, {happening::stop_asked, "/root/api"}));
    t.start(pair_of(fault::none, fault::none));
    t.stop();
  });
  BOOST_REQUIRE(result.failed);
  const auto& text = result.failed->text;
  std::size_t marks = 0;
  for (auto at = text.find(">> "); at != text.npos; at = text.find(">> ", at + 1))
    ++marks;
  BOOST_TEST(marks == 2U, text);
  BOOST_TEST(result.failed->mermaid.find("rect rgb") != std::string::npos);
  BOOST_TEST(result.failed->what == "stop_asked /root/api at 0s, though stopped /root/store at 0s only after it");
}

BOOST_AUTO_TEST_CASE(T016_the_same_seed_gives_the_same_bytes_100_times) {
  auto spec = one_for_all();
  spec.intensity(5, 1s)
      .child_started_by("a", a_double(fault::exits))
      .delays({100ms, 1s, 2, 0.2, {}})
      .child_started_by("b", a_double(fault::slow_to_stop))
      .child_started_by("c", a_double(fault::ignores_down_signal))
      .shutdown(1s);
  std::set<std::string> different;
  std::set<std::string> by_seed;
  for (int i = 0; i != 100; ++i) {
    for (std::uint64_t seed = 1; seed != 3; ++seed) {
      explore_options options;
      options.mode = search_mode::random;
      options.max_schedules = 1;
      options.seed = seed;
      explore(options, [&](trial& t) {
        t.at_any_time("crash", [&t] {
          if (const auto b = t.runtime().find("/root/b"))
            caf::anon_send(*b, "fault"s);
        });
        t.start(spec.tree());
        t.advance(3s);
        t.stop();
        t.run_until_ended(1h);
        (seed == 1 ? different : by_seed).insert(t.trace());
      });
    }
  }
  BOOST_TEST(different.size() == 1U);
  BOOST_TEST(different.begin()->size() > 500U);
  BOOST_TEST(by_seed.size() == 1U);
  BOOST_TEST(*by_seed.begin() != *different.begin());
}

// What a sample at random comes to, an exhaustive exploration has come to as well.
BOOST_AUTO_TEST_CASE(T026_of_trees_too_no_outcome_is_left_out) {
  for (const auto what :
       {fault::none, fault::exits, fault::throws_in_handler, fault::slow_to_stop, fault::stuck, fault::drops_monitor}) {
    for (const bool nested : {false, true}) {
      auto tree = one_for_all();
      auto group = one_for_one("group");
      group.child_started_by("x", a_double(what)).shutdown(1s).child_started_by("y", a_double()).shutdown(1s);
      tree.child_started_by("a", a_double(nested ? fault::none : what)).shutdown(1s);
      if (nested)
        tree.child(group);
      else
        tree.child_started_by("b", a_double()).shutdown(1s);
      std::set<std::set<std::string>> all, some;
      const auto into = [&](auto& seen) {
        return [&](trial& t) {
          stopped_at_any_time(t, tree.tree());
          seen.insert(events_of(t));
        };
      };
      const auto result = explore({}, into(all));
      BOOST_TEST(result.exhausted, result.to_text());
      explore_options options;
      options.mode = search_mode::random;
      options.max_schedules = 1500;
      explore(options, into(some));
      std::size_t missed = 0;
      for (const auto& one : some) {
        missed += all.contains(one) ? 0 : 1;
      }
      BOOST_TEST(missed == 0U, to_string(what)
                                   << (nested ? " nested" : "") << ": " << missed << " of " << some.size()
                                   << " outcomes are not among the " << all.size() << " of " << result.to_text());
      BOOST_TEST_MESSAGE(to_string(what) << ": " << some.size() << " of " << all.size() << ", " << result.to_text());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
