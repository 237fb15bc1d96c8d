// SPDX-License-Identifier: BSL-1.0
#include "workers.hpp"

#include <algorithm>

using namespace libactor;
using namespace libactor::tests;

namespace {

// Five children under one strategy, with room for restarts.
supervisor_builder five(supervisor_builder how) {
  how.intensity(10, 1s);
  for (const char* id : {"1", "2", "3", "4", "5"})
    how.child(id, ordinary);
  return how;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(restart)

BOOST_FIXTURE_TEST_CASE(S070_permanent_is_always_restarted, world) {
  start_ok(one_for_one().intensity(10, 1s).child("a", ordinary).tree());
  for (const char* how : {"normal", "shutdown", "error", "throw"})
    tell("/root/a", how);
  BOOST_TEST(starts().size() == 6u);  // a, root, and a four times
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S071_transient_is_restarted_only_after_an_abnormal_end, world) {
  start_ok(one_for_one().intensity(10, 1s).child("a", ordinary).restart(restart_type::transient).tree());
  tell("/root/a", "error");
  BOOST_TEST(is_alive("/root/a"));
  tell("/root/a", "normal");
  BOOST_TEST(!is_alive("/root/a"));
  const auto counts = ask<child_counts>("/root", supervisor_verb::count_children());
  BOOST_TEST((**counts == child_counts{1, 0, 0, 1}));
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::restart_child("a"))->operator bool());
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S072_temporary_is_never_restarted_and_its_spec_is_dropped, world) {
  start_ok(one_for_one().child("a", ordinary).restart(restart_type::temporary).tree());
  tell("/root/a", "error");
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{}));
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S073_a_temporary_bystander_of_a_group_restart_is_not_restarted, world) {
  start_ok(one_for_all()
               .intensity(10, 1s)
               .child("a", ordinary)
               .child("t", ordinary)
               .restart(restart_type::temporary)
               .tree());
  tell("/root/a", "error");
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST(!is_alive("/root/t"));
}

BOOST_FIXTURE_TEST_CASE(S074_an_exception_that_leaves_a_handler_is_an_abnormal_end_with_its_text, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  tell("/root/a", "throw");
  BOOST_TEST(ends() == lines{"crashed /root/a runtime_error: std::logic_error: boom"},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S080_one_for_one_restarts_only_the_child_that_crashed, world) {
  start_ok(five(one_for_one()).tree());
  std::vector<caf::actor> before;
  for (const char* id : {"/root/1", "/root/2", "/root/3", "/root/4", "/root/5"})
    before.push_back(at(id));
  tell("/root/3", "error");
  BOOST_TEST((at("/root/1") == before[0] && at("/root/2") == before[1] && at("/root/4") == before[3] &&
              at("/root/5") == before[4]));
  BOOST_TEST((at("/root/3") != before[2]));
}

BOOST_FIXTURE_TEST_CASE(S081_one_for_all_restarts_all_in_order, world) {
  start_ok(five(one_for_all()).tree());
  forget_events();
  tell("/root/3", "error");
  const lines expected{"crashed /root/3 invalid_argument",
                       "stopped /root/5 user_shutdown",
                       "stopped /root/4 user_shutdown",
                       "stopped /root/2 user_shutdown",
                       "stopped /root/1 user_shutdown",
                       "started /root/1",
                       "started /root/2",
                       "started /root/3",
                       "started /root/4",
                       "started /root/5"};
  BOOST_TEST(log({event_kind::crashed, event_kind::stopped, event_kind::started}) == expected,
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S082_S083_rest_for_one_restarts_it_and_those_started_later, world) {
  start_ok(five(rest_for_one()).tree());
  const auto first = at("/root/1");
  forget_events();
  tell("/root/3", "error");
  const lines expected{"crashed /root/3 invalid_argument",
                       "stopped /root/5 user_shutdown",
                       "stopped /root/4 user_shutdown",
                       "started /root/3",
                       "started /root/4",
                       "started /root/5"};
  BOOST_TEST(log({event_kind::crashed, event_kind::stopped, event_kind::started}) == expected,
             boost::test_tools::per_element());
  BOOST_TEST((at("/root/1") == first));
}

BOOST_FIXTURE_TEST_CASE(S084_more_than_intensity_restarts_within_period_give_up, world) {
  start_ok(one_for_one().intensity(2, 10s).child("a", ordinary).child("b", ordinary).tree());
  tell("/root/a", "error");
  advance(1s);
  tell("/root/b", "error");
  BOOST_TEST(is_alive("/root/b"));
  advance(9s - 1ns);
  tell("/root/a", "error");
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().report().reason == "gave_up: more than 2 restarts in 10s");
  BOOST_TEST(log({event_kind::gave_up}) == lines{"gave_up /root"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S084_exactly_intensity_restarts_do_not_trip_and_the_window_is_exact, world) {
  start_ok(one_for_one().intensity(2, 10s).child("a", ordinary).tree());
  tell("/root/a", "error");
  advance(1s);
  tell("/root/a", "error");
  advance(9s);
  tell("/root/a", "error");
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S085_intensity_0_gives_up_at_the_first_restart, world) {
  start_ok(one_for_one().intensity(0, 1s).child("a", ordinary).tree());
  tell("/root/a", "error");
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S086_a_crash_every_1001_ms_never_trips_an_intensity_of_1_in_1_s, world) {
  start_ok(one_for_one().intensity(1, 1s).child("a", ordinary).tree());
  for (int i = 0; i != 100; ++i) {
    tell("/root/a", "error");
    advance(1001ms);
  }
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S087_S088_a_child_that_can_not_restart_reaches_the_limit_and_all_end, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_later = [attempts](worker* self) -> caf::behavior {
    if (++*attempts > 1)
      throw std::runtime_error("no disk");
    return ordinary(self);
  };
  start_ok(one_for_one().intensity(3, 10s).child("a", fails_later).child("b", ordinary).tree());
  tell("/root/a", "error");
  BOOST_TEST(*attempts == 4);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().alive().empty());
}

BOOST_FIXTURE_TEST_CASE(S089_one_for_all_starts_the_group_again_when_a_sibling_fails_in_the_restart, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_once = [attempts](worker* self) -> caf::behavior {
    if (++*attempts == 2)
      throw std::runtime_error("not now");
    return ordinary(self);
  };
  start_ok(one_for_all().intensity(5, 10s).child("a", ordinary).child("b", fails_once).child("c", ordinary).tree());
  forget_events();
  tell("/root/c", "error");
  const lines expected{"crashed /root/c invalid_argument",
                       "stopped /root/b user_shutdown",
                       "stopped /root/a user_shutdown",
                       "started /root/a",
                       "start_failed /root/b runtime_error: std::runtime_error: not now",
                       "stopped /root/a user_shutdown",
                       "started /root/a",
                       "started /root/b",
                       "started /root/c"};
  BOOST_TEST(log({event_kind::crashed, event_kind::stopped, event_kind::started, event_kind::start_failed}) == expected,
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S090_rest_for_one_retries_only_the_failing_one_and_those_after_it, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_once = [attempts](worker* self) -> caf::behavior {
    if (++*attempts == 2)
      throw std::runtime_error("not now");
    return ordinary(self);
  };
  start_ok(rest_for_one().intensity(5, 10s).child("a", ordinary).child("b", fails_once).child("c", ordinary).tree());
  forget_events();
  tell("/root/a", "error");
  const lines expected{"started /root/a", "started /root/b", "started /root/c"};
  BOOST_TEST(starts() == expected, boost::test_tools::per_element());
  BOOST_TEST(*attempts == 3);
}

BOOST_FIXTURE_TEST_CASE(S092_simultaneous_crashes_of_a_group_are_one_restart, world) {
  start_ok(five(one_for_all()).tree());
  forget_events();
  for (const char* path : {"/root/1", "/root/2", "/root/4"})
    caf::anon_send(at(path), "error"s);
  settle();
  BOOST_TEST(log({event_kind::restarting}).size() == 1u);
  BOOST_TEST(starts().size() == 5u);
}

BOOST_FIXTURE_TEST_CASE(S095_S096_a_child_that_backs_off_holds_up_nobody_else, world) {
  start_ok(one_for_one()
               .intensity(10, 1h)
               .child("a", ordinary)
               .delays({.min = 100ms, .max = 1s, .factor = 2, .jitter = 0, .reset_after = 1min})
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  BOOST_TEST(!is_alive("/root/a"));
  tell("/root/b", "error");
  BOOST_TEST(is_alive("/root/b"));
  advance(99ms);
  BOOST_TEST(!is_alive("/root/a"));
  advance(1ms);
  BOOST_TEST(is_alive("/root/a"));
  tell("/root/a", "error");
  advance(199ms);
  BOOST_TEST(!is_alive("/root/a"));
  advance(1ms);
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S095_a_delay_that_jitter_has_spread_is_told_to_the_millisecond, world) {
  start_ok(one_for_one().child("a", ordinary).delays({.min = 1h, .max = 1h, .reset_after = {}}).tree());
  tell("/root/a", "error");
  const auto all = events();
  const auto told =
      std::find_if(all.begin(), all.end(), [](const auto& e) { return e.kind == event_kind::restarting; });
  BOOST_REQUIRE(told != all.end());
  BOOST_TEST(told->text.starts_with("in "), told->text);
  BOOST_TEST(!told->text.ends_with("ns"), told->text);
}

BOOST_FIXTURE_TEST_CASE(S097_a_stop_ends_a_backoff_at_once, world) {
  start_ok(one_for_one()
               .intensity(10, 1h)
               .child("a", ordinary)
               .delays({.min = 1h, .max = 2h, .factor = 2, .jitter = 0, .reset_after = {}})
               .tree());
  tell("/root/a", "error");
  stop();
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S098_R27_suspend_pauses_restarts_until_they_are_resumed, world) {
  start_ok(one_for_one()
               .intensity(1, 10s)
               .on_giveup(giveup_action::suspend)
               .child("a", ordinary)
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  tell("/root/a", "error");
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST(is_alive("/root/b"));
  BOOST_TEST(log({event_kind::suspended}) == lines{"suspended /root"}, boost::test_tools::per_element());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::resume_restarts())->operator bool());
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_AUTO_TEST_CASE(S100_a_significant_child_that_ends_shuts_its_supervisor_down_in_exactly_these_cells) {
  const auto temporary = restart_type::temporary;
  const auto transient = restart_type::transient;
  const struct {
    restart_type type;
    const char* end;
    bool shuts_down;
  } cells[] = {
      {temporary, "terminate", false}, {temporary, "kill", true},     {temporary, "error", true},
      {temporary, "normal", true},     {temporary, "shutdown", true}, {transient, "terminate", false},
      {transient, "kill", false},      {transient, "error", false},   {transient, "normal", true},
      {transient, "shutdown", true},
  };
  for (const auto when : {auto_shutdown::any_significant, auto_shutdown::all_significant}) {
    for (const auto& cell : cells) {
      BOOST_TEST_CONTEXT(to_string(when) << ' ' << to_string(cell.type) << ' ' << cell.end) {
        world w;
        w.start_ok(one_for_one()
                       .child(one_for_one("b")
                                  .intensity(5, 10s)
                                  .auto_shutdown(when)
                                  .child("s", ordinary)
                                  .restart(cell.type)
                                  .significant()
                                  .child("t", ordinary))
                       .restart(temporary)
                       .tree());
        if (cell.end == "terminate"s) {
          w.ask<caf::unit_t>("/root/b", supervisor_verb::terminate_child("s"));
        } else if (cell.end == "kill"s) {
          caf::anon_send_exit(w.at("/root/b/s"), caf::exit_reason::kill);
          w.settle();
        } else {
          w.tell("/root/b/s", cell.end);
        }
        BOOST_TEST(w.is_alive("/root/b") == !cell.shuts_down);
        if (cell.shuts_down)
          BOOST_TEST(w.ends().back() == "ended /root/b user_shutdown");
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(S100_all_significant_waits_for_the_last_one, world) {
  start_ok(one_for_one()
               .child(one_for_one("b")
                          .auto_shutdown(auto_shutdown::all_significant)
                          .child("s", ordinary)
                          .restart(restart_type::temporary)
                          .significant()
                          .child("t", ordinary)
                          .restart(restart_type::temporary)
                          .significant())
               .restart(restart_type::temporary)
               .tree());
  tell("/root/b/s", "normal");
  BOOST_TEST(is_alive("/root/b"));
  tell("/root/b/t", "normal");
  BOOST_TEST(!is_alive("/root/b"));
}

BOOST_FIXTURE_TEST_CASE(S101_siblings_stopped_by_a_strategy_do_not_count_as_significant_ends, world) {
  start_ok(one_for_one()
               .child(one_for_all("b")
                          .intensity(5, 10s)
                          .auto_shutdown(auto_shutdown::any_significant)
                          .child("s", ordinary)
                          .restart(restart_type::transient)
                          .significant()
                          .child("t", ordinary))
               .restart(restart_type::temporary)
               .tree());
  tell("/root/b/t", "error");
  BOOST_TEST(is_alive("/root/b/s"));
  BOOST_TEST(is_alive("/root/b/t"));
}

BOOST_FIXTURE_TEST_CASE(S102_a_significant_supervisor_that_shuts_itself_down_ends_its_parent_in_turn, world) {
  auto inner = one_for_one("c").auto_shutdown(auto_shutdown::any_significant);
  inner.child("s", ordinary).restart(restart_type::temporary).significant();
  start_ok(one_for_one()
               .child(one_for_one("b")
                          .auto_shutdown(auto_shutdown::any_significant)
                          .child(inner)
                          .restart(restart_type::transient)
                          .significant())
               .restart(restart_type::temporary)
               .child(one_for_one("d").child(inner).restart(restart_type::transient))
               .tree());
  tell("/root/b/c/s", "normal");
  BOOST_TEST(!is_alive("/root/b"));
  tell("/root/d/c/s", "normal");
  BOOST_TEST(!is_alive("/root/d/c"));
  BOOST_TEST(is_alive("/root/d"));
}

BOOST_FIXTURE_TEST_CASE(S111_S112_a_subtree_that_gives_up_is_restarted_by_its_parent, world) {
  start_ok(one_for_one()
               .intensity(5, 10s)
               .child(one_for_one("b").intensity(1, 10s).child("w", ordinary).child("v", ordinary))
               .tree());
  const auto v = at("/root/b/v");
  tell("/root/b/w", "error");
  BOOST_TEST((at("/root/b/v") == v));
  tell("/root/b/w", "error");
  BOOST_TEST((at("/root/b/v") != v));
  BOOST_TEST(is_alive("/root/b/w"));
  BOOST_TEST(log({event_kind::crashed}).back() == "crashed /root/b gave_up: more than 1 restarts in 10s");
}

BOOST_FIXTURE_TEST_CASE(S112_a_subtree_that_gives_up_returns_without_its_dynamic_children, world) {
  start_ok(
      one_for_one()
          .intensity(5, 10s)
          .child(one_for_one("b").intensity(0, 10s).child("w", ordinary).dynamic("pool", worker_spec("d", ordinary)))
          .tree());
  ask<caf::actor>("/root/b/pool", supervisor_verb::start_child());
  BOOST_TEST(is_alive("/root/b/pool/d#1"));
  tell("/root/b/w", "error");
  BOOST_TEST(is_alive("/root/b/w"));
  BOOST_TEST(is_alive("/root/b/pool"));
  BOOST_TEST((*ask<std::vector<child_info>>("/root/b/pool", supervisor_verb::which_children()))->empty());
}

BOOST_FIXTURE_TEST_CASE(S116_an_unknown_message_to_a_supervisor_is_reported_and_ignored, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  caf::anon_send(at("/root"), 42);
  settle();
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST(log({event_kind::note}) == lines{"note /root"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S124_one_for_dependents_restarts_those_that_depend_on_it_and_no_other, world) {
  start_ok(one_for_dependents()
               .intensity(5, 10s)
               .child("a", ordinary)
               .child("b", ordinary)
               .after("a")
               .child("c", ordinary)
               .child("d", ordinary)
               .after("b")
               .tree());
  forget_events();
  tell("/root/a", "error");
  const lines expected{"started /root/a", "started /root/b", "started /root/d"};
  BOOST_TEST(starts() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
