// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

child_spec first_child(const std::string& text) {
  const auto result = load(text);
  BOOST_TEST(yaml::render(result.diagnostics) == "");
  return std::get<static_supervisor>(result.tree.value().root.what).children.at(0);
}

duration shutdown_of(const std::string& value) {
  return first_child("schema: 1\ntree: {id: s, children: [{id: a, kind: demo.worker, shutdown: " + value + "}]}\n")
      .effective_shutdown()
      .limit();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(durations_have_six_units_and_fractions) {
  BOOST_CHECK(shutdown_of("7ns") == 7ns);
  BOOST_CHECK(shutdown_of("7us") == 7us);
  BOOST_CHECK(shutdown_of("7ms") == 7ms);
  BOOST_CHECK(shutdown_of("\"7s\"") == 7s);
  BOOST_CHECK(shutdown_of("7m") == 7min);
  BOOST_CHECK(shutdown_of("7h") == 7h);
  BOOST_CHECK(shutdown_of("1.5s") == 1500ms);
  BOOST_CHECK(shutdown_of("0.25m") == 15s);
  BOOST_CHECK(shutdown_of("infinity") == infinite);
}

BOOST_AUTO_TEST_CASE(a_node_overrides_its_template_and_that_the_defaults) {
  const auto child = first_child(R"(
schema: 1
templates:
  web: {restart: transient, shutdown: 7s, labels: {a: template, b: template}, args: {port: 1, rate: 2}, watch: {grace: 3s}}
defaults: {shutdown: 9s, kill_grace: 4s, restart: temporary, labels: {a: defaults, c: defaults}, watch: {stuck_after: 9s, grace: 9s}}
tree:
  id: s
  children:
    - {id: a, use: web, kind: demo.http, shutdown: 8s, labels: {a: node}, args: {port: 3}}
)");
  BOOST_CHECK(child.shutdown == shutdown_limit(8s));
  BOOST_CHECK(child.restart == restart_type::transient);
  BOOST_CHECK(child.kill_grace == 4s);
  BOOST_CHECK(child.labels ==
              (std::map<std::string, std::string>{{"a", "node"}, {"b", "template"}, {"c", "defaults"}}));
  BOOST_CHECK(std::get<kind_child>(child.what).args == arg_map({{"port", 3}, {"rate", 2.0}}));
  BOOST_CHECK(child.watch == (watch_spec{9s, 3s, watch_action::report, {}, {}, {}}));
}

BOOST_AUTO_TEST_CASE(defaults_reach_only_those_nodes_for_which_they_have_a_meaning) {
  const auto result =
      load("schema: 1\ndefaults: {drain: 1s, intensity: 7}\ntree: {id: s, children: [{id: a, kind: demo.worker}]}\n");
  BOOST_TEST(yaml::render(result.diagnostics) == "");
  BOOST_TEST(!result.tree.value().root.drain.has_value());
  const auto& root = std::get<static_supervisor>(result.tree->root.what);
  BOOST_TEST(root.intensity == 7U);
  BOOST_CHECK(root.children[0].drain == std::optional<duration>(1s));
}

BOOST_AUTO_TEST_CASE(a_node_turns_off_what_its_template_sets) {
  const auto child = first_child(R"(
schema: 1
templates: {web: {watch: {grace: 1s}, drain: 1s, backoff: {min: 1s, max: 2s}, address: {hold: 1s}}}
tree: {id: s, children: [{id: a, use: web, kind: demo.http, watch: off, drain: none, backoff: none, address: refuse}]}
)");
  BOOST_TEST(!child.watch.has_value());
  BOOST_TEST(child.unwatched);
  BOOST_TEST(!child.drain.has_value());
  BOOST_TEST(!child.backoff.has_value());
  BOOST_TEST(!child.address_hold.has_value());
}

BOOST_AUTO_TEST_CASE(variables_are_substituted_and_typed) {
  const auto child = first_child(R"(
schema: 1
vars: {port: "${env:PORT:-${var:base}1}", base: 808, name: x}
tree:
  id: s
  children:
    - {id: "${var:name}-${env:POOL}", kind: demo.http, enabled: "${env:ON:-true}", args: {port: "${var:port}"}, labels: {a: "$${x}", b: "${var:no:-}"}}
)");
  BOOST_TEST(child.id == "x-8");
  BOOST_CHECK(std::get<kind_child>(child.what).args == arg_map({{"port", 8081}}));
  BOOST_CHECK(child.labels == (std::map<std::string, std::string>{{"a", "${x}"}, {"b", ""}}));
}

BOOST_AUTO_TEST_CASE(an_alias_repeats_a_value) {
  const auto child = first_child(
      "schema: 1\ntree: {id: s, children: [{id: a, kind: demo.worker, labels: &l {x: &v y, z: *v}}, {id: b, kind: "
      "demo.worker, labels: *l}]}\n");
  BOOST_CHECK(child.labels == (std::map<std::string, std::string>{{"x", "y"}, {"z", "y"}}));
}

BOOST_AUTO_TEST_CASE(values_that_reach_a_typed_argument_in_every_type) {
  const auto child = first_child(
      "schema: 1\ntree: {id: s, children: [{id: a, kind: demo.http, args: {port: 80, rate: 3, verbose: true, poll: "
      "2s}}]}\n");
  BOOST_CHECK(std::get<kind_child>(child.what).args ==
              arg_map({{"port", 80}, {"rate", 3.0}, {"verbose", true}, {"poll", duration(2s)}}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(renderings)

BOOST_AUTO_TEST_CASE(json_has_every_part_of_a_diagnostic) {
  const auto found = load("schema: 1\ntree:\n  id: \"a\\\"b\\\\\"\n  id: b\n  children: []\n").diagnostics;
  BOOST_TEST(yaml::render_json(found) ==
             R"([
  {"code": "Y02", "severity": "error", "file": "t.yaml", "line": 4, "column": 3, "length": 2, "text": "duplicate key `id`", "notes": [{"file": "t.yaml", "line": 3, "column": 3, "length": 2, "text": "the first one is here"}]}
]
)");
  BOOST_TEST(yaml::render_json({}) == "[]\n");
}

BOOST_AUTO_TEST_CASE(json_escapes_what_strings_can_not_have) {
  yaml::diagnostic d{"Y01", yaml::severity::warning, {}, "a\"b\\c\nd", {}};
  d.at.file = "f";
  BOOST_TEST(
      yaml::render_json({d}) ==
      "[\n  {\"code\": \"Y01\", \"severity\": \"warning\", \"file\": \"f\", \"line\": 0, \"column\": 0, \"length\": 1, "
      "\"text\": \"a\\\"b\\\\c\\u000ad\", \"notes\": []}\n]\n");
}

BOOST_AUTO_TEST_CASE(workflow_commands_escape_their_own_marks) {
  yaml::diagnostic d{"Y01", yaml::severity::error, {}, "100%: a\nb", {}};
  d.at.file = "a,b.yaml";
  d.at.line = 3;
  d.at.column = 7;
  BOOST_TEST(yaml::render_github({d}) == "::error file=a%2Cb.yaml,line=3,col=7,title=Y01::100%25: a%0Ab\n");
}

BOOST_AUTO_TEST_SUITE_END()
