// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(policies)

BOOST_AUTO_TEST_CASE(Y71_required_bounds) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker}
    - {id: b, kind: demo.worker, shutdown: infinity}
    - {id: c, kind: demo.worker, shutdown: brutal_kill}
policy:
  - {id: bounded-stop, match: {type: worker}, require: {shutdown: {min: 1s, max: 4s}}}
)") == R"(
t.yaml:5:12: error[Y71]: rule `bounded-stop` requires `shutdown` to be at most 4s, and here it is 5s
      - {id: a, kind: demo.worker}
             ^
t.yaml:9:10: note: the rule is here
    - {id: bounded-stop, match: {type: worker}, require: {shutdown: {min: 1s, max: 4s}}}
           ^~~~~~~~~~~~
t.yaml:6:44: error[Y71]: rule `bounded-stop` requires `shutdown` to be at most 4s, and here it is infinity
      - {id: b, kind: demo.worker, shutdown: infinity}
                                             ^~~~~~~~
t.yaml:9:10: note: the rule is here
    - {id: bounded-stop, match: {type: worker}, require: {shutdown: {min: 1s, max: 4s}}}
           ^~~~~~~~~~~~
t.yaml:7:44: error[Y71]: rule `bounded-stop` requires `shutdown` to be at least 1s, and here it is brutal_kill
      - {id: c, kind: demo.worker, shutdown: brutal_kill}
                                             ^~~~~~~~~~~
t.yaml:9:10: note: the rule is here
    - {id: bounded-stop, match: {type: worker}, require: {shutdown: {min: 1s, max: 4s}}}
           ^~~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y71_a_forbidden_value_as_a_warning) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, labels: {tier: edge}, shutdown: brutal_kill}
    - {id: b, kind: demo.worker, shutdown: brutal_kill}
policy:
  - {id: no-kill-at-the-edge, match: {labels: {tier: edge}}, forbid: {shutdown: brutal_kill}, level: warning}
)") == R"(
t.yaml:5:66: warning[Y71]: rule `no-kill-at-the-edge` forbids `shutdown` to be brutal_kill
      - {id: a, kind: demo.worker, labels: {tier: edge}, shutdown: brutal_kill}
                                                                   ^~~~~~~~~~~
t.yaml:8:10: note: the rule is here
    - {id: no-kill-at-the-edge, match: {labels: {tier: edge}}, forbid: {shutdown: brutal_kill}, level: warning}
           ^~~~~~~~~~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y71_by_path_kind_and_type) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.http}]}
    - {id: p, kind: process, restart: transient, args: {command: [x]}}
policy:
  - {id: path, match: {path: "/shop/*/x"}, require: {watch: {present: true}}}
  - {id: kind, match: {kind: demo.http}, require: {restart: [transient, temporary]}}
  - {id: process, match: {type: process}, require: {labels.owner: {present: true}}}
  - {id: supervisor, match: {type: supervisor}, forbid: {intensity: {max: 1}}}
)") == R"(
t.yaml:3:7: error[Y71]: rule `supervisor` forbids `intensity` to be 1
    id: shop
        ^~~~
t.yaml:11:10: note: the rule is here
    - {id: supervisor, match: {type: supervisor}, forbid: {intensity: {max: 1}}}
           ^~~~~~~~~~
t.yaml:5:12: error[Y71]: rule `supervisor` forbids `intensity` to be 1
      - {id: a, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.http}]}
             ^
t.yaml:11:10: note: the rule is here
    - {id: supervisor, match: {type: supervisor}, forbid: {intensity: {max: 1}}}
           ^~~~~~~~~~
t.yaml:5:31: error[Y71]: rule `path` requires `watch`
      - {id: a, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.http}]}
                                ^
t.yaml:8:10: note: the rule is here
    - {id: path, match: {path: "/shop/*/x"}, require: {watch: {present: true}}}
           ^~~~
t.yaml:5:59: error[Y71]: rule `kind` requires `restart` to be transient or temporary, and here it is permanent
      - {id: a, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.http}]}
                                                            ^
t.yaml:9:10: note: the rule is here
    - {id: kind, match: {kind: demo.http}, require: {restart: [transient, temporary]}}
           ^~~~
t.yaml:6:12: error[Y71]: rule `process` requires `labels.owner`
      - {id: p, kind: process, restart: transient, args: {command: [x]}}
             ^
t.yaml:10:10: note: the rule is here
    - {id: process, match: {type: process}, require: {labels.owner: {present: true}}}
           ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y71_a_node_is_watched_as_what_is_above_it_says) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  watch: {stuck_after: 2s, action: cancel}
  children:
    - {id: inherits, kind: demo.worker}
    - {id: own, kind: demo.worker, watch: {stuck_after: 9s}}
    - {id: off, kind: demo.worker, watch: off}
    - {id: a, watch: off, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.worker, watch: {grace: 1s}}]}
    - {id: pool, child: {kind: demo.worker}}
policy:
  - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
  - {id: none, match: {path: "/shop/*"}, forbid: {watch.action: cancel}, level: warning}
)") == R"(
t.yaml:6:12: warning[Y71]: rule `none` forbids `watch.action` to be cancel
      - {id: inherits, kind: demo.worker}
             ^~~~~~~~
t.yaml:13:10: note: the rule is here
    - {id: none, match: {path: "/shop/*"}, forbid: {watch.action: cancel}, level: warning}
           ^~~~
t.yaml:7:57: error[Y71]: rule `all` requires `watch.stuck_after` to be at most 5s, and here it is 9s
      - {id: own, kind: demo.worker, watch: {stuck_after: 9s}}
                                                          ^~
t.yaml:12:10: note: the rule is here
    - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
           ^~~
t.yaml:8:43: error[Y71]: rule `all` requires `watch`
      - {id: off, kind: demo.worker, watch: off}
                                            ^~~
t.yaml:12:10: note: the rule is here
    - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
           ^~~
t.yaml:8:43: error[Y71]: rule `all` requires `watch.stuck_after` to be at most 5s, and here it is not set
      - {id: off, kind: demo.worker, watch: off}
                                            ^~~
t.yaml:12:10: note: the rule is here
    - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
           ^~~
t.yaml:9:43: error[Y71]: rule `all` requires `watch`
      - {id: a, watch: off, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.worker, watch: {grace: 1s}}]}
                                            ^
t.yaml:12:10: note: the rule is here
    - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
           ^~~
t.yaml:9:43: error[Y71]: rule `all` requires `watch.stuck_after` to be at most 5s, and here it is not set
      - {id: a, watch: off, children: [{id: x, kind: demo.worker}, {id: y, kind: demo.worker, watch: {grace: 1s}}]}
                                            ^
t.yaml:12:10: note: the rule is here
    - {id: all, match: {type: worker}, require: {watch: {present: true}, watch.stuck_after: {max: 5s}}}
           ^~~
t.yaml:10:12: warning[Y71]: rule `none` forbids `watch.action` to be cancel
      - {id: pool, child: {kind: demo.worker}}
             ^~~~
t.yaml:13:10: note: the rule is here
    - {id: none, match: {path: "/shop/*"}, forbid: {watch.action: cancel}, level: warning}
           ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y72_rules_that_are_invalid) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker}
policy:
  - {id: a, require: {shutdwn: 5s}}
  - {id: a, require: {shutdown: 5}}
  - {id: c, macth: {}, forbid: {restart: permanent}}
  - {id: d, require: {intensity: {mx: 3}, watch: true, period: {min: 2s, max: 1s}}}
  - {id: e}
  - {require: {restart: permanent}}
  - x
)") == R"(
t.yaml:7:23: error[Y72]: a rule can't name `shutdwn`; did you mean `shutdown`?
    - {id: a, require: {shutdwn: 5s}}
                        ^~~~~~~
t.yaml:8:10: error[Y72]: a second rule with the id `a`
    - {id: a, require: {shutdown: 5}}
           ^
t.yaml:7:10: note: the first one is here
    - {id: a, require: {shutdwn: 5s}}
           ^
t.yaml:8:33: error[Y72]: `shutdown` takes a duration such as 10s
    - {id: a, require: {shutdown: 5}}
                                  ^
t.yaml:9:13: error[Y72]: unknown key `macth` of a rule; did you mean `match`?
    - {id: c, macth: {}, forbid: {restart: permanent}}
              ^~~~~
t.yaml:10:35: error[Y72]: `mx` says nothing about `intensity`; did you mean `max`?
    - {id: d, require: {intensity: {mx: 3}, watch: true, period: {min: 2s, max: 1s}}}
                                    ^~
t.yaml:10:50: error[Y72]: `watch` takes `{present: true}` or `{present: false}`
    - {id: d, require: {intensity: {mx: 3}, watch: true, period: {min: 2s, max: 1s}}}
                                                   ^~~~
t.yaml:10:64: error[Y72]: `min` is more than `max`: nothing keeps this rule
    - {id: d, require: {intensity: {mx: 3}, watch: true, period: {min: 2s, max: 1s}}}
                                                                 ^
t.yaml:11:10: error[Y72]: a rule needs `require` or `forbid`
    - {id: e}
           ^
t.yaml:12:5: error[Y72]: a rule needs an `id`
    - {require: {restart: permanent}}
      ^
t.yaml:13:5: error[Y72]: a rule must be a map
    - x
      ^
)");
}

BOOST_AUTO_TEST_CASE(Y24_Y72_what_a_field_never_is_would_be_forbidden_in_vain) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker}
policy:
  - {id: a, forbid: {restart: [permanant, transient]}}
  - {id: b, forbid: {watch.action: kill}, require: {significant: "false", enabled: true}}
  - {id: c, forbid: {intensity: many, max_children: infinity}}
  - {id: d, forbid: {context.timeout: infinity, start_timeout: infinity}}
  - {id: e, forbid: {kill_grace: brutal_kill}}
)") == R"(
t.yaml:7:32: error[Y24]: `restart` can't be `permanant`; did you mean `permanent`?
    - {id: a, forbid: {restart: [permanant, transient]}}
                                 ^~~~~~~~~
t.yaml:8:36: error[Y24]: `watch.action` can't be `kill`: it is report, cancel or replace
    - {id: b, forbid: {watch.action: kill}, require: {significant: "false", enabled: true}}
                                     ^~~~
t.yaml:9:33: error[Y72]: `intensity` takes a whole number
    - {id: c, forbid: {intensity: many, max_children: infinity}}
                                  ^~~~
t.yaml:9:53: error[Y72]: `max_children` takes a whole number
    - {id: c, forbid: {intensity: many, max_children: infinity}}
                                                      ^~~~~~~~
t.yaml:10:39: error[Y72]: `context.timeout` takes a duration such as 10s
    - {id: d, forbid: {context.timeout: infinity, start_timeout: infinity}}
                                        ^~~~~~~~
t.yaml:11:34: error[Y72]: `kill_grace` takes a duration such as 10s
    - {id: e, forbid: {kill_grace: brutal_kill}}
                                   ^~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y71_the_time_in_which_a_child_must_be_ready_is_that_of_its_start_where_it_has_none_of_its_own) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.store, ready: {}}
    - {id: b, kind: demo.store, ready: {}, start_timeout: 1m}
    - {id: c, kind: demo.store}
policy:
  - {id: soon, forbid: {ready.timeout: {min: 6s}}}
)") == R"(
t.yaml:6:33: error[Y71]: rule `soon` forbids `ready.timeout` to be 1m
      - {id: b, kind: demo.store, ready: {}, start_timeout: 1m}
                                  ^~~~~
t.yaml:9:10: note: the rule is here
    - {id: soon, forbid: {ready.timeout: {min: 6s}}}
           ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y71_what_follows_from_a_watch_above_that_could_not_be_read_is_left_out) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: s, watch: always, children: [{id: a, kind: demo.worker}]}
policy: [{id: watched, match: {type: worker}, require: {watch: {present: true}}}]
)") == R"(
t.yaml:2:22: error[Y23]: `watch` must be a map, or off, not a word
  tree: {id: s, watch: always, children: [{id: a, kind: demo.worker}]}
                       ^~~~~~
)");
}

BOOST_AUTO_TEST_SUITE_END()
