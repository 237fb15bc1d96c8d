// SPDX-License-Identifier: BSL-1.0
// Trees that a file declares, explored: with the program's own kinds, and with doubles in their place.
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"
#include "supervisors/yaml/load.hpp"
#include "workers.hpp"

#include <set>

using namespace libactor;
using namespace libactor::tests;
using namespace libactor::testkit;

namespace {

constexpr const char* text = R"(schema: 1
tree:
  id: shop
  children:
    - {id: store, kind: slow, args: {takes: 300ms}}
    - {id: api, kind: slow, args: {takes: 1s}, after: [store]}
    - {id: ls, kind: program, restart: temporary}
)";

child_catalog kinds() {
  child_catalog catalog;
  child_kind slow;
  slow.name = "slow";
  slow.args = {{"takes", arg_type::duration, true}};
  slow.start = [](child_start& start) -> caf::expected<started_child> {
    return start.spawn(tests::slow_to_stop, start.args().get<duration>("takes"));
  };
  catalog.add(slow);
  child_kind program;
  program.name = "program";
  program.is_process = true;
  program.start = [](child_start& start) -> caf::expected<started_child> { return start.decline(); };
  catalog.add(program);
  return catalog;
}

tree_spec declared(const std::string& file) {
  const auto catalog = kinds();
  const auto loaded = yaml::load_text(file, "shop.yaml", catalog);
  BOOST_REQUIRE(loaded.tree);
  return *loaded.tree;
}

exploration stopped_in_order(const tree_spec& tree) {
  const auto catalog = kinds();
  return explore({}, [&](trial& t) {
    t.must(happens_before({happening::stopped, "/shop/api"}, {happening::stop_asked, "/shop/store"}));
    t.must(within(1s, {happening::stop_asked, "/shop/api"}, {happening::stopped, "/shop/api"}));
    t.must(everything_stopped());
    const auto why = t.start(tree, catalog);
    t.expect(why && !*why, "it starts");
    t.stop();
    t.run_until_ended(1h);
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(declared_trees)

BOOST_AUTO_TEST_CASE(a_declared_tree_runs_with_the_kinds_of_the_program) {
  auto without_program = std::string(text);
  without_program.resize(without_program.find("    - {id: ls"));
  const auto tree = declared(without_program);
  const auto result = stopped_in_order(tree);
  BOOST_TEST(result.exhausted, result.to_text());
  // The argument is heeded.
  auto slower = without_program;
  slower.replace(slower.find("1s"), 2, "2s");
  const auto late = stopped_in_order(declared(slower));
  BOOST_REQUIRE(late.failed);
  BOOST_TEST(late.failed->property.starts_with("within"), late.failed->property);
}

BOOST_AUTO_TEST_CASE(a_declared_tree_runs_with_doubles_where_a_process_is_refused) {
  const auto tree = declared(text);
  const auto refused = stopped_in_order(tree);
  BOOST_REQUIRE(refused.failed);
  BOOST_TEST(refused.failed->what == "it starts");
  const auto result = stopped_in_order(with_doubles(tree, {{"/shop/store", fault::slow_to_stop}}));
  BOOST_TEST(result.exhausted, result.to_text());
}

BOOST_AUTO_TEST_SUITE_END()
