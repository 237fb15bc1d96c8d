// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/snapshot_formats.hpp"

#include "samples.hpp"
#include "supervisors/observe/drawn_graph.hpp"

#include <nlohmann/json.hpp>

using namespace libactor;
using namespace libactor::tests;

namespace {

// 2026-01-31T23:59:58.250Z
const observe::wall_time evening{std::chrono::milliseconds(1769903998250)};

tree_snapshot sample() {
  tree_snapshot tree;
  tree.taken = time_point{100s};
  tree_node root;
  root.path = "/shop";
  root.what = tree_node::type::supervisor;
  root.kind = "rest_for_one";
  root.state = child_state::running;
  root.incarnation = 1;
  root.actor = 3;
  root.age = 72s;
  root.mailbox = 0;
  root.chain = {{context_kind::boundary, {}, {}, ""}, {context_kind::root, {}, {}, ""}};
  tree_node api;
  api.path = "/shop/api";
  api.state = child_state::stopping;
  api.incarnation = 2;
  api.restarts = 1;
  api.actor = 9;
  api.age = 1500ms;
  api.busy = true;
  api.busy_for = 700ms;
  api.message_type = "order<\"x\">";
  api.thread = 4711;
  api.mailbox = 12;
  api.chain = {{context_kind::deadline, source_location::current("shop.cpp", 30, "serve"), time_point{98s}, "late"},
               {context_kind::boundary, {}, {}, ""},
               {context_kind::root, {}, {}, ""}};
  api.deadline = time_point{98s};
  api.cause = "late";
  api.trace.bytes[0] = 0xab;
  tree_node idle;
  idle.path = "/shop/idle";
  idle.kind = "demo.worker";
  tree.nodes = {root, api, idle};
  return tree;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot_formats)

BOOST_AUTO_TEST_CASE(as_text_it_is_a_table_with_what_few_nodes_have_below) {
  const std::string expected = R"(2026-01-31T23:59:58.250Z, 3 nodes
PATH        KIND          STATE         RESTARTS  AGE     BUSY   UNREAD
/shop       rest_for_one  running   #1  0         72s     no     0
    context background.boundary
/shop/api   worker        stopping  #2  1         1500ms  700ms  12
    handles order<"x">, on thread 4711
    context background.boundary.deadline(-2s)
    deadline in -2s
    done: late
    trace ab000000000000000000000000000000
/shop/idle  demo.worker   idle          0
)";
  BOOST_TEST(observe::as_text(sample(), evening) == expected);
  BOOST_TEST(observe::as_text({}, evening) ==
             "2026-01-31T23:59:58.250Z, 0 nodes\n"
             "PATH  KIND  STATE    RESTARTS  AGE  BUSY  UNREAD\n");
}

BOOST_AUTO_TEST_CASE(as_json_it_is_a_list_of_nodes_with_relative_times) {
  const std::string expected =
      R"+({"time":"2026-01-31T23:59:58.250Z","nodes":[{"path":"/shop","type":"supervisor","kind":"rest_for_one",)+"
      R"+("state":"running","incarnation":1,"restarts":0,"actor":3,"age_ns":72000000000,"busy":false,"mailbox":0,)+"
      R"+("context":[{"kind":"boundary"},{"kind":"background"}]},{"path":"/shop/api","type":"worker",)+"
      R"+("state":"stopping","incarnation":2,"restarts":1,"actor":9,"age_ns":1500000000,"busy":true,)+"
      R"+("busy_ns":700000000,"message_type":"order<\"x\">","thread":4711,"mailbox":12,"context":[{"kind":"deadline",)+"
      R"+("file":"shop.cpp","line":30,"function":"serve","left_ns":-2000000000,"cause":"late"},{"kind":"boundary"},)+"
      R"+({"kind":"background"}],"left_ns":-2000000000,"cause":"late","trace":"ab000000000000000000000000000000"},)+"
      R"+({"path":"/shop/idle","type":"worker","kind":"demo.worker","state":"idle","incarnation":0,"restarts":0}]})+"
      "\n";
  BOOST_TEST(observe::as_json(sample(), evening, -1) == expected);
  BOOST_TEST((nlohmann::json::parse(observe::as_json(sample(), evening)) == nlohmann::json::parse(expected)));
}

BOOST_AUTO_TEST_CASE(as_dot_and_as_mermaid_it_is_drawn_with_the_busy_thick_and_the_idle_dashed) {
  const std::string dot = R"(digraph tree {
  node [shape=box];
  "/shop" [label="shop\nrest_for_one\nrunning, 72s\nbackground.boundary"];
  "/shop/api" [label="api\nworker\nstopping #2, 1500ms\nbusy 700ms: order<\"x\">\n12 unread\nbackground.boundary.deadline(-2s)\ntrace ab000000000000000000000000000000", style=rounded, penwidth=3];
  "/shop/idle" [label="idle\ndemo.worker\nidle", style="rounded,dashed"];
  "/shop" -> "/shop/api";
  "/shop" -> "/shop/idle";
}
)";
  BOOST_TEST(observe::as_dot(sample()) == dot);
  const std::string mermaid = R"(flowchart TD
  n0["shop<br>rest_for_one<br>running, 72s<br>background.boundary"]
  n1("api<br>worker<br>stopping #35;2, 1500ms<br>busy 700ms: order#60;#34;x#34;#62;<br>12 unread<br>background.boundary.deadline(-2s)<br>trace ab000000000000000000000000000000")
  n2("idle<br>demo.worker<br>idle")
  n0 --> n1
  n0 --> n2
  style n1 stroke-width:3px
  style n2 stroke-dasharray:4
)";
  BOOST_TEST(observe::as_mermaid(sample()) == mermaid);
}

BOOST_AUTO_TEST_CASE(what_would_be_markup_is_escaped_in_names_labels_and_titles) {
  observe::drawn_graph graph;
  graph.title = "a \"b\" \\";
  graph.nodes = {{"x\"y", {"one\ntwo", "a|b`c"}, false, true, true}};
  graph.edges = {{0, 0, "if \"so\"", true}, {0, 0, "7"}};
  const std::string dot = R"(digraph tree {
  node [shape=box];
  label="a \"b\" \\";
  "x\"y" [label="one two\na|b`c", style=dashed, penwidth=3];
  "x\"y" -> "x\"y" [style=dotted, constraint=false, label="if \"so\""];
  "x\"y" -> "x\"y" [label=7];
}
)";
  BOOST_TEST(observe::as_dot(graph) == dot);
  const std::string mermaid = R"(%% a "b" \
flowchart TD
  n0["one#10;two<br>a#124;b#96;c"]
  n0 -.->|if #34;so#34;| n0
  n0 -->|7| n0
  style n0 stroke-width:3px,stroke-dasharray:4
)";
  BOOST_TEST(observe::as_mermaid(graph) == mermaid);
}

BOOST_AUTO_TEST_CASE(a_title_of_two_lines_is_one_line_of_what_is_drawn) {
  const observe::drawn_graph graph{"a\nb", {}, {}};
  BOOST_TEST(observe::as_mermaid(graph) == "%% a b\nflowchart TD\n");
  BOOST_TEST(observe::as_dot(graph) == "digraph tree {\n  node [shape=box];\n  label=\"a b\";\n}\n");
}

BOOST_AUTO_TEST_SUITE_END()
