// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(shapes)

BOOST_AUTO_TEST_CASE(Y21_an_unknown_key_with_the_nearest) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  startegy: one_for_all
  children: []
)") == R"(
t.yaml:4:3: error[Y21]: unknown key `startegy`; did you mean `strategy`?
    startegy: one_for_all
    ^~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y21_an_unknown_key_of_the_file) {
  BOOST_TEST(rendered(R"(
schema: 1
tre: {}
tree: {id: a, children: []}
)") == R"(
t.yaml:2:1: error[Y21]: unknown key `tre`; did you mean `tree`?
  tre: {}
  ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y21_unknown_keys_of_nested_maps) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity: 5
  period: 1s
  children:
    - {id: a, kind: demo.worker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
)") == R"(
t.yaml:7:42: error[Y21]: unknown key `stuk_after` of `watch`; did you mean `stuck_after`?
      - {id: a, kind: demo.worker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                           ^~~~~~~~~~
t.yaml:7:59: warning[Y62]: with this backoff the supervisor's limit of restarts (5 in 1s) can never be reached: it never gives up
      - {id: a, kind: demo.worker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                            ^~~~~~~
t.yaml:7:87: error[Y21]: unknown key `fctor` of `backoff`; did you mean `factor`?
  …{id: a, kind: demo.worker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                                                   ^~~~~
t.yaml:7:98: error[Y22]: `address` is `refuse`, or a map with `hold`
  …d: demo.worker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                                                   ^~~~~~~
t.yaml:7:108: error[Y21]: unknown key `hld` of `address`; did you mean `hold`?
  …rker, watch: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                                                   ^~~
t.yaml:7:118: error[Y38]: `demo.worker` never reports that it is ready
  …h: {stuk_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                                                   ^~~~~
t.yaml:7:126: error[Y21]: unknown key `tmeout` of `ready`; did you mean `timeout`?
  …_after: 1s}, backoff: {min: 1s, max: 2s, fctor: 2}, address: {hld: 1s}, ready: {tmeout: 1s}}
                                                                                   ^~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y21_a_key_without_meaning_for_the_type_of_child) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, strategy: one_for_all}
    - {id: b, drain: 1s, max_children: 3, children: []}
    - {id: c, start: graph, child: {kind: demo.worker}}
)") == R"(
t.yaml:5:34: error[Y21]: `strategy` has no meaning for a worker
      - {id: a, kind: demo.worker, strategy: one_for_all}
                                   ^~~~~~~~
t.yaml:6:15: error[Y21]: `drain` has no meaning for a supervisor with `children`
      - {id: b, drain: 1s, max_children: 3, children: []}
                ^~~~~
t.yaml:6:26: error[Y21]: `max_children` has no meaning for a supervisor with `children`
      - {id: b, drain: 1s, max_children: 3, children: []}
                           ^~~~~~~~~~~~
t.yaml:7:15: error[Y21]: `start` has no meaning for a dynamic supervisor
      - {id: c, start: graph, child: {kind: demo.worker}}
                ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y22_missing_schema_tree_and_id) {
  BOOST_TEST(rendered(R"(
vars: {a: 1}
)") == R"(
t.yaml:1:1: error[Y22]: the file has no `schema`: write `schema: 1`
  vars: {a: 1}
  ^
t.yaml:1:1: error[Y22]: the file has no `tree`
  vars: {a: 1}
  ^
)");
}

BOOST_AUTO_TEST_CASE(Y22_a_child_without_an_id) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {kind: demo.worker}
)") == R"(
t.yaml:5:7: error[Y22]: a child needs an `id`
      - {kind: demo.worker}
        ^
)");
}

BOOST_AUTO_TEST_CASE(Y22_a_backoff_without_limits) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity: 5
  children:
    - {id: a, kind: demo.worker, backoff: {factor: 2}}
)") == R"(
t.yaml:6:34: error[Y22]: `backoff` needs `min`
      - {id: a, kind: demo.worker, backoff: {factor: 2}}
                                   ^~~~~~~
t.yaml:6:34: error[Y22]: `backoff` needs `max`
      - {id: a, kind: demo.worker, backoff: {factor: 2}}
                                   ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y23_wrong_types_at_their_place) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - just a word
    - {id: [a], kind: demo.worker}
    - {id: b, kind: {}, labels: [x]}
    - {id: c, kind: demo.worker, enabled: "true", after: d, ready: 5s}
    - -
    - {id: d, kind: demo.http, args: {port: "80", rate: fast, poll: soon}}
    - {id: e, kind: process, args: {command: sleep 1, env: [A], limits: {nofile: x}}}
)") == R"(
t.yaml:5:7: error[Y23]: `child` must be a map, not a word
      - just a word
        ^~~~~~~~~~~
t.yaml:6:12: error[Y23]: `id` must be a string, not a list
      - {id: [a], kind: demo.worker}
             ^
t.yaml:7:21: error[Y23]: `kind` must be a string, not a map
      - {id: b, kind: {}, labels: [x]}
                      ^
t.yaml:7:33: error[Y23]: `labels` must be a map, not a list
      - {id: b, kind: {}, labels: [x]}
                                  ^
t.yaml:8:43: error[Y23]: `enabled` must be true or false, not a quoted string
      - {id: c, kind: demo.worker, enabled: "true", after: d, ready: 5s}
                                            ^~~~~~
t.yaml:8:58: error[Y23]: `after` must be a list, not a word
      - {id: c, kind: demo.worker, enabled: "true", after: d, ready: 5s}
                                                           ^
t.yaml:8:68: error[Y23]: `ready` must be a map, or none, not a word
      - {id: c, kind: demo.worker, enabled: "true", after: d, ready: 5s}
                                                                     ^~
t.yaml:9:7: error[Y23]: `child` must be a map, not a list
      - -
        ^
t.yaml:10:45: error[Y23]: `port` must be a whole number, not a quoted string
      - {id: d, kind: demo.http, args: {port: "80", rate: fast, poll: soon}}
                                              ^~~~
t.yaml:10:57: error[Y23]: `rate` must be a number, not a word
      - {id: d, kind: demo.http, args: {port: "80", rate: fast, poll: soon}}
                                                          ^~~~
t.yaml:10:69: error[Y23]: `poll` must be a duration such as 10s, or infinity, not `soon`
      - {id: d, kind: demo.http, args: {port: "80", rate: fast, poll: soon}}
                                                                      ^~~~
t.yaml:11:46: error[Y23]: `command` must be a list of strings, not a word
      - {id: e, kind: process, args: {command: sleep 1, env: [A], limits: {nofile: x}}}
                                               ^~~~~~~
t.yaml:11:60: error[Y23]: `env` must be a map of strings, not a list
      - {id: e, kind: process, args: {command: sleep 1, env: [A], limits: {nofile: x}}}
                                                             ^
t.yaml:11:82: error[Y23]: `nofile` must be a whole number, not a word
  …   - {id: e, kind: process, args: {command: sleep 1, env: [A], limits: {nofile: x}}}
                                                                                   ^
)");
}

BOOST_AUTO_TEST_CASE(Y23_a_number_with_a_leading_zero) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.http, args: {port: 010, rate: 010}}
)") == R"(
t.yaml:5:45: error[Y23]: `010` begins with 0, which some programs read as octal: write the decimal number
      - {id: a, kind: demo.http, args: {port: 010, rate: 010}}
                                              ^~~
t.yaml:5:56: error[Y23]: `010` begins with 0, which some programs read as octal: write the decimal number
      - {id: a, kind: demo.http, args: {port: 010, rate: 010}}
                                                         ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y23_an_empty_value_is_shown_at_its_key) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity:
  children: []
)") == R"(
t.yaml:4:3: error[Y23]: `intensity` must be a whole number, not nothing
    intensity:
    ^
)");
}

BOOST_AUTO_TEST_CASE(Y23_a_value_is_typed_after_substitution) {
  BOOST_TEST(rendered(R"(
schema: 1
vars: {pool: "${env:POOL:-4}", word: many}
tree:
  id: shop
  intensity: "${var:pool}"
  children:
    - {id: a, kind: demo.store, args: {pool: "${var:word}"}}
    - {id: b, kind: demo.store, args: {pool: "1${var:pool}"}}
)") == R"(
t.yaml:7:46: error[Y23]: `pool` must be a whole number, not `many`
      - {id: a, kind: demo.store, args: {pool: "${var:word}"}}
                                               ^~~~~~~~~~~~~
t.yaml:7:46: note: after substitution it is `many`
      - {id: a, kind: demo.store, args: {pool: "${var:word}"}}
                                               ^~~~~~~~~~~~~
t.yaml:8:46: error[Y23]: `pool` must be a whole number, not a quoted string
      - {id: b, kind: demo.store, args: {pool: "1${var:pool}"}}
                                               ^~~~~~~~~~~~~~
t.yaml:8:46: note: after substitution it is `18`
      - {id: b, kind: demo.store, args: {pool: "1${var:pool}"}}
                                               ^~~~~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y24_an_unknown_word_with_the_nearest) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  strategy: one_for_al
  children:
    - {id: a, kind: demo.worker, restart: permanant, isolation: none, watch: {action: kil}}
)") == R"(
t.yaml:4:13: error[Y24]: `strategy` can't be `one_for_al`; did you mean `one_for_all`?
    strategy: one_for_al
              ^~~~~~~~~~
t.yaml:6:43: error[Y24]: `restart` can't be `permanant`; did you mean `permanent`?
      - {id: a, kind: demo.worker, restart: permanant, isolation: none, watch: {action: kil}}
                                            ^~~~~~~~~
t.yaml:6:65: error[Y24]: `isolation` can't be `none`: it is shared, thread or process
      - {id: a, kind: demo.worker, restart: permanant, isolation: none, watch: {action: kil}}
                                                                  ^~~~
t.yaml:6:87: error[Y24]: `action` can't be `kil`: it is report, cancel or replace
  …{id: a, kind: demo.worker, restart: permanant, isolation: none, watch: {action: kil}}
                                                                                   ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y25_durations_without_a_unit_negative_unknown_and_too_long) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, shutdown: 10, kill_grace: -1s, start_timeout: 99999999999h, drain: 10 s}
)") == R"(
t.yaml:5:44: error[Y25]: the duration `10` has no unit: add one of ns us ms s m h
      - {id: a, kind: demo.worker, shutdown: 10, kill_grace: -1s, start_timeout: 99999999999h, drain: 10 s}
                                             ^~
t.yaml:5:60: error[Y25]: the duration `-1s` is negative
      - {id: a, kind: demo.worker, shutdown: 10, kill_grace: -1s, start_timeout: 99999999999h, drain: 10 s}
                                                             ^~~
t.yaml:5:80: error[Y25]: the duration `99999999999h` is too long: at most 100 years, or infinity
      - {id: a, kind: demo.worker, shutdown: 10, kill_grace: -1s, start_timeout: 99999999999h, drain: 10 s}
                                                                                 ^~~~~~~~~~~~
t.yaml:5:101: error[Y25]: the duration `10 s` has an unknown unit: use one of ns us ms s m h
  …demo.worker, shutdown: 10, kill_grace: -1s, start_timeout: 99999999999h, drain: 10 s}
                                                                                   ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y23_a_tree_that_is_no_map_is_called_a_tree) {
  BOOST_TEST(rendered("schema: 1\ntree: 3\n").find("error[Y23]: `tree` must be a map, not a word") !=
             std::string::npos);
}

// More, added to a clock's time, would be a time in the past.
BOOST_AUTO_TEST_CASE(Y25_a_duration_is_at_most_100_years) {
  const auto with = [](const std::string& time) {
    return rendered("schema: 1\nshutdown: {budget: " + time + "}\ntree: {id: t, children: []}\n");
  };
  BOOST_TEST(with("876600h") == "\n");
  BOOST_TEST(with("876601h").find("t.yaml:2:20: error[Y25]: the duration `876601h` is too long") != std::string::npos);
  BOOST_TEST(with("9223372035s").find("is too long: at most 100 years, or infinity\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Y26_out_of_range) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  intensity: 4294967296
  period: 0s
  children:
    - {id: a, kind: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
    - {id: a/b, kind: demo.worker}
)") == R"(
t.yaml:4:14: error[Y26]: `intensity` must be 0 to 4294967295, not 4294967296
    intensity: 4294967296
               ^~~~~~~~~~
t.yaml:5:11: error[Y26]: `period` must be longer than 0
    period: 0s
            ^~
t.yaml:7:49: error[Y26]: `min` (3s) is longer than `max` (2s)
      - {id: a, kind: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
                                                  ^~
t.yaml:7:58: note: `max` is set here
      - {id: a, kind: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
                                                           ^~
t.yaml:7:70: error[Y26]: `factor` must be between 1 and 1000000
      - {id: a, kind: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
                                                                       ^~~
t.yaml:7:83: error[Y26]: `jitter` must be between 0 and 1: a fraction of the delay
  …  - {id: a, kind: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
                                                                                   ^
t.yaml:7:99: error[Y26]: `kill_grace` must be finite
  …: demo.worker, backoff: {min: 3s, max: 2s, factor: 0.5, jitter: 2}, kill_grace: infinity}
                                                                                   ^~~~~~~~
t.yaml:8:12: error[Y26]: id `a/b`: an id can't contain `/`, which separates the ids of a path
      - {id: a/b, kind: demo.worker}
             ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y27_another_schema) {
  BOOST_TEST(rendered(R"(
schema: 2
tree: {id: a, children: []}
)") == R"(
t.yaml:1:9: error[Y27]: this program reads tree files of `schema: 1` only
  schema: 2
          ^
)");
}

BOOST_AUTO_TEST_CASE(Y28_old_booleans) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, enabled: on, significant: no}
    - {id: b, kind: demo.http, args: {verbose: yes}}
)") == R"(
t.yaml:5:43: error[Y28]: `on` is not a boolean here: write true or false
      - {id: a, kind: demo.worker, enabled: on, significant: no}
                                            ^~
t.yaml:5:60: error[Y28]: `no` is not a boolean here: write true or false
      - {id: a, kind: demo.worker, enabled: on, significant: no}
                                                             ^~
t.yaml:6:48: error[Y28]: `yes` is not a boolean here: write true or false
      - {id: b, kind: demo.http, args: {verbose: yes}}
                                                 ^~~
)");
}

BOOST_AUTO_TEST_CASE(faults_of_templates_and_defaults_of_which_no_node_has_the_value) {
  BOOST_TEST(rendered(R"(
schema: 1
defaults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
templates:
  used: {kill_grace: 7}
  unused: {start: grph, max_children: lots}
  worker: {kind: demo.worker, strategy: one_for_all}
tree: {id: s, shutdown: 1s, labels: {a: b}, child: {use: used, kind: demo.worker, shutdown: 1s, kill_grace: 1s, drain: none, labels: {a: b}}}
)") == R"(
t.yaml:2:22: error[Y25]: the duration `5` has no unit: add one of ns us ms s m h
  defaults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
                       ^
t.yaml:2:32: error[Y24]: `start` can't be `grph`; did you mean `graph`?
  defaults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
                                 ^~~~
t.yaml:2:52: error[Y23]: `max_children` must be a whole number, not a word
  defaults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
                                                     ^~~~
t.yaml:2:65: error[Y23]: `drain` must be a duration such as 10s, not `soon`
  defaults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
                                                                  ^~~~
t.yaml:2:83: error[Y23]: `a` must be a string, not a list
  …faults: {shutdown: 5, start: grph, max_children: lots, drain: soon, labels: {a: [b]}}
                                                                                   ^
t.yaml:4:22: error[Y25]: the duration `7` has no unit: add one of ns us ms s m h
    used: {kill_grace: 7}
                       ^
t.yaml:5:19: error[Y24]: `start` can't be `grph`; did you mean `graph`?
    unused: {start: grph, max_children: lots}
                    ^~~~
t.yaml:5:39: error[Y23]: `max_children` must be a whole number, not a word
    unused: {start: grph, max_children: lots}
                                        ^~~~
t.yaml:6:31: error[Y21]: `strategy` has no meaning for a worker
    worker: {kind: demo.worker, strategy: one_for_all}
                                ^~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(what_a_template_that_nobody_uses_lacks_a_node_would_add) {
  BOOST_TEST(rendered(R"(
schema: 1
templates: {slow: {backoff: {min: 1s}, address: {}}}
defaults: {backoff: {factor: 3}}
tree: {id: s, backoff: none, children: []}
)") == "\n");
}

BOOST_AUTO_TEST_CASE(Y21_the_value_of_an_unknown_key_is_not_read_as_that_of_a_known_one) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.store, address: {hold: 1s, held: often}, ready: {timeout: 1s, until: soon}}
)") == R"(
t.yaml:5:53: error[Y21]: unknown key `held` of `address`; did you mean `hold`?
      - {id: a, kind: demo.store, address: {hold: 1s, held: often}, ready: {timeout: 1s, until: soon}}
                                                      ^~~~
t.yaml:5:88: error[Y21]: unknown key `until` of `ready`
  …id: a, kind: demo.store, address: {hold: 1s, held: often}, ready: {timeout: 1s, until: soon}}
                                                                                   ^~~~~
)");
}

BOOST_AUTO_TEST_SUITE_END()
