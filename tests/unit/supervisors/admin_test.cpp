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

BOOST_FIXTURE_TEST_CASE(S040_start_child_of_a_running_id_is_refused_with_its_handle, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  const auto answer = ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)));
  BOOST_TEST((code(answer) == errc::already_started));
  BOOST_TEST((handle_in(answer->error()) == at("/root/a")));
  BOOST_TEST(describe(answer->error()) == "already_started: a");
  BOOST_TEST(!handle_in(make_error(errc::already_present, "a")));
}

BOOST_FIXTURE_TEST_CASE(S041_start_child_of_a_stopped_known_id_is_refused, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  const auto answer = ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)));
  BOOST_TEST((code(answer) == errc::already_present));
}

BOOST_FIXTURE_TEST_CASE(S009_the_specification_of_a_known_child_is_handed_out_and_of_an_unknown_one_is_not_found,
                        world) {
  start_ok(one_for_one()
               .child("a", ordinary)
               .restart(restart_type::transient)
               .shutdown(7s)
               .dynamic("pool", worker_spec("w", ordinary))
               .tree());
  using spec_ptr = std::shared_ptr<const child_spec>;
  BOOST_TEST((code(ask<spec_ptr>("/root", supervisor_verb::get_child_spec("x"))) == errc::not_found));
  const spec_ptr a = **ask<spec_ptr>("/root", supervisor_verb::get_child_spec("a"));
  BOOST_TEST(a->id == "a");
  BOOST_TEST((a->restart == restart_type::transient));
  BOOST_TEST((a->shutdown == shutdown_limit(7s)));
  const auto w = **ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  BOOST_TEST((**ask<spec_ptr>("/root/pool", supervisor_verb::get_child_spec(w)))->id == "w");
  BOOST_TEST((code(ask<spec_ptr>("/root/pool", supervisor_verb::get_child_spec(at("/root/a")))) == errc::not_found));
  BOOST_TEST((code(ask<spec_ptr>("/root/pool", supervisor_verb::get_child_spec("w"))) == errc::is_dynamic));
}

BOOST_FIXTURE_TEST_CASE(S042_terminate_child_keeps_the_spec_and_may_be_said_again, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
  BOOST_TEST(ends() == lines{"stopped /root/a user_shutdown"}, boost::test_tools::per_element());
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 0, 0, 1}));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S042_S046_whoever_asked_has_an_answer_when_the_stop_is_over, world) {
  start_ok(one_for_all().child("a", ordinary).child("b", slow_to_stop, 2s).tree());
  const auto root = runtime().supervisor("/root")->handle();
  auto answers = std::make_shared<lines>();
  auto request = [&](supervisor_verb verb) {
    system().spawn([=](caf::event_based_actor* self) {
      self->request(root, caf::infinite, verb)
          .then([=] { answers->push_back("done"); }, [=](const caf::error& why) { answers->push_back(describe(why)); });
    });
    settle();
  };
  request(supervisor_verb::terminate_child("b"));
  request(supervisor_verb::terminate_child("b"));
  BOOST_TEST(answers->empty());
  advance(2s);
  BOOST_TEST(*answers == (lines{"done", "done"}), boost::test_tools::per_element());

  // One that waits for its turn when the supervisor stops never starts.
  answers->clear();
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::restart_child("b"))->operator bool());
  tell("/root/a", "error");
  request(supervisor_verb::start_child(worker_spec("c", ordinary)));
  stop();
  BOOST_TEST(*answers == lines{"shutdown"}, boost::test_tools::per_element());
  advance(2s);
}

BOOST_FIXTURE_TEST_CASE(S043_S044_unknown_and_running_children_are_refused, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((code(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("x"))) == errc::not_found));
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("x"))) == errc::not_found));
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("a"))) == errc::running));
}

BOOST_FIXTURE_TEST_CASE(S044_restart_child_keeps_its_place_while_siblings_start, world) {
  start(one_for_one()
            .child("a", ordinary)
            .child("b", never_starts)
            .start_timeout(2s)
            .restart(restart_type::temporary)
            .child("c", ordinary)
            .tree());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
  forget_events();
  BOOST_TEST(!ask<caf::actor>("/root", supervisor_verb::restart_child("a")));
  BOOST_TEST(log({event_kind::start_asked}).empty());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("b"))->operator bool());
  BOOST_TEST(log({event_kind::start_asked}) == (lines{"start_asked /root/a", "start_asked /root/c"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S042_S044_whoever_waits_for_a_start_has_an_answer_once_the_child_is_terminated_before_it,
                        world) {
  start(one_for_one().child("a", ordinary).child("b", never_starts).start_timeout(2s).tree());
  const auto root = runtime().supervisor("/root")->handle();
  auto answers = std::make_shared<lines>();
  auto request = [&](supervisor_verb verb) {
    system().spawn([=](caf::event_based_actor* self) {
      self->request(root, caf::infinite, verb)
          .then([=](const caf::actor&) { answers->push_back("up"); },
                [=](const caf::error& why) { answers->push_back(describe(why)); });
    });
    settle();
  };
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  request(supervisor_verb::restart_child("a"));
  request(supervisor_verb::start_child(worker_spec("c", ordinary)));
  BOOST_TEST(answers->empty());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(*answers == lines{"shutdown"}, boost::test_tools::per_element());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("c"));
  BOOST_TEST(*answers == (lines{"shutdown", "shutdown"}), boost::test_tools::per_element());
  request(supervisor_verb::restart_child("a"));
  BOOST_TEST(answers->size() == 2u);
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("b"));
  BOOST_TEST(*answers == (lines{"shutdown", "shutdown", "up"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S042_a_child_that_ended_before_what_it_had_started_is_terminated_once_that_is_down, world) {
  start_ok(one_for_one().child(one_for_one("m").child("a", slow_to_stop, 2s).shutdown(5s)).tree());
  caf::anon_send(at("/root/m"), caf::exit_msg{at("/root/m")->address(), caf::exit_reason::kill});
  settle();
  forget_events();
  BOOST_TEST(!ask<caf::unit_t>("/root", supervisor_verb::terminate_child("m")));
  advance(2s);
  BOOST_TEST(
      log({event_kind::crashed, event_kind::restarting, event_kind::start_asked}) == lines{"crashed /root/m kill"},
      boost::test_tools::per_element());
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{1, 0, 1, 0}));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("m"))->operator bool());
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::restart_child("m"))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S042_a_child_that_ended_in_its_start_and_is_terminated_then_has_failed_to_start, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  auto never_up = child_spec(worker_spec("m", ordinary));
  never_up.what = one_for_one("m").child("slow", slow_to_stop, 2s).child("b", never_starts).tree().root.what;
  forget_events();
  const auto root = runtime().supervisor("/root")->handle();
  std::optional<caf::error> answer;
  system().spawn([&](caf::event_based_actor* self) {
    self->request(root, caf::infinite, supervisor_verb::start_child(never_up))
        .then([](const caf::actor&) {}, [&](const caf::error& why) { answer = why; });
  });
  settle();
  caf::anon_send(at("/root/m"), caf::exit_msg{at("/root/m")->address(), caf::exit_reason::kill});
  settle();
  BOOST_TEST(!ask<caf::unit_t>("/root", supervisor_verb::terminate_child("m")));
  BOOST_TEST(!answer);
  advance(2s);
  BOOST_REQUIRE(answer);
  BOOST_TEST(describe(*answer) == "kill");
  BOOST_TEST(log({event_kind::crashed, event_kind::start_failed, event_kind::stopped, event_kind::restarting}) ==
                 lines{"start_failed /root/m kill"},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S045_delete_child_forgets_a_child_that_does_not_run, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((code(ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))) == errc::running));
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))->operator bool());
  BOOST_TEST((code(ask<caf::actor>("/root", supervisor_verb::restart_child("a"))) == errc::not_found));
  BOOST_TEST(ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(a_child_that_is_not_enabled_is_not_started_by_hand, world) {
  start_ok(one_for_one().child("a", ordinary).tree());
  auto spec = worker_spec("b", ordinary);
  spec.enabled = false;
  const auto refused = ask<caf::actor>("/root", supervisor_verb::start_child(spec));
  BOOST_TEST((code(refused) == errc::invalid_spec));
  BOOST_TEST(describe(refused->error()) == "invalid_spec: /root/b: it is not enabled");
}

BOOST_FIXTURE_TEST_CASE(
    S061_S062_a_child_that_is_started_by_hand_may_be_significant_where_its_supervisor_shuts_down_for_it, world) {
  start_ok(one_for_one()
               .child(one_for_one("m").auto_shutdown(auto_shutdown::any_significant).child("a", ordinary))
               .restart(restart_type::temporary)
               .tree());
  auto spec = worker_spec("b", ordinary);
  spec.significant = true;
  auto refused = ask<caf::actor>("/root/m", supervisor_verb::start_child(spec));
  BOOST_TEST((code(refused) == errc::invalid_spec));
  BOOST_TEST(describe(refused->error()).find("/root/m/b: a significant child must be transient or temporary") !=
             std::string::npos);
  spec.restart = restart_type::transient;
  refused = ask<caf::actor>("/root", supervisor_verb::start_child(spec));
  BOOST_TEST((code(refused) == errc::invalid_spec));
  BOOST_TEST(ask<caf::actor>("/root/m", supervisor_verb::start_child(spec))->operator bool());
  forget_events();
  tell("/root/m/b", "normal");
  BOOST_TEST(
      ends() == (lines{"ended /root/m/b normal", "stopped /root/m/a user_shutdown", "ended /root/m user_shutdown"}),
      boost::test_tools::per_element());
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

BOOST_FIXTURE_TEST_CASE(S050_max_children_0_refuses_all, world) {
  start_ok(one_for_one().dynamic("pool", worker_spec("w", ordinary), 0).tree());
  BOOST_TEST((code(ask<caf::actor>("/root/pool", supervisor_verb::start_child())) == errc::max_children));
}

BOOST_FIXTURE_TEST_CASE(S050_a_child_that_backs_off_holds_its_slot, world) {
  auto model = worker_spec("w", ordinary);
  model.backoff = backoff_spec{.min = 1s, .max = 1s, .factor = 1, .jitter = 0, .reset_after = {}};
  start_ok(one_for_one().dynamic("pool", model, 1).tree());
  ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  tell("/root/pool/w#1", "error");
  BOOST_TEST(!is_alive("/root/pool/w#1"));
  BOOST_TEST((code(ask<caf::actor>("/root/pool", supervisor_verb::start_child())) == errc::max_children));
  advance(1s);
  BOOST_TEST(is_alive("/root/pool/w#1"));
  ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(at("/root/pool/w#1")));
  BOOST_TEST(ask<caf::actor>("/root/pool", supervisor_verb::start_child())->operator bool());
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
  lines answers;
  system().spawn([&answers, to = gone.handle()](caf::event_based_actor* self) {
    for (const auto& verb :
         {supervisor_verb::start_child(worker_spec("x", ordinary)), supervisor_verb::start_child(),
          supervisor_verb::terminate_child("w"), supervisor_verb::terminate_child(to),
          supervisor_verb::restart_child("w"), supervisor_verb::delete_child("w"), supervisor_verb::which_children(),
          supervisor_verb::count_children(), supervisor_verb::get_child_spec("w"), supervisor_verb::get_child_spec(to),
          supervisor_verb::address_of("w"), supervisor_verb::resume_restarts()})
      self->request(to, caf::infinite, verb)
          .then([&answers] { answers.push_back("done"); },
                [&answers](const caf::error& why) { answers.push_back(describe(why)); });
  });
  settle();
  BOOST_TEST(answers == lines(12, "request_receiver_down"), boost::test_tools::per_element());
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

namespace {

// The children of a supervisor as ids with their states; checked against its counts.
lines listed(world& w, const char* path, bool dynamic = false) {
  const auto all = **w.ask<std::vector<child_info>>(path, supervisor_verb::which_children());
  const auto counts = **w.ask<child_counts>(path, supervisor_verb::count_children());
  child_counts expected;
  lines ids;
  for (const auto& c : all) {
    ++expected.specs;
    ++(c.is_supervisor ? expected.supervisors : expected.workers);
    expected.active += c.handle ? 1 : 0;
    ids.push_back(c.id + " " + to_string(c.state));
  }
  if (dynamic)
    expected.specs = 1;
  BOOST_TEST((counts == expected));
  return ids;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(S049_list_and_counts_agree_after_each_start_terminate_and_delete, world) {
  start_ok(
      one_for_one().child("a", ordinary).child(one_for_one("s")).dynamic("pool", worker_spec("w", ordinary)).tree());
  BOOST_TEST(listed(*this, "/root") == (lines{"a running", "s running", "pool running"}),
             boost::test_tools::per_element());
  ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("b", ordinary)));
  BOOST_TEST(listed(*this, "/root") == (lines{"a running", "s running", "pool running", "b running"}),
             boost::test_tools::per_element());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(listed(*this, "/root") == (lines{"a idle", "s running", "pool running", "b running"}),
             boost::test_tools::per_element());
  ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"));
  BOOST_TEST(listed(*this, "/root") == (lines{"s running", "pool running", "b running"}),
             boost::test_tools::per_element());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("s"));
  BOOST_TEST(listed(*this, "/root") == (lines{"s idle", "pool running", "b running"}),
             boost::test_tools::per_element());
  ask<caf::actor>("/root", supervisor_verb::restart_child("s"));
  BOOST_TEST(listed(*this, "/root") == (lines{"s running", "pool running", "b running"}),
             boost::test_tools::per_element());

  BOOST_TEST(listed(*this, "/root/pool", true).empty());
  const auto one = **ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  BOOST_TEST(listed(*this, "/root/pool", true).size() == 2u);
  ask<caf::unit_t>("/root/pool", supervisor_verb::terminate_child(one));
  BOOST_TEST(listed(*this, "/root/pool", true).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
