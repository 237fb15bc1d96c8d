// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(yaml_syntax)

BOOST_AUTO_TEST_CASE(Y01_an_unclosed_bracket_is_shown_with_its_partner) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, children: [
)") == R"(
t.yaml:2:26: error[Y01]: a `,` or `]` was expected here
  tree: {id: a, children: [
                           ^
t.yaml:2:25: note: for this one
  tree: {id: a, children: [
                          ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_an_unclosed_quote_is_not_closed_by_the_end_of_the_file) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: "a
  children: []
)") == R"(
t.yaml:3:7: error[Y01]: this quote is never closed
    id: "a
        ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_colon_that_makes_a_second_map) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: a: b
)") == R"(
t.yaml:3:8: error[Y01]: this `:` can't stand here: quote a text that has `: ` in it, and check the indentation
    id: a: b
         ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_line_at_a_wrong_indentation) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: a
 - children
)") == R"(
t.yaml:4:2: error[Y01]: a key of the map was expected here: is the line indented as those above it?
   - children
   ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_tab_as_indentation) {
  BOOST_TEST(rendered("schema: 1\n"
                      "tree:\n"
                      "\tid: a\n") == R"(
t.yaml:3:1: error[Y01]: a tab can't indent: use spaces
  	id: a
  ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_an_alias_without_anchor) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: *nobody, children: []}
)") == R"(
t.yaml:2:12: error[Y01]: this alias names no anchor before it
  tree: {id: *nobody, children: []}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_character_that_begins_no_value) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: @home, children: []}
)") == R"(
t.yaml:2:12: error[Y01]: a value can't begin with this character: quote it
  tree: {id: @home, children: []}
             ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_control_character) {
  BOOST_TEST(rendered("schema: 1\n"
                      "tree: {id: a\x04"
                      ", children: []}\n") == R"(
t.yaml:2:13: error[Y01]: control character U+0004, which a YAML file can't have
  tree: {id: a?, children: []}
              ^
)");
}

BOOST_AUTO_TEST_CASE(Y02_a_duplicate_key_is_shown_with_the_first) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: a
  children: []
  id: b
)") == R"(
t.yaml:5:3: error[Y02]: duplicate key `id`
    id: b
    ^~
t.yaml:3:3: note: the first one is here
    id: a
    ^~
)");
}

BOOST_AUTO_TEST_CASE(Y03_a_second_document) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, children: []}
---
b: 1
)") == R"(
t.yaml:3:1: error[Y03]: a second document begins here: a tree file has one
  ---
  ^
)");
}

BOOST_AUTO_TEST_CASE(Y03_faults_of_the_first_document_are_reported_too) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, childen: []}
---
b: 1
)") == R"(
t.yaml:2:12: error[Y34]: a child needs exactly one of `kind`, `children` and `child`
  tree: {id: a, childen: []}
             ^
t.yaml:2:15: error[Y21]: unknown key `childen`; did you mean `children`?
  tree: {id: a, childen: []}
                ^~~~~~~
t.yaml:3:1: error[Y03]: a second document begins here: a tree file has one
  ---
  ^
)");
}

BOOST_AUTO_TEST_CASE(Y04_a_list_and_a_map_as_keys) {
  BOOST_TEST(rendered(R"(
schema: 1
[a, b]: 1
tree: {id: a, children: [], ? {x: y} : 3}
)") == R"(
t.yaml:2:1: error[Y04]: a key must be a word, not a list
  [a, b]: 1
  ^
t.yaml:3:31: error[Y04]: a key must be a word, not a map
  tree: {id: a, children: [], ? {x: y} : 3}
                                ^
)");
}

BOOST_AUTO_TEST_CASE(Y04_an_alias_of_a_list_as_a_key) {
  BOOST_TEST(rendered(R"(
schema: 1
vars: {a: &x 1}
tree: {id: a, labels: {p: &l [1], *l : 2}, children: []}
)") == R"(
t.yaml:3:30: error[Y23]: `p` must be a string, not a list
  tree: {id: a, labels: {p: &l [1], *l : 2}, children: []}
                               ^
t.yaml:3:35: error[Y04]: a key must be a word, not a list
  tree: {id: a, labels: {p: &l [1], *l : 2}, children: []}
                                    ^
)");
}

BOOST_AUTO_TEST_CASE(Y04_nothing_as_a_key) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, children: [], : x}
)") == R"(
t.yaml:2:27: error[Y04]: a key must be a word, not nothing
  tree: {id: a, children: [], : x}
                            ^
)");
}

BOOST_AUTO_TEST_CASE(Y05_an_alias_inside_what_it_names) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, children: &c [*c]}
)") == R"(
t.yaml:2:29: error[Y05]: this alias stands inside what it names, and would never end
  tree: {id: a, children: &c [*c]}
                              ^
t.yaml:2:28: note: it names this
  tree: {id: a, children: &c [*c]}
                             ^
)");
}

BOOST_AUTO_TEST_CASE(Y06_nesting_deeper_than_the_limit) {
  libactor::yaml::load_options options;
  options.max_depth = 8;
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, labels: {x: [[[[[[[[[]]]]]]]]]}, children: []}
)",
                      options) == R"(
t.yaml:2:32: error[Y06]: nested more than 8 levels deep
  tree: {id: a, labels: {x: [[[[[[[[[]]]]]]]]]}, children: []}
                                 ^
)");
}

BOOST_AUTO_TEST_CASE(Y06_aliases_that_expand_beyond_the_limit) {
  libactor::yaml::load_options options;
  options.max_values = 100;
  BOOST_TEST(rendered(R"(
schema: 1
x1: &a [1, 2, 3, 4, 5, 6, 7, 8]
x2: &b [*a, *a, *a, *a]
x3: &c [*b, *b, *b, *b]
)",
                      options) == R"(
t.yaml:4:13: error[Y06]: the file has more than 100 values, aliases expanded
  x3: &c [*b, *b, *b, *b]
              ^
)");
}

BOOST_AUTO_TEST_CASE(Y07_invalid_utf8) {
  BOOST_TEST(rendered("schema: 1\n"
                      "tree: {id: a\xff"
                      ", children: []}\n") == R"(
t.yaml:2:13: error[Y07]: invalid UTF-8: byte 0xFF
  tree: {id: a?, children: []}
              ^
)");
}

BOOST_AUTO_TEST_CASE(Y08_a_merge_key) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: a, <<: {restart: never}, children: []}
)") == R"(
t.yaml:2:15: error[Y08]: merge keys (`<<`) are not supported: use `templates` and `use`
  tree: {id: a, <<: {restart: never}, children: []}
                ^
)");
}

BOOST_AUTO_TEST_CASE(Y23_a_tag) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: !!str a, children: []}
)") == R"(
t.yaml:2:12: error[Y23]: tags such as this one are not used here: each value's type follows from its key
  tree: {id: !!str a, children: []}
             ^
)");
}

BOOST_AUTO_TEST_CASE(an_alias_is_reported_where_it_stands) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: a
  children:
    - {id: b, kind: demo.worker, restart: &r never}
    - {id: c, kind: demo.worker, restart: *r}
)") == R"(
t.yaml:5:46: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary
      - {id: b, kind: demo.worker, restart: &r never}
                                               ^~~~~
t.yaml:6:43: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary
      - {id: c, kind: demo.worker, restart: *r}
                                            ^~
)");
}

BOOST_AUTO_TEST_CASE(Y01_a_tab_between_brackets_is_not_to_blame) {
  BOOST_TEST(rendered("schema: 1\n"
                      "tree: {id: a,\n"
                      "\tchildren: [] x}\n") == R"(
t.yaml:3:15: error[Y01]: a `,` or `}` was expected here
  	children: [] x}
  	             ^
t.yaml:2:7: note: for this one
  tree: {id: a,
        ^
)");
}

BOOST_AUTO_TEST_CASE(Y23_an_empty_value_before_a_key_that_begins_as_null_does) {
  BOOST_TEST(rendered(R"(
schema: 1
tree:
  id: a
  children: []
  labels:
    a:
    name: x
    b: null
    c: ~
    nulls:
)") == R"(
t.yaml:6:5: error[Y23]: `a` must be a string, not nothing
      a:
      ^
t.yaml:8:8: error[Y23]: `b` must be a string, not nothing
      b: null
         ^
t.yaml:9:8: error[Y23]: `c` must be a string, not nothing
      c: ~
         ^
t.yaml:10:5: error[Y23]: `nulls` must be a string, not nothing
      nulls:
      ^
)");
}

BOOST_AUTO_TEST_CASE(a_comment_behind_an_anchor_is_not_what_it_names) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: &top # the root
  # and its only field
  children: []
)") == R"(
t.yaml:4:3: error[Y22]: a child needs an `id`
    children: []
    ^
)");
}

BOOST_AUTO_TEST_CASE(Y01_an_unclosed_quote_in_a_file_without_a_last_line_end) {
  BOOST_TEST(rendered("schema: 1\ntree:\n  id: 'a\n  children: []") == R"(
t.yaml:3:7: error[Y01]: this quote is never closed
    id: 'a
        ^
)");
}

BOOST_AUTO_TEST_SUITE_END()
