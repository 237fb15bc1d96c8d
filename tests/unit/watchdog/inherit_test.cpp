// SPDX-License-Identifier: BSL-1.0
// `watch` holds for a child and all below it that say nothing of their own: in a tree that is built, and in one that is
// read.
#include "supervisors/child_catalog.hpp"
#include "supervisors/child_start.hpp"
#include "supervisors/yaml/load.hpp"
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

struct inherited_world : world {
  using world::world;

  // Sits in its handler until it is said to be stuck, for 10 s at most, and tells after how many seconds that was.
  auto sitter() {
    return [this](worker* self) -> caf::behavior {
      return {[this, self](int) {
        const auto begin = runtime().contexts().now();
        const auto before = log({event_kind::stuck}).size();
        runtime().scan_watchdog();
        while (runtime().contexts().now() - begin < 10s && log({event_kind::stuck}).size() == before) {
          runtime().contexts().advance_to(runtime().contexts().now() + 500ms);
          runtime().scan_watchdog();
        }
        const bool said = log({event_kind::stuck}).size() != before;
        after[self->line().path()] = said ? (runtime().contexts().now() - begin) / 1s : 0;
      }};
    };
  }
  // After how long a handler of each worker is said to be stuck; 0: never.
  std::map<std::string, long> all_after(const tree_spec& tree, const child_catalog& catalog = {}) {
    const auto started = start(tree, catalog);
    BOOST_REQUIRE(started);
    BOOST_REQUIRE_MESSAGE(!*started, describe(*started));
    BOOST_REQUIRE(ask<caf::actor>("/t/pool", supervisor_verb::start_child())->operator bool());
    BOOST_REQUIRE(ask<caf::actor>("/t/dark/pool", supervisor_verb::start_child())->operator bool());
    for (const auto& path : runtime().alive()) {
      caf::anon_send(at(path), 1);
      settle();
      runtime().scan_watchdog();
    }
    return after;
  }
  std::map<std::string, long> after;
};

const std::map<std::string, long> expected{
    {"/t/inherits", 2}, {"/t/own", 8},    {"/t/off", 0},        {"/t/sub/a", 2},    {"/t/sub/deep/a", 4},
    {"/t/dark/a", 0},   {"/t/dark/b", 6}, {"/t/dark/sub/a", 0}, {"/t/pool/w#1", 2}, {"/t/dark/pool/w#1", 0}};

std::string listed(const std::map<std::string, long>& all) {
  std::string text;
  for (const auto& [path, seconds] : all)
    text += path + " " + std::to_string(seconds) + "\n";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inheritance)

BOOST_FIXTURE_TEST_CASE(of_a_tree_that_is_built, inherited_world) {
  const auto sits = sitter();
  const auto tree = one_for_one("t")
                        .watch_all({.stuck_after = 2s})
                        .child("inherits", sits)
                        .child("own", sits)
                        .watch({.stuck_after = 8s})
                        .child("off", sits)
                        .unwatched()
                        .child(one_for_one("sub").child("a", sits).child(
                            one_for_one("deep").watch_all({.stuck_after = 4s}).child("a", sits)))
                        .child(one_for_one("dark")
                                   .child("a", sits)
                                   .child("b", sits)
                                   .watch({.stuck_after = 6s})
                                   .child(one_for_one("sub").child("a", sits))
                                   .dynamic("pool", worker_spec("w", sits)))
                        .unwatched()
                        .dynamic("pool", worker_spec("w", sits))
                        .tree();
  BOOST_TEST(listed(all_after(tree)) == listed(expected));
}

BOOST_FIXTURE_TEST_CASE(of_a_tree_that_is_read, inherited_world) {
  child_catalog kinds;
  child_kind kind;
  kind.name = "sitter";
  kind.doc = "sits";
  kind.start = [sits = sitter()](child_start& how) { return how.spawn(sits); };
  kinds.add(std::move(kind));
  const auto read = yaml::load_text(R"(
schema: 1
tree:
  id: t
  watch: {stuck_after: 2s}
  children:
    - {id: inherits, kind: sitter}
    - {id: own, kind: sitter, watch: {stuck_after: 8s}}
    - {id: off, kind: sitter, watch: off}
    - id: sub
      children:
        - {id: a, kind: sitter}
        - {id: deep, watch: {stuck_after: 4s}, children: [{id: a, kind: sitter}]}
    - id: dark
      watch: off
      children:
        - {id: a, kind: sitter}
        - {id: b, kind: sitter, watch: {stuck_after: 6s}}
        - {id: sub, children: [{id: a, kind: sitter}]}
        - {id: pool, child: {id: w, kind: sitter}}
    - {id: pool, child: {id: w, kind: sitter}}
)",
                                    "t.yaml", kinds);
  BOOST_REQUIRE_MESSAGE(read, yaml::render(read.diagnostics));
  BOOST_TEST(listed(all_after(*read.tree, kinds)) == listed(expected));
}

BOOST_AUTO_TEST_SUITE_END()
