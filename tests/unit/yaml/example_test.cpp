// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

#include <variant>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

const char* const full = R"(
schema: 1
vars: {pool: "${env:POOL:-4}", db: "${env:DB_URL:-sqlite::memory:}"}
templates:
  web: {restart: transient, shutdown: 10s, labels: {tier: edge}}
defaults: {start_timeout: 5s, kill_grace: 1s}
shutdown: {budget: 40s, on_overrun: abandon}
tree:
  id: shop
  start: ordered
  strategy: rest_for_one
  intensity: 3
  period: 30s
  children:
    - id: store
      kind: demo.store
      args: {url: "${var:db}"}
      shutdown: 8s
      kill_grace: 1s
      ready: {timeout: 4s}
      address: {hold: 1s}
      isolation: shared
      watch: {stuck_after: 2s, grace: 1s, action: replace,
              max_mailbox: 10000, max_children: 1000, max_restarts: 100}
    - id: workers
      max_children: 100
      after: [{id: store, when: ready}]
      child: {kind: demo.worker, restart: temporary, shutdown: brutal_kill}
    - id: api
      restart: permanent
      intensity: 10
      period: 1m
      auto_shutdown: all_significant
      context: {timeout: 1h, values: {zone: eu}}
      backoff: {min: 100ms, max: 30s, factor: 2, jitter: 0.2, reset_after: 1m}
      on_giveup: escalate
      children:
        - {id: http, use: web, kind: demo.http, significant: true, drain: 3s}
        - id: indexer
          kind: process
          restart: transient
          args: {command: [sh, -c, "echo listening; sleep 3600"], env: {ZONE: eu}, cwd: /, ready_line: listening}
          enabled: ${env:INDEXER:-true}
policy:
  - {id: bounded-stop, match: {type: worker}, require: {shutdown: {max: 10s}}}
  - {id: no-kill-at-the-edge, match: {labels: {tier: edge}}, forbid: {shutdown: brutal_kill}, level: warning}
)";

const static_supervisor& children_of(const child_spec& spec) { return std::get<static_supervisor>(spec.what); }

}  // namespace

BOOST_AUTO_TEST_SUITE(example)

BOOST_AUTO_TEST_CASE(every_field_of_a_tree_file_reaches_the_spec) {
  const auto result = load(full);
  BOOST_TEST(result.diagnostics.empty());
  BOOST_REQUIRE(result.tree.has_value());
  const auto& tree = *result.tree;
  BOOST_CHECK(tree.budget == 40s);
  BOOST_CHECK(tree.on_overrun == overrun_action::abandon);

  const auto& shop = children_of(tree.root);
  BOOST_TEST(tree.root.id == "shop");
  BOOST_CHECK(shop.start == start_mode::ordered);
  BOOST_CHECK(shop.strategy == strategy::rest_for_one);
  BOOST_TEST(shop.intensity == 3U);
  BOOST_CHECK(shop.period == 30s);
  BOOST_REQUIRE(shop.children.size() == 3U);

  const auto& store = shop.children[0];
  const auto& kind = std::get<kind_child>(store.what);
  BOOST_TEST(kind.kind == "demo.store");
  BOOST_CHECK(kind.args == arg_map({{"url", "sqlite::memory:"}}));
  BOOST_CHECK(store.shutdown == shutdown_limit(8s));
  BOOST_CHECK(store.kill_grace == 1s);
  BOOST_CHECK(store.start_timeout == std::optional<duration>(5s));
  BOOST_TEST(store.awaits_ready);
  BOOST_CHECK(store.ready_timeout == std::optional<duration>(4s));
  BOOST_CHECK(store.address_hold == std::optional<duration>(1s));
  BOOST_CHECK(store.isolation == isolation::shared);
  BOOST_CHECK(store.watch == (watch_spec{2s, 1s, watch_action::replace, 10000, 1000, 100}));

  const auto& workers = std::get<dynamic_supervisor>(shop.children[1].what);
  BOOST_CHECK(workers.max_children == std::optional<std::uint64_t>(100));
  BOOST_CHECK(shop.children[1].after == (std::vector<dependency>{{"store", dependency_state::ready}}));
  BOOST_CHECK(workers.child->restart == restart_type::temporary);
  BOOST_CHECK(workers.child->shutdown == shutdown_limit::brutal_kill());

  const auto& api = shop.children[2];
  BOOST_TEST(children_of(api).intensity == 10U);
  BOOST_CHECK(children_of(api).period == 1min);
  BOOST_CHECK(children_of(api).auto_shutdown == auto_shutdown::all_significant);
  BOOST_CHECK(children_of(api).on_giveup == giveup_action::escalate);
  BOOST_CHECK(api.context == (context_spec{1h, {{"zone", "eu"}}}));
  BOOST_CHECK(api.backoff == (backoff_spec{100ms, 30s, 2, 0.2, 1min}));

  const auto& http = children_of(api).children[0];
  BOOST_CHECK(http.restart == restart_type::transient);  // from its template
  BOOST_CHECK(http.shutdown == shutdown_limit(10s));
  BOOST_CHECK(http.labels == (std::map<std::string, std::string>{{"tier", "edge"}}));
  BOOST_TEST(http.significant);
  BOOST_CHECK(http.drain == std::optional<duration>(3s));

  const auto& indexer = children_of(api).children[1];
  BOOST_TEST(indexer.enabled);
  const auto& args = std::get<kind_child>(indexer.what).args;
  BOOST_CHECK(args == arg_map({{"command", arg_list{"sh", "-c", "echo listening; sleep 3600"}},
                               {"env", arg_map{{"ZONE", "eu"}}},
                               {"cwd", "/"},
                               {"ready_line", "listening"}}));
}

BOOST_AUTO_TEST_CASE(what_a_file_leaves_out_has_the_defaults_of_the_library) {
  const auto result = load("schema: 1\ntree: {id: a, children: [{id: b, kind: demo.worker}]}\n");
  BOOST_REQUIRE(result.tree.has_value());
  BOOST_CHECK(result.tree->budget == infinite);
  const auto& b = children_of(result.tree->root).children.at(0);
  BOOST_CHECK(b.effective_shutdown() == shutdown_limit(5s));
  BOOST_CHECK(result.tree->root.effective_shutdown() == shutdown_limit::infinity());
  BOOST_CHECK(b.kill_grace == 1s);
  BOOST_TEST(!b.drain.has_value());
  BOOST_CHECK(b.effective_start_timeout() == 5s);
  BOOST_TEST(!b.awaits_ready);
  BOOST_CHECK(b.restart == restart_type::permanent);
  BOOST_TEST(!b.watch.has_value());
  BOOST_TEST(children_of(result.tree->root).intensity == 1U);
  BOOST_CHECK(children_of(result.tree->root).period == 5s);
}

BOOST_AUTO_TEST_SUITE_END()
