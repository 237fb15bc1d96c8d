// SPDX-License-Identifier: BSL-1.0
// `after`, in order and in `start: graph`.
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

// Acknowledges its start only after `delay`.
caf::behavior slow_to_start(worker* self, duration delay) {
  self->defer_start();
  self->after(delay, [self] { self->acknowledge_start(); });
  return ordinary(self);
}

// Starts at once, and is ready after `delay`.
caf::behavior ready_after(worker* self, duration delay) {
  self->after(delay, [self] { self->ready(); });
  return ordinary(self);
}

// Ends as `how` says after `delay`.
caf::behavior runs_for(worker* self, duration delay, caf::error how) {
  self->after(delay, [self, how] { self->finish(how); });
  return ordinary(self);
}

supervisor_builder graph(supervisor_builder how = one_for_one()) {
  how.start_order(start_mode::graph);
  return how;
}

const caf::error failed = caf::make_error(caf::sec::invalid_argument);

}  // namespace

BOOST_AUTO_TEST_SUITE(dependencies)

BOOST_FIXTURE_TEST_CASE(S120_after_waits_for_what_it_names_to_have_started, world) {
  start(graph().child("a", slow_to_start, 2s).child("b", ordinary).after("a").child("c", ordinary).tree());
  BOOST_TEST(starts() == lines{"started /root/c"}, boost::test_tools::per_element());
  advance(2s - 1ns);
  BOOST_TEST(starts() == lines{"started /root/c"}, boost::test_tools::per_element());
  advance(1ns);
  const lines expected{"started /root/c", "started /root/a", "started /root/b", "started /root"};
  BOOST_TEST(starts() == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S120_after_ready_waits_for_the_word_of_the_one_it_names, world) {
  start(graph()
            .child("a", ready_after, 2s)
            .awaits_ready()
            .child("b", ordinary)
            .after("a", dependency_state::ready)
            .tree());
  BOOST_TEST(starts().empty());
  advance(2s);
  const lines expected{"ready /root/a", "started /root/a", "started /root/b", "started /root"};
  BOOST_TEST(log({event_kind::ready, event_kind::started}) == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S120_a_child_that_declined_holds_up_nobody, world) {
  auto declines = [](child_start& start) { return start.decline(); };
  start_ok(one_for_one()
               .child_started_by("a", declines)
               .restart(restart_type::transient)
               .child("b", ordinary)
               .after("a", dependency_state::completed)
               .child("c", ordinary)
               .after("a")
               .tree());
  BOOST_TEST(is_alive("/root/b"));
  BOOST_TEST(is_alive("/root/c"));
}

BOOST_FIXTURE_TEST_CASE(S120_a_restarted_group_waits_again_for_what_must_complete_first, world) {
  start(one_for_all()
            .intensity(5, 1h)
            .child("migrate", runs_for, 4s, caf::error{})
            .restart(restart_type::transient)
            .child("store", ordinary)
            .after("migrate", dependency_state::completed)
            .child("api", ordinary)
            .tree());
  advance(4s);
  BOOST_TEST(is_alive("/root/api"));
  tell("/root/api", "error");
  // The migration completed for good, and is not repeated: what it was waited for holds.
  BOOST_TEST(is_alive("/root/store"));
  BOOST_TEST(is_alive("/root/api"));
}

BOOST_AUTO_TEST_CASE(R23_an_abnormal_end_of_what_must_complete_fails_the_start_of_those_that_wait) {
  for (const auto type : {restart_type::transient, restart_type::temporary}) {
    world w;
    w.start(one_for_one()
                .intensity(5, 1h)
                .child("first", ordinary)
                .child("migrate", runs_for, 4s, failed)
                .restart(type)
                .child("store", ordinary)
                .after("migrate", dependency_state::completed)
                .tree());
    BOOST_TEST(!w.start_result());
    w.advance(4s);
    BOOST_REQUIRE(w.start_result());
    BOOST_TEST(describe(*w.start_result()) ==
               "start_failed: /root/store: it waits for /root/migrate, which ended: invalid_argument");
    const auto why = "it waits for /root/migrate, which ended: invalid_argument"s;
    const lines failures{"start_failed /root/store start_failed: " + why,
                         "start_failed /root start_failed: /root/store: " + why};
    BOOST_TEST(w.log({event_kind::start_failed}) == failures, boost::test_tools::per_element());
    BOOST_TEST(w.ends() == (lines{"crashed /root/migrate invalid_argument", "stopped /root/first user_shutdown"}),
               boost::test_tools::per_element());
    BOOST_TEST(w.runtime().alive().empty());
  }
}

BOOST_FIXTURE_TEST_CASE(R23_what_ends_otherwise_than_completed_and_for_good_fails_the_start_too, world) {
  start(one_for_one()
            .child("migrate", runs_for, 4s, caf::error{caf::exit_reason::user_shutdown})
            .restart(restart_type::transient)
            .child("store", ordinary)
            .after("migrate", dependency_state::completed)
            .tree());
  advance(4s);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(describe(*start_result()) ==
             "start_failed: /root/store: it waits for /root/migrate, which ended: user_shutdown");
}

BOOST_AUTO_TEST_CASE(R23_a_start_that_waits_in_vain_for_readiness_fails) {
  auto is_ready_for_a_second = [](worker* self) {
    self->ready();
    return runs_for(self, 1s, {});
  };
  for (const auto type : {restart_type::transient, restart_type::temporary}) {
    world w;
    w.start(graph()
                .child("a", is_ready_for_a_second)
                .awaits_ready()
                .restart(type)
                .child("slow", slow_to_start, 3s)
                .child("b", ordinary)
                .after("a", dependency_state::ready)
                .after("slow")
                .tree());
    BOOST_TEST(!w.start_result());
    w.advance(1s);
    BOOST_REQUIRE(w.start_result());
    BOOST_TEST(describe(*w.start_result()) == "start_failed: /root/b: it waits for /root/a, which ended: normal");
  }
}

BOOST_FIXTURE_TEST_CASE(R22_S121_in_a_graph_independents_start_in_parallel, world) {
  start(graph().child("a", slow_to_start, 2s).child("b", slow_to_start, 2s).child("c", slow_to_start, 2s).tree());
  BOOST_TEST(log({event_kind::start_asked}).size() == 4u);
  advance(2s);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(!*start_result());
}

BOOST_FIXTURE_TEST_CASE(R22_S121_in_a_graph_independents_stop_in_parallel, world) {
  start_ok(graph().child("a", slow_to_stop, 2s).child("b", slow_to_stop, 2s).child("c", slow_to_stop, 1s).tree());
  stop();
  const lines asked{"stop_asked /root", "stop_asked /root/c", "stop_asked /root/b", "stop_asked /root/a"};
  BOOST_TEST(log({event_kind::stop_asked}) == asked, boost::test_tools::per_element());
  advance(2s - 1ns);
  BOOST_TEST(!runtime().wait_ended(0s));
  advance(1ns);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST((runtime().report().ended - runtime().report().began == 2s));
}

BOOST_FIXTURE_TEST_CASE(R22_S121_in_a_graph_a_child_is_asked_when_all_that_depend_on_it_are_down, world) {
  // a ← b ← d, a ← c; e alone
  start_ok(graph()
               .child("a", slow_to_stop, 1s)
               .child("b", slow_to_stop, 2s)
               .after("a")
               .child("c", slow_to_stop, 4s)
               .after("a")
               .child("d", slow_to_stop, 1s)
               .after("b")
               .child("e", slow_to_stop, 1s)
               .tree());
  stop();
  BOOST_TEST(log({event_kind::stop_asked}) ==
                 (lines{"stop_asked /root", "stop_asked /root/e", "stop_asked /root/d", "stop_asked /root/c"}),
             boost::test_tools::per_element());
  advance(1s);
  BOOST_TEST(log({event_kind::stop_asked}).back() == "stop_asked /root/b");
  advance(3s - 1ns);  // b is down after 3 s; c takes 4 s
  BOOST_TEST(log({event_kind::stop_asked}).back() == "stop_asked /root/b");
  advance(1ns);
  BOOST_TEST(log({event_kind::stop_asked}).back() == "stop_asked /root/a");
  advance(1s);
  BOOST_TEST(runtime().wait_ended(0s));
  // The worst stop path is the longest path: c, then a.
  BOOST_TEST((runtime().report().ended - runtime().report().began == 5s));
}

BOOST_FIXTURE_TEST_CASE(R22_S121_one_for_all_in_a_graph_restarts_along_the_edges, world) {
  start_ok(graph(one_for_all().intensity(5, 1h))
               .child("a", ordinary)
               .child("b", ordinary)
               .after("a")
               .child("c", ordinary)
               .tree());
  forget_events();
  tell("/root/c", "error");
  const lines expected{"crashed /root/c invalid_argument",
                       "stopped /root/b user_shutdown",
                       "stopped /root/a user_shutdown",
                       "started /root/a",
                       "started /root/c",
                       "started /root/b"};
  BOOST_TEST(log({event_kind::crashed, event_kind::stopped, event_kind::started}) == expected,
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R22_in_order_a_later_child_waits_for_the_earlier_with_or_without_an_edge, world) {
  start(one_for_one().child("a", slow_to_start, 2s).child("b", ordinary).tree());
  BOOST_TEST(starts().empty());
  advance(2s);
  BOOST_TEST(starts() == (lines{"started /root/a", "started /root/b", "started /root"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(S121_a_child_waits_for_its_dependents_dependents_though_the_one_between_is_gone) {
  for (const auto type : {restart_type::transient, restart_type::temporary}) {
    world w;
    w.start_ok(graph()
                   .child("a", ordinary)
                   .child("b", ordinary)
                   .restart(type)
                   .after("a")
                   .child("c", slow_to_stop, 2s)
                   .after("b")
                   .tree());
    w.tell("/root/b", "normal");
    w.stop();
    BOOST_TEST(w.log({event_kind::stop_asked}) == (lines{"stop_asked /root", "stop_asked /root/c"}),
               boost::test_tools::per_element());
    w.advance(2s);
    BOOST_TEST(w.runtime().wait_ended(0s));
  }
}

BOOST_FIXTURE_TEST_CASE(S121_nor_when_two_between_are_gone, world) {
  start_ok(graph()
               .child("a", ordinary)
               .child("b", ordinary)
               .restart(restart_type::temporary)
               .after("a")
               .child("c", ordinary)
               .restart(restart_type::temporary)
               .after("b")
               .child("d", slow_to_stop, 2s)
               .after("c")
               .tree());
  tell("/root/b", "normal");
  tell("/root/c", "normal");
  stop();
  BOOST_TEST(log({event_kind::stop_asked}) == (lines{"stop_asked /root", "stop_asked /root/d"}),
             boost::test_tools::per_element());
  advance(2s);
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S121_a_child_taken_down_in_its_start_waits_for_its_dependents_too, world) {
  auto starts_once = [](child_start& start) {
    return start.incarnation() == 1 ? start.spawn(ordinary) : start.spawn(never_starts);
  };
  start_ok(graph(one_for_all().intensity(5, 1h))
               .child_started_by("a", starts_once)
               .start_timeout(1h)
               .child("between", ordinary)
               .restart(restart_type::temporary)
               .after("a")
               .child("d", slow_to_stop, 2s)
               .after("between")
               .child("crashes", ordinary)
               .tree());
  tell("/root/crashes", "error");
  advance(2s);  // `between` does not come back, and so `d` does not wait for `a`
  BOOST_TEST(is_alive("/root/d"));
  forget_events();
  tell("/root/crashes", "error");
  BOOST_TEST(log({event_kind::stop_asked}) == lines{"stop_asked /root/d"}, boost::test_tools::per_element());
  advance(2s);
  BOOST_TEST(log({event_kind::stop_asked}) == (lines{"stop_asked /root/d", "stop_asked /root/a"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
