// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(trees)

BOOST_AUTO_TEST_CASE(Y31_a_duplicate_id_is_shown_with_the_first) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker}
    - {id: a, kind: demo.worker}
)") == R"(
t.yaml:6:12: error[Y31]: duplicate id `a`: ids must differ among siblings
      - {id: a, kind: demo.worker}
             ^
t.yaml:5:12: note: `a` is first used here
      - {id: a, kind: demo.worker}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y32_an_unknown_kind) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.wroker}
)") == R"(
t.yaml:5:21: error[Y32]: unknown kind `demo.wroker`; did you mean `demo.worker`?
      - {id: a, kind: demo.wroker}
                      ^~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y32_an_unknown_template) {
  BOOST_TEST(rendered(R"(
schema: 1
templates: {web: {restart: transient}}
tree: {id: s, children: [{id: a, use: wbe, kind: demo.worker}]}
)") == R"(
t.yaml:3:39: error[Y32]: unknown template `wbe`; did you mean `web`?
  tree: {id: s, children: [{id: a, use: wbe, kind: demo.worker}]}
                                        ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y32_an_unknown_dependency) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: store, kind: demo.worker}
    - {id: b, kind: demo.worker, after: [stroe, {id: nobody}]}
)") == R"(
t.yaml:6:42: error[Y32]: unknown dependency `stroe`; did you mean `store`?
      - {id: b, kind: demo.worker, after: [stroe, {id: nobody}]}
                                           ^~~~~
t.yaml:6:54: error[Y32]: unknown dependency `nobody`
      - {id: b, kind: demo.worker, after: [stroe, {id: nobody}]}
                                                       ^~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y32_an_unknown_context_key) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, context: {values: {zon: eu}}}
    - {id: b, context: {values: {zoen: eu}}, children: []}
)") == R"(
t.yaml:5:53: error[Y32]: unknown context key `zon`; did you mean `zone`?
      - {id: a, kind: demo.worker, context: {values: {zon: eu}}}
                                                      ^~~
t.yaml:6:34: error[Y32]: unknown context key `zoen`; did you mean `zone`?
      - {id: b, context: {values: {zoen: eu}}, children: []}
                                   ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y33_arguments_that_the_kind_refuses) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.store, args: {pool: 0, ulr: x}}
    - {id: b, kind: process}
)") == R"(
t.yaml:5:46: error[Y33]: `pool` must be at least 1
      - {id: a, kind: demo.store, args: {pool: 0, ulr: x}}
                                               ^
t.yaml:5:49: error[Y33]: `demo.store` has no argument `ulr`; did you mean `url`?
      - {id: a, kind: demo.store, args: {pool: 0, ulr: x}}
                                                  ^~~
t.yaml:6:21: error[Y33]: `process` needs the argument `command`, a list of strings
      - {id: b, kind: process}
                      ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y34_two_of_kind_children_and_child) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, children: []}
    - {id: b, child: {kind: demo.worker}, kind: demo.worker}
)") == R"(
t.yaml:5:34: error[Y34]: a child has one of `kind`, `children` and `child`, and this one has `kind` and `children`
      - {id: a, kind: demo.worker, children: []}
                                   ^~~~~~~~
t.yaml:5:15: note: `kind` is here
      - {id: a, kind: demo.worker, children: []}
                ^~~~
t.yaml:6:43: error[Y34]: a child has one of `kind`, `children` and `child`, and this one has `child` and `kind`
      - {id: b, child: {kind: demo.worker}, kind: demo.worker}
                                            ^~~~
t.yaml:6:15: note: `child` is here
      - {id: b, child: {kind: demo.worker}, kind: demo.worker}
                ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y34_none_of_kind_children_and_child) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a}
)") == R"(
t.yaml:5:12: error[Y34]: a child needs exactly one of `kind`, `children` and `child`
      - {id: a}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y35_a_cycle_with_its_path) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  start: graph
  children:
    - {id: p, kind: demo.worker, after: [q]}
    - {id: q, kind: demo.worker, after: [r]}
    - {id: r, kind: demo.worker, after: [p]}
    - {id: s, kind: demo.worker, after: [s]}
)") == R"(
t.yaml:6:42: error[Y35]: dependency cycle: p -> q -> r -> p
      - {id: p, kind: demo.worker, after: [q]}
                                           ^
t.yaml:7:42: note: `q` waits for `r` here
      - {id: q, kind: demo.worker, after: [r]}
                                           ^
t.yaml:8:42: note: `r` waits for `p` here
      - {id: r, kind: demo.worker, after: [p]}
                                           ^
t.yaml:9:42: error[Y35]: dependency cycle: s -> s
      - {id: s, kind: demo.worker, after: [s]}
                                           ^
)");
}

BOOST_AUTO_TEST_CASE(Y36_a_dependency_on_a_disabled_child_or_elsewhere) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, enabled: false}
    - {id: b, kind: demo.worker, after: [a, inner]}
    - {id: c, children: [{id: inner, kind: demo.worker}]}
)") == R"(
t.yaml:6:42: error[Y36]: `a` is disabled, so nothing can start after it
      - {id: b, kind: demo.worker, after: [a, inner]}
                                           ^
t.yaml:5:43: note: `a` is disabled here
      - {id: a, kind: demo.worker, enabled: false}
                                            ^~~~~
t.yaml:6:45: error[Y36]: `inner` is not a sibling: `after` names children of the same supervisor
      - {id: b, kind: demo.worker, after: [a, inner]}
                                              ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y36_the_root_and_a_template_have_no_siblings) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  after: [x]
  child: {kind: demo.worker, after: [y]}
)") == R"(
t.yaml:4:11: error[Y36]: the root has no siblings that it could start after
    after: [x]
            ^
t.yaml:5:38: error[Y36]: the template of a dynamic supervisor has no siblings that it could start after
    child: {kind: demo.worker, after: [y]}
                                       ^
)");
}

BOOST_AUTO_TEST_CASE(Y37_a_dependency_on_a_later_sibling) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, after: [b]}
    - {id: b, kind: demo.worker}
)") == R"(
t.yaml:5:42: error[Y37]: `b` comes later, and `start: ordered` follows the order of the file: move it up, or use `start: graph`
      - {id: a, kind: demo.worker, after: [b]}
                                           ^
t.yaml:6:12: note: `b` is here
      - {id: b, kind: demo.worker}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y37_rest_for_one_in_a_graph) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  strategy: rest_for_one
  start: graph
  children: []
)") == R"(
t.yaml:4:13: error[Y37]: under `start: graph` there is no order of which a rest could be restarted
    strategy: rest_for_one
              ^~~~~~~~~~~~
t.yaml:5:10: note: `start` is graph here
    start: graph
           ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y38_readiness_and_completion_that_never_come) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker}
    - {id: b, kind: demo.worker, after: [{id: a, when: ready}]}
    - {id: c, kind: demo.worker, after: [{id: a, when: completed}]}
    - {id: d, kind: demo.worker, ready: {}}
    - {id: e, kind: process, ready: {}, args: {command: [x]}}
)") == R"(
t.yaml:6:56: error[Y38]: `a` doesn't report readiness: give it `ready`, or wait for `started`
      - {id: b, kind: demo.worker, after: [{id: a, when: ready}]}
                                                         ^~~~~
t.yaml:5:12: note: `a` is here
      - {id: a, kind: demo.worker}
             ^
t.yaml:7:56: error[Y38]: `a` is permanent and never completes: make it transient or temporary
      - {id: c, kind: demo.worker, after: [{id: a, when: completed}]}
                                                         ^~~~~~~~~
t.yaml:8:34: error[Y38]: `demo.worker` never reports that it is ready
      - {id: d, kind: demo.worker, ready: {}}
                                   ^~~~~
t.yaml:9:30: error[Y38]: with these arguments `process` never reports that it is ready
      - {id: e, kind: process, ready: {}, args: {command: [x]}}
                               ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y39_significant_children) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, significant: true, restart: permanent}
    - {id: b, kind: demo.worker, significant: true, restart: transient}
)") == R"(
t.yaml:5:47: error[Y39]: a significant child must be transient or temporary: a permanent one never ends for good
      - {id: a, kind: demo.worker, significant: true, restart: permanent}
                                                ^~~~
t.yaml:5:62: note: `restart` is permanent here
      - {id: a, kind: demo.worker, significant: true, restart: permanent}
                                                               ^~~~~~~~~
t.yaml:5:47: error[Y39]: significant children need a supervisor whose `auto_shutdown` is any_significant or all_significant
      - {id: a, kind: demo.worker, significant: true, restart: permanent}
                                                ^~~~
t.yaml:6:47: error[Y39]: significant children need a supervisor whose `auto_shutdown` is any_significant or all_significant
      - {id: b, kind: demo.worker, significant: true, restart: transient}
                                                ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y40_dynamic_supervisors_have_no_significant_children) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  auto_shutdown: any_significant
  child: {kind: demo.worker, significant: true, restart: transient}
)") == R"(
t.yaml:4:18: error[Y40]: a dynamic supervisor has no significant children, so `auto_shutdown` can't be set
    auto_shutdown: any_significant
                   ^~~~~~~~~~~~~~~
t.yaml:5:43: error[Y40]: children of a dynamic supervisor can't be significant
    child: {kind: demo.worker, significant: true, restart: transient}
                                            ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y41_a_budget_shorter_than_the_worst_stop_path) {
  BOOST_TEST(rendered(R"(
schema: 1
shutdown: {budget: 10s}
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, shutdown: 8s}
    - id: g
      start: graph
      children:
        - {id: x, kind: demo.worker, shutdown: 1s}
        - {id: y, kind: demo.worker, shutdown: 500ms, after: [x]}
        - {id: z, kind: demo.worker, shutdown: 1200ms}
    - {id: b, kind: demo.worker, shutdown: brutal_kill}
    - {id: c, kind: demo.worker, shutdown: infinity}
)") == R"(
t.yaml:2:20: error[Y41]: the shutdown budget (10s) is shorter than the worst stop path: /shop/g/y 500ms + /shop/g/x 1s + /shop/a 8s + kill_grace 1s = 10500ms
  shutdown: {budget: 10s}
                     ^~~
t.yaml:6:12: note: the longest step of it is /shop/a
      - {id: a, kind: demo.worker, shutdown: 8s}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y42_a_drain_longer_than_its_shutdown) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, drain: 6s}
    - {id: b, kind: demo.worker, drain: 3s, shutdown: 2s}
)") == R"(
t.yaml:5:41: error[Y42]: `drain` (6s) is longer than `shutdown` (5s), in which it must end
      - {id: a, kind: demo.worker, drain: 6s}
                                          ^~
t.yaml:6:41: error[Y42]: `drain` (3s) is longer than `shutdown` (2s), in which it must end
      - {id: b, kind: demo.worker, drain: 3s, shutdown: 2s}
                                          ^~
t.yaml:6:55: note: `shutdown` is set here
      - {id: b, kind: demo.worker, drain: 3s, shutdown: 2s}
                                                        ^~
)");
}

BOOST_AUTO_TEST_CASE(Y43_a_process_of_its_own_for_what_runs_in_this_one) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  children:
    - {id: a, kind: demo.worker, isolation: process}
    - {id: b, isolation: process, children: []}
    - {id: c, kind: process, isolation: process, restart: transient, args: {command: [x]}}
)") == R"(
t.yaml:5:45: error[Y43]: `demo.worker` runs in this program and can't have a process of its own: `thread` gives it a thread, and `kind: process` runs a program
      - {id: a, kind: demo.worker, isolation: process}
                                              ^~~~~~~
t.yaml:6:26: error[Y43]: a supervisor can't run in a process of its own: leave it out, and give one to its children
      - {id: b, isolation: process, children: []}
                           ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(faults_in_a_template_are_reported_once_and_faults_with_it_at_both_places) {
  BOOST_TEST(rendered(R"(
schema: 1
templates: {web: {restart: never, drain: 7s}}
tree: {id: s, children: [{id: a, use: web, kind: demo.worker}, {id: b, use: web, kind: demo.worker, shutdown: 9s}]}
)") == R"(
t.yaml:2:28: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary
  templates: {web: {restart: never, drain: 7s}}
                             ^~~~~
t.yaml:2:42: error[Y42]: `drain` (7s) is longer than `shutdown` (5s), in which it must end
  templates: {web: {restart: never, drain: 7s}}
                                           ^~
t.yaml:3:31: note: for this node
  tree: {id: s, children: [{id: a, use: web, kind: demo.worker}, {id: b, use: web, kind: demo.worker, shutdown: 9s}]}
                                ^
)");
}

BOOST_AUTO_TEST_CASE(faults_of_a_template_that_nobody_uses) {
  BOOST_TEST(rendered(R"(
schema: 1
templates: {web: {restart: never, strategey: one_for_one}}
tree: {id: s, children: []}
)") == R"(
t.yaml:2:28: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary
  templates: {web: {restart: never, strategey: one_for_one}}
                             ^~~~~
t.yaml:2:35: error[Y21]: unknown key `strategey` of a template; did you mean `strategy`?
  templates: {web: {restart: never, strategey: one_for_one}}
                                    ^~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(what_follows_from_a_value_that_could_not_be_read_is_left_out) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: shop
  auto_shutdown: any
  start: grph
  children:
    - {id: a, kind: demo.worker, restart: transient, significant: true, after: [b]}
    - {id: b, kind: demo.worker, shutdown: 10, drain: 8s}
    - {id: c, kind: demo.worker, enabled: false}
    - {id: d, kind: demo.worker, enabled: no, after: [c]}
    - {id: e, kind: demo.store, ready: soon}
    - {id: f, kind: demo.worker, after: [{id: e, when: ready}]}
)") == R"(
t.yaml:4:18: error[Y24]: `auto_shutdown` can't be `any`: it is never, any_significant or all_significant
    auto_shutdown: any
                   ^~~
t.yaml:5:10: error[Y24]: `start` can't be `grph`; did you mean `graph`?
    start: grph
           ^~~~
t.yaml:8:44: error[Y25]: the duration `10` has no unit: add one of ns us ms s m h
      - {id: b, kind: demo.worker, shutdown: 10, drain: 8s}
                                             ^~
t.yaml:10:43: error[Y28]: `no` is not a boolean here: write true or false
      - {id: d, kind: demo.worker, enabled: no, after: [c]}
                                            ^~
t.yaml:11:40: error[Y23]: `ready` must be a map, or none, not a word
      - {id: e, kind: demo.store, ready: soon}
                                         ^~~~
)");
}

BOOST_AUTO_TEST_CASE(Y32_a_context_key_is_shown_in_the_template_that_has_it) {
  BOOST_TEST(rendered(R"(
schema: 1
templates: {web: {context: {values: {zoen: eu}}}}
tree: {id: s, children: [{id: a, use: web, kind: demo.worker, context: {values: {zone: eu}}}]}
)") == R"(
t.yaml:2:38: error[Y32]: unknown context key `zoen`; did you mean `zone`?
  templates: {web: {context: {values: {zoen: eu}}}}
                                       ^~~~
t.yaml:3:31: note: for this node
  tree: {id: s, children: [{id: a, use: web, kind: demo.worker, context: {values: {zone: eu}}}]}
                                ^
)");
}

BOOST_AUTO_TEST_SUITE_END()
