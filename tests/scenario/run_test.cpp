// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <signal.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

using namespace scenario;

BOOST_FIXTURE_TEST_SUITE(run_, one_folder)

BOOST_AUTO_TEST_CASE(a_tree_starts_in_order_stops_in_reverse_and_ends_with_0) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: demo.store, args: {url: "memory:a"}}
    - {id: b, children: [{id: c, kind: demo.http}]}
    - {id: d, kind: process, restart: transient, args: {command: [sleep, "3600"]}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(
      program.order({"started", "stopped"}) ==
          (std::vector<std::string>{"started /t/a", "started /t/b/c", "started /t/b", "started /t/d", "started /t",
                                    "stopped /t/d", "stopped /t/b/c", "stopped /t/b", "stopped /t/a", "stopped /t"}),
      boost::test_tools::per_element());
  BOOST_TEST(program.err() == "");
}

BOOST_AUTO_TEST_CASE(text_is_the_default_and_ends_with_the_report) {
  const auto file = tree(R"(
tree: {id: t, children: [{id: a, kind: process, args: {command: [sh, -c, "echo hello; exec sleep 3600"]}}]}
)");
  run_of_program program({"run", file});
  BOOST_TEST(program.says("/t/a | hello"), program.out());
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.says("shutdown report"), program.out());
}

BOOST_AUTO_TEST_CASE(a_tree_stops_by_itself_after_its_time_though_that_is_too_short_for_its_start) {
  const auto file = tree(R"(
tree: {id: t, children: [{id: a, kind: process, ready: {timeout: 1h}, args: {command: [sleep, "3600"], ready_line: up}}]}
)");
  run_of_program program({"run", file, "--for", "50ms"});
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.says("stopping: --for has passed"), program.out());
}

BOOST_AUTO_TEST_CASE(a_tree_goes_on_when_nobody_reads_its_log_or_there_is_no_standard_output) {
  const auto file = tree("tree: {id: t, children: [{id: a, kind: demo.worker, args: {every: 1ms}}]}\n");
  const auto run = std::string(ACTORTREE_PATH) + " run " + file + " --for 100ms";
  const auto status = folder.path() + "/status";
  BOOST_TEST(std::system(("(" + run + "; echo $? > " + status + ") | true").c_str()) == 0);
  int ended_with = -1;
  std::ifstream(status) >> ended_with;
  BOOST_TEST(ended_with == ok);
  BOOST_TEST(std::system((run + " >&-").c_str()) == 0);
}

BOOST_AUTO_TEST_CASE(every_line_of_the_json_log_is_an_object_whatever_a_process_writes) {
  // Bytes that are no UTF-8, quotes, control characters, an escape, and a line that is longer than the limit.
  const auto file = tree(R"(
tree:
  id: t
  children:
    - id: a
      kind: process
      restart: temporary
      args: {command: [sh, -c, 'printf "a\377\200\"\\\\\001\033[1m{}\n"; head -c 70000 /dev/zero | tr "\\0" x']}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("ended", "/t/a");
  program.signal(SIGINT);
  BOOST_TEST(program.exit_status() == ok);
  // A line that is no object is a fault of its own, found by the destructor.
  const auto output = program.wait("output", "/t/a").at("text").get<std::string>();
  BOOST_TEST(output.starts_with("a"));
  BOOST_TEST(output.ends_with("\"\\\x01\x1b[1m{}"), output);
}

BOOST_AUTO_TEST_CASE(a_command_that_does_not_exist_is_a_failed_start_that_says_so) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - {id: b, kind: process, args: {command: [no-such-command-here]}}
)");
  run_of_program program({"run", file});
  BOOST_TEST(program.exit_status() == start_failed);
  const auto out = program.out();
  BOOST_TEST(out.find("cannot run no-such-command-here: No such file or directory") != std::string::npos, out);
  BOOST_TEST(out.find("stopped      /t/a") != std::string::npos, out);
}

BOOST_AUTO_TEST_CASE(a_process_that_ends_is_restarted_and_too_many_restarts_end_the_tree) {
  const auto file = tree(R"(
tree:
  id: t
  intensity: 2
  period: 1m
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - {id: b, kind: process, args: {command: [sh, -c, "exit 3"]}}
)");
  run_of_program program({"run", file, "--log", "json"});
  BOOST_TEST(program.exit_status() == tree_failed);
  BOOST_TEST(program.wait("crashed", "/t/b", 3).at("reason") == "exit_status: 3");
  program.wait("gave_up", "/t");
  program.wait("stopped", "/t/a");
}

BOOST_AUTO_TEST_CASE(a_worker_that_throws_is_restarted_and_its_words_are_in_the_log) {
  const auto file = tree(R"(
tree:
  id: t
  intensity: 100
  children: [{id: a, kind: demo.crash, args: {after: 10ms, text: boom}}]
)");
  run_of_program program({"run", file, "--log", "json"});
  const auto reason = program.wait("crashed", "/t/a").at("reason").get<std::string>();
  BOOST_TEST(reason.find("boom") != std::string::npos, reason);
  program.wait("started", "/t/a", 2);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_stuck_handler_is_reported_and_its_return_too) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: demo.stuck, args: {after: 10ms, for: 3s}, watch: {stuck_after: 100ms}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("stuck", "/t/a");
  program.wait("recovered", "/t/a");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(the_report_comes_last_after_all_that_the_watchdog_has_to_tell) {
  const auto file = tree(R"(
tree:
  id: t
  watch: {stuck_after: 50ms}
  children: [{id: a, kind: demo.stuck, args: {after: 1ms, for: 3s}, shutdown: 1m}]
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("stuck", "/t/a");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  const auto events = program.events();
  BOOST_TEST_REQUIRE(!events.empty());
  const auto last = events.back().value("text", "");
  BOOST_TEST(last.starts_with("shutdown report\n"), events.back().dump());
  BOOST_TEST(program.order({"recovered"}) == (std::vector<std::string>{"recovered /t/a"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(output_waits_for_a_slow_reader_and_none_is_lost) {
  constexpr int count = 150'000;  // more than the log's queue takes
  const auto file = tree(
      "tree: {id: t, children: [{id: a, kind: process, restart: temporary, args: {command: [sh, -c, "
      "\"exec seq 1 " +
      std::to_string(count) + "\"]}}]}\n");
  run_of_program program({"run", file});
  program.hold_output(true);
  // Then what is written waits in pipes and in its bounded queue.
  wait_until_it_reads_no_more(program.pid());
  program.hold_output(false);
  const auto until = std::chrono::steady_clock::now() + generous;
  while (program.out().find("ended        /t/a") == std::string::npos && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  const auto out = program.out();
  int next = 1;
  for (std::size_t at = out.find("/t/a | "); at != std::string::npos; at = out.find("/t/a | ", at + 1))
    next += std::atoi(out.c_str() + at + 7) == next ? 1 : 0;
  BOOST_TEST(next == count + 1);
  BOOST_TEST(out.find("were lost") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(many_processes_need_no_higher_limit_of_open_files_and_get_none) {
  constexpr int count = 40;  // 120 descriptors
  std::string inner = "schema: 1\ntree:\n  id: i\n  auto_shutdown: any_significant\n  children:\n";
  for (int i = 0; i < count; ++i)
    inner += "    - {id: p" + std::to_string(i) +
             ", kind: process, args: {command: [sh, -c, \"echo limit $(ulimit -Sn); exec sleep 3600\"], "
             "ready_line: limit}, ready: {}}\n";
  // It ends when all have started.
  inner += "    - {id: last, kind: process, restart: temporary, significant: true, args: {command: [\"true\"]}}\n";
  const auto file = tree(
      "tree: {id: t, children: [{id: a, kind: process, restart: temporary, args: {command: [sh, -c, "
      "\"ulimit -Sn 64; exec " ACTORTREE_PATH " run " +
      folder.file("inner.yaml", inner) + "\"]}}]}\n");
  run_of_program program({"run", file, "--log", "json"});
  BOOST_TEST(program.wait("ended", "/t/a").value("reason", "") == "normal");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  const auto all = program.events();
  BOOST_TEST(std::count_if(all.begin(), all.end(), [](const auto& e) {
               return e.at("event") == "output" && e.value("text", std::string()).ends_with("| limit 64");
             }) == count);
}

BOOST_AUTO_TEST_CASE(no_descendant_of_a_program_that_is_killed_survives_it) {
  // One that stays, one with a child in its group, and one that leaves a daemon which ignores SIGTERM.
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - {id: b, kind: process, args: {command: [sh, -c, "sleep 3600 & echo up; wait"], ready_line: up}, ready: {}}
    - {id: c, kind: process, args: {command: [)" DAEMON_PATH ", c, " +
                         folder.path() + R"(/log, orphan=1, line=up], ready_line: up}, ready: {}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  // The program, its warden, three keepers, and five processes; the daemon's first fork may still be about to end.
  BOOST_TEST(program.alive().size() >= 10u);
  program.signal(SIGKILL);
  BOOST_TEST(program.exit_status() == 1000 + SIGKILL);
  BOOST_TEST(program.leaves_nothing());
}

BOOST_AUTO_TEST_CASE(a_stop_leaves_no_daemon_behind) {
  const auto file = tree(R"(
tree:
  id: t
  children:
    - {id: c, kind: process, args: {command: [)" DAEMON_PATH ", c, " +
                         folder.path() + R"(/log, orphan=1, line=up], ready_line: up}, ready: {}}
)");
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.leaves_nothing());
}

BOOST_AUTO_TEST_CASE(two_hundred_processes_of_which_one_in_ten_crashes_leave_nothing) {
  std::string children;
  for (int i = 0; i < 200; ++i)
    children += "    - {id: d" + std::to_string(i) + ", use: daemon}\n";
  const auto file = tree(
      "shutdown: {budget: 2m}\n"  // more than a loaded machine needs
      "templates:\n  daemon: {kind: process, restart: permanent, start_timeout: 1m, shutdown: 1m, args: "
      "{command: [" DAEMON_PATH ", d, " +
      folder.path() +
      "/log, crash=10, orphan=1]}}\n"
      "tree:\n  id: t\n  start: graph\n  intensity: 100000\n  period: 1m\n  children:\n" +
      children);
  run_of_program program({"run", file, "--log", "json"});
  program.wait("started", "/t");
  const auto crashes = [&] {
    const auto all = program.events();
    return std::count_if(all.begin(), all.end(), [](const auto& e) { return e.at("event") == "crashed"; });
  };
  const auto until = std::chrono::steady_clock::now() + generous;
  while (crashes() < 5 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(crashes() >= 5);  // of twenty, more or less
  // What ends is reaped at once; a zombie that stays is one too many.
  while (zombies_below(program.pid()) != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST((std::chrono::steady_clock::now() < until));
  // Two pipes and a keeper's socket for each; some starts may be under way.
  BOOST_TEST(descriptors_of(program.pid()) < 200u * 3u + 100u);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.leaves_nothing());
}

BOOST_AUTO_TEST_SUITE_END()
