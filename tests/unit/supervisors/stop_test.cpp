// SPDX-License-Identifier: BSL-1.0
#include "workers.hpp"

#include <algorithm>

using namespace libactor;
using namespace libactor::tests;

BOOST_AUTO_TEST_SUITE(stop)

BOOST_FIXTURE_TEST_CASE(S020_full_stop_is_the_exact_reverse_of_the_start_order, world) {
  start_ok(one_for_one()
               .child("a", ordinary)
               .child(one_for_all("b").child("b1", ordinary).child("b2", ordinary))
               .child("c", ordinary)
               .tree());
  stop();
  const lines expected{"stopped /root/c user_shutdown",    "stopped /root/b/b2 user_shutdown",
                       "stopped /root/b/b1 user_shutdown", "stopped /root/b user_shutdown",
                       "stopped /root/a user_shutdown",    "stopped /root user_shutdown"};
  BOOST_TEST(ends() == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S021_each_child_is_down_before_the_next_is_asked, world) {
  start_ok(one_for_one().child("a", slow_to_stop, 1s).child("b", slow_to_stop, 2s).tree());
  stop();
  BOOST_TEST(log({event_kind::stop_asked}) == (lines{"stop_asked /root", "stop_asked /root/b"}),
             boost::test_tools::per_element());
  advance(1999ms);
  BOOST_TEST(log({event_kind::stop_asked}).size() == 2u);
  advance(1ms);
  BOOST_TEST(log({event_kind::stop_asked}).back() == "stop_asked /root/a");
  BOOST_TEST(!is_alive("/root/b"));
  advance(1s);
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S022_infinity_waits, world) {
  start_ok(one_for_one().child("a", slow_to_stop, 24h).shutdown(shutdown_limit::infinity()).tree());
  stop();
  advance(24h - 1ns);
  BOOST_TEST(is_alive("/root/a"));
  advance(1ns);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().report().clean());
}

BOOST_FIXTURE_TEST_CASE(S023_a_child_that_outlives_its_shutdown_time_is_killed, world) {
  start_ok(one_for_one().child("a", ordinary).child("slow", ignores_stop).shutdown(2s).child("c", ordinary).tree());
  stop();
  advance(1999ms);
  BOOST_TEST(is_alive("/root/slow"));
  advance(1ms);
  const lines expected{"stopped /root/c user_shutdown", "stopped /root/slow kill", "stopped /root/a user_shutdown",
                       "stopped /root user_shutdown"};
  BOOST_TEST(ends() == expected, boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::killed}) == lines{"killed /root/slow"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S024_brutal_kill_overtakes_a_backlog_of_10000_ordinary_messages, world) {
  int handled = 0;
  auto counts = [&handled](worker*) -> caf::behavior { return {[&handled](int) { ++handled; }}; };
  start_ok(one_for_one().child("a", counts).shutdown(shutdown_limit::brutal_kill()).tree());
  for (int i = 0; i != 10000; ++i)
    caf::anon_send(at("/root/a"), i);
  stop();
  // It may have begun before the supervisor's turn came; the backlog is not served.
  BOOST_TEST(handled < 10);
  BOOST_TEST(ends().front() == "stopped /root/a kill");
}

BOOST_FIXTURE_TEST_CASE(S025_children_that_end_by_themselves_during_a_stop_keep_their_reasons, world) {
  const std::pair<const char*, const char*> ways[] = {{"normal", "ended {} normal"},
                                                      {"shutdown", "ended {} user_shutdown"},
                                                      {"shutdown with words", "ended {} shutdown: for the night"},
                                                      {"error", "crashed {} invalid_argument"}};
  auto builder = one_for_one();
  std::vector<std::pair<std::string, const char*>> others;  // path, and how it shall end
  lines expected;
  for (const auto type : {restart_type::permanent, restart_type::transient, restart_type::temporary}) {
    for (const auto& [how, line] : ways) {
      const auto id = std::to_string(others.size());
      builder.child(id, ordinary).restart(type);
      others.emplace_back("/root/" + id, how);
      expected.push_back(std::string(line).replace(std::string(line).find("{}"), 2, "/root/" + id));
    }
  }
  builder.child("slow", slow_to_stop, 4s);
  start_ok(builder.tree());
  stop();
  for (const auto& [path, how] : others)
    tell(path, how);
  advance(4s);
  expected.push_back("stopped /root/slow user_shutdown");
  expected.push_back("stopped /root user_shutdown");
  BOOST_TEST(ends() == expected, boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::restarting}).empty());
}

BOOST_FIXTURE_TEST_CASE(S026_dynamic_children_may_answer_a_stop_with_any_reason, world) {
  auto reasons = std::make_shared<std::vector<caf::error>>(
      std::vector<caf::error>{caf::error{}, caf::exit_reason::user_shutdown,
                              make_error(errc::shutdown, "for the night"), make_error(errc::abandoned)});
  auto next = std::make_shared<std::size_t>(0);
  auto model = worker_spec("w", [reasons, next](worker* self) {
    const auto reason = (*reasons)[(*next)++];
    self->on_down_signal([self, reason](const down_signal&) { self->finish(reason); });
    return ordinary(self);
  });
  start_ok(one_for_one().dynamic("pool", model).tree());
  for (std::size_t i = 0; i != reasons->size(); ++i)
    BOOST_TEST(ask<caf::actor>("/root/pool", supervisor_verb::start_child()).has_value());
  stop();
  BOOST_TEST(ends().size() == 6u);
  BOOST_TEST(ends()[4] == "stopped /root/pool user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(S027_dynamic_shutdown_is_parallel, world) {
  auto waits = std::make_shared<std::vector<duration>>(std::vector<duration>{1s, 1s, 5s});
  auto next = std::make_shared<std::size_t>(0);
  auto model = worker_spec("w", [waits, next](worker* self) { return slow_to_stop(self, (*waits)[(*next)++]); });
  model.shutdown = shutdown_limit(2s);
  start_ok(one_for_one().dynamic("pool", model).tree());
  for (int i = 0; i != 3; ++i)
    BOOST_TEST(ask<caf::actor>("/root/pool", supervisor_verb::start_child()).has_value());
  stop();
  advance(1999ms);
  BOOST_TEST(!runtime().wait_ended(0s));
  advance(1ms);
  BOOST_TEST(runtime().wait_ended(0s));
  const lines expected{"stopped /root/pool/w#1 user_shutdown", "stopped /root/pool/w#2 user_shutdown",
                       "stopped /root/pool/w#3 kill", "stopped /root/pool user_shutdown",
                       "stopped /root user_shutdown"};
  BOOST_TEST(ends() == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S028_a_killed_supervisor_leaves_no_orphan, world) {
  start_ok(one_for_one()
               .child(one_for_one("b").child("b1", ignores_stop).child(one_for_one("b2").child("leaf", ordinary)))
               .child("c", ordinary)
               .tree());
  const auto before = at("/root/b/b1");
  caf::anon_send_exit(at("/root/b"), caf::exit_reason::kill);
  settle();
  // What ignores its stop lives until the grace is over; only then does the successor start.
  BOOST_TEST(!is_alive("/root/b/b2/leaf"));
  BOOST_TEST((at("/root/b/b1") == before));
  advance(1s);
  BOOST_TEST(is_alive("/root/b/b2/leaf"));
  BOOST_TEST((at("/root/b/b1") != before));
  BOOST_TEST(ends().back() == "crashed /root/b kill");
}

BOOST_FIXTURE_TEST_CASE(S029_a_supervisor_killed_in_the_middle_of_its_shutdown_leaves_no_orphan, world) {
  start_ok(one_for_one().child(one_for_one("b").child("b1", ordinary).child("b2", slow_to_stop, 4s)).tree());
  stop();
  caf::anon_send_exit(at("/root/b"), caf::exit_reason::kill);
  settle();
  advance(2s);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().alive().empty());
}

BOOST_FIXTURE_TEST_CASE(S032_stop_is_idempotent, world) {
  start_ok(one_for_one().child("a", slow_to_stop, 1s).tree());
  stop();
  stop();
  runtime().request_stop(cause("again"));
  advance(1s);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().report().children.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(S034_R21_the_budget_of_the_whole_stop_is_kept_and_what_is_left_is_reported, world) {
  start_ok(one_for_one()
               .child("a", slow_to_stop, 3s)
               .child("b", ignores_stop)
               .shutdown(shutdown_limit::infinity())
               .child("c", slow_to_stop, 2s)
               .tree(12s));
  stop();
  advance(10999ms);
  BOOST_TEST(is_alive("/root/b"));
  advance(1ms);
  BOOST_TEST(runtime().wait_ended(0s));
  const auto report = runtime().report();
  BOOST_TEST(report.killed() >= 1u);
  BOOST_TEST(report.within_budget);
  BOOST_TEST((report.ended - report.began <= 12s));
  // The root's own time is up at the same moment: it goes with everything below it.
  const auto& children = report.children;
  BOOST_TEST(std::count_if(children.begin(), children.end(),
                           [](const auto& c) { return c.path == "/root/b" && c.killed && c.clipped; }) == 1);
  const auto text = to_string(report);
  BOOST_TEST_INFO(text);
  BOOST_TEST(text.find("/root/b  KILLED after 11s, kill; its infinity was clipped\n") != text.npos);
  BOOST_TEST(text.find("/root/c  stopped after 2s, user_shutdown\n") != text.npos);
}

BOOST_FIXTURE_TEST_CASE(R21_an_infinity_that_nothing_clipped_is_not_said_to_be, world) {
  start_ok(one_for_one()
               .child("a", slow_to_stop, 3s)
               .shutdown(shutdown_limit::infinity())
               .child("b", ignores_stop)
               .shutdown(1s)
               .tree(12s));
  stop();
  advance(5s);
  const auto report = runtime().report();
  BOOST_TEST(report.killed() == 1u);
  BOOST_TEST(to_string(report).find("clipped") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(S036_the_report_lists_each_child_in_order_with_its_reason_and_time, world) {
  start_ok(one_for_one().child("a", slow_to_stop, 1s).child("b", ignores_stop).shutdown(2s).tree());
  stop();
  advance(3s);
  const auto expected =
      "  /root/b  KILLED after 2s, kill\n"
      "  /root/a  stopped after 1s, user_shutdown\n"
      "  /root    stopped after 3s, user_shutdown\n"
      "/root: user_shutdown after 3s; 2 stopped, 1 killed, 0 abandoned\n"s;
  BOOST_TEST(to_string(runtime().report()) == expected);
}

BOOST_FIXTURE_TEST_CASE(S119_R02_cancelling_above_a_supervisor_stops_its_children_in_order, world) {
  // The runtime's own boundary is above: its cancel reaches the children one after another.
  start_ok(one_for_one().child("a", ordinary).child("b", slow_to_stop, 1s).tree());
  runtime().request_stop(cause("from above", cause_origin::signal));
  settle();
  BOOST_TEST(is_alive("/root/a"));
  advance(1s);
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(S119_R03_stop_now_reaches_everything_at_once, world) {
  start_ok(one_for_one()
               .child("a", ignores_stop)
               .child(one_for_one("b").child("b1", slow_to_stop, 1h))
               .child("c", slow_to_stop, 1h)
               .tree());
  runtime().stop_now(cause("now"));
  settle();
  BOOST_TEST(runtime().alive().empty());
  BOOST_TEST(runtime().wait_ended(0s));
}

BOOST_FIXTURE_TEST_CASE(R10_a_deadline_holds_for_all_incarnations_and_the_sooner_of_two_binds, world) {
  start_ok(one_for_one()
               .intensity(10, 1h)
               .child("a", ordinary)
               .deadline(now() + 3s)
               .child("b", ordinary)
               .deadline(now() + 3s)
               .timeout(1s)
               .child("s", ordinary)
               .tree());
  advance(999ms);
  BOOST_TEST(ends().empty());
  advance(1ms);
  BOOST_TEST(ends() == lines{"crashed /root/b deadline_exceeded"}, boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/b"));
  tell("/root/a", "error");
  forget_events();
  advance(2s);
  BOOST_TEST(!is_alive("/root/a"));
  BOOST_TEST(!is_alive("/root/b"));
  BOOST_TEST(is_alive("/root/s"));
}

BOOST_FIXTURE_TEST_CASE(R10_a_restart_after_the_deadline_is_neither_tried_again_nor_counted, world) {
  start_ok(one_for_one()
               .intensity(0, 1h)
               .child("a", ordinary)
               .deadline(now() + 3s)
               .child(one_for_one("s").child("b", ordinary))
               .deadline(now() + 3s)
               .tree());
  advance(3s);
  // With an intensity of 0 a single restart would be one too many.
  BOOST_TEST(log({event_kind::restarting, event_kind::gave_up}).empty());
  BOOST_TEST(log({event_kind::start_failed}) ==
                 (lines{"start_failed /root/a deadline_exceeded", "start_failed /root/s deadline_exceeded"}),
             boost::test_tools::per_element());
  const auto children = *ask<std::vector<child_info>>("/root", supervisor_verb::which_children());
  BOOST_REQUIRE(children->size() == 2u);
  for (const auto& child : *children)
    BOOST_TEST((!child.handle && child.state == child_state::idle));
  const auto again = *ask<caf::actor>("/root", supervisor_verb::restart_child("a"));
  BOOST_REQUIRE(!again);
  BOOST_TEST(errc_of(again.error()).value() == errc::deadline_exceeded);
  BOOST_TEST(
      (*ask<child_counts>("/root", supervisor_verb::count_children())->operator->() == child_counts{2, 0, 1, 1}));
}

BOOST_FIXTURE_TEST_CASE(R10_a_backoff_that_ends_after_the_deadline_is_the_last, world) {
  start_ok(one_for_one().intensity(1, 1h).child("a", ordinary).deadline(now() + 3s).delays({2s, 2s, 1, 0, {}}).tree());
  advance(2s);
  tell("/root/a", "error");
  advance(1h);
  BOOST_TEST(log({event_kind::restarting, event_kind::start_failed, event_kind::gave_up}) ==
                 (lines{"restarting /root/a",
                        "start_failed /root/a deadline_exceeded: its deadline had passed before it started"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R10_a_deadline_that_is_past_at_the_start_fails_it, world) {
  advance(1s);
  const auto result = start(one_for_one().child("a", ordinary).child("b", ordinary).deadline(now()).tree());
  BOOST_REQUIRE((result && *result));
  BOOST_TEST(describe(*result).find("/root/b: deadline_exceeded") != std::string::npos, describe(*result));
  BOOST_TEST(ends() == (lines{"stopped /root/a user_shutdown"}), boost::test_tools::per_element());
  BOOST_TEST(starts() == lines{"started /root/a"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R10_a_timeout_counts_from_the_start_of_each_incarnation, world) {
  start_ok(one_for_one().intensity(10, 1s).child("a", ordinary).timeout(3s).tree());
  advance(3s);
  BOOST_TEST(ends() == lines{"crashed /root/a deadline_exceeded"}, boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::deadline}) == lines{"deadline /root/a deadline_exceeded"},
             boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/a"));
  advance(2999ms);
  BOOST_TEST(ends().size() == 1u);
  advance(1ms);
  BOOST_TEST(ends().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(R17_a_plain_actor_is_stopped_by_an_exit_message, world) {
  auto plain = [](child_start& start) {
    return start.plain(start.system().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
  };
  start_ok(one_for_one().child_started_by("p", plain).tree());
  stop();
  BOOST_TEST(ends().front() == "stopped /root/p user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(R20_a_child_that_ignores_even_the_deadline_is_killed_after_its_shutdown_time, world) {
  start_ok(one_for_one().child("a", ignores_stop).timeout(1s).shutdown(2s).tree());
  advance(2999ms);
  BOOST_TEST(ends().empty());
  advance(1ms);
  BOOST_TEST(ends() == lines{"crashed /root/a kill"}, boost::test_tools::per_element());
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(a_tree_that_stops_while_it_starts_leaves_nothing, world) {
  BOOST_TEST(!start(one_for_one().child("a", ordinary).child("b", never_starts).child("c", ordinary).tree()));
  stop();
  advance(6s);
  BOOST_TEST(runtime().wait_ended(0s));
  BOOST_TEST(runtime().alive().empty());
  BOOST_TEST(log({event_kind::started}) == lines{"started /root/a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
