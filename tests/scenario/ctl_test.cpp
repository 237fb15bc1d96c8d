// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstring>
#include <thread>

using namespace scenario;

namespace {

struct administered {
  scratch_folder folder;
  std::string socket = folder.path() + "/socket";
  std::string tree() {
    return folder.file("tree.yaml", R"(schema: 1
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sleep, "3600"]}}
    - id: b
      children: [{id: c, kind: demo.worker}]
    - {id: pool, child: {kind: demo.worker, restart: temporary}}
)");
  }
  std::vector<std::string> running() { return {"run", tree(), "--log", "json", "--socket", socket}; }

  struct outcome {
    int status;
    std::string out, err;
  };
  outcome ctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"ctl", "--socket", socket});
    run_of_program program(words);
    const int status = program.exit_status();
    return {status, program.out(), program.err()};
  }
  nlohmann::json ctl_json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const auto got = ctl(words);
    BOOST_TEST(got.status == ok, got.err);
    return nlohmann::json::parse(got.out);
  }
};

// `act path outcome` of all acts in the log.
std::vector<std::string> audit_of(const run_of_program& program) {
  std::vector<std::string> all;
  for (const auto& e : program.events()) {
    if (e.at("event") == "audit")
      all.push_back(e.at("act").get<std::string>() + " " + e.value("path", "-") + " " +
                    e.at("outcome").get<std::string>());
  }
  return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_, administered)

BOOST_AUTO_TEST_CASE(a_tree_is_listed_in_order_with_states) {
  run_of_program program(running());
  program.wait("started", "/t");
  const auto all = ctl_json({"tree"}).at("tree");
  BOOST_TEST(all.at("time").get<std::string>().size() == std::strlen("2026-01-01T00:00:00.000Z"));
  std::vector<std::string> paths;
  for (const auto& child : all.at("nodes"))
    paths.push_back(child.at("path").get<std::string>() + " " + child.at("state").get<std::string>());
  BOOST_TEST(paths == (std::vector<std::string>{"/t running", "/t/a running", "/t/b running", "/t/b/c running",
                                                "/t/pool running"}),
             boost::test_tools::per_element());
  BOOST_TEST(ctl_json({"children", "/t/b"}).at("children").size() == 1u);
  BOOST_TEST(all.at("nodes").at(1).at("kind") == "process");
  BOOST_TEST(all.at("nodes").at(1).at("context").at(0).at("kind") == "cancel");
  BOOST_TEST(ctl({"children", "/t"}).out == R"(PATH     STATE       INCARNATION  RESTARTS
/t/a     running               1         0
/t/b     running               1         0
/t/pool  running               1         0
)");
  const auto text = ctl({"tree"}).out;
  BOOST_TEST(text.find("\n/t/a     process      running  #1  0 ") != std::string::npos, text);
  BOOST_TEST(text.find("\n    context background.boundary.boundary.cancel\n") != std::string::npos, text);
  BOOST_TEST(ctl({"tree", "--format", "dot"}).out.starts_with("digraph tree {\n"));
  BOOST_TEST(
      ctl({"tree", "--format", "mermaid"}).out.starts_with("flowchart TD\n  n0[\"t<br>one_for_one<br>running, "));
  BOOST_TEST(ctl({"children", "/t", "--format", "dot"}).status == usage);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_handler_that_runs_is_printed_with_its_stack_and_kept_in_the_ledger) {
  const auto ledger = folder.path() + "/leaks.db";
  const auto file = folder.file("stuck.yaml", R"(schema: 1
tree:
  id: t
  children:
    - {id: fine, kind: demo.worker}
    - {id: sticks, kind: demo.stuck, args: {after: 1ms, for: 8s}, watch: {stuck_after: 200ms}}
)");
  run_of_program program({"run", file, "--log", "json", "--socket", socket, "--ledger", ledger});
  const auto event = program.wait("stuck", "/t/sticks");
  BOOST_TEST(event.at("leak").at("opened_as") == "stuck");
  const auto all = ctl_json({"stacks"}).at("stacks");
  BOOST_TEST_REQUIRE(all.size() == 1u);
  BOOST_TEST(all.at(0).at("path") == "/t/sticks");
  BOOST_TEST(all.at(0).at("busy_ns").get<std::int64_t>() >= 200'000'000);
  const auto stands_in_the_handler = [](const nlohmann::json& stack) {
    for (const auto& frame : stack) {
      if (frame.dump().find("demo_kinds.cpp") != std::string::npos)
        return true;
    }
    return false;
  };
  BOOST_TEST(stands_in_the_handler(all.at(0).at("stack")), all.dump());
  const auto text = ctl({"stacks"}).out;
  BOOST_TEST(text.starts_with("1 handler runs\n\n/t/sticks, handles a timer or signal, on thread "), text);
  BOOST_TEST(ctl({"stacks", "--format", "dot"}).status == usage);
  BOOST_TEST(ctl_json({"tree"}).at("tree").at("nodes").at(2).at("busy") == true);
  program.wait("recovered", "/t/sticks");
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  run_of_program leaks({"leaks", ledger, "--format", "json"});
  BOOST_TEST(leaks.exit_status() == ok);
  const auto culprit = nlohmann::json::parse(leaks.out()).at("culprits").at(0);
  BOOST_TEST(culprit.at("kind") == "stuck");
  BOOST_TEST(culprit.at("paths").at(0).at("what") == "/t/sticks");
  BOOST_TEST(culprit.at("open") == 0);
  BOOST_TEST(culprit.at("outcomes").at(0).at("what") == "returned");
  BOOST_TEST(stands_in_the_handler(culprit.at("stack")), culprit.dump());
}

BOOST_AUTO_TEST_CASE(a_signal_prints_the_tree_to_standard_error_and_the_tree_goes_on) {
  run_of_program program(running());
  program.wait("started", "/t");
  for (std::size_t times = 1; times <= 3; ++times) {
    program.signal(SIGUSR1);
    const auto end = std::chrono::steady_clock::now() + generous;
    const auto printed = [&] {
      std::size_t count = 0;
      const auto err = program.err();
      for (auto at = err.find("\n/t/pool  dynamic "); at != std::string::npos;
           at = err.find("\n/t/pool  dynamic ", at + 1))
        ++count;
      return count;
    };
    while (printed() < times && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    BOOST_TEST_REQUIRE(printed() == times);
  }
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(children_are_stopped_started_and_restarted_and_each_act_is_in_the_log) {
  run_of_program program(running());
  program.wait("started", "/t");
  BOOST_TEST(ctl({"restart", "/t/a"}).status == ok);
  program.wait("stopped", "/t/a");
  program.wait("started", "/t/a", 2);
  BOOST_TEST(ctl({"stop", "/t/b/c"}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t/b"}).at("children").at(0).at("state") == "idle");
  BOOST_TEST(ctl({"start", "/t/b/c"}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t/b"}).at("children").at(0).at("state") == "running");
  BOOST_TEST(ctl({"start", "/t/pool/*"}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t/pool"}).at("children").size() == 1u);
  BOOST_TEST(ctl({"stop", ctl_json({"children", "/t/pool"}).at("children").at(0).at("path")}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t/pool"}).at("children").size() == 0u);
  BOOST_TEST(ctl({"shutdown"}).status == ok);
  BOOST_TEST(program.exit_status() == ok);
  const auto audit = audit_of(program);
  BOOST_TEST_REQUIRE(audit.size() == 11u);
  BOOST_TEST(audit[0] == "restart /t/a done");
  BOOST_TEST(audit[1] == "stop /t/b/c done");
  BOOST_TEST(audit[3] == "start /t/b/c done");
  BOOST_TEST(audit[5] == "start /t/pool/* done");
  BOOST_TEST(audit[10] == "shutdown - done");
  for (const auto& e : program.events()) {
    if (e.at("event") != "audit")
      continue;
    BOOST_TEST(e.at("uid") == ::geteuid());
    BOOST_TEST(e.at("pid").get<int>() > 1);
    BOOST_TEST(e.at("user").get<std::string>() != "");
    BOOST_TEST(e.at("time").get<std::string>().size() == std::strlen("2026-01-01T00:00:00.000Z"));
  }
  BOOST_TEST(::access(socket.c_str(), F_OK) != 0);
}

BOOST_AUTO_TEST_CASE(a_dynamic_supervisors_child_is_stopped_also_where_its_template_has_an_id) {
  const auto file = folder.file("pool.yaml", R"(schema: 1
tree:
  id: t
  children: [{id: pool, child: {id: w, kind: demo.worker, restart: temporary}}]
)");
  run_of_program program({"run", file, "--log", "json", "--socket", socket});
  program.wait("started", "/t");
  BOOST_TEST(ctl({"start", "/t/pool/*"}).status == ok);
  BOOST_TEST(ctl({"restart", "/t/pool/w#1"}).err ==
             "actortree: /t/pool/w#1 is a dynamic supervisor's: stop it, and start another\n");
  BOOST_TEST(ctl({"stop", "/t/pool/w#1"}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t/pool"}).at("children").empty());
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_child_that_waits_for_its_next_start_is_restarted_at_once) {
  const auto file = folder.file("waits.yaml", R"(schema: 1
tree:
  id: t
  intensity: 5
  period: 1h
  children: [{id: a, kind: demo.crash, args: {after: 1ms}, backoff: {min: 1h, max: 1h}}]
)");
  run_of_program program({"run", file, "--log", "json", "--socket", socket});
  program.wait("restarting", "/t/a");
  BOOST_TEST(ctl({"restart", "/t/a"}).status == ok);
  program.wait("crashed", "/t/a", 2);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_temporary_child_is_not_stopped_for_a_restart_that_nothing_can_follow) {
  const auto file = folder.file("temporary.yaml", R"(schema: 1
tree:
  id: t
  children: [{id: once, kind: demo.worker, restart: temporary}]
)");
  run_of_program program({"run", file, "--log", "json", "--socket", socket});
  program.wait("started", "/t");
  const auto got = ctl({"restart", "/t/once"});
  BOOST_TEST(got.status == act_refused);
  BOOST_TEST(got.err == "actortree: /t/once is temporary: once it has stopped, nothing is left of it to start\n");
  BOOST_TEST(ctl_json({"children", "/t"}).at("children").at(0).at("state") == "running");
  BOOST_TEST(ctl({"stop", "/t/once"}).status == ok);
  BOOST_TEST(ctl_json({"children", "/t"}).at("children").empty());
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(R27_restarts_that_are_suspended_go_on_once_they_are_resumed) {
  const auto file = folder.file("suspends.yaml", R"(schema: 1
tree:
  id: t
  children:
    - id: s
      intensity: 0
      on_giveup: suspend
      children:
        - id: a
          kind: process
          args: {command: [sh, -c, "if mkdir once; then exit 1; fi; exec sleep 3600"], cwd: )" +
                                                     folder.path() + "}\n");
  run_of_program program({"run", file, "--log", "json", "--socket", socket});
  program.wait("suspended", "/t/s");
  BOOST_TEST(ctl_json({"children", "/t/s"}).at("children").at(0).at("state") == "restarting");
  BOOST_TEST(ctl({"resume", "/t/s"}).status == ok);
  program.wait("resumed", "/t/s");
  program.wait("started", "/t/s/a", 2);
  BOOST_TEST(ctl({"resume", "/t/s"}).status == ok);  // it goes on already
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.order({"suspended", "resumed"}) == (std::vector<std::string>{"suspended /t/s", "resumed /t/s"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_cant_be_done_is_refused_with_words_and_is_in_the_log_too) {
  run_of_program program(running());
  program.wait("started", "/t");
  const auto refusal = [&](std::vector<std::string> words) {
    const auto got = ctl(words);
    BOOST_TEST(got.status == act_refused);
    return got.err;
  };
  BOOST_TEST(refusal({"stop", "/t/none"}) == "actortree: there is no /t/none\n");
  BOOST_TEST(refusal({"stop", "/t"}) == "actortree: /t is the root: only `shutdown` is for it\n");
  BOOST_TEST(refusal({"children", "/t/a"}).find("no supervisor runs at /t/a") != std::string::npos);
  BOOST_TEST(refusal({"start", "/t/a"}).find("running") != std::string::npos);
  BOOST_TEST(refusal({"resume", "/t/a"}).find("no supervisor runs at /t/a") != std::string::npos);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  const auto audit = audit_of(program);
  BOOST_TEST_REQUIRE(audit.size() == 5u);
  BOOST_TEST(audit[0] == "stop /t/none refused: there is no /t/none");
}

BOOST_AUTO_TEST_CASE(only_those_may_ask_whom_the_files_permissions_let) {
  auto args = running();
  {
    run_of_program program(args);
    program.wait("started", "/t");
    struct stat file {};
    BOOST_TEST_REQUIRE(::stat(socket.c_str(), &file) == 0);
    BOOST_TEST((file.st_mode & 07777) == 0600u);
    program.signal(SIGTERM);
    BOOST_TEST(program.exit_status() == ok);
  }
  args.insert(args.end(), {"--socket-mode", "0660"});
  run_of_program program(args);
  program.wait("started", "/t");
  struct stat file {};
  BOOST_TEST_REQUIRE(::stat(socket.c_str(), &file) == 0);
  BOOST_TEST((file.st_mode & 07777) == 0660u);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(a_socket_that_is_left_over_is_replaced_and_one_in_use_is_not) {
  {
    run_of_program killed(running());
    killed.wait("started", "/t");
    killed.signal(SIGKILL);
    BOOST_TEST(killed.exit_status() == 1000 + SIGKILL);
  }
  BOOST_TEST(::access(socket.c_str(), F_OK) == 0);
  BOOST_TEST(ctl({"tree"}).status == unreachable);
  run_of_program program(running());
  program.wait("started", "/t");
  run_of_program second({"run", tree(), "--socket", socket});
  BOOST_TEST(second.exit_status() == start_failed);
  BOOST_TEST(
      second.err().ends_with("the socket " + socket + ", at which another program answers: Address already in use\n"),
      second.err());
  BOOST_TEST(ctl({"tree"}).status == ok);
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
}

BOOST_AUTO_TEST_CASE(nonsense_is_answered_and_a_client_that_says_nothing_holds_up_nobody) {
  run_of_program program(running());
  program.wait("started", "/t");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const auto connect = [&] {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_TEST_REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
  };
  const int silent = connect(), talking = connect();
  for (const std::string line : {"", "{", "[]", "{\"act\": 7}", "{\"act\": \"tree\", \"format\": 7}",
                                 "{\"act\": \"dance\"}", "{\"act\": \"stop\"}", "{\"act\": \"stop\", \"path\": 7}"}) {
    BOOST_TEST_REQUIRE(::send(talking, (line + "\n").data(), line.size() + 1, 0) ==
                       static_cast<ssize_t>(line.size() + 1));
    char buffer[512];
    const auto count = ::recv(talking, buffer, sizeof buffer, 0);
    BOOST_TEST_REQUIRE(count > 0);
    BOOST_TEST(nlohmann::json::parse(std::string(buffer, static_cast<std::size_t>(count))).at("ok") == false);
  }
  program.signal(SIGTERM);
  BOOST_TEST(program.exit_status() == ok);
  ::close(silent);
  ::close(talking);
}

BOOST_AUTO_TEST_CASE(a_faulty_request_is_a_fault_of_the_command_line) {
  for (const auto& words : {std::vector<std::string>{"dance"}, {"stop"}, {"tree", "/t"}, {"stop", "t/a"}, {}})
    BOOST_TEST(ctl(words).status == usage);
  BOOST_TEST(ctl({"tree"}).status == unreachable);
  run_of_program without_socket({"ctl", "tree"});
  BOOST_TEST(without_socket.exit_status() == usage);
}

BOOST_AUTO_TEST_SUITE_END()
