// SPDX-License-Identifier: BSL-1.0
#include "daemon_log.hpp"
#include "one_tree.hpp"

#include <boost/test/data/test_case.hpp>

#include <signal.h>

using namespace libactor;
using namespace std::chrono_literals;
using libactor::process::one_tree;

namespace {

struct sign_case {
  const char* name;
  arg_list (*words)(int port);  // what the daemon is told
  arg_map (*args)(int port);    // what the kind is told
};
std::ostream& operator<<(std::ostream& out, const sign_case& x) { return out << x.name; }

const sign_case signs[] = {
    {"a line", [](int) { return arg_list{"line=it listens"}; },
     [](int) {
       return arg_map{{"ready_line", "listens"}};
     }},
    {"a port", [](int port) { return arg_list{"port=" + std::to_string(port)}; },
     [](int port) {
       return arg_map{{"ready_port", port}};
     }},
    {"sd_notify", [](int) { return arg_list{"notify=1"}; },
     [](int) {
       return arg_map{{"notify", true}};
     }},
    {"all of them",
     [](int port) {
       return arg_list{"notify=1", "line=it listens", "port=" + std::to_string(port)};
     },
     [](int port) {
       return arg_map{{"notify", true}, {"ready_line", "listens"}, {"ready_port", port}};
     }},
};

struct ready_tree : one_tree {
  child_spec daemon(const std::string& id, arg_list words, arg_map more = {}) {
    auto child = sh(id, "", std::move(more));
    auto& args = std::get<kind_child>(child.what).args;
    arg_list command{std::string(DAEMON_PATH), id, lines.path()};
    command.insert(command.end(), words.begin(), words.end());
    args["command"] = std::move(command);
    return child;
  }
  daemon_log lines;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(process_ready_, ready_tree)

BOOST_DATA_TEST_CASE(what_depends_on_a_process_starts_once_it_has_said_that_it_is_ready,
                     boost::unit_test::data::make(signs), sign) {
  const int port = free_ports(1).front();
  auto words = sign.words(port);
  words.emplace_back("ready=300");
  auto first = daemon("p", words, sign.args(port));
  first.awaits_ready = true;
  BOOST_TEST(!start({first, daemon("q", {"line=up"}, {{"ready_line", "up"}})}));
  log->wait(event_kind::output, "/t/q");
  tree_runtime->stop();
  BOOST_TEST(log->order({event_kind::ready}) == (std::vector<std::string>{"ready /t/p", "ready /t/q"}),
             boost::test_tools::per_element());
  BOOST_TEST(lines.lines() == (std::vector<std::string>{"p starts", "p is ready", "q starts", "q is ready", "q stops",
                                                        "q has stopped", "p stops", "p has stopped"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_of_two_signs_is_not_enough) {
  auto child = daemon("p", {"line=up"}, {{"ready_line", "up"}, {"notify", true}});
  child.awaits_ready = true;
  child.ready_timeout = 300ms;
  child.restart = restart_type::temporary;
  BOOST_TEST(bool(start({child})));
  BOOST_TEST(log->order({event_kind::ready}).empty());
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_opens_is_no_readiness) {
  auto child = daemon("p", {}, {{"ready_port", free_ports(1).front()}});
  child.awaits_ready = true;
  child.ready_timeout = 300ms;
  BOOST_TEST(bool(start({child})));
  BOOST_TEST(log->order({event_kind::ready}).empty());
}

BOOST_AUTO_TEST_CASE(a_status_is_a_note) {
  BOOST_TEST(!start({daemon("p", {"notify=1"}, {{"notify", true}})}));
  log->wait(event_kind::ready, "/t/p");
  tree_runtime->stop();
  const auto notes = log->texts(event_kind::note);
  BOOST_TEST((std::find(notes.begin(), notes.end(), "status: serves") != notes.end()));
}

BOOST_AUTO_TEST_CASE(a_process_lives_as_long_as_its_beats_come_and_is_aborted_when_they_stop) {
  // Six beats, four for each 2 s: the first that is missed is due 5 * 500 + 2000 ms after the first that came.
  auto child = daemon("p", {"beats=6"}, {{"notify", true}, {"watchdog", duration(2s)}});
  child.restart = restart_type::temporary;
  const auto began = std::chrono::steady_clock::now();
  BOOST_TEST(!start({child}));
  BOOST_TEST(log->wait(event_kind::crashed, "/t/p").reason == "signaled: " + std::to_string(SIGABRT));
  BOOST_TEST((std::chrono::steady_clock::now() - began >= 4500ms));
  const auto notes = log->texts(event_kind::note);
  BOOST_TEST((std::find(notes.begin(), notes.end(), "no WATCHDOG=1 for 2s: it gets SIGABRT") != notes.end()));
}

BOOST_AUTO_TEST_CASE(a_process_that_cant_take_the_abort_is_killed) {
  auto child = daemon("p", {"beats=1"}, {{"notify", true}, {"watchdog", duration(2s)}});
  child.restart = restart_type::temporary;
  BOOST_TEST(!start({child}));
  const auto note = log->wait(event_kind::note, "/t/p").text;
  BOOST_TEST_REQUIRE(note.starts_with("pid "));
  while (lines.lines().size() < 3)  // starts, is ready, has beaten
    std::this_thread::yield();
  ::kill(std::stoi(note.substr(4)), SIGSTOP);
  BOOST_TEST(log->wait(event_kind::crashed, "/t/p").reason == "signaled: " + std::to_string(SIGKILL));
}

BOOST_AUTO_TEST_CASE(R24_during_a_stop_no_beats_are_asked_for) {
  auto child = daemon("p", {"notify=1", "stop=3000"}, {{"notify", true}, {"watchdog", duration(2s)}});
  BOOST_TEST(!start({child}));
  log->wait(event_kind::ready, "/t/p");
  tree_runtime->stop();
  BOOST_TEST(lines.lines() == (std::vector<std::string>{"p starts", "p is ready", "p stops", "p has stopped"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_process_without_notify_gets_no_socket_not_even_an_inherited_one) {
  ::setenv("NOTIFY_SOCKET", "@the service manager of this program", 1);
  child_catalog fresh;
  process::register_process_kind(fresh);
  ::unsetenv("NOTIFY_SOCKET");
  catalog = std::move(fresh);
  BOOST_TEST(!start({sh("p", "echo \"<$NOTIFY_SOCKET>\"; sleep 3600")}));
  BOOST_TEST(log->wait(event_kind::output, "/t/p").text == "<>");
}

BOOST_AUTO_TEST_SUITE_END()
