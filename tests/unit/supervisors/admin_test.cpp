// SPDX-License-Identifier: BSL-1.0
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

template <class T>
errc code(const std::optional<caf::expected<T>>& answer) {
  BOOST_REQUIRE(answer);
  BOOST_REQUIRE(!*answer);
  return errc_of(answer->error()).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(admin)

BOOST_FIXTURE_TEST_CASE(S040_S041_start_child_of_a_known_id_says_what_it_is_doing, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))) ==
              errc::already_started));
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))) ==
              errc::already_present));
}

BOOST_FIXTURE_TEST_CASE(S042_terminate_child_keeps_the_spec_and_may_be_said_again, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
  BOOST_TEST(ends() == lines{"stopped /root/a user_shutdown"}, boost::test_tools::per_element());
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 0, 0, 1}));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S043_S044_unknown_and_running_children_are_refused, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((code(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("x"))) == errc::not_found));
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("x"))) == errc::not_found));
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("a"))) == errc::running));
}

BOOST_FIXTURE_TEST_CASE(S045_delete_child_forgets_a_child_that_does_not_run, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((code(ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))) == errc::running));
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))->operator bool());
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("a"))) == errc::not_found));
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S006_start_child_whose_start_fails_keeps_nothing, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  auto answer = ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("b", throws_in_start)));
  BOOST_REQUIRE(answer);
  BOOST_TEST(describe(answer->error()) == "runtime_error: std::runtime_error: no disk");
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 1, 0, 1}));
}

BOOST_FIXTURE_TEST_CASE(S007_restart_child_whose_start_fails_keeps_the_spec, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_later = [attempts](worker* self) -> caf::behavior {
    if (++*attempts > 1)
      throw std::runtime_error("no disk");
    return ordinary(self);
  };
  start_ok(one_for_one().child("a", fails_later).tree());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(!*ask<caf::actor>("/root", supervisor_verb::restart_child("a")));
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 0, 0, 1}));
}

BOOST_FIXTURE_TEST_CASE(S047_a_dynamic_child_is_terminated_by_its_handle_and_dead_on_return, world) {
  start_ok(one_for_one().dynamic("pool", worker_spec("w", ordinary)).child("other", ordinary).tree());
  const auto one = **ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  BOOST_TEST(
      (code(ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(at("/root/other")))) == errc::not_found));
  BOOST_TEST(is_alive("/root/other"));
  BOOST_TEST(ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(one))->operator bool());
  BOOST_TEST(!is_alive("/root/pool/w#1"));
  BOOST_TEST(ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(one))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S048_a_dynamic_supervisor_refuses_verbs_by_id, world) {
  start_ok(one_for_one().dynamic("pool", worker_spec("w", ordinary)).tree());
  BOOST_TEST((code(ask<caf::actor>("/root/pool", supervisor_verb::restart_child("w"))) == errc::is_dynamic));
  BOOST_TEST((code(ask<caf::unit_t>("/root/pool", supervisor_verb::delete_child("w"))) == errc::is_dynamic));
}

BOOST_FIXTURE_TEST_CASE(S050_max_children_refuses_the_next_start, world) {
  start_ok(one_for_one().dynamic("pool", worker_spec("w", ordinary), 2).tree());
  BOOST_TEST(ask<caf::actor>("/root/pool", supervisor_verb::start_child())->operator bool());
  BOOST_TEST(ask<caf::actor>("/root/pool", supervisor_verb::start_child())->operator bool());
  BOOST_TEST((code(ask<caf::actor>("/root/pool", supervisor_verb::start_child())) == errc::max_children));
  tell("/root/pool/w#1", "throw");
  BOOST_TEST((code(ask<caf::actor>("/root/pool", supervisor_verb::start_child())) == errc::max_children));
}

BOOST_FIXTURE_TEST_CASE(S035_a_child_started_during_shutdown_is_refused, world) {
  start_ok(one_for_one().child("a", slow_to_stop, 2s).tree());
  stop();
  BOOST_TEST(
      (code(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("b", ordinary)))) == errc::shutdown));
}

BOOST_FIXTURE_TEST_CASE(S046_every_verb_on_a_supervisor_that_is_gone_answers_at_once, world) {
  start_ok(one_for_one().child(one_for_one("b").child("w", ordinary)).restart(restart_type::temporary).tree());
  auto gone = *runtime().supervisor("/root/b");
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("b"));
  bool answered = false;
  system().spawn([&answered, to = gone.handle()](caf::event_based_actor* self) {
    self->request(to, caf::infinite, supervisor_verb::which_children())
        .then([](const std::vector<child_info>&) {}, [&answered](caf::error&) { answered = true; });
  });
  settle();
  BOOST_TEST(answered);
}

BOOST_FIXTURE_TEST_CASE(S049_which_children_lists_in_start_order_and_changes_nothing, world) {
  start_ok(one_for_one().child("b", ordinary).child("a", ordinary).tree());
  for (int i = 0; i != 2; ++i) {
    const auto all = ask<std::vector<child_info>>("/root", supervisor_verb::which_children());
    BOOST_REQUIRE((*all)->size() == 2u);
    BOOST_TEST((**all)[0].path == "/root/b");
    BOOST_TEST((**all)[1].path == "/root/a");
    BOOST_TEST(((**all)[1].state == child_state::running));
  }
}

BOOST_AUTO_TEST_SUITE_END()
