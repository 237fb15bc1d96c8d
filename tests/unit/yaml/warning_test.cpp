// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(warnings)

BOOST_AUTO_TEST_CASE(Y61_a_supervisor_with_less_time_than_its_children) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, shutdown: 3s, children: [{id: b, kind: demo.worker}, {id: c, kind: demo.worker}]}
    - {id: d, shutdown: 3s, child: {kind: demo.worker, shutdown: 3s}}
)") == R"(
t.yaml:5:25: warning[Y61]: `shutdown` (3s) is shorter than what the children may take (10s): some will be killed before their time is up
      - {id: a, shutdown: 3s, children: [{id: b, kind: demo.worker}, {id: c, kind: demo.worker}]}
                          ^~
)");
}

BOOST_AUTO_TEST_CASE(Y62_a_backoff_that_defeats_the_limit) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
    - {id: b, kind: demo.worker, backoff: {min: 10ms, max: 20s}}
)") == R"(
t.yaml:5:34: warning[Y62]: with this backoff the supervisor's limit of restarts (1 in 5s) can never be reached: it never gives up
      - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
                                   ^~~~~~~
t.yaml:6:34: warning[Y62]: with this backoff the second crash already reaches the supervisor's limit of restarts (1 in 5s): raise `intensity`, or the delays
      - {id: b, kind: demo.worker, backoff: {min: 10ms, max: 20s}}
                                   ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y62_where_the_first_crash_is_one_too_many_no_backoff_delays_anything) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity: 0
  children:
    - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
)") == R"(
t.yaml:6:34: warning[Y62]: the first crash already reaches the supervisor's limit of restarts (0 in 5s), so that there is none to delay: raise `intensity`
      - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
                                   ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y62_the_limit_counts_the_delays_between_crashes_from_the_first_one) {
  // Crashes at 0, 1, 4, 13 and 40 s at the earliest: the fifth is one too many for 4 in 1 m, and none for 4 in 30 s.
  const auto file = [](const char* period) {
    return std::string("\nschema: 1\ntree:\n  id: shop\n  intensity: 4\n  period: ") + period +
           "\n  children:\n    - {id: a, kind: demo.worker, backoff: {min: 1s, max: 1m, factor: 3, jitter: 0}}\n";
  };
  BOOST_TEST(rendered(file("1m")).find("warning") == std::string::npos);
  BOOST_TEST(rendered(file("30s"))
                 .find("t.yaml:7:34: warning[Y62]: with this backoff the supervisor's limit of "
                       "restarts (4 in 30s) can never be reached") == 1u);
}

BOOST_AUTO_TEST_CASE(Y63_a_deadline_later_than_the_parents) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  context: {timeout: 10s}
  children:
    - {id: a, kind: demo.worker, context: {timeout: 20s}}
    - {id: b, kind: demo.worker, context: {timeout: 5s}}
)") == R"(
t.yaml:6:53: warning[Y63]: this deadline (20s) can't be reached: a supervisor's above it is sooner (10s)
      - {id: a, kind: demo.worker, context: {timeout: 20s}}
                                                      ^~~
t.yaml:4:22: note: the sooner one is here
    context: {timeout: 10s}
                       ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y64_a_permanent_process_that_ends_by_itself) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: process, args: {command: [sh, -c, "echo hello; sleep 2"]}}
    - {id: b, kind: process, args: {command: [sh, -c, "while true; do sleep 1; done"]}}
    - {id: c, kind: process, args: {command: [/bin/true]}}
    - {id: d, kind: process, restart: transient, args: {command: [/bin/true]}}
)") == R"(
t.yaml:5:37: warning[Y64]: this command ends by itself, and a permanent child is restarted even after exit status 0: use `restart: transient`
      - {id: a, kind: process, args: {command: [sh, -c, "echo hello; sleep 2"]}}
                                      ^~~~~~~
t.yaml:7:37: warning[Y64]: this command ends by itself, and a permanent child is restarted even after exit status 0: use `restart: transient`
      - {id: c, kind: process, args: {command: [/bin/true]}}
                                      ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y62_the_largest_limit_of_restarts_counts_as_such) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity: 4294967295
  children:
    - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
)") == R"(
t.yaml:6:34: warning[Y62]: with this backoff the supervisor's limit of restarts (4294967295 in 5s) can never be reached: it never gives up
      - {id: a, kind: demo.worker, backoff: {min: 10s, max: 20s}}
                                   ^~~~~~~
)");
}

// Delays that hardly grow, and are added up a billion times, would take minutes.
BOOST_AUTO_TEST_CASE(Y62_is_found_in_a_time_that_does_not_depend_on_the_limit, *boost::unit_test::timeout(10)) {
  BOOST_TEST(rendered(R"(
schema: 1
defaults: {intensity: 4294967294, period: 100h}
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, backoff: {min: 1ns, max: 100h, factor: 1.0000000000000002}}
    - {id: b, kind: demo.worker, backoff: {min: 1ns, max: 100h, factor: 1.0000000000000002}}
)") == "\n");
}

BOOST_AUTO_TEST_CASE(Y64_a_command_that_runs_another_or_sleeps_for_ever_does_not_end_by_itself) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: process, args: {command: [env, ZONE=eu, ./server]}}
    - {id: b, kind: process, args: {command: [sh, -c, "echo ready; sleep infinity"]}}
)") == "\n");
}

BOOST_AUTO_TEST_SUITE_END()
