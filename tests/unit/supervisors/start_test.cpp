// SPDX-License-Identifier: BSL-1.0
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

BOOST_AUTO_TEST_SUITE(start)

BOOST_FIXTURE_TEST_CASE(a_context_timeout_of_infinity_is_none_and_leaves_the_deadline_beside_it, world) {
  auto tree = one_for_one().child("a", ordinary).child("b", ordinary).restart(restart_type::temporary).tree();
  auto& children = std::get<static_supervisor>(tree.root.what).children;
  for (auto& child : children)
    child.context.timeout = infinite;
  children[1].context.deadline = now() + 2s;
  start_ok(tree);
  advance(1h);
  BOOST_TEST(ends() == lines{"crashed /root/b deadline_exceeded"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S001_an_empty_supervisor_starts_and_ends_when_told_to, world) {
  start_ok(one_for_one().tree());
  BOOST_TEST(is_alive("/root"));
  stop();
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().report().reason == "user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(S002_start_returns_when_every_child_has_started_in_declared_order, world) {
  start_ok(one_for_one()
               .child("a", ordinary)
               .child(one_for_all("b").child("b1", ordinary).child("b2", ordinary))
               .child("c", ordinary)
               .tree());
  const lines expected{"started /root/a", "started /root/b/b1", "started /root/b/b2",
                       "started /root/b", "started /root/c",    "started /root"};
  BOOST_TEST(starts() == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S002_start_waits_for_a_child_that_declares_readiness, world) {
  auto ready_later = [](worker* self) -> caf::behavior {
    self->after(2s, [self] { self->ready(); });
    return ordinary(self);
  };
  auto result = start(one_for_one().child("a", ready_later).awaits_ready().child("b", ordinary).tree());
  BOOST_TEST(!result);
  advance(1999ms);
  BOOST_TEST(!is_alive("/root/b"));
  advance(1ms);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(!*start_result());
  BOOST_TEST(is_alive("/root/b"));
}

BOOST_FIXTURE_TEST_CASE(S003_a_child_that_fails_to_start_takes_back_those_already_started_in_reverse, world) {
  auto result = start(
      one_for_one().child("a", ordinary).child("b", ordinary).child("c", throws_in_start).child("d", ordinary).tree());
  BOOST_REQUIRE(result);
  BOOST_TEST(describe(*result) == "start_failed: /root/c: runtime_error: std::runtime_error: no disk");
  const lines expected{"stopped /root/b user_shutdown", "stopped /root/a user_shutdown"};
  BOOST_TEST(ends() == expected, boost::test_tools::per_element());
  BOOST_TEST(runtime().alive().empty());
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S003_a_start_function_that_throws_is_a_failed_start, world) {
  auto result =
      start(one_for_one()
                .child_started_by(
                    "a", [](child_start&) -> caf::expected<started_child> { throw std::invalid_argument("bad port"); })
                .tree());
  BOOST_REQUIRE(result);
  BOOST_TEST(describe(*result) == "start_failed: /root/a: runtime_error: std::invalid_argument: bad port");
}

BOOST_FIXTURE_TEST_CASE(S004_a_child_that_does_not_start_in_time_fails_the_start_with_a_timed_out_cause, world) {
  BOOST_TEST(!start(one_for_one().child("a", ordinary).child("b", never_starts).start_timeout(3s).tree()));
  advance(2999ms);
  BOOST_TEST(!start_result());
  advance(1ms);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(describe(*start_result()) == "start_failed: /root/b: start_timeout: not started after 3s");
  BOOST_TEST(runtime().alive().empty());
}

BOOST_FIXTURE_TEST_CASE(the_time_that_a_failed_start_took_is_told_to_the_millisecond, world) {
  BOOST_TEST(!start(one_for_one().child("b", never_starts).start_timeout(1'234'567'890ns).tree()));
  advance(2s);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(describe(*start_result()) == "start_failed: /root/b: start_timeout: not started after 1235ms");
}

BOOST_FIXTURE_TEST_CASE(S005_a_start_function_that_declines_leaves_no_handle_and_keeps_the_spec, world) {
  auto declines = [](child_start& start) { return start.decline(); };
  start_ok(one_for_one().child_started_by("a", declines).child("b", ordinary).tree());
  BOOST_TEST(!is_alive("/root/a"));
  auto counts = ask<child_counts>("/root", supervisor_verb::count_children());
  BOOST_REQUIRE(counts);
  BOOST_TEST((*counts)->specs == 2u);
  BOOST_TEST((*counts)->active == 1u);
}

BOOST_FIXTURE_TEST_CASE(S005_the_spec_of_a_temporary_or_dynamic_child_that_declines_is_dropped, world) {
  auto declines = [](child_start& start) { return start.decline(); };
  child_spec model;
  model.id = "w";
  model.what = function_child{declines};
  start_ok(
      one_for_one().child_started_by("a", declines).restart(restart_type::temporary).dynamic("pool", model).tree());
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 1, 1, 0}));
  const auto answer = ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  BOOST_REQUIRE(answer);
  BOOST_REQUIRE(*answer);
  BOOST_TEST(!**answer);
  BOOST_TEST((*ask<std::vector<child_info>>("/root/pool", supervisor_verb::which_children()))->empty());
}

BOOST_FIXTURE_TEST_CASE(S060_a_specification_with_faults_starts_nothing_and_names_them, world) {
  auto result = start(one_for_one("").child("a", ordinary).tree());
  BOOST_REQUIRE(result);
  BOOST_TEST((errc_of(*result) == errc::invalid_spec));
  BOOST_TEST(events().empty());
}

BOOST_FIXTURE_TEST_CASE(S110_counts_are_correct_at_each_level, world) {
  start_ok(
      one_for_one().child("a", ordinary).child(one_for_all("b").child("b1", ordinary).child("b2", ordinary)).tree());
  const auto top = ask<child_counts>("/root", supervisor_verb::count_children());
  BOOST_REQUIRE(top);
  BOOST_TEST((**top == child_counts{2, 2, 1, 1}));
  const auto below = ask<child_counts>("/root/b", supervisor_verb::count_children());
  BOOST_REQUIRE(below);
  BOOST_TEST((**below == child_counts{2, 2, 0, 2}));
}

BOOST_FIXTURE_TEST_CASE(S120_a_child_starts_only_when_what_it_waits_for_has_completed, world) {
  auto migrates = [](worker* self) -> caf::behavior {
    self->after(4s, [self] { self->finish(); });
    return ordinary(self);
  };
  BOOST_TEST(!start(one_for_one()
                        .child("migrate", migrates)
                        .restart(restart_type::transient)
                        .child("store", ordinary)
                        .after("migrate", dependency_state::completed)
                        .tree()));
  BOOST_TEST(is_alive("/root/migrate"));
  BOOST_TEST(!is_alive("/root/store"));
  advance(4s);
  BOOST_TEST(is_alive("/root/store"));
  BOOST_REQUIRE(start_result());
  BOOST_TEST(!*start_result());
}

BOOST_AUTO_TEST_SUITE_END()
