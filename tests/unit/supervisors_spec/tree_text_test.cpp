// SPDX-License-Identifier: BSL-1.0
#include "supervisors/tree_text.hpp"

#include "trees.hpp"

#include <boost/test/unit_test.hpp>

using namespace libactor;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_tree_is_shown_in_start_order_with_its_worst_stop_path) {
  auto late = leaf_after("late", {{"early", dependency_state::started}});
  late.drain = 1s;
  auto early = leaf("early");
  early.restart = restart_type::transient;
  early.shutdown = shutdown_limit(2s);
  auto pool = dynamic("pool", leaf(""));
  pool.enabled = false;
  auto graph = supervisor("graph", {late, early});
  children_of(graph).start = start_mode::graph;
  auto top = supervisor("top", {graph, pool});
  children_of(top).strategy = strategy::one_for_all;
  BOOST_TEST("\n" + tree_text({top, 20s, overrun_action::abandon}) == R"(
top          one_for_all, at most 1 restarts in 5s; permanent, shutdown infinity
├─ graph     one_for_one, at most 1 restarts in 5s, start: graph; permanent, shutdown infinity
│  ├─ early  worker; transient, shutdown 2s
│  └─ late   worker; permanent, shutdown 5s, drain 1s, after early started
└─ pool      dynamic, of workers; permanent, shutdown infinity, not enabled
   └─ *      worker; permanent, shutdown 5s
worst stop path: /top/graph/late 5s + /top/graph/early 2s + kill_grace 1s = 8s
budget of the stop: 20s
)");
}
