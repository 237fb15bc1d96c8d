// SPDX-License-Identifier: BSL-1.0
// What a supervisor must survive: races of ends and acts, stray messages, starts that fail over and over.
#include "actor/caf_seam.hpp"
#include "libactor/context_key.hpp"
#include "workers.hpp"

#include <algorithm>
#include <caf/actor_registry.hpp>
#include <future>

using namespace libactor;
using namespace libactor::tests;

namespace {

template <class T>
errc code(const caf::expected<T>& answer) {
  BOOST_REQUIRE(!answer);
  return errc_of(answer.error()).value();
}

const auto error = caf::make_error(caf::sec::invalid_argument);

}  // namespace

BOOST_AUTO_TEST_SUITE(robust)

BOOST_FIXTURE_TEST_CASE(S030_a_childs_own_exit_that_races_terminate_child_keeps_its_reason, world) {
  // Asked to stop, it ends for a reason of its own.
  auto fails_when_asked = [](worker* self) {
    self->on_down_signal([self](const down_signal&) { self->finish(error); });
    return ordinary(self);
  };
  start_ok(one_for_one().intensity(5, 1s).child("a", fails_when_asked).child("b", ordinary).tree());
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
  BOOST_TEST(ends() == lines{"stopped /root/a invalid_argument"}, boost::test_tools::per_element());

  // It ends by itself while the act is under way to its supervisor.
  forget_events();
  caf::anon_send(at("/root/b"), "error"s);
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("b"));
  const auto how = ends();
  BOOST_REQUIRE(!how.empty());
  BOOST_TEST(how.front() == "crashed /root/b invalid_argument");
  BOOST_TEST(!is_alive("/root/b"));
}

BOOST_FIXTURE_TEST_CASE(S031_children_that_have_ended_or_are_ending_do_not_hang_a_stop, world) {
  auto ended_already = [](child_start& start) {
    auto handle = start.system().spawn([](caf::event_based_actor* self) { self->quit(); });
    return start.plain(handle);
  };
  start_ok(one_for_one()
               .intensity(1, 1s)
               .child("ends", ordinary)
               .child_started_by("gone", ended_already)
               .restart(restart_type::temporary)
               .child("slow", slow_to_stop, 2s)
               .child("terminated", ordinary)
               .tree());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("terminated"));
  // One ends at the very moment of the stop; another was asked by hand and takes its time.
  caf::anon_send(at("/root/ends"), "error"s);
  caf::anon_send(at("/root"), supervisor_verb::terminate_child("slow"));
  stop();
  advance(2s);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().alive().empty());
}

BOOST_FIXTURE_TEST_CASE(S033_a_child_may_ask_its_own_supervisor_to_end_it, world) {
  auto ends_itself = [this](worker* self) -> caf::behavior {
    return {[this, self](const std::string&) {
      self->request(at("/root/b"), caf::infinite, supervisor_verb::terminate_child("w")).then([] {});
    }};
  };
  start_ok(one_for_one().child(one_for_one("b").child("w", ends_itself)).tree());
  tell("/root/b/w", "go");
  BOOST_TEST(ends() == lines{"stopped /root/b/w user_shutdown"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S033_a_child_may_ask_for_the_end_of_its_supervisor_and_of_its_tree, world) {
  auto ends_above = [this](worker* self) -> caf::behavior {
    return {[this, self](const std::string& what) {
      if (what == "tree")
        runtime().request_stop(cause("a child asked"));
      else
        self->request(at("/root"), caf::infinite, supervisor_verb::terminate_child("b")).then([] {});
    }};
  };
  start_ok(one_for_one().child(one_for_one("b").child("w", ends_above)).child("v", ends_above).tree());
  tell("/root/b/w", "supervisor");
  BOOST_TEST(ends() == (lines{"stopped /root/b/w user_shutdown", "stopped /root/b user_shutdown"}),
             boost::test_tools::per_element());
  tell("/root/v", "tree");
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S036_R20_the_report_names_what_had_to_be_abandoned, world) {
  // Its handler never returns while the tree stops: no kill can end it.
  auto entered = std::make_shared<std::promise<void>>();  // shared: the handler outlives this test
  std::promise<void> release;
  auto stuck = [entered, released = release.get_future().share()](worker*) -> caf::behavior {
    return {[=](int) {
      entered->set_value();
      released.wait();
    }};
  };
  auto spec = one_for_one().child("a", ordinary).child("s", stuck).shutdown(2s).kill_grace(3s).tree();
  std::get<static_supervisor>(spec.root.what).children.back().isolation = isolation::thread;
  // No world holds up a thread: it refuses such a tree, and its runtime is started without asking it.
  const auto refused = start(spec);
  BOOST_REQUIRE((refused && errc_of(*refused) == errc::invalid_spec));
  const auto steps_to_end = [this] {
    while (step()) {
    }
  };
  bool has_started = false;
  runtime().start(spec, {}, [&](const caf::error& e) { has_started = !e; });
  while (!has_started)
    steps_to_end();
  caf::anon_send(at("/root/s"), 1);
  entered->get_future().wait();
  runtime().request_stop({});
  steps_to_end();
  for (const auto d : {2s, 3s}) {
    runtime().contexts().advance_to(runtime().contexts().now() + d);
    steps_to_end();
  }
  BOOST_TEST(runtime().wait_ended(0s));
  const auto expected =
      "  /root/s  ABANDONED after 5s, abandoned\n"
      "  /root/a  stopped after 0s, user_shutdown\n"
      "  /root    stopped after 5s, user_shutdown\n"
      "/root: user_shutdown after 5s; 2 stopped, 0 killed, 1 abandoned\n"
      "the actor system can't end while abandoned actors run: leak it, or call runtime::leave\n"s;
  BOOST_TEST(to_string(runtime().report()) == expected);
  BOOST_TEST(log({event_kind::stop_asked, event_kind::killed, event_kind::abandoned}) ==
                 (lines{"stop_asked /root", "stop_asked /root/s", "killed /root/s", "abandoned /root/s abandoned",
                        "stop_asked /root/a"}),
             boost::test_tools::per_element());
  // The event names the culprit, for whoever collects leaks.
  const auto all = events();
  const auto leak = std::find_if(all.begin(), all.end(), [](const auto& x) { return x.kind == event_kind::abandoned; });
  BOOST_TEST((leak->actor != 0 && leak->incarnation == 1u && leak->elapsed == 5s));
  BOOST_TEST(leak->text == "killed 3s before, and still not ended");
  release.set_value();
}

BOOST_FIXTURE_TEST_CASE(S091_during_a_failing_restart_loop_every_verb_has_its_answer, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_later = [attempts](worker* self) -> caf::behavior {
    if (++*attempts > 1)
      throw std::runtime_error("no disk");
    return ordinary(self);
  };
  start_ok(one_for_one()
               .intensity(1000, 1h)
               .child("a", fails_later)
               .delays({.min = 1s, .max = 1s, .factor = 1, .jitter = 0, .reset_after = {}})
               .child("b", ordinary)
               .tree());
  tell("/root/a", "error");
  advance(3s);
  BOOST_TEST(*attempts == 4);
  BOOST_TEST((code(*ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))) ==
              errc::already_present));
  BOOST_TEST((code(*ask<caf::actor>("/root", supervisor_verb::restart_child("a"))) == errc::restarting));
  BOOST_TEST((code(*ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))) == errc::restarting));
  const auto all = **ask<std::vector<child_info>>("/root", supervisor_verb::which_children());
  BOOST_TEST((all[0].state == child_state::restarting));
  BOOST_TEST(!all[0].handle);
  BOOST_TEST((**ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{2, 1, 0, 2}));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
  advance(1h);
  BOOST_TEST(*attempts == 4);
  BOOST_TEST((code(*ask<caf::actor>("/root", supervisor_verb::start_child(worker_spec("a", ordinary)))) ==
              errc::already_present));
  BOOST_TEST(ask<caf::unit_t>("/root", supervisor_verb::delete_child("a"))->operator bool());
}

BOOST_FIXTURE_TEST_CASE(S087_S091_mail_is_served_before_each_retry_so_that_the_loop_can_be_ended, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_later = [attempts, this](worker* self) -> caf::behavior {
    if (++*attempts == 1)
      return ordinary(self);
    if (*attempts == 4)
      caf::anon_send(at("/root"), supervisor_verb::terminate_child("a"));
    throw std::runtime_error("no disk");
  };
  start_ok(one_for_one().intensity(1000000, 1h).child("a", fails_later).tree());
  tell("/root/a", "error");
  BOOST_TEST(*attempts == 4);
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST(is_alive("/root"));
}

BOOST_FIXTURE_TEST_CASE(S091_a_stop_ends_a_failing_restart_loop, world) {
  auto attempts = std::make_shared<int>(0);
  auto fails_later = [attempts, this](worker* self) -> caf::behavior {
    if (++*attempts == 1)
      return ordinary(self);
    if (*attempts == 4)
      runtime().request_stop(cause("enough"));
    throw std::runtime_error("no disk");
  };
  start_ok(one_for_all().intensity(1000000, 1h).child("b", ordinary).child("a", fails_later).tree());
  tell("/root/a", "error");
  BOOST_TEST(*attempts == 4);
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S093_ten_thousand_restarts_within_the_period_cost_no_more_each_than_the_first, world) {
  // A history that was walked for each restart would take 5e7 steps here, and 5e11 in the test of the pure part.
  start_ok(one_for_one().intensity(20000, 1h).child("a", ordinary).tree());
  for (int i = 0; i != 10000; ++i) {
    tell("/root/a", "error");
    if (i % 100 == 0)
      forget_events();
  }
  BOOST_TEST(is_alive("/root/a"));
  BOOST_TEST((**ask<std::vector<child_info>>("/root", supervisor_verb::which_children()))[0].restarts == 10000u);
}

BOOST_FIXTURE_TEST_CASE(S097_terminate_child_ends_a_backoff_at_once, world) {
  for (const auto& how : {one_for_one(), one_for_all(), rest_for_one(), one_for_dependents()}) {
    world w;
    auto tree = how;
    tree.intensity(10, 1h)
        .child("b", ordinary)
        .child("a", ordinary)
        .delays({.min = 1h, .max = 2h, .factor = 2, .jitter = 0, .reset_after = {}});
    w.start_ok(tree.tree());
    w.tell("/root/a", "error");
    BOOST_TEST(w.ask<caf::unit_t>("/root", supervisor_verb::terminate_child("a"))->operator bool());
    BOOST_TEST((**w.ask<child_counts>("/root", supervisor_verb::count_children()) == child_counts{2, 1, 0, 2}));
    w.advance(3h);
    BOOST_TEST(!w.is_alive("/root/a"));
    BOOST_TEST(w.is_alive("/root/b"));
    BOOST_TEST(w.ask<caf::actor>("/root", supervisor_verb::restart_child("a"))->operator bool());
    BOOST_TEST(w.is_alive("/root/a"));
  }
}

BOOST_FIXTURE_TEST_CASE(S117_a_child_that_takes_off_its_links_and_monitors_can_not_hang_its_supervisor, world) {
  auto hides = [this](worker* self) -> caf::behavior {
    return {[this, self](const std::string& what) {
      if (what == "end")
        return self->finish(error);
      const auto above = at("/root");
      self->unlink_from(above);
      self->demonitor(above);
      self->set_exit_handler([](caf::exit_msg&) {});
      self->set_down_handler([](caf::down_msg&) {});
    }};
  };
  start_ok(one_for_one().child("a", hides).child("b", ordinary).tree());
  tell("/root/a", "hide");
  const auto before = at("/root/a");
  tell("/root/a", "end");
  BOOST_TEST((at("/root/a") != before));
  tell("/root/a", "hide");
  stop();
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S118_more_than_one_monitor_is_one_restart_and_a_stale_down_does_nothing, world) {
  start_ok(one_for_one().intensity(5, 1h).child("a", ordinary).tree());
  const auto first = at("/root/a");
  const auto above = at("/root");
  // Two that watch, and tell the supervisor what they saw, as if it had monitored three times itself.
  for (int i = 0; i != 2; ++i) {
    caf::actor_cast<caf::abstract_actor*>(first)->attach_functor([above, first](const caf::error& why) {
      caf::anon_send(above, caf::down_msg{first.address(), why});
    });
  }
  tell("/root/a", "error");
  BOOST_TEST(log({event_kind::restarting}).size() == 1u);
  const auto second = at("/root/a");
  // The end of the first incarnation arrives once more, late.
  const auto& line = static_cast<const context_actor*>(caf::actor_cast<caf::abstract_actor*>(first))->line();
  detail::seam::post_urgent(caf::actor_cast<caf::abstract_actor*>(above),
                            {detail::envelope_kind::child_down, line.key(), detail::end_reason{error}});
  settle();
  BOOST_TEST((at("/root/a") == second));
  BOOST_TEST(log({event_kind::restarting}).size() == 1u);
}

namespace {

struct zone : context_key<std::string> {};

child_catalog with_zone() {
  child_catalog catalog;
  catalog.add_context_key(
      {"zone", arg_type::string, "where it runs", [](const context& parent, const arg_value& value) {
         return with_value<zone>(parent, *value.get_if<std::string>());
       }});
  return catalog;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(R02_values_and_the_deadlines_value_cross_every_boundary_of_a_tree, world) {
  std::string seen;
  std::optional<time_point> until;
  auto looks = [&](worker* self) {
    const auto* found = self->ctx().value<zone>();
    seen = found ? *found : "none";
    until = self->ctx().deadline();
    return ordinary(self);
  };
  auto tree = one_for_one()
                  .child(one_for_one("b").child(one_for_one("c").child("w", looks)))
                  .restart(restart_type::temporary)
                  .timeout(1min)
                  .tree();
  tree.root.context.values["zone"] = arg_value{std::string("eu")};
  const auto began = now();
  BOOST_REQUIRE(!*start(tree, with_zone()));
  BOOST_TEST(seen == "eu");
  BOOST_REQUIRE(until.has_value());
  BOOST_TEST((*until == began + 1min));
}

BOOST_FIXTURE_TEST_CASE(R02_R20_an_expired_deadline_of_a_supervisor_reaches_its_children_through_the_ordered_stop,
                        world) {
  lines seen;
  auto notes = [&seen](worker* self, const char* name) {
    self->on_deadline([&seen, name](const deadline_reached&) { seen.push_back(name + " deadline"s); });
    self->on_down_signal([&seen, self, name](const down_signal& why) {
      seen.push_back(name + " "s + why.error.message() + ", " + to_string(why.cause.origin()));
      self->after(1s, [self] { self->finish(caf::exit_reason::user_shutdown); });
    });
    return ordinary(self);
  };
  start_ok(one_for_one()
               .child(one_for_one("b").child("first", notes, "first").child("second", notes, "second"))
               .restart(restart_type::temporary)
               .timeout(10s)
               .tree());
  advance(10s);
  const auto last = make_error_code(errc::deadline_exceeded).message() + ", deadline";
  BOOST_TEST(seen == (lines{"second deadline", "second " + last}), boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/b/first"));
  advance(1s);
  BOOST_TEST(seen == (lines{"second deadline", "second " + last, "first deadline", "first " + last}),
             boost::test_tools::per_element());
  advance(1s);
  BOOST_TEST(ends().back() == "crashed /root/b deadline_exceeded");
}

BOOST_FIXTURE_TEST_CASE(R20_the_cause_of_what_made_a_supervisor_done_is_its_childrens_too, world) {
  lines seen;
  auto notes = [&seen](worker* self) {
    self->on_down_signal([&seen, self](const down_signal& why) {
      seen.push_back(std::string(why.cause.text()) + ", " + to_string(why.cause.origin()) + ", " +
                     why.cause.user_error().message());
      self->finish(caf::exit_reason::user_shutdown);
    });
    return ordinary(self);
  };
  start_ok(one_for_one().child(one_for_one("b").child("w", notes)).child("v", notes).tree());
  runtime().request_stop(
      cause("disk full", cause_origin::signal, "/root", std::make_error_code(std::errc::no_space_on_device)));
  settle();
  const auto expected = "disk full, signal, " + std::make_error_code(std::errc::no_space_on_device).message();
  BOOST_TEST(seen == (lines{expected, expected}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R20_the_cause_is_shutdown_only_where_nothing_else_was, world) {
  std::string seen;
  auto notes = [&seen](worker* self) {
    self->on_down_signal([&seen, self](const down_signal& why) {
      seen = std::string(why.cause.text()) + ", " + to_string(why.cause.origin());
      self->finish(caf::exit_reason::user_shutdown);
    });
    return ordinary(self);
  };
  start_ok(one_for_one().child("w", notes).tree());
  ask<caf::unit_t>("/root", supervisor_verb::terminate_child("w"));
  BOOST_TEST(seen == "stopped by its supervisor, shutdown");
}

BOOST_AUTO_TEST_CASE(R25_the_report_counts_what_else_holds_up_the_system_by_name_where_there_is_one) {
  world w;
  w.start_ok(one_for_one().child("a", ordinary).tree());
  auto plain = [](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; };
  const caf::actor one = w.system().spawn(plain);
  const caf::actor two = w.system().spawn(plain);
  w.system().registry().put(caf::atom("ledger"), one);
  w.stop();
  BOOST_TEST(w.runtime().wait_ended(0s));
  const auto report = w.runtime().report();
  BOOST_TEST(report.clean());
  BOOST_TEST(report.others == 2u);
  BOOST_TEST(report.other_names == lines{"ledger"}, boost::test_tools::per_element());
  const auto text = to_string(report);
  BOOST_TEST(text.find("held up by 2 actors outside of the tree, registered as ledger\n") != std::string::npos);
  w.system().registry().erase(caf::atom("ledger"));
  caf::anon_send_exit(one, caf::exit_reason::kill);
  caf::anon_send_exit(two, caf::exit_reason::kill);
  w.settle();
  BOOST_TEST(w.runtime().report().others == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
