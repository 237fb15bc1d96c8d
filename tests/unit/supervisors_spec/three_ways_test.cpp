// SPDX-License-Identifier: BSL-1.0
// One tree, written down in three ways, is one value.
#include "supervisors/builder.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/tree_text.hpp"
#include "supervisors/yaml/load.hpp"
#include "trees.hpp"

#include <boost/test/unit_test.hpp>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

child_catalog kinds() {
  child_catalog catalog;
  catalog.add({.name = "store",
               .doc = "keeps things",
               .args = {{.name = "url", .type = arg_type::string, .required = true},
                        {.name = "size", .type = arg_type::integer}},
               .start = no_start(),
               .reports_ready = [](const child_args&) { return true; }});
  catalog.add({.name = "worker", .doc = "works", .args = {}, .start = no_start()});
  catalog.add_context_key(
      {"zone", arg_type::string, "where it runs", [](const context& parent, const arg_value&) { return parent; }});
  return catalog;
}

const char* const as_yaml = R"(
schema: 1
shutdown: {budget: 40s, on_overrun: wait}
tree:
  id: shop
  strategy: one_for_dependents
  intensity: 3
  period: 30s
  children:
    - id: store
      kind: store
      args: {url: "sqlite::memory:", size: 4}
      shutdown: 8s
      kill_grace: 2s
      start_timeout: 6s
      ready: {timeout: 4s}
      address: {hold: 1s}
      isolation: thread
      watch: {stuck_after: 2s, grace: 1s, action: cancel, max_mailbox: 10000}
    - id: workers
      intensity: 7
      max_children: 100
      after: [{id: store, when: ready}]
      child: {id: w, kind: worker, restart: temporary, shutdown: brutal_kill}
    - id: api
      start: graph
      intensity: 10
      period: 1m
      auto_shutdown: all_significant
      on_giveup: suspend
      restart: transient
      context: {timeout: 1h, values: {zone: eu}}
      backoff: {min: 100ms, max: 30s, factor: 3, jitter: 0.1, reset_after: 1m}
      children:
        - {id: http, kind: worker, restart: transient, significant: true, drain: 3s, labels: {tier: edge}}
        - {id: admin, kind: worker, enabled: false}
)";

tree_spec built() {
  child_spec model;
  model.id = "w";
  model.what = kind_child{"worker", {}};
  model.restart = restart_type::temporary;
  model.shutdown = shutdown_limit::brutal_kill();
  supervisor_spec limits;
  limits.intensity = 7;

  auto api = one_for_one("api");
  api.start_order(start_mode::graph)
      .intensity(10, 1min)
      .auto_shutdown(auto_shutdown::all_significant)
      .on_giveup(giveup_action::suspend)
      .kind("http", "worker")
      .restart(restart_type::transient)
      .significant()
      .drain(3s)
      .label("tier", "edge")
      .kind("admin", "worker")
      .enabled(false);

  return one_for_dependents("shop")
      .intensity(3, 30s)
      .kind("store", "store", {{"url", "sqlite::memory:"}, {"size", 4}})
      .shutdown(8s)
      .kill_grace(2s)
      .start_timeout(6s)
      .awaits_ready(4s)
      .address_hold(1s)
      .isolation(isolation::thread)
      .watch({.stuck_after = 2s, .grace = 1s, .action = watch_action::cancel, .max_mailbox = 10000})
      .dynamic("workers", model, 100, limits)
      .after("store", dependency_state::ready)
      .child(api)
      .restart(restart_type::transient)
      .timeout(1h)
      .value("zone", "eu")
      .delays({.min = 100ms, .max = 30s, .factor = 3, .jitter = 0.1, .reset_after = 1min})
      .tree(40s, overrun_action::wait);
}

tree_spec plain() {
  child_spec store;
  store.id = "store";
  store.what = kind_child{"store", {{"url", "sqlite::memory:"}, {"size", 4}}};
  store.shutdown = shutdown_limit(8s);
  store.kill_grace = 2s;
  store.start_timeout = 6s;
  store.awaits_ready = true;
  store.ready_timeout = 4s;
  store.address_hold = 1s;
  store.isolation = isolation::thread;
  store.watch = watch_spec{.stuck_after = 2s, .grace = 1s, .action = watch_action::cancel, .max_mailbox = 10000};

  child_spec model;
  model.id = "w";
  model.what = kind_child{"worker", {}};
  model.restart = restart_type::temporary;
  model.shutdown = shutdown_limit::brutal_kill();
  dynamic_supervisor pool;
  pool.intensity = 7;
  pool.child = std::make_shared<const child_spec>(model);
  pool.max_children = 100;
  child_spec workers;
  workers.id = "workers";
  workers.what = pool;
  workers.after = {{"store", dependency_state::ready}};

  child_spec http;
  http.id = "http";
  http.what = kind_child{"worker", {}};
  http.restart = restart_type::transient;
  http.significant = true;
  http.drain = 3s;
  http.labels = {{"tier", "edge"}};
  child_spec admin;
  admin.id = "admin";
  admin.what = kind_child{"worker", {}};
  admin.enabled = false;
  static_supervisor part;
  part.start = start_mode::graph;
  part.intensity = 10;
  part.period = 1min;
  part.auto_shutdown = auto_shutdown::all_significant;
  part.on_giveup = giveup_action::suspend;
  part.children = {http, admin};
  child_spec api;
  api.id = "api";
  api.what = part;
  api.restart = restart_type::transient;
  api.context.timeout = 1h;
  api.context.values = {{"zone", "eu"}};
  api.backoff = backoff_spec{.min = 100ms, .max = 30s, .factor = 3, .jitter = 0.1, .reset_after = 1min};

  static_supervisor top;
  top.strategy = strategy::one_for_dependents;
  top.intensity = 3;
  top.period = 30s;
  top.children = {store, workers, api};
  child_spec root;
  root.id = "shop";
  root.what = top;
  return {root, 40s, overrun_action::wait};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(three_ways)

BOOST_AUTO_TEST_CASE(a_tree_from_the_builder_from_structs_and_from_yaml_is_the_same_value) {
  const auto loaded = yaml::load_text(as_yaml, "shop.yaml", kinds());
  BOOST_REQUIRE(loaded.tree);
  BOOST_TEST((built() == plain()));
  BOOST_TEST((*loaded.tree == plain()));
  // All of them can be started, and each difference is one.
  BOOST_TEST(check(plain(), kinds()).empty());
  auto other = plain();
  std::get<static_supervisor>(other.root.what).children[0].kill_grace = 3s;
  BOOST_TEST((other != plain()));
  other = plain();
  std::get<static_supervisor>(std::get<static_supervisor>(other.root.what).children[2].what).children[0].drain = {};
  BOOST_TEST((other != plain()));
}

BOOST_AUTO_TEST_CASE(check_reports_every_fault_of_a_tree_not_only_the_first) {
  auto faulty = plain();
  auto& top = std::get<static_supervisor>(faulty.root.what);
  top.period = 0s;
  top.children[0].id = "";
  top.children[0].shutdown = shutdown_limit(-1s);
  top.children[1].after = {{"nobody", dependency_state::started}};
  auto& api = std::get<static_supervisor>(top.children[2].what);
  api.strategy = strategy::rest_for_one;
  api.children[0].restart = restart_type::permanent;
  api.children[1].id = "http";
  api.children[1].what = kind_child{"wroker", {}};
  faulty.budget = -1s;
  std::vector<std::string> found;
  for (const auto& fault : check(faulty, kinds()))
    found.push_back(fault.code + " " + fault.path + " " + fault.field);
  const std::vector<std::string> expected{"Y26  shutdown.budget",
                                          "Y26 /shop period",
                                          "Y22 /shop/* id",
                                          "Y25 /shop/* shutdown",
                                          "Y32 /shop/workers after[0].id",
                                          "Y37 /shop/api strategy",
                                          "Y39 /shop/api/http significant",
                                          "Y32 /shop/api/http kind",
                                          "Y31 /shop/api/http id"};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
