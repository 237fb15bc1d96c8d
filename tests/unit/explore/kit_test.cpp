// SPDX-License-Identifier: BSL-1.0
// What an exploration is asked and what it says: bounds, sampling, threads, acts; and that it is the same each time.
#include "bounds.hpp"
#include "faulty_trees.hpp"
#include "programs.hpp"
#include "seeded_run.hpp"
#include "supervisors/tree_text.hpp"

#include <set>
#include <sstream>

using namespace libactor;
using namespace libactor::tests;

namespace {

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

BOOST_AUTO_TEST_CASE(exhausted_is_said_only_where_no_bound_was_met) {
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

BOOST_AUTO_TEST_CASE(a_bound_on_faults_leaves_faults_out_and_says_so) {
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

BOOST_AUTO_TEST_CASE(every_mode_finds_a_lost_update) {
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

BOOST_AUTO_TEST_CASE(two_threads_take_the_same_orders_as_one) {
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

BOOST_AUTO_TEST_CASE(a_body_that_is_not_the_same_twice_is_refused) {
  int runs = 0;
  BOOST_CHECK_THROW(explore({}, [&](trial& t) { readers(t, 2 + runs++ % 2); }), std::logic_error);
}

BOOST_AUTO_TEST_CASE(what_a_body_throws_is_a_failure) {
  const auto result = explore({}, [](trial& t) {
    if (t.choose(3, "which") == 2)
      throw std::runtime_error("boom");
  });
  BOOST_REQUIRE(result.failed);
  BOOST_TEST(result.failed->what == "it threw: boom");
  BOOST_TEST(result.schedules == 3U);
}

BOOST_AUTO_TEST_CASE(an_act_comes_at_any_time_and_time_may_pass_before) {
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

BOOST_AUTO_TEST_CASE(a_message_that_comes_to_who_has_ended_is_a_step_that_counts) {
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

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bytes_100_times) {
  std::set<std::string> by_seed;
  for (std::uint64_t seed = 1; seed != 3; ++seed) {
    std::set<std::string> traces;
    for (int i = 0; i != 100; ++i)
      traces.insert(seeded_run(seed));
    BOOST_TEST(traces.size() == 1U);
    BOOST_TEST(traces.begin()->size() > 500U);
    by_seed.insert(traces.begin(), traces.end());
  }
  BOOST_TEST(by_seed.size() == 2U);
}

// What a sample at random comes to, an exhaustive exploration has come to as well.
BOOST_AUTO_TEST_CASE(of_trees_too_no_outcome_is_left_out) {
  for (const auto what :
       {fault::none, fault::exits, fault::throws_in_handler, fault::slow_to_stop, fault::stuck, fault::drops_monitor}) {
    for (const bool nested : {false, true}) {
      if (in_part && nested)
        continue;
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
      options.max_schedules = in_part ? 150 : 1500;
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

BOOST_AUTO_TEST_CASE(a_fault_where_no_worker_is_is_refused) {
  auto inner = one_for_one("inner");
  inner.child_started_by("a", a_double());
  const auto tree = one_for_one().child(inner).dynamic("pool", worker_spec("job", ordinary)).tree();
  for (const auto* path : {"/root/inner/a", "/root/pool/*"})
    BOOST_CHECK_NO_THROW(with_doubles(tree, {{path, fault::stuck}}));
  for (const std::string path : {"/root/inner/b", "/root/inner", "/root/pool", ""}) {
    BOOST_CHECK_EXCEPTION(with_doubles(tree, {{path, fault::none}}), std::invalid_argument, [&](const auto& e) {
      BOOST_TEST(e.what() ==
                 "with_doubles: `" + path + "` is no worker's path; the workers are /root/inner/a, /root/pool/*");
      return true;
    });
  }
}

BOOST_AUTO_TEST_CASE(neighbouring_seeds_share_no_run) {
  for (const auto mode : {search_mode::random, search_mode::pct}) {
    std::set<std::uint64_t> runs;
    for (std::uint64_t seed = 0; seed != 10; ++seed) {
      explore_options options;
      options.mode = mode;
      options.seed = seed;
      options.max_schedules = 20;
      explore(options, [&](trial& t) {
        std::uint64_t bits = 0;
        for (int i = 0; i != 64; ++i)
          bits = bits << 1 | t.choose(2, "bit");
        runs.insert(bits);
      });
    }
    BOOST_TEST(runs.size() == 200U);
  }
}

BOOST_AUTO_TEST_CASE(a_second_tree_is_refused_and_properties_are_about_the_first) {
  const auto first = one_for_one().child_started_by("a", a_double()).tree();
  const auto second = one_for_one().child_started_by("b", a_double()).tree();
  const auto result = explore({}, [&](trial& t) {
    t.must({"the first tree's", [&](const history& of) -> std::optional<finding> {
              return of.tree && tree_text(*of.tree) == tree_text(first) ? std::nullopt
                                                                        : std::optional(finding{"another's", {}, {}});
            }});
    t.start(first);
    const auto refused = t.start(second);
    t.expect(refused && errc_of(*refused) == errc::already_started, "it is refused");
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_TEST(result.exhausted, result.to_text());
  BOOST_TEST(!result.failed, result.to_text());
}

BOOST_AUTO_TEST_SUITE_END()
