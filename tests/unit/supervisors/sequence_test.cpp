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
  const auto a = at("/root/a");
  const auto id = a->id();
  const auto key = dynamic_cast<context_actor&>(*caf::actor_cast<caf::abstract_actor*>(a)).line().key();
  detail::seam::post_urgent(caf::actor_cast<caf::abstract_actor*>(at("/root")),
                            {detail::envelope_kind::give_up, key, {}});  // as the watchdog does
  settle();
  BOOST_TEST((elapsed_of(event_kind::abandoned) == 3s));
  for (const auto& one : events()) {
    if (one.kind == event_kind::start_failed)
      BOOST_TEST(one.actor == id);
  }
}

BOOST_AUTO_TEST_SUITE_END()
