// SPDX-License-Identifier: BSL-1.0
// How a run ends, what is kept of it, and what becomes of its fault.
#include "faulty_trees.hpp"
#include "supervisors/testkit/replay.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <memory>
#include <set>
#include <string>

using namespace libactor;
using namespace libactor::tests;

namespace {

/// Never at rest.
void spawn_restless(trial& t, const shared<int>& cell) {
  t.system().spawn([cell](caf::event_based_actor* self) -> caf::behavior {
    self->send(self, 1);
    return {[self, cell](int) {
      cell.write(1);
      self->send(self, 1);
    }};
  });
}

void never_starts_bad(trial& t, const std::string& other) {
  t.must(never({happening::started, "/root/bad"}));
  t.start(one_for_one().child(other, ordinary).child("bad", ordinary).child("more", ordinary).tree());
  t.stop();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE(runs_that_are_cut_count_against_the_bound_and_end) {
  explore_options options;
  options.max_steps = 30;
  options.max_schedules = 5;
  const auto result = explore(options, [](trial& t) {
    const shared<int> cell{t, 0};
    spawn_restless(t, cell);
    spawn_restless(t, cell);
    t.settle();
  });
  BOOST_TEST(result.cut == 5U);
  BOOST_TEST(!result.exhausted);
}

BOOST_AUTO_TEST_CASE(no_handler_runs_once_the_body_has_been_left) {
  int late = 0;
  explore_options options;
  for (options.max_steps = 0; options.max_steps != 6; ++options.max_steps)
    explore(options, [&](trial& t) {
      struct leave {
        std::shared_ptr<bool> inside = std::make_shared<bool>(true);
        ~leave() { *inside = false; }
      } here;
      const auto counts = [&late, inside = here.inside] { late += *inside ? 0 : 1; };
      const auto one = t.system().spawn([counts](caf::event_based_actor*) -> caf::behavior {
        counts();
        return {[counts](int) { counts(); }};
      });
      for (int i = 0; i != 5; ++i)
        caf::anon_send(one, 1);
      t.settle();
    });
  BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE(what_ends_a_run_ends_it_whoever_catches_it) {
  explore_options options;
  options.reduce = reduction::sleep_sets;  // gives up runs on the way
  const auto given_up = explore(options, [](trial& t) {
    const shared<int> cell{t, 0};
    for (int i = 0; i != 3; ++i) {
      const auto one = t.system().spawn([cell](caf::event_based_actor* self) -> caf::behavior {
        return {[=](int) {
                  cell.write(cell.read() + 1);
                  self->send(self, 1.0);
                },
                [](double) {}};
      });
      caf::anon_send(one, 1);
    }
    bool settled = false;
    try {
      t.settle();
      settled = true;
    } catch (...) {
    }
    t.expect(settled, "it settles");
  });
  BOOST_TEST(given_up.given_up > 0U);
  BOOST_TEST(given_up.exhausted, given_up.to_text());
  // CAF takes what a handler throws for its actor's end.
  const auto in_a_handler = explore({}, [](trial& t) {
    t.must(never({happening::restarted, "*"}));
    t.start(one_for_one()
                .child("a", [&t](worker*) -> caf::behavior { return {[&t](int) { t.expect(false, "no number"); }}; })
                .tree());
    caf::anon_send(*t.runtime().find("/root/a"), 1);
    t.settle();
  });
  BOOST_REQUIRE(in_a_handler.failed);
  BOOST_TEST(in_a_handler.failed->what == "no number");
  BOOST_TEST(in_a_handler.failed->replays);
  const auto no_exception = explore({}, [](trial&) { throw 42; });
  BOOST_REQUIRE(no_exception.failed);
  BOOST_TEST(no_exception.failed->property == "the body ends");
}

BOOST_AUTO_TEST_CASE(an_act_neither_settles_nor_chooses) {
  const auto settles = explore({}, [](trial& t) {
    t.at_any_time("stop", [&t] { t.stop(); });
    t.settle();
  });
  BOOST_REQUIRE(settles.failed);
  BOOST_TEST(settles.failed->what.find("can't take others") != std::string::npos, settles.failed->what);
  const auto chooses = explore({}, [](trial& t) {
    t.at_any_time("which", [&t] { t.choose(2, "one or the other"); });
    t.settle();
  });
  BOOST_REQUIRE(chooses.failed);
  BOOST_TEST(chooses.failed->what.find("choose `one or the other` in the body") != std::string::npos,
             chooses.failed->what);
}

BOOST_AUTO_TEST_CASE(a_token_holds_any_id) {
  for (const std::string id : {"web:8080", "a,", "a,b", "a%2c"}) {
    const auto body = [&id](trial& t) { never_starts_bad(t, id); };
    const auto result = explore({}, body);
    BOOST_REQUIRE(result.failed);
    const auto again = replay(result.failed->token, body);
    BOOST_TEST(again.refused.empty(), result.failed->token << ": " << again.refused);
    BOOST_REQUIRE(again.failed);
    BOOST_TEST(again.failed->text == result.failed->text);
  }
}

BOOST_AUTO_TEST_CASE(a_token_of_nothing_is_none) {
  explore_options options;
  options.name = "a test";
  // What stands before the first of few numbers in memory is how much of it there is.
  for (const auto* wrong : {"lt1:0.0:::", "lt1:21.0:::", "lt1:31.0:::", "lt1:41.0:::"})
    BOOST_TEST(!replay(
                    wrong, [](trial& t) { t.choose(3, "which"); }, options)
                    .refused.empty(),
               wrong);
}

BOOST_AUTO_TEST_CASE(a_replay_that_is_cut_does_not_say_that_all_is_well) {
  const auto body = [](trial& t) { never_starts_bad(t, "a"); };
  const auto result = explore({}, body);
  BOOST_REQUIRE(result.failed);
  explore_options options;
  options.max_steps = 3;
  const auto again = replay(result.failed->token, body, options);
  BOOST_TEST(again.refused.find("max_steps") != std::string::npos, again.refused);
  BOOST_TEST(!again);
}

BOOST_AUTO_TEST_CASE(a_token_means_the_same_whatever_faults_are_left_out) {
  const auto body = [](trial& t) {
    const bool a = t.maybe("a");
    const bool b = t.maybe("b");
    const auto c = t.choose(3, "c");
    t.expect(!a || b || c != 2, "it holds");
  };
  explore_options options;
  options.max_faults = 1;
  const auto result = explore(options, body);
  BOOST_REQUIRE(result.failed);
  const auto again = replay(result.failed->token, body);
  BOOST_REQUIRE(again.failed);
  BOOST_TEST(!again.diverged);
  options.max_faults = 0;
  const auto none = replay(result.failed->token, body, options);
  BOOST_TEST(!none.failed);
  BOOST_TEST(none.diverged);
}

BOOST_AUTO_TEST_CASE(a_token_with_choices_that_are_never_met_has_diverged) {
  bool mended = false;
  const auto body = [&mended](trial& t) {
    const auto log = std::make_shared<std::string>();
    const auto to = t.system().spawn(
        [log](caf::event_based_actor*) -> caf::behavior { return {[log](const std::string& what) { *log += what; }}; });
    for (const std::string what : {"1", "2"}) {
      if (!mended || what == "1")
        t.system().spawn([to, what](caf::event_based_actor* self) { self->send(to, what); });
    }
    t.settle();
    t.expect(*log != "21", "in order");
  };
  const auto result = explore({}, body);
  BOOST_REQUIRE(result.failed);
  mended = true;
  const auto again = replay(result.failed->token, body);
  BOOST_TEST(!again.failed);
  BOOST_TEST(again.diverged);
}

BOOST_AUTO_TEST_CASE(a_smaller_failure_has_the_same_fault) {
  explore_options options;
  options.mode = search_mode::random;
  const auto body = [](trial& t) {
    const auto which = t.choose(3, "which");
    t.expect(which != 1, "one");
    t.expect(which != 2, "two");
  };
  std::set<std::string> found;
  for (options.seed = 1; options.seed != 10; ++options.seed) {
    options.minimise = false;
    const auto whole = explore(options, body);
    options.minimise = true;
    const auto less = explore(options, body);
    BOOST_REQUIRE(less.failed);
    BOOST_TEST(less.failed->what == whole.failed->what);
    found.insert(less.failed->what);
  }
  BOOST_TEST(found.size() == 2U);
  // Without the child that it is about, a property may fail, but for want of it.
  const auto result = explore({}, [](trial& t) {
    t.must(exactly(1, {happening::start_asked, "/root/a"}));
    t.start(one_for_one().child_started_by("a", a_double(fault::exits)).child_started_by("b", a_double()).tree());
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_REQUIRE(result.failed);
  BOOST_TEST(result.failed->what == "start_asked /root/a 2 times");
  BOOST_TEST(result.failed->token.ends_with(":/root/b"), result.failed->token);
}

BOOST_AUTO_TEST_CASE(a_child_that_is_terminated_by_hand_breaks_no_order) {
  for (const bool graph : {false, true}) {
    const auto result = explore({}, [graph](trial& t) {
      auto root = graph ? one_for_one() : one_for_all();
      if (graph)
        root.start_order(start_mode::graph);
      root.child_started_by("store", a_double()).child_started_by("api", a_double());
      if (graph)
        root.after("store");
      t.start(root.tree());
      t.ask<caf::unit_t>("/root", supervisor_verb::terminate_child("store"));
      t.stop();
      t.run_until_ended(1h);
    });
    BOOST_TEST(result.exhausted, result.to_text());
  }
}

BOOST_AUTO_TEST_SUITE_END()
