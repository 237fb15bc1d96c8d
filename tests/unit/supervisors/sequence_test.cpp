// SPDX-License-Identifier: BSL-1.0
// What two things at once come to: a verb, a crash, a limit or a stop that meets another in the middle.
#include "workers.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/actor/context_actor.hpp"

#include <algorithm>
#include <functional>
#include <memory>

using namespace libactor;
using namespace libactor::tests;

namespace {

start_function fails_after_first(std::uint32_t until = 1000) {
  return [until](child_start& start) -> caf::expected<started_child> {
    if (start.incarnation() > 1 && start.incarnation() <= until)
      return make_error(errc::start_failed, "no disk");
    return start.spawn(ordinary);
  };
}

// The first incarnation is an ordinary one, and all others are `later`.
template <class Body>
start_function restarts_as(Body later) {
  return [later](child_start& start) { return start.incarnation() == 1 ? start.spawn(ordinary) : start.spawn(later); };
}

// Never acknowledges its start, and takes 2 s to end.
caf::behavior slow_to_give_up(worker* self) {
  self->defer_start();
  return slow_to_stop(self, 2s);
}

caf::behavior up_after_2s(worker* self) {
  self->defer_start();
  self->after(2s, [self] { self->acknowledge_start(); });
  return ordinary(self);
}

const backoff_spec ten_seconds{.min = 10s, .max = 80s, .factor = 2, .jitter = 0, .reset_after = 40s};

struct sequence : world {
  // Both sent before either is dealt with.
  void tell_both(std::string_view first, std::string_view second, const std::string& what) {
    caf::anon_send(at(first), what);
    caf::anon_send(at(second), what);
    settle();
  }
  // As the watchdog does with one that does not end.
  void give_up(std::string_view path, std::string_view supervisor) {
    const auto child = at(path);
    const auto key = dynamic_cast<context_actor&>(*caf::actor_cast<caf::abstract_actor*>(child)).line().key();
    detail::seam::post_urgent(caf::actor_cast<caf::abstract_actor*>(at(supervisor)),
                              {detail::envelope_kind::give_up, key, {}});
    settle();
  }
  auto in_report(std::string_view path) {
    const auto all = runtime().report().children;
    return std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.path == path; });
  }
  bool terminate(const std::string& supervisor, std::string id) {
    const auto answer = ask<caf::unit_t>(supervisor, supervisor_verb::terminate_child(std::move(id)));
    return answer && *answer;
  }
  std::shared_ptr<lines> answers = std::make_shared<lines>();
  // Notes the answer once it comes.
  void request(const std::string& supervisor, supervisor_verb verb) {
    system().spawn(
        [to = runtime().supervisor(supervisor)->handle(), verb, all = answers](caf::event_based_actor* self) {
          self->request(to, caf::infinite, verb)
              .then([=](const caf::actor&) { all->push_back("up"); },
                    [=](const caf::error& why) { all->push_back(describe(why)); });
        });
    settle();
  }
  duration elapsed_of(event_kind kind) const {
    const auto all = events();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.kind == kind; });
    BOOST_REQUIRE(found != all.end());
    return found->elapsed;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sequences)

// -- stops ------------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(S035_R22_a_stop_does_not_wait_for_an_earlier_child_that_starts, sequence) {
  start_ok(rest_for_one()
               .child_started_by("a", restarts_as(never_starts))
               .start_timeout(24h)
               .child("b", slow_to_stop, 2s)
               .tree());
  BOOST_TEST(terminate("/root", "a"));
  request("/root", supervisor_verb::restart_child("a"));
  forget_events();
  stop();
  advance(2s);
  const lines expected{"stop_asked /root", "stop_asked /root/b", "stop_asked /root/a"};
  BOOST_TEST(log({event_kind::stop_asked}) == expected, boost::test_tools::per_element());
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(*answers == lines{"shutdown"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S035_nor_for_one_that_is_restarted, sequence) {
  start_ok(one_for_dependents()
               .intensity(9, 1h)
               .child_started_by("a", restarts_as(never_starts))
               .start_timeout(24h)
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  stop();
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S035_a_group_restart_stops_later_children_while_an_earlier_one_starts, sequence) {
  start_ok(rest_for_one()
               .intensity(9, 1h)
               .child_started_by("a", restarts_as(never_starts))
               .start_timeout(24h)
               .child("b", ordinary)
               .child("c", ordinary)
               .tree());
  BOOST_TEST(terminate("/root", "a"));
  request("/root", supervisor_verb::restart_child("a"));
  forget_events();
  tell("/root/b", "error");
  BOOST_TEST(log({event_kind::stop_asked}) == lines{"stop_asked /root/c"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(S035_R22_nor_for_an_earlier_start_that_is_given_up_already) {
  for (const bool by_verb : {true, false}) {
    auto never_starts_nor_ends = [](worker* self) {
      self->defer_start();
      return ignores_stop(self);
    };
    sequence w;
    w.start_ok(rest_for_one()
                   .intensity(9, 1h)
                   .child_started_by("a", restarts_as(never_starts_nor_ends))
                   .start_timeout(3s)
                   .shutdown(1h)
                   .child("b", slow_to_stop, 2s)
                   .tree());
    BOOST_TEST(w.terminate("/root", "a"));
    w.request("/root", supervisor_verb::restart_child("a"));
    if (by_verb)
      BOOST_TEST(!w.ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a")));
    else
      w.advance(4s);
    w.stop();
    BOOST_TEST(w.log({event_kind::stop_asked}).back() == "stop_asked /root/b");
    w.advance(2s);
    BOOST_TEST(!w.is_alive("/root/b"));
  }
}

BOOST_FIXTURE_TEST_CASE(S036_who_is_killed_as_an_orphan_during_a_stop_is_in_its_report, sequence) {
  start_ok(one_for_one().intensity(9, 1h).child(one_for_one("m").child("x", ignores_stop)).tree());
  caf::anon_send_exit(at("/root/m"), caf::exit_reason::kill);
  settle();
  stop();
  advance(5s);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(in_report("/root/m/x") == 1);
}

BOOST_FIXTURE_TEST_CASE(S036_who_has_the_name_of_one_that_was_abandoned_is_in_the_report_too, sequence) {
  start_ok(one_for_one()
               .intensity(9, 1h)
               .child(one_for_one("m").intensity(9, 1h).child("x", ordinary))
               .child("t", ordinary)
               .restart(restart_type::temporary)
               .tree());
  give_up("/root/m/x", "/root/m");
  caf::anon_send_exit(at("/root/m"), caf::exit_reason::kill);
  settle();
  give_up("/root/t", "/root");
  auto again = worker_spec("t", ordinary);
  again.restart = restart_type::temporary;
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::start_child(again))->operator bool());
  stop();
  advance(1s);
  for (const auto* path : {"/root/m", "/root/m/x", "/root/t"})
    BOOST_TEST(in_report(path) == 1, path << ": " << in_report(path));
}

// -- verbs ------------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(S042_S091_a_child_that_is_terminated_while_its_late_start_ends_stays_down, sequence) {
  start_ok(one_for_one()
               .intensity(9, 1h)
               .child_started_by("a", restarts_as(slow_to_give_up))
               .start_timeout(3s)
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  advance(4s);  // its time was up at 3 s, and it is down at 5 s
  forget_events();
  BOOST_TEST(!ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a")));
  advance(2s);
  BOOST_TEST(log({event_kind::start_failed, event_kind::stopped, event_kind::restarting}) ==
                 lines{"start_failed /root/a start_timeout: not started after 3s"},
             boost::test_tools::per_element());
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{2, 1, 0, 2}));
}

BOOST_AUTO_TEST_CASE(S006_S007_a_start_by_hand_that_nobody_waits_for_is_not_tried_again_either) {
  {
    sequence w;
    w.start_ok(one_for_one().intensity(3, 1h).child("a", ordinary).tree());
    auto spec = worker_spec("b", throws_in_start);
    spec.restart = restart_type::temporary;
    caf::anon_send(w.at("/root"), supervisor_verb::start_child(spec));
    w.settle();
    BOOST_TEST(w.log({event_kind::restarting, event_kind::gave_up}).empty());
    BOOST_TEST((**w.ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 1, 0, 1}));
  }
  {
    sequence w;
    w.start_ok(
        one_for_one().intensity(3, 1h).child_started_by("b", restarts_as(throws_in_start)).child("a", ordinary).tree());
    BOOST_TEST(w.terminate("/root", "b"));
    caf::anon_send(w.at("/root"), supervisor_verb::restart_child("b"));
    w.settle();
    BOOST_TEST(w.log({event_kind::restarting, event_kind::gave_up}).empty());
    BOOST_TEST((**w.ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{2, 1, 0, 2}));
  }
}

BOOST_FIXTURE_TEST_CASE(S042_a_child_that_is_being_terminated_does_not_come_back_with_its_group, sequence) {
  start_ok(one_for_all().intensity(9, 1h).child("a", ordinary).child("b", slow_to_stop, 2s).tree());
  BOOST_TEST(!ask<caf::unit_t>("/root", supervisor_verb::terminate_child("b")));
  tell("/root/a", "error");
  advance(3s);
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST(!is_alive("/root/b"));
}

BOOST_FIXTURE_TEST_CASE(S006_who_starts_a_child_hears_of_the_start_that_counts_where_a_group_restart_cuts_one_off,
                        sequence) {
  start_ok(one_for_all().intensity(9, 1h).child("a", ordinary).tree());
  request("/root", supervisor_verb::start_child(worker_spec("c", up_after_2s)));
  advance(1s);
  tell("/root/a", "error");
  BOOST_TEST(answers->empty());
  advance(2s);
  BOOST_TEST(*answers == lines{"up"}, boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/c"));
}

BOOST_FIXTURE_TEST_CASE(S097_a_dynamic_child_in_its_backoff_is_terminated_by_the_handle_it_had, sequence) {
  auto model = worker_spec("w", ordinary);
  model.backoff = ten_seconds;
  start_ok(one_for_one().dynamic("pool", model).tree());
  const auto one = **ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  tell("/root/pool/w#1", "error");
  BOOST_TEST(ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(one))->operator bool());
  BOOST_TEST((**ask<child_counts>("/root/pool", supervisor_verb::count_children()) == child_counts{1, 0, 0, 0}));
  advance(1h);
  BOOST_TEST(!is_alive("/root/pool/w#1"));
}

BOOST_AUTO_TEST_CASE(S091_S097_a_dynamic_child_goes_by_the_handle_it_had_for_as_long_as_it_is_to_come_back) {
  auto plain = [](child_start& start) -> caf::expected<started_child> {
    if (start.incarnation() == 2)
      return make_error(errc::start_failed, "no disk");
    return start.plain(start.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
      return {[self](const std::string&) { self->quit(caf::make_error(caf::sec::invalid_argument)); }};
    }));
  };
  for (const bool is_plain : {true, false}) {
    for (const auto when : {1s, 11s}) {  // in its backoff, and after an attempt that failed
      child_spec model;
      model.id = "w";
      model.what = function_child{is_plain ? start_function(plain) : fails_after_first(2)};
      model.backoff = ten_seconds;
      supervisor_spec limits;
      limits.intensity = 9;
      limits.period = 1h;
      sequence w;
      w.start_ok(one_for_one().dynamic("pool", model, {}, limits).tree());
      const auto one = **w.ask<caf::actor>("/root/pool", supervisor_verb::start_child());
      caf::anon_send(one, "error"s);
      w.settle();
      w.advance(when);
      BOOST_TEST(w.ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(one))->operator bool());
      w.advance(1h);
      BOOST_TEST(!w.is_alive("/root/pool/w#1"));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(S047_the_handle_of_another_supervisors_child_ends_none_that_is_to_come_back, sequence) {
  auto model = worker_spec("w", ordinary);
  model.backoff = ten_seconds;
  start_ok(one_for_one().dynamic("p", model).dynamic("q", model).tree());
  BOOST_TEST(ask<caf::actor>("/root/p", supervisor_verb::start_child())->operator bool());
  const auto other = **ask<caf::actor>("/root/q", supervisor_verb::start_child());
  tell("/root/p/w#1", "error");
  const auto answer = ask<caf::unit_t>("/root/p", supervisor_verb::terminate_child(other));
  BOOST_REQUIRE(answer);
  BOOST_TEST((!*answer && errc_of(answer->error()) == errc::not_found));
  advance(10s);
  BOOST_TEST(is_alive("/root/p/w#1"));
  BOOST_TEST(is_alive("/root/q/w#1"));
}

BOOST_FIXTURE_TEST_CASE(S007_a_restart_by_hand_that_failed_is_not_tried_again_by_its_group, sequence) {
  start_ok(one_for_all()
               .intensity(2, 1h)
               .child("a", ordinary)
               .child_started_by("b", restarts_as(slow_to_give_up))
               .start_timeout(3s)
               .tree());
  BOOST_TEST(terminate("/root", "b"));
  request("/root", supervisor_verb::restart_child("b"));
  advance(4s);  // its time was up at 3 s, and it is down at 5 s
  forget_events();
  tell("/root/a", "error");
  advance(1h);
  BOOST_TEST(*answers == lines{"start_timeout: not started after 3s"}, boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::gave_up, event_kind::start_failed}) ==
                 lines{"start_failed /root/b start_timeout: not started after 3s"},
             boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(S095_a_start_that_fails_as_its_backoff_ends_is_tried_again_though_no_timer_has_told_so,
                        sequence) {
  start_ok(rest_for_one()
               .intensity(9, 1h)
               .child("s", ordinary)
               .restart(restart_type::transient)
               .child_started_by("c", fails_after_first(2))
               .delays(ten_seconds)
               .tree());
  tell("/root/c", "error");
  // The end of `s` reaches the supervisor before the timer does.
  caf::anon_send(at("/root/s"), "normal"s);
  BOOST_TEST(step());
  runtime().contexts().advance_to(now() + 10s);
  settle();
  advance(1h);
  BOOST_TEST(is_alive("/root/c"));
}

// -- restarts that are suspended --------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(S098_a_backoff_that_ends_while_restarts_are_suspended_goes_on_once_they_are_resumed, sequence) {
  start_ok(one_for_one()
               .intensity(1, 5s)
               .on_giveup(giveup_action::suspend)
               .child("a", ordinary)
               .delays(ten_seconds)
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  tell("/root/b", "error");
  advance(11s);
  BOOST_TEST(!is_alive("/root/a"));
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST(is_alive("/root/b"));
  BOOST_TEST(log({event_kind::restarting}).size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(
    S098_a_start_that_is_to_be_tried_again_while_restarts_are_suspended_is_tried_once_they_are_resumed, sequence) {
  auto fails_once = [](child_start& start) -> caf::expected<started_child> {
    if (start.incarnation() == 2)
      return make_error(errc::start_failed, "no disk");
    return start.spawn(ordinary);
  };
  start_ok(one_for_one()
               .intensity(2, 5s)
               .on_giveup(giveup_action::suspend)
               .child_started_by("a", fails_once)
               .child("b", ordinary)
               .tree());
  tell_both("/root/a", "/root/b", "error");
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST(!is_alive("/root/b"));
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST(is_alive("/root/b"));
}

BOOST_AUTO_TEST_CASE(R27_while_restarts_are_suspended_nothing_restarts_and_nothing_stops_however_long_it_takes) {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all}) {
    sequence w;
    w.start_ok(supervisor_builder(how, "root")
                   .intensity(1, 5s)
                   .on_giveup(giveup_action::suspend)
                   .child("a", ordinary)
                   .child("b", ordinary)
                   .child("c", ordinary)
                   .tree());
    w.tell("/root/a", "error");
    w.tell("/root/a", "error");
    w.advance(6s);
    w.forget_events();
    w.tell("/root/b", "error");
    BOOST_TEST(w.log({event_kind::restarting}).empty());
    BOOST_TEST(!w.is_alive("/root/b"));
    BOOST_TEST(w.is_alive("/root/c"));
    w.ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
    for (const auto* path : {"/root/a", "/root/b", "/root/c"})
      BOOST_TEST(w.is_alive(path));
  }
}

BOOST_FIXTURE_TEST_CASE(S092_S098_a_group_whose_restart_was_suspended_is_counted_once_when_it_is_resumed, sequence) {
  start_ok(one_for_all()
               .intensity(1, 5s)
               .on_giveup(giveup_action::suspend)
               .child("a", ordinary)
               .child("b", ordinary)
               .child("c", ordinary)
               .tree());
  tell("/root/a", "error");
  tell("/root/a", "error");
  tell("/root/b", "error");
  forget_events();
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(log({event_kind::restarting, event_kind::suspended}) == lines{"restarting /root/a"},
             boost::test_tools::per_element());
  for (const auto* path : {"/root/a", "/root/b", "/root/c"})
    BOOST_TEST(is_alive(path));
}

BOOST_FIXTURE_TEST_CASE(S098_the_time_in_which_restarts_were_suspended_does_not_reset_a_backoff, sequence) {
  start_ok(one_for_one()
               .intensity(1, 5s)
               .on_giveup(giveup_action::suspend)
               .child("b", ordinary)
               .child("a", ordinary)
               .delays(ten_seconds)
               .tree());
  tell("/root/a", "error");
  advance(10s);
  BOOST_TEST(is_alive("/root/a"));
  tell("/root/b", "error");
  tell("/root/a", "error");  // the second in a row, which waits
  advance(60s);
  forget_events();
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST((elapsed_of(event_kind::restarting) == 20s));
}

BOOST_FIXTURE_TEST_CASE(R27_a_resume_that_is_suspended_again_in_the_middle_restarts_and_stops_nothing_more, sequence) {
  start_ok(rest_for_one()
               .intensity(0, 5s)
               .on_giveup(giveup_action::suspend)
               .child("b", ordinary)
               .child("c", ordinary)
               .child_started_by("a", fails_after_first())
               .tree());
  tell("/root/a", "error");
  tell("/root/b", "error");
  forget_events();
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(log({event_kind::suspended, event_kind::restarting, event_kind::stop_asked}) ==
                 (lines{"restarting /root/a", "suspended /root"}),
             boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/c"));
}

BOOST_FIXTURE_TEST_CASE(R27_a_second_try_that_suspends_leaves_the_others_waiting, sequence) {
  start_ok(one_for_one()
               .intensity(4, 5s)
               .on_giveup(giveup_action::suspend)
               .child_started_by("a", fails_after_first())
               .child_started_by("b", fails_after_first(2))
               .tree());
  forget_events();
  tell_both("/root/a", "/root/b", "error");
  BOOST_TEST(log({event_kind::suspended, event_kind::start_asked, event_kind::started}).back() == "suspended /root");
  BOOST_TEST(!is_alive("/root/b"));
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(is_alive("/root/b"));
}

BOOST_FIXTURE_TEST_CASE(R27_suspended_restarts_hold_up_no_first_start, sequence) {
  start(one_for_one()
            .intensity(0, 5s)
            .on_giveup(giveup_action::suspend)
            .child("a", ordinary)
            .child("b", up_after_2s)
            .child("c", ordinary)
            .tree());
  tell("/root/a", "error");
  advance(2s);
  BOOST_TEST(is_alive("/root/c"));
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_REQUIRE(start_result());
  BOOST_TEST(!*start_result());
}

BOOST_FIXTURE_TEST_CASE(R27_nor_one_by_hand_that_stood_behind_them, sequence) {
  start_ok(one_for_all()
               .intensity(1, 5s)
               .on_giveup(giveup_action::suspend)
               .child_started_by("a", fails_after_first())
               .child("b", slow_to_stop, 2s)
               .tree());
  tell("/root/a", "error");
  request("/root", supervisor_verb::start_child(worker_spec("c", ordinary)));
  BOOST_TEST(answers->empty());
  advance(2s);
  BOOST_TEST(*answers == lines{"up"}, boost::test_tools::per_element());
}

// -- significant children ---------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(S100_a_significant_child_that_is_to_be_restarted_is_one_that_has_not_ended, sequence) {
  start_ok(one_for_one()
               .child(one_for_one("m")
                          .intensity(9, 1h)
                          .auto_shutdown(auto_shutdown::all_significant)
                          .child("s", ordinary)
                          .restart(restart_type::transient)
                          .significant()
                          .delays(ten_seconds)
                          .child("t", ordinary)
                          .restart(restart_type::transient)
                          .significant())
               .restart(restart_type::temporary)
               .tree());
  tell("/root/m/s", "error");
  tell("/root/m/t", "normal");
  advance(10s);
  BOOST_TEST(is_alive("/root/m/s"));
  tell("/root/m/s", "normal");
  BOOST_TEST(!is_alive("/root/m"));
}

BOOST_FIXTURE_TEST_CASE(S100_nor_has_one_whose_start_is_still_to_come, sequence) {
  auto ends_at_once = [](worker* self) {
    self->after(0s, [self] { self->finish(); });
    return ordinary(self);
  };
  start(one_for_one()
            .child(one_for_one("m")
                       .auto_shutdown(auto_shutdown::all_significant)
                       .child("s", ends_at_once)
                       .restart(restart_type::transient)
                       .significant()
                       .child("between", up_after_2s)
                       .child("t", ordinary)
                       .restart(restart_type::transient)
                       .significant())
            .tree());
  advance(2s);
  BOOST_REQUIRE(start_result());
  BOOST_TEST(!*start_result());
  BOOST_TEST(is_alive("/root/m/t"));
}

// -- limits in a start ------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(R20_a_child_whose_own_deadline_passes_in_its_start_is_killed_after_its_shutdown_time) {
  for (const bool comes_up : {true, false}) {
    auto ignores_all = [comes_up](worker* self) {
      self->defer_start();
      if (comes_up)
        self->after(2s, [self] { self->acknowledge_start(); });
      return ignores_stop(self);
    };
    sequence w;
    w.start(one_for_one()
                .intensity(9, 1h)
                .child("a", ignores_all)
                .restart(restart_type::temporary)
                .timeout(1s)
                .shutdown(5s)
                .start_timeout(duration::max())
                .tree());
    w.advance(6s - 1ns);
    BOOST_TEST(w.is_alive("/root/a"));
    w.advance(1ns);
    BOOST_TEST(w.log({event_kind::killed}).front() == "killed /root/a");
  }
}

BOOST_FIXTURE_TEST_CASE(S130_a_start_that_is_given_up_tells_how_long_it_took, sequence) {
  start_ok(one_for_one()
               .intensity(9, 1h)
               .child_started_by("a", restarts_as(never_starts))
               .start_timeout(24h)
               .child("b", ordinary)
               .tree());
  advance(1000s);
  tell("/root/a", "error");
  advance(3s);
  forget_events();
  const auto id = at("/root/a")->id();
  give_up("/root/a", "/root");
  BOOST_TEST((elapsed_of(event_kind::abandoned) == 3s));
  for (const auto& one : events()) {
    if (one.kind == event_kind::start_failed)
      BOOST_TEST(one.actor == id);
  }
}

BOOST_AUTO_TEST_SUITE_END()
