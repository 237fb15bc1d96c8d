// SPDX-License-Identifier: BSL-1.0
#include "one_tree.hpp"
#include "supervisors/process/warden.hpp"
#include "supervisors/snapshot.hpp"

#include <boost/test/data/test_case.hpp>

#include <sys/wait.h>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <future>
#include <thread>

using namespace libactor;
using namespace std::chrono_literals;
using libactor::process::generous;
using libactor::process::one_tree;
using libactor::process::processes_with;

namespace {

struct end_case {
  const char* script;
  event_kind kind;
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const end_case& x) { return out << x.script; }

const end_case ends[] = {{"exit 0", event_kind::ended, "normal"},
                         {"exit 3", event_kind::crashed, "exit_status: 3"},
                         {"kill -9 $$", event_kind::crashed, "signaled: 9"}};

struct has_warden {
  std::shared_ptr<process::warden> keeping = process::warden::start();
};

// A tree whose process does not end though it is told to, for as long as its keeper is held.
struct held_process : has_warden, one_tree {
  held_process() : one_tree(std::make_shared<process::process_host>(keeping)) {}

  void start_and_hold(duration kill_grace, restart_type restart = restart_type::permanent) {
    auto child = sh("p", "trap '' TERM; echo $PPID; exec sleep 3600");
    child.shutdown = shutdown_limit(1ms);
    child.kill_grace = kill_grace;
    child.restart = restart;
    BOOST_TEST(!start({child}));
    keeper = std::stoi(log->wait(event_kind::output, "/t/p").text);
    ::kill(keeper, SIGSTOP);
    BOOST_TEST_REQUIRE(keeper > 1);
  }
  bool is_adopted() const {
    for (const auto& node : snapshot(*tree_runtime).nodes) {
      if (node.path == "/t/p")
        return node.state == child_state::adopted;
    }
    return false;
  }
  pid_t keeper = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(process_kind_, one_tree)

BOOST_DATA_TEST_CASE(the_end_of_a_process_is_the_reason_of_its_worker, boost::unit_test::data::make(ends), end) {
  auto child = sh("p", end.script);
  child.restart = restart_type::temporary;
  BOOST_TEST(!start({child}));
  const auto what = log->wait(end.kind, "/t/p");
  BOOST_TEST(what.reason == end.reason);
}

BOOST_AUTO_TEST_CASE(a_command_that_does_not_exist_fails_the_start_with_its_words) {
  auto child = sh("p", "");
  child.what = kind_child{"process", {{"command", arg_list{"libactor-no-such-command"}}}};
  const auto error = start({sh("first", "sleep 3600"), child});
  BOOST_TEST(static_cast<bool>(error));
  BOOST_TEST(log->wait(event_kind::start_failed, "/t/p").reason ==
             "start_failed: cannot run libactor-no-such-command: No such file or directory");
  // What had started is stopped again.
  log->wait(event_kind::stopped, "/t/first");
}

BOOST_AUTO_TEST_CASE(each_line_of_output_is_an_event_with_the_path) {
  auto child = sh("p", "echo one; printf 'two\\r\\n'; printf 'three'");
  child.restart = restart_type::temporary;
  BOOST_TEST(!start({child}));
  log->wait(event_kind::ended, "/t/p");
  BOOST_TEST(log->texts(event_kind::output) == (std::vector<std::string>{"one", "two", "three"}),
             boost::test_tools::per_element());
  BOOST_TEST(log->wait(event_kind::output, "/t/p").text == "one");
}

BOOST_AUTO_TEST_CASE(much_output_is_forwarded_without_loss) {
  auto child = sh("p", "seq 1 200000");
  child.restart = restart_type::temporary;
  BOOST_TEST(!start({child}));
  log->wait(event_kind::ended, "/t/p");
  const auto texts = log->texts(event_kind::output);
  BOOST_TEST_REQUIRE(texts.size() == 200000u);
  for (std::size_t i = 0; i < texts.size(); ++i)
    BOOST_TEST_REQUIRE(texts[i] == std::to_string(i + 1));
}

BOOST_AUTO_TEST_CASE(a_long_line_comes_in_pieces_and_a_note_says_so) {
  auto child = sh("p", "head -c 100000 /dev/zero | tr '\\0' x");
  child.restart = restart_type::temporary;
  BOOST_TEST(!start({child}));
  log->wait(event_kind::ended, "/t/p");
  const auto texts = log->texts(event_kind::output);
  BOOST_TEST_REQUIRE(texts.size() == 2u);
  BOOST_TEST(texts[0].size() == process::max_line);
  const auto notes = log->texts(event_kind::note);
  BOOST_TEST(std::count(notes.begin(), notes.end(), "its lines longer than 65536 bytes come in pieces") == 1);
}

BOOST_AUTO_TEST_CASE(a_process_that_ends_by_itself_is_restarted) {
  auto child = sh("p", "sleep 3600");
  BOOST_TEST(!start({child}));
  log->wait(event_kind::started, "/t/p");
  const auto first = processes_with(mark);
  for (const auto pid : first)
    ::kill(pid, SIGKILL);
  log->wait(event_kind::started, "/t/p", 2);
}

BOOST_AUTO_TEST_CASE(a_stop_sends_SIGTERM_to_the_group_and_waits_for_the_end) {
  auto child = sh("p", "exec 2>/dev/null; trap 'echo bye; exit 1' TERM; echo up; while :; do sleep 0.01; done");
  BOOST_TEST(!start({child}));
  log->wait(event_kind::output, "/t/p");
  const auto report = tree_runtime->stop();
  BOOST_TEST(report.clean());
  const auto stopped = log->wait(event_kind::stopped, "/t/p");
  BOOST_TEST(stopped.reason == "user_shutdown");
  BOOST_TEST(log->texts(event_kind::output) == (std::vector<std::string>{"up", "bye"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_process_that_ignores_SIGTERM_is_killed_with_its_group) {
  auto child = sh("p", "trap '' TERM; echo up; while :; do sleep 3600; done");
  child.shutdown = shutdown_limit(100ms);
  BOOST_TEST(!start({child}));
  log->wait(event_kind::output, "/t/p");
  const auto report = tree_runtime->stop();
  BOOST_TEST(report.killed() == 1u);
  BOOST_TEST(report.abandoned() == 0u);
  BOOST_TEST(none_left());
}

BOOST_AUTO_TEST_CASE(a_brutal_kill_ends_the_group_at_once) {
  auto child = sh("p", "trap 'echo bye' TERM; echo up; while :; do sleep 0.01; done");
  child.shutdown = shutdown_limit::brutal_kill();
  BOOST_TEST(!start({child}));
  log->wait(event_kind::output, "/t/p");
  tree_runtime->stop();
  BOOST_TEST(log->wait(event_kind::stopped, "/t/p").reason == "kill");
  BOOST_TEST(none_left());
  BOOST_TEST(log->texts(event_kind::output) == (std::vector<std::string>{"up"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R20_a_killed_child_is_down_once_its_process_is_gone, held_process) {
  start_and_hold(generous);
  auto report = std::async(std::launch::async, [this] { return tree_runtime->stop(); });
  while (!is_adopted() && report.wait_for(0s) != std::future_status::ready)
    std::this_thread::yield();
  BOOST_TEST(log->order({event_kind::stopped}).empty());
  ::kill(keeper, SIGCONT);
  const auto all = report.get();
  BOOST_TEST(all.killed() == 1u);
  BOOST_TEST(all.abandoned() == 0u);
  BOOST_TEST(processes_with(mark).empty());
}

BOOST_FIXTURE_TEST_CASE(R20_a_process_that_outlives_its_kill_is_abandoned, held_process) {
  start_and_hold(50ms);
  BOOST_TEST(tree_runtime->stop().abandoned() == 1u);
  BOOST_TEST(log->wait(event_kind::abandoned, "/t/p/process").reason == "abandoned");
  ::kill(keeper, SIGCONT);
}

BOOST_FIXTURE_TEST_CASE(a_process_that_was_abandoned_may_be_the_last_to_hold_its_host, held_process) {
  start_and_hold(1ms, restart_type::temporary);
  const auto worker = tree_runtime->find("/t/p");
  BOOST_TEST_REQUIRE(bool(worker));
  caf::anon_send_exit(*worker, caf::exit_reason::kill);
  log->wait(event_kind::abandoned, "/t/p/process");
  tree_runtime.reset();
  system.reset();
  catalog = {};
  const auto its_warden = keeping->pid();
  keeping.reset();
  ::kill(keeper, SIGCONT);
  BOOST_TEST(none_left());
  while (::kill(its_warden, 0) == 0)
    std::this_thread::yield();
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_keeper_is_not_laid_at_the_programs_door, held_process) {
  start_and_hold(generous);
  ::kill(keeper, SIGKILL);
  BOOST_TEST(log->wait(event_kind::crashed, "/t/p").reason ==
             "abandoned: its exit status is not known: another part of this program took it, or its keeper was killed");
}

BOOST_AUTO_TEST_CASE(an_own_deadline_ends_the_process_with_its_reason) {
  auto child = sh("p", "sleep 3600");
  child.restart = restart_type::temporary;
  child.context.timeout = 50ms;
  BOOST_TEST(!start({child}));
  BOOST_TEST(log->wait(event_kind::crashed, "/t/p").reason == "deadline_exceeded");
}

BOOST_AUTO_TEST_CASE(the_next_child_waits_for_the_ready_line) {
  // The gate is opened by this test, once it has seen that the second child has not started.
  auto child =
      sh("p", "read x < /dev/null; kill -STOP $$; echo now listening on 80; sleep 3600", {{"ready_line", "listening"}});
  child.awaits_ready = true;
  auto second = sh("q", "sleep 3600");
  std::optional<caf::error> result;
  std::mutex mutex;
  std::condition_variable changed;
  tree_spec tree;
  static_supervisor root;
  root.children = {child, second};
  tree.root.id = "t";
  tree.root.what = root;
  tree_runtime->start(tree, catalog, [&](const caf::error& e) {
    const std::lock_guard guard{mutex};
    result = e;
    changed.notify_all();
  });
  const auto note = log->wait(event_kind::note, "/t/p").text;
  BOOST_TEST_REQUIRE(note.starts_with("pid "));
  const auto pid = std::stoi(note.substr(4));
  siginfo_t info{};
  BOOST_TEST_REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOWAIT) == 0);
  ::kill(pid, SIGCONT);
  {
    std::unique_lock guard{mutex};
    BOOST_TEST_REQUIRE(changed.wait_for(guard, generous, [&] { return result.has_value(); }));
  }
  BOOST_TEST(!*result);
  BOOST_TEST(log->order({event_kind::ready, event_kind::start_asked}) ==
                 (std::vector<std::string>{"start_asked /t", "start_asked /t/p", "ready /t/p", "start_asked /t/q"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(arguments_are_checked_before_anything_starts) {
  const auto* kind = catalog.find("process");
  BOOST_TEST_REQUIRE(kind != nullptr);
  const auto faults_of = [&](const arg_map& args) {
    std::vector<arg_fault> faults;
    check_args(*kind, args, faults);
    std::vector<std::string> all;
    for (const auto& fault : faults)
      all.push_back(fault.name + ": " + fault.text);
    return all;
  };
  const arg_list command{"true"};
  BOOST_TEST(faults_of({{"command", command}}).empty());
  BOOST_TEST(
      faults_of({{"command", arg_list{}}}) == (std::vector<std::string>{"command: `command` needs a program to run"}),
      boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"env", arg_map{{"A=B", "c"}}}}) ==
                 (std::vector<std::string>{"env: `env`: 'A=B' can't be a variable"}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"limits", arg_map{{"nofiles", 3}}}}) ==
                 (std::vector<std::string>{"limits: `limits` has no `nofiles`; did you mean `nofile`?"}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"limits", arg_map{{"nofile", -1}}}}) ==
                 (std::vector<std::string>{"limits: `nofile` must be 0 or more, not -1"}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"ready_line", ""}}) ==
                 (std::vector<std::string>{"ready_line: `ready_line` is empty: every line would have it"}),
             boost::test_tools::per_element());
  for (const std::string name : {"cwd", "user"})
    BOOST_TEST(faults_of({{"command", command}, {name, std::string("/usr\0x", 6)}}) ==
                   (std::vector<std::string>{name + ": `" + name + "` has a zero byte"}),
               boost::test_tools::per_element());
  for (const int port : {0, 65536})
    BOOST_TEST(
        faults_of({{"command", command}, {"ready_port", port}}) ==
            (std::vector<std::string>{"ready_port: `ready_port` must be 1 to 65535, not " + std::to_string(port)}),
        boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"watchdog", duration(1s)}}) ==
                 (std::vector<std::string>{"watchdog: `watchdog` needs `notify: true`, by which the beats come"}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"command", command}, {"notify", true}, {"watchdog", duration(0)}}) ==
                 (std::vector<std::string>{"watchdog: `watchdog` must be 1ms or more, and finite"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
