// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>

using namespace scenario;
using boost::unit_test::data::make;

namespace {

struct shop_folder {
  scratch_folder folder;
  std::string tree() {
    return folder.file("tree.yaml", R"(schema: 1
shutdown: {budget: 30s}
tree:
  id: t
  start: graph
  children:
    - {id: b, kind: demo.http, after: [{id: a, when: ready}]}
    - {id: a, kind: demo.store, ready: {}, shutdown: 7s}
    - {id: "c\"<", max_children: 3, shutdown: 1s, child: {kind: demo.job, restart: temporary, shutdown: 1s}, enabled: false}
)");
  }
  std::string out(std::vector<std::string> args, int status = 0) {
    run_of_program program(std::move(args));
    BOOST_TEST(program.exit_status() == status);
    BOOST_TEST(program.err() == "");
    return "\n" + program.out();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_, shop_folder)

BOOST_AUTO_TEST_CASE(check_prints_faults_for_programs_on_standard_output) {
  const auto file = folder.file("tree.yaml", "schema: 1\ntree: {id: t, childern: []}\n");
  const auto found = nlohmann::json::parse(out({"check", file, "--format", "json"}, bad_file));
  BOOST_TEST_REQUIRE(found.size() == 2u);
  const std::vector<std::string> codes{found[0].at("code"), found[1].at("code")};
  BOOST_TEST((codes == std::vector<std::string>{"Y34", "Y21"} || codes == std::vector<std::string>{"Y21", "Y34"}));
  BOOST_TEST(found[0].at("line") == 2);
  BOOST_TEST(found[0].at("file") == file);
  BOOST_TEST(out({"check", file, "--format", "github"}, bad_file).find("::error file=" + file + ",line=2,col=") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_without_faults_is_an_empty_array) {
  BOOST_TEST(nlohmann::json::parse(out({"check", tree(), "--format", "json"})) == nlohmann::json::array());
}

BOOST_AUTO_TEST_CASE(a_graph_for_graphviz_has_the_order_the_dependencies_and_the_worst_stop_path) {
  BOOST_TEST(out({"graph", tree(), "--format", "dot"}) == R"(
digraph tree {
  node [shape=box];
  label="worst stop path: /t/b 5s + /t/a 7s + kill_grace 1s = 13s";
  "/t" [label="t\none_for_one\npermanent, stops in infinity"];
  "/t/a" [label="a\ndemo.store\npermanent, stops in 7s", style=rounded, penwidth=3];
  "/t/b" [label="b\ndemo.http\npermanent, stops in 5s", style=rounded, penwidth=3];
  "/t/c\"<" [label="c\"<\ndynamic\npermanent, stops in 1s, not enabled"];
  "/t/c\"</*" [label="*\ndemo.job\ntemporary, stops in 1s", style=rounded];
  "/t" -> "/t/a" [label=1];
  "/t" -> "/t/b" [label=2];
  "/t" -> "/t/c\"<" [label=3];
  "/t/c\"<" -> "/t/c\"</*" [label=1];
  "/t/b" -> "/t/a" [style=dotted, constraint=false, label="after ready"];
}
)");
}

BOOST_AUTO_TEST_CASE(a_graph_for_mermaid_says_the_same) {
  BOOST_TEST(out({"graph", tree(), "--format", "mermaid"}) == R"(
%% worst stop path: /t/b 5s + /t/a 7s + kill_grace 1s = 13s
flowchart TD
  n0["t<br>one_for_one<br>permanent, stops in infinity"]
  n1("a<br>demo.store<br>permanent, stops in 7s")
  n2("b<br>demo.http<br>permanent, stops in 5s")
  n3["c#34;#60;<br>dynamic<br>permanent, stops in 1s, not enabled"]
  n4("*<br>demo.job<br>temporary, stops in 1s")
  n0 -->|1| n1
  n0 -->|2| n2
  n0 -->|3| n3
  n3 -->|1| n4
  n2 -.->|after ready| n1
  style n1 stroke-width:3px
  style n2 stroke-width:3px
)");
}

BOOST_AUTO_TEST_CASE(a_graph_for_programs_has_the_children_in_start_order_and_the_sum) {
  const auto graph = nlohmann::json::parse(out({"graph", tree(), "--format", "json"}));
  BOOST_TEST(graph.at("stop") == nlohmann::json::parse(R"({
    "worst_path": [{"path": "/t/b", "limit": "5s"}, {"path": "/t/a", "limit": "7s"}],
    "kill_grace": "1s", "sum": "13s", "budget": "30s"})"));
  const auto& children = graph.at("tree").at("children");
  BOOST_TEST(children.size() == 3u);
  BOOST_TEST(children.at(0).at("path") == "/t/a");
  BOOST_TEST(children.at(1) == nlohmann::json::parse(R"({
    "path": "/t/b", "id": "b", "type": "worker", "kind": "demo.http", "restart": "permanent", "shutdown": "5s",
    "enabled": true, "after": [{"id": "a", "when": "ready"}]})"));
  BOOST_TEST(children.at(2).at("children").at(0).at("kind") == "demo.job");
}

BOOST_DATA_TEST_CASE(a_full_disk_is_no_success, make({"check", "graph", "schema"}), command) {
  const auto file = std::string(command) == "schema" ? "" : " " + tree();
  const auto err = folder.path() + "/err";
  const auto line = std::string(ACTORTREE_PATH) + " " + command + file + " > /dev/full 2> " + err;
  BOOST_TEST(std::system(line.c_str()) == internal << 8);
  std::ifstream in(err);
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(in), {}) == "actortree: can't write to standard output\n");
}

BOOST_DATA_TEST_CASE(the_help_of_each_command_is_a_manual_page_with_its_exit_statuses,
                     make({"", "run", "check", "graph", "schema", "ctl"}), command) {
  std::vector<std::string> args{"--help"};
  if (*command != '\0')
    args.insert(args.begin(), command);
  const auto page = out(args);
  std::size_t at = 0;
  for (const std::string section :
       {"\nNAME\n  actortree", "\nSYNOPSIS\n  actortree", "\nDESCRIPTION\n", "\nOPTIONS\n", "\nEXIT STATUS\n  0  done",
        "\n  1  a fault of the program", "\n  2  the command line", "\nEXAMPLES\n  actortree"}) {
    const auto found = page.find(section, at);
    BOOST_TEST_REQUIRE(found != std::string::npos, section << " is missing, or in the wrong place:" << page);
    at = found;
  }
}

BOOST_AUTO_TEST_SUITE_END()
