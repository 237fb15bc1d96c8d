// SPDX-License-Identifier: BSL-1.0
// What must hold of runs, who makes it fail, and what a failure says.
#include "faulty_trees.hpp"
#include "supervisors/testkit/replay.hpp"

#include <caf/blocking_actor.hpp>
#include <caf/event_based_actor.hpp>

using namespace libactor;
using namespace libactor::tests;

BOOST_AUTO_TEST_SUITE(properties)

BOOST_AUTO_TEST_CASE(an_order_by_luck_is_no_happens_before) {
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

BOOST_AUTO_TEST_CASE(each_property_holds_and_fails_where_it_should) {
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

BOOST_AUTO_TEST_CASE(doubles_do_what_they_are_named_for) {
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

BOOST_AUTO_TEST_CASE(what_no_world_can_hold_up_is_refused) {
  child_catalog catalog;
  child_kind program;
  program.name = "program";
  program.is_process = true;
  program.start = [](child_start& start) -> caf::expected<started_child> { return start.spawn(ordinary); };
  catalog.add(program);
  const auto thread = one_for_one().child("x", ordinary).isolation(isolation::thread).tree();
  const auto process = one_for_one().child(one_for_one("pool").kind("x", "program")).tree();
  const auto supervisor =
      one_for_one().child(one_for_one("pool").child("x", ordinary)).isolation(isolation::thread).tree();
  for (const auto& [tree, words] :
       {std::pair{thread, "/root/x: a child with a thread of its own does not run in a world"},
        std::pair{supervisor, "/root/pool: a child with a thread of its own does not run in a world"},
        std::pair{process, "/root/pool/x: a process of the kind program does not run in a world"}}) {
    const auto is_refused = [&, words = std::string(words)](testkit::world& in, const tree_spec& what) {
      const auto why = in.start(what, catalog);
      return why && errc_of(*why) == errc::invalid_spec && describe(*why).find(words) != std::string::npos &&
             describe(*why).find("put a double in its place") != std::string::npos;
    };
    testkit::world w;
    BOOST_TEST(is_refused(w, tree));
    BOOST_TEST(w.runtime().alive().empty());
    const auto refused = explore({}, [&, tree = tree](trial& t) { t.expect(is_refused(t, tree), "it is refused"); });
    BOOST_TEST(refused.exhausted, refused.to_text());
    const auto doubled = explore({}, [&, tree = tree](trial& t) {
      const auto why = t.start(with_doubles(tree), catalog);
      t.expect(why && !*why, "a double runs in its place");
      t.stop();
    });
    BOOST_TEST(doubled.exhausted, doubled.to_text());
  }
  // On a thread of its own until the body ends, and not longer.
  struct outsider {
    caf::actor handle;
    ~outsider() { caf::anon_send(handle, 1); }
  };
  const std::map<std::string, std::function<void(testkit::world&)>> bodies{
      {"detached",
       [](testkit::world& in) {
         const outsider one{in.system().spawn<caf::detached>(
             [](caf::event_based_actor* self) -> caf::behavior { return {[self](int) { self->quit(); }}; })};
         in.settle();
       }},
      {"blocking",
       [](testkit::world& in) {
         const outsider one{in.system().spawn([](caf::blocking_actor* self) { self->receive([](int) {}); })};
         in.advance(1s);
       }},
      {"blocking, before a stop", [](testkit::world& in) {
         const outsider one{in.system().spawn([](caf::blocking_actor* self) { self->receive([](int) {}); })};
         in.stop();
       }}};
  for (const auto& [name, body] : bodies) {
    testkit::world w;
    BOOST_CHECK_EXCEPTION(body(w), std::logic_error, [](const auto& thrown) {
      return std::string(thrown.what()).starts_with("a detached or blocking actor runs in a world");
    });
    const auto result = explore({}, body);
    BOOST_REQUIRE_MESSAGE(result.failed, name);
    BOOST_TEST(result.failed->what.find("put a double in its place") != std::string::npos, result.failed->what);
  }
}

BOOST_AUTO_TEST_CASE(a_token_of_another_test_is_refused) {
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

BOOST_AUTO_TEST_CASE(a_counter_example_marks_its_two_events) {
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

BOOST_AUTO_TEST_SUITE_END()
