// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace scenario;
using boost::unit_test::data::make;

namespace {

struct refusals : one_folder {
  // What goes wrong with this file, in both commands that read one.
  void check_refused(const std::string& file, const std::string& words) {
    for (const std::string command : {"run", "check", "graph"}) {
      run_of_program program({command, file});
      BOOST_TEST(program.exit_status() == bad_file, command);
      BOOST_TEST(program.err().find(file) != std::string::npos, command << ": " << program.err());
      BOOST_TEST(program.err().find(words) != std::string::npos, command << ": " << program.err());
      BOOST_TEST(program.out() == "");
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bad_file_, refusals)

BOOST_AUTO_TEST_CASE(a_missing_file_is_refused) { check_refused(folder.path() + "/none.yaml", "No such file"); }

BOOST_AUTO_TEST_CASE(a_folder_is_refused) { check_refused(folder.path(), "directory"); }

BOOST_AUTO_TEST_CASE(an_empty_file_is_refused) { check_refused(folder.file("empty.yaml", ""), "error"); }

BOOST_AUTO_TEST_CASE(a_binary_file_is_refused) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i)
    bytes += static_cast<char>((i * 37 + i / 7) & 0xff);
  check_refused(folder.file("binary.yaml", bytes), "error");
}

BOOST_AUTO_TEST_CASE(a_file_of_100_MB_is_refused_without_being_read) {
  // Well-formed as far as anyone reads.
  std::string content = "schema: 1\n";
  content.resize(100'000'000, '#');
  const auto began = std::chrono::steady_clock::now();
  check_refused(folder.file("large.yaml", content), "error");
  BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(10)));
}

BOOST_AUTO_TEST_CASE(a_faulty_tree_starts_nothing) {
  const auto file = folder.file("tree.yaml", R"(schema: 1
tree:
  id: t
  children:
    - {id: a, kind: process, args: {command: [sh, -c, "echo started"]}}
    - {id: b, kind: proces, args: {command: [sh]}}
)");
  run_of_program program({"run", file});
  BOOST_TEST(program.exit_status() == bad_file);
  BOOST_TEST(program.err().find(file + ":6:") != std::string::npos, program.err());
  BOOST_TEST(program.out() == "");
}

BOOST_DATA_TEST_CASE(a_faulty_command_line_is_refused,
                     make({"", "run", "walk x", "run x --for 10", "run x --log xml", "run x --nonsense"}), line) {
  std::vector<std::string> args;
  const std::string words = line;
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find(' ', at), words.size());
    args.push_back(words.substr(at, end - at));
    at = end + 1;
  }
  run_of_program program(args);
  BOOST_TEST(program.exit_status() == usage);
  BOOST_TEST(program.err() != "");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_command_line_is_said_with_what_there_is) {
  const auto said = [](std::vector<std::string> args) {
    run_of_program program(std::move(args));
    BOOST_TEST(program.exit_status() == usage);
    BOOST_TEST(program.out() == "");
    return program.err().substr(0, program.err().find('\n'));
  };
  BOOST_TEST(said({"chek", "x"}) ==
             "COMMAND: 'chek' is not run, check, graph, explore, leaks, schema or ctl; did you mean `check`?");
  BOOST_TEST(said({"run", "x", "--log", "jsn"}) == "--log: 'jsn' is not text or json; did you mean `json`?");
  BOOST_TEST(said({"run", "x", "--log", "1"}) == "--log: '1' is not text or json");
  BOOST_TEST(said({"run", "x", "--for", "10"}) ==
             "--for: '10' is no duration: write a number and ns, us, ms, s, m or h, as in 10s");
  BOOST_TEST(said({"run", "x", "--for", "1e9h"}) == "--for: '1e9h' is too long: at most 100 years");
  for (const std::string option : {"--for", "--socket", "--socket-mode", "--ledger"})
    BOOST_TEST(said({"run", "x", option, ""}) == option + ": is empty: leave it out, or give it a value");
  BOOST_TEST(said({"run", "x", "--socket-mode", "600"}) == "--socket-mode: there is no socket: it needs --socket");
  BOOST_TEST(said({"leaks", "x", "--kind", "stick"}) ==
             "--kind: 'stick' is not stuck, overdue, orphan, runaway or undead; did you mean `stuck`?");
  BOOST_TEST(said({"explore", "x", "--seed", "-1"}) == "--seed: '-1' is no seed: write digits, as in 7");
  BOOST_TEST(said({"ctl", "dance", "--socket", "x"}) ==
             "ACT: 'dance' is not tree, stacks, children, restart, stop, start, resume or shutdown");
}

BOOST_FIXTURE_TEST_CASE(a_socket_that_cant_be_had_is_a_tree_that_did_not_start, one_folder) {
  const auto file = tree("tree: {id: t, children: []}\n");
  const auto said = [&](const std::string& socket) {
    run_of_program program({"run", file, "--socket", socket});
    BOOST_TEST(program.exit_status() == start_failed);
    BOOST_TEST(program.out() == "");
    return program.err();
  };
  BOOST_TEST(said(folder.path()) == "actortree: the socket " + folder.path() +
                                        ", where something else has that name: Address already in use\n");
  BOOST_TEST(said("/nowhere/socket") == "actortree: the socket /nowhere/socket: No such file or directory\n");
}

BOOST_AUTO_TEST_SUITE_END()
