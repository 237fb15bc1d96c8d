// SPDX-License-Identifier: BSL-1.0
//
// Trees of real servers on the loopback interface. What is asserted stands in the servers' own log, in which each line
// is written at the moment when it happens.
#include "daemon_log.hpp"
#include "run_of_program.hpp"

#include <signal.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace scenario;

namespace {

struct daemons {
  scratch_folder folder;
  daemon_log log;
  std::vector<int> ports = free_ports(4);

  // A node that runs a daemon; `words` are the daemon's, `more` is of the node's arguments, `rest` of the node.
  std::string node(const std::string& id, const std::string& words, const std::string& more,
                   const std::string& rest) const {
    return "    - {id: " + id + ", kind: process, args: {command: [" DAEMON_PATH ", " + id + ", " + log.path() + ", " +
           words + "]" + more + "}, ready: {timeout: 30s}, shutdown: 20s" + rest + "}\n";
  }
  std::string port(std::size_t i) const { return std::to_string(ports[i]); }

  // Where a line stands in the log.
  static std::ptrdiff_t at(const std::vector<std::string>& lines, const std::string& line) {
    const auto i = std::find(lines.begin(), lines.end(), line);
    BOOST_TEST_REQUIRE((i != lines.end()), line << " is missing");
    return i - lines.begin();
  }
  std::vector<std::string> run(const std::string& tree) {
    run_of_program program({"run", folder.file("tree.yaml", tree), "--log", "json"});
    program.wait("started", "/t");
    program.signal(SIGTERM);
    BOOST_TEST(program.exit_status() == 0);
    BOOST_TEST(program.leaves_nothing());
    return log.lines();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(daemons_, daemons)

BOOST_AUTO_TEST_CASE(an_ordered_tree_starts_each_server_when_the_one_before_is_ready_and_stops_in_reverse) {
  const auto lines =
      run("schema: 1\ntree:\n  id: t\n  children:\n" +
          node("db", "port=" + port(0) + ", ready=150, stop=100", ", ready_port: " + port(0), "") +
          node("cache", "port=" + port(1) + ", needs=" + port(0) + ", ready=100, notify=1", ", notify: true", "") +
          node("web", "port=" + port(2) + ", needs=" + port(0) + ", needs=" + port(1) + ", line=listening, stop=100",
               ", ready_line: listening", ""));
  BOOST_TEST(lines == (std::vector<std::string>{"db starts", "db is ready", "cache starts", "cache is ready",
                                                "web starts", "web is ready", "web stops", "web has stopped",
                                                "cache stops", "cache has stopped", "db stops", "db has stopped"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_graph_keeps_to_its_dependencies_alone) {
  // Two stores, a server that needs both, and one that needs the first: no daemon may find a port closed that it needs,
  // neither when it starts nor when it stops.
  const auto lines =
      run("schema: 1\ntree:\n  id: t\n  start: graph\n  children:\n" +
          node("web", "port=" + port(2) + ", needs=" + port(0) + ", needs=" + port(1) + ", line=up, stop=150",
               ", ready_line: up", ", after: [{id: slow, when: ready}, {id: fast, when: ready}]") +
          node("jobs", "needs=" + port(1) + ", line=up", ", ready_line: up", ", after: [{id: fast, when: ready}]") +
          node("slow", "port=" + port(0) + ", ready=600, stop=50", ", ready_port: " + port(0), "") +
          node("fast", "port=" + port(1) + ", notify=1", ", notify: true", ""));
  for (const auto& line : lines)
    BOOST_TEST((line.find("misses") == std::string::npos && line.find("lost") == std::string::npos), line);
  BOOST_TEST(lines.size() == 16u);
  BOOST_TEST(at(lines, "slow is ready") < at(lines, "web starts"));
  BOOST_TEST(at(lines, "fast is ready") < at(lines, "web starts"));
  BOOST_TEST(at(lines, "fast is ready") < at(lines, "jobs starts"));
  BOOST_TEST(at(lines, "jobs starts") < at(lines, "slow is ready"));  // it does not wait for what it does not need
  BOOST_TEST(at(lines, "web has stopped") < at(lines, "slow stops"));
  BOOST_TEST(at(lines, "web has stopped") < at(lines, "fast stops"));
  BOOST_TEST(at(lines, "jobs has stopped") < at(lines, "fast stops"));
}

BOOST_AUTO_TEST_SUITE_END()
