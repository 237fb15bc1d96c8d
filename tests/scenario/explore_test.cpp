// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <boost/test/unit_test.hpp>

using namespace scenario;

BOOST_AUTO_TEST_SUITE(explore_)

BOOST_AUTO_TEST_CASE(a_tree_that_always_stops_in_order_is_found_so) {
  scratch_folder folder;
  const auto file = folder.file("tree.yaml", R"(schema: 1
tree:
  id: t
  children:
    - {id: store, kind: demo.store}
    - {id: list, kind: process, args: {command: [ls]}, restart: temporary}
)");
  run_of_program program({"explore", file, "--for", "10s"});
  BOOST_TEST(program.exit_status() == ok);
  BOOST_TEST(program.err() == "");
  const auto out = program.out();
  BOOST_TEST(out.find("2 workers, stopped at any time\n") != std::string::npos, out);
  BOOST_TEST(out.find("  all are well: ") != std::string::npos, out);
  BOOST_TEST(out.find("exhausted\n") != std::string::npos, out);
  BOOST_TEST(out.find("no order was found in which it stops wrongly, or not at all\n") != std::string::npos, out);
}

BOOST_AUTO_TEST_CASE(a_tree_that_can_hang_is_shown_hanging) {
  scratch_folder folder;
  const auto file = folder.file("tree.yaml", R"(schema: 1
tree:
  id: t
  children:
    - {id: store, kind: demo.store, shutdown: infinity}
)");
  run_of_program program({"explore", file, "--for", "10s"});
  BOOST_TEST(program.exit_status() == doubtful_order);
  const auto out = program.out();
  BOOST_TEST(
      out.find("one ignores its stop: an order in which this does not hold: everything_stopped\n") != std::string::npos,
      out);
  BOOST_TEST(out.find("stop_asked /t/store") != std::string::npos, out);
}

BOOST_AUTO_TEST_CASE(a_file_with_faults_is_not_explored) {
  scratch_folder folder;
  run_of_program program({"explore", folder.file("tree.yaml", "schema: 1\ntree: {id: t, childern: []}\n")});
  BOOST_TEST(program.exit_status() == bad_file);
}

BOOST_AUTO_TEST_SUITE_END()
