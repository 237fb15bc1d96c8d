// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <signal.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace scenario;

BOOST_FIXTURE_TEST_SUITE(stop_, one_folder)

BOOST_DATA_TEST_CASE(a_signal_stops_a_running_tree_in_order, boost::unit_test::data::make({SIGTERM, SIGINT}), number) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - {id: b, kind: process, args: {command: [sh, -c, "sleep 3600 & sleep 3600 & wait"]}}
    - {id: c, kind: demo.worker}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  program.signal(number);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.order({"stopped"}) ==
                 (std::vector<std::string>{"stopped /t/c", "stopped /t/b", "stopped /t/a", "stopped /t"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_signal_in_the_middle_of_a_start_stops_what_has_started) {
  // The second child never becomes ready, and the third is never reached.
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - id: b
      kind: process
      start_timeout: 1h
      ready: {timeout: 1h}
      args: {command: [sh, -c, "echo going; exec sleep 3600"], ready_line: never}
    - {id: c, kind: process, args: {command: [sleep, "3600"]}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("output", "/t/b");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  program.wait("stopped", "/t/a");
  BOOST_TEST(program.order({"start_asked"}) ==
                 (std::vector<std::string>{"start_asked /t", "start_asked /t/a", "start_asked /t/b"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_signal_in_the_middle_of_a_restart_stops_the_tree) {
  // Its second start never completes.
  const auto file = tree(R"(
tree:
  id: t
  intensity: 10
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - id: b
      kind: process
      start_timeout: 1h
      ready: {timeout: 1h}
      args:
        command: [sh, -c, "if mkdir once; then echo ready; exit 1; else echo again; exec sleep 3600; fi"]
        cwd: )" + folder.path() +
                         R"(
        ready_line: ready
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("output", "/t/b", 2);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  program.wait("stopped", "/t/a");
}

BOOST_AUTO_TEST_CASE(a_signal_while_a_restart_is_delayed_does_not_wait_for_it) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - {id: b, kind: process, args: {command: [sh, -c, "exit 1"]}, backoff: {min: 1h, max: 1h}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("restarting", "/t/b");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_second_signal_in_the_middle_of_a_stop_ends_everything_at_once) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sh, -c, "trap '' TERM; sleep 3600 & wait; sleep 3600"]}, shutdown: 1h}
    - {id: b, kind: demo.stubborn, shutdown: 1h}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  program.signal(SIGTERM);
  program.wait("note", "/t/b");  // it has seen its stop, and ignores it
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == stopped_at_once);
}

BOOST_AUTO_TEST_CASE(the_first_signal_in_a_stop_that_nobody_signaled_for_is_no_second_one) {
  const auto file = tree(R"(
tree: {id: t, children: [{id: a, kind: demo.stubborn, shutdown: 1500ms}]}
)");
  const auto socket = folder.path() + "/socket";
  run_of_program program({"run", file, "--log", "json", "--socket", socket});
  program.wait("started", "/t");
  run_of_program shutdown({"ctl", "--socket", socket, "shutdown"});
  program.wait("note", "/t/a");  // it has seen its stop, and ignores it
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(shutdown.exit_status() == ok);
  BOOST_TEST(program.order({"killed"}) == (std::vector<std::string>{"killed /t/a"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_log_that_nobody_reads_holds_up_no_end) {
  const auto file = tree(R"(
tree: {id: t, children: [{id: a, kind: process, args: {command: [sh, -c, "exec yes"]}}]}
)");
  run_of_program program({"run", file});
  program.hold_output(true);
  wait_until_it_reads_no_more(program.pid());
  program.signal(SIGTERM);
  BOOST_TEST(program.leaves_nothing());
  program.hold_output(false);  // its end is told after its output
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(what_ignores_its_stop_is_killed_and_the_report_says_so) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - id: a
      kind: process
      args: {command: [sh, -c, "trap '' TERM; echo up; sleep 3600; sleep 3600"]}
      shutdown: 100ms
    - {id: b, kind: demo.stubborn, shutdown: 100ms}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("output", "/t/a");
  program.wait("started", "/t");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.order({"killed"}) == (std::vector<std::string>{"killed /t/b", "killed /t/a"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(R25_a_stop_over_stuck_children_keeps_its_budget_shows_their_stacks_and_says_so_in_the_status) {
  const auto file = tree(R"(
shutdown: {budget: 2s}
defaults: {shutdown: 100ms, kill_grace: 500ms}
tree:
  id: t
  kill_grace: 500ms
  watch: {stuck_after: 50ms}
  children:
    - {id: a, kind: demo.stuck, args: {after: 1ms, for: 1h}}
    - {id: b, kind: demo.stuck, args: {after: 1ms, for: 1h}}
    - {id: c, kind: demo.stuck, args: {after: 1ms, for: 1h}}
)");
  run_of_program program({"run", file, "--log", "json"});
  for (const auto* path : {"/t/a", "/t/b", "/t/c"})
    program.wait("stuck", path);
  const auto before = std::chrono::steady_clock::now();
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == overrun);
  BOOST_TEST((std::chrono::steady_clock::now() - before < std::chrono::seconds(5)));
  const auto text = program.out() + program.err();
  // The supervisor could act, although all threads were held.
  BOOST_TEST(
      program.order({"abandoned"}) == (std::vector<std::string>{"abandoned /t/a", "abandoned /t/b", "abandoned /t/c"}),
      boost::test_tools::per_element());
  BOOST_TEST(text.find("ABANDONED") != std::string::npos, text);
  BOOST_TEST(text.find("demo_kinds.cpp:") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
