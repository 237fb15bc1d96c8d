// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

const std::string tree = "tree: {id: s, children: [{id: a, use: web, kind: demo.worker, labels: {v: \"${var:v}\"}}]}\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(includes)

BOOST_AUTO_TEST_CASE(this_file_wins_over_later_includes_and_those_over_earlier_ones) {
  scratch_folder folder;
  folder.write("one.yaml", "vars: {v: one, only: one}\ntemplates: {web: {shutdown: 1s}}\n");
  folder.write("sub/two.yaml", "include: [three.yaml]\nvars: {v: two}\ntemplates: {web: {shutdown: 2s}}\n");
  folder.write("sub/three.yaml", "vars: {v: three}\ntemplates: {web: {shutdown: 3s}}\n");
  folder.write("t.yaml", "schema: 1\ninclude: [one.yaml, sub/two.yaml]\nvars: {v: main}\n" + tree);
  const auto result = yaml::load_file(folder.path("t.yaml"), demo_catalog());
  BOOST_TEST(yaml::render(result.diagnostics) == "");
  const auto& child = std::get<static_supervisor>(result.tree.value().root.what).children.at(0);
  BOOST_TEST(child.labels.at("v") == "main");
  BOOST_CHECK(child.shutdown == shutdown_limit(2s));
}

BOOST_AUTO_TEST_CASE(policies_of_all_files_add_up) {
  scratch_folder folder;
  folder.write("site.yaml", "policy: [{id: site, require: {restart: transient}}]\n");
  folder.write("t.yaml",
               "schema: 1\ninclude: [site.yaml]\ntree: {id: s, child: {kind: demo.worker, restart: transient}}\n"
               "policy: [{id: own, match: {type: worker}, require: {watch: {present: true}}}]\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
t.yaml:3:12: error[Y71]: rule `site` requires `restart` to be transient, and here it is permanent
  tree: {id: s, child: {kind: demo.worker, restart: transient}}
             ^
site.yaml:1:15: note: the rule is here
  policy: [{id: site, require: {restart: transient}}]
                ^~~~
t.yaml:3:22: error[Y71]: rule `own` requires `watch`
  tree: {id: s, child: {kind: demo.worker, restart: transient}}
                       ^
t.yaml:4:15: note: the rule is here
  policy: [{id: own, match: {type: worker}, require: {watch: {present: true}}}]
                ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y11_a_missing_file_is_shown_where_it_is_included) {
  scratch_folder folder;
  folder.write("t.yaml", "schema: 1\ninclude: [no.yaml]\ntree: {id: s, children: []}\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
t.yaml:2:11: error[Y11]: `no.yaml`: can't read the file: No such file or directory
  include: [no.yaml]
            ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y12_a_cycle_is_shown_with_its_chain) {
  scratch_folder folder;
  folder.write("t.yaml", "schema: 1\ninclude: [a.yaml]\ntree: {id: s, children: []}\n");
  folder.write("a.yaml", "include: [b.yaml]\n");
  folder.write("b.yaml", "include: [a.yaml, t.yaml]\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
b.yaml:1:11: error[Y12]: the files include each other: a.yaml -> b.yaml -> a.yaml
  include: [a.yaml, t.yaml]
            ^~~~~~
b.yaml:1:19: error[Y12]: the files include each other: t.yaml -> a.yaml -> b.yaml -> t.yaml
  include: [a.yaml, t.yaml]
                    ^~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y13_a_file_outside_the_root_folder_is_refused_by_name_and_by_link) {
  scratch_folder folder;
  folder.write("secret.yaml", "vars: {v: 1}\n");
  folder.write("in/ok.yaml", "vars: {v: 1}\n");
  std::filesystem::create_symlink(folder.path("secret.yaml"), folder.path("in/link.yaml"));
  folder.write(
      "in/t.yaml",
      "schema: 1\ninclude: [../secret.yaml, /etc/hostname, link.yaml, sub/../ok.yaml]\ntree: {id: s, children: []}\n");
  BOOST_TEST(folder.rendered("in/t.yaml") == R"(
in/t.yaml:2:11: error[Y13]: `../secret.yaml` lies outside the root folder of this tree file
  include: [../secret.yaml, /etc/hostname, link.yaml, sub/../ok.yaml]
            ^~~~~~~~~~~~~~
in/t.yaml:2:27: error[Y13]: `/etc/hostname` lies outside the root folder of this tree file
  include: [../secret.yaml, /etc/hostname, link.yaml, sub/../ok.yaml]
                            ^~~~~~~~~~~~~
in/t.yaml:2:42: error[Y13]: `link.yaml` is a link to outside the root folder of this tree file
  include: [../secret.yaml, /etc/hostname, link.yaml, sub/../ok.yaml]
                                           ^~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y13_a_text_has_no_root_folder_unless_one_is_given) {
  const std::string text = "schema: 1\ninclude: [v.yaml]\ntree: {id: s, children: []}\n";
  BOOST_TEST(rendered(text) == R"(
t.yaml:2:11: error[Y13]: nothing can be included here: no root folder is set
  include: [v.yaml]
            ^~~~~~
)");
  scratch_folder folder;
  folder.write("v.yaml", "vars: {v: 1}\n");
  yaml::load_options options;
  options.root = folder.path();
  BOOST_TEST(rendered(text, options) == "\n");
}

BOOST_AUTO_TEST_CASE(Y14_variables_that_are_not_there) {
  BOOST_TEST(rendered(R"(
schema: 1
vars: {pool: 3, loop: "${var:loop}", nothing: "${env:NO_SUCH}"}
tree: {id: "${var:pol}", intensity: "${var:loop}", children: []}
)") == R"(
t.yaml:2:24: error[Y14]: the variable `loop` is defined by itself
  vars: {pool: 3, loop: "${var:loop}", nothing: "${env:NO_SUCH}"}
                         ^~~~~~~~~~~
t.yaml:2:48: error[Y14]: the environment has no `NO_SUCH`: set it, or give a default, `${env:NO_SUCH:-…}`
  vars: {pool: 3, loop: "${var:loop}", nothing: "${env:NO_SUCH}"}
                                                 ^~~~~~~~~~~~~~
t.yaml:3:13: error[Y14]: there is no variable `pol`; did you mean `pool`?
  tree: {id: "${var:pol}", intensity: "${var:loop}", children: []}
              ^~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y15_a_reference_that_is_not_closed_or_not_one) {
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: "é${var:x", labels: {a: "${HOME}"}, children: []}
)") == R"(
t.yaml:2:14: error[Y15]: this `${` is never closed: write `$${` for a plain `${`
  tree: {id: "é${var:x", labels: {a: "${HOME}"}, children: []}
               ^~
t.yaml:2:37: error[Y15]: `${HOME}` is neither `${env:NAME}` nor `${var:name}`: write `$${` for a plain `${`
  tree: {id: "é${var:x", labels: {a: "${HOME}"}, children: []}
                                      ^~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y06_variables_that_double_each_other_are_cut_off) {
  std::string text = "schema: 1\nvars:\n  v0: 0123456789abcdef\n";
  for (int i = 1; i < 30; ++i)
    text += "  v" + std::to_string(i) + ": \"${var:v" + std::to_string(i - 1) + "}${var:v" + std::to_string(i - 1) +
            "}\"\n";
  const auto out = rendered(text + "tree: {id: s, children: []}\n");
  BOOST_TEST(out.find("error[Y06]: the value is longer than 65536 bytes after substitution") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Y21_an_included_file_has_no_tree) {
  scratch_folder folder;
  folder.write("t.yaml", "schema: 1\ninclude: [a.yaml]\ntree: {id: s, children: []}\n");
  folder.write("a.yaml", "tree: {}\nvras: {}\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
a.yaml:1:1: error[Y21]: an included file can't have `tree`
  tree: {}
  ^~~~
a.yaml:2:1: error[Y21]: unknown key `vras`; did you mean `vars`?
  vras: {}
  ^~~~
)");
}

BOOST_AUTO_TEST_CASE(rules_and_the_schema_may_use_variables_that_come_after_them) {
  scratch_folder folder;
  folder.write("site.yaml", "policy: [{id: site, require: {shutdown: {max: \"${var:most}\"}}}]\n");
  folder.write(
      "t.yaml",
      "schema: ${var:version}\ninclude: [site.yaml]\npolicy: [{id: own, require: {restart: \"${var:kept}\"}}]\n"
      "vars: {version: 1, most: 5s, kept: permanent}\ntree: {id: s, shutdown: 5s, children: []}\n");
  BOOST_TEST(folder.rendered("t.yaml") == "\n");
}

BOOST_AUTO_TEST_CASE(Y14_a_reference_behind_one_with_a_default_is_shown_itself) {
  BOOST_TEST(rendered(R"(
schema: 1
vars: {x: v}
tree: {id: s, children: [], labels: {a: "${env:NO:-${var:x}}$${x}${var:no}"}}
)") == R"(
t.yaml:3:66: error[Y14]: there is no variable `no`
  tree: {id: s, children: [], labels: {a: "${env:NO:-${var:x}}$${x}${var:no}"}}
                                                                   ^~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(keys_and_names_of_files_are_not_said_to_be_substituted) {
  scratch_folder folder;
  folder.write(
      "t.yaml",
      "schema: 1\ninclude: [\"${var:pool}.yaml\"]\nvars: {pool: 3}\ntree: {id: s, children: [], \"${var:pool}\": "
      "1}\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
t.yaml:2:11: error[Y11]: `${var:pool}.yaml`: can't read the file: No such file or directory
  include: ["${var:pool}.yaml"]
            ^~~~~~~~~~~~~~~~~~
t.yaml:4:29: error[Y21]: unknown key `${var:pool}`
  tree: {id: s, children: [], "${var:pool}": 1}
                              ^~~~~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y06_substitution_makes_no_more_of_a_file_than_a_file_may_have) {
  yaml::load_options options;
  options.max_bytes = 250;
  BOOST_TEST(rendered(R"(
schema: 1
vars: {a: 0123456789abcdef, b: "${var:a}${var:a}${var:a}${var:a}"}
tree: {id: s, children: [], labels: {x: "${var:b}", y: "${var:b}", z: "${var:b}"}}
)",
                      options) == R"(
t.yaml:3:71: error[Y06]: substitution makes more than 250 bytes of this file
  tree: {id: s, children: [], labels: {x: "${var:b}", y: "${var:b}", z: "${var:b}"}}
                                                                        ^~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(Y11_a_folder_is_no_file_to_include) {
  scratch_folder folder;
  folder.write("sub/x.yaml", "vars: {v: 1}\n");
  folder.write("t.yaml", "schema: 1\ninclude: [., sub]\ntree: {id: s, children: []}\n");
  BOOST_TEST(folder.rendered("t.yaml") == R"(
t.yaml:2:11: error[Y11]: `.`: can't read the file: Is a directory
  include: [., sub]
            ^
t.yaml:2:14: error[Y11]: `sub`: can't read the file: Is a directory
  include: [., sub]
               ^~~
)");
}

BOOST_AUTO_TEST_CASE(Y13_a_root_folder_that_is_not_there_is_named) {
  yaml::load_options options;
  options.root = "/no/such/folder";
  BOOST_TEST(rendered("schema: 1\ninclude: [v.yaml]\ntree: {id: s, children: []}\n", options) == R"(
t.yaml:2:11: error[Y13]: nothing can be included here: there is no root folder `/no/such/folder`
  include: [v.yaml]
            ^~~~~~
)");
}

BOOST_AUTO_TEST_CASE(what_a_linked_tree_file_includes_is_named_where_it_is) {
  scratch_folder folder;
  folder.write("in/a.yaml", "vras: {v: 1}\n");
  folder.write("in/t.yaml", "schema: 1\ninclude: [a.yaml]\ntree: {id: s, children: []}\n");
  folder.write("out/x", "");
  std::filesystem::create_symlink("../in/t.yaml", folder.path("out/t.yaml"));
  const auto found = yaml::load_file(folder.path("out/t.yaml"), demo_catalog()).diagnostics;
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(found[0].at.file == std::filesystem::canonical(folder.path("in/a.yaml")).string());
}

BOOST_AUTO_TEST_CASE(a_known_file_may_be_included_again_where_no_more_files_are_allowed) {
  scratch_folder folder;
  std::string names;
  for (int i = 1; i < 256; ++i) {
    const auto name = "f" + std::to_string(i) + ".yaml";
    folder.write(name, "vars: {v" + std::to_string(i) + ": 1}\n");
    names += name + ", ";
  }
  folder.write("t.yaml", "schema: 1\ninclude: [" + names + "f1.yaml]\ntree: {id: s, children: []}\n");
  BOOST_TEST(folder.rendered("t.yaml") == "\n");
}

// A list of all names for each that is missing would take minutes, and so would a count of all references before each.
BOOST_AUTO_TEST_CASE(Y14_Y15_very_many_faulty_references_take_linear_time, *boost::unit_test::timeout(30)) {
  std::string text = "schema: 1\nvars:\n";
  for (int i = 0; i < 20'000; ++i)
    text += "  k" + std::to_string(i) + ": \"${var:no" + std::to_string(i) + "}\"\n";
  const auto found = load(text + "tree: {id: s, children: []}\n").diagnostics;
  BOOST_TEST(found.size() == 1'001u);
  std::string references;
  for (int i = 0; i < 200'000; ++i)
    references += "${a}";
  const auto wrong = load("schema: 1\ntree: {id: \"" + references + "\", children: []}\n").diagnostics;
  BOOST_REQUIRE(wrong.size() == 1'001u);
  BOOST_TEST(wrong[999].at.column == 13u + 999u * 4u);
}

BOOST_AUTO_TEST_SUITE_END()
