// SPDX-License-Identifier: BSL-1.0
#include "rendered.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace libactor;

namespace {

const std::string whole = "schema: 1\ntree: {id: a, children: []}\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_file_without_faults_yields_a_tree) {
  scratch_folder folder;
  const auto result = yaml::load_file(folder.write("t.yaml", whole), demo_catalog());
  BOOST_TEST(result.diagnostics.empty());
  BOOST_REQUIRE(result.tree.has_value());
  BOOST_TEST(result.tree->root.id == "a");
}

BOOST_AUTO_TEST_CASE(Y11_a_missing_file_is_said_to_be_missing) {
  scratch_folder folder;
  BOOST_TEST(folder.rendered("no.yaml") == "\nno.yaml: error[Y11]: can't read the file: No such file or directory\n");
}

BOOST_AUTO_TEST_CASE(Y11_a_folder_is_no_file) {
  scratch_folder folder;
  folder.write("sub/x", "");
  BOOST_TEST(folder.rendered("sub") == "\nsub: error[Y11]: can't read the file: Is a directory\n");
}

BOOST_AUTO_TEST_CASE(Y11_a_pipe_that_nobody_writes_does_not_hang_the_loader) {
  scratch_folder folder;
  BOOST_REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  BOOST_TEST(folder.rendered("pipe") == "\npipe: error[Y11]: can't read the file: not a regular file\n");
}

BOOST_AUTO_TEST_CASE(Y11_an_unreadable_file_is_said_to_be_so) {
  scratch_folder folder;
  const auto path = folder.write("t.yaml", whole);
  BOOST_REQUIRE(::chmod(path.c_str(), 0) == 0);
  const bool can_read_all = ::access(path.c_str(), R_OK) == 0;  // as root
  BOOST_TEST(folder.rendered("t.yaml") ==
             (can_read_all ? "\n" : "\nt.yaml: error[Y11]: can't read the file: Permission denied\n"));
}

BOOST_AUTO_TEST_CASE(Y22_an_empty_file_is_said_to_be_empty) {
  scratch_folder folder;
  folder.write("empty.yaml", "");
  folder.write("comment.yaml", "# nothing yet\n");
  BOOST_TEST(folder.rendered("empty.yaml") == R"(
empty.yaml:1:1: error[Y22]: the file is empty: a tree file needs `schema: 1` and `tree`
  
  ^
)");
  BOOST_TEST(folder.rendered("comment.yaml") == R"(
comment.yaml:1:1: error[Y22]: the file is empty: a tree file needs `schema: 1` and `tree`
  # nothing yet
  ^
)");
}

BOOST_AUTO_TEST_CASE(Y07_a_binary_file_is_refused_at_its_first_bad_byte) {
  scratch_folder folder;
  folder.write("elf.yaml", std::string("\x7f"
                                       "ELF\x02\x01\x01\0\0\xff",
                                       10));
  folder.write("bytes.yaml", "a: \xC0\x80\n");
  BOOST_TEST(folder.rendered("elf.yaml") == R"(
elf.yaml:1:1: error[Y01]: control character U+007F, which a YAML file can't have
  ?ELF??????
  ^
)");
  BOOST_TEST(folder.rendered("bytes.yaml") == R"(
bytes.yaml:1:4: error[Y07]: invalid UTF-8: byte 0xC0
  a: ?
     ^
)");
}

BOOST_AUTO_TEST_CASE(Y06_a_file_of_100_MB_is_refused_before_it_is_read) {
  scratch_folder folder;
  folder.write("big.yaml", whole);
  BOOST_REQUIRE(::truncate(folder.path("big.yaml").c_str(), 100'000'000) == 0);
  BOOST_TEST(folder.rendered("big.yaml") ==
             "\nbig.yaml: error[Y06]: the file is too large: 100000000 bytes, and 16777216 are allowed\n");
}

BOOST_AUTO_TEST_CASE(Y06_the_size_limit_is_exact) {
  yaml::load_options options;
  options.max_bytes = whole.size();
  BOOST_TEST(rendered(whole, options) == "\n");
  options.max_bytes = whole.size() - 1;
  BOOST_TEST(rendered(whole, options) == "\nt.yaml: error[Y06]: the text is too large: 38 bytes, and 37 are allowed\n");
}

BOOST_AUTO_TEST_CASE(Y06_very_many_open_brackets_are_refused_before_they_are_parsed) {
  const auto out = rendered("schema: 1\nx: " + std::string(200'000, '['));
  BOOST_TEST(out.find("\nt.yaml:2:100004: error[Y06]: too many brackets are open here\n") == 0U);
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_not_part_of_the_text) {
  BOOST_TEST(rendered("\xEF\xBB\xBF"
                      "schema: 1\ntree: {id: a, children: []}\n") == "\n");
  BOOST_TEST(rendered("\xEF\xBB\xBF"
                      "shema: 1\n")
                 .substr(0, 12) == "\nt.yaml:1:1:");
}

BOOST_AUTO_TEST_CASE(windows_line_ends_do_not_move_places) {
  BOOST_TEST(rendered("schema: 1\r\ntree: {id: a, children: [],\r\n  restart: never}\r\n") == R"(
t.yaml:3:12: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary
    restart: never}
             ^~~~~
)");
}

BOOST_AUTO_TEST_CASE(columns_count_code_points_and_carets_keep_tabs) {
  BOOST_TEST(rendered("schema: 1\ntree: {id: \"größe→\",\tchildren: [], restart: never}\n") ==
             "\nt.yaml:2:45: error[Y24]: `restart` can't be `never`: it is permanent, transient or temporary\n"
             "  tree: {id: \"größe→\",\tchildren: [], restart: never}\n"
             "                      \t                       ^~~~~\n");
}

BOOST_AUTO_TEST_CASE(a_long_line_is_shown_in_part) {
  const auto text =
      rendered("schema: 1\ntree: {id: a, labels: {x: " + std::string(1000, 'y') + "}, restart: never, children: []}\n");
  BOOST_TEST(text.find("t.yaml:2:1039: error[Y24]") == 1U);
  BOOST_TEST(text.size() < 500U);
  BOOST_TEST(text.find("…yyy") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(diagnostics_beyond_the_limit_are_counted) {
  yaml::load_options options;
  options.max_diagnostics = 2;
  BOOST_TEST(rendered("schema: 1\ntree: {id: a, children: [], a1: 1, a2: 1, a3: 1, a4: 1}\n", options) == R"(
t.yaml:2:29: error[Y21]: unknown key `a1`
  tree: {id: a, children: [], a1: 1, a2: 1, a3: 1, a4: 1}
                              ^~
t.yaml:2:36: error[Y21]: unknown key `a2`
  tree: {id: a, children: [], a1: 1, a2: 1, a3: 1, a4: 1}
                                     ^~
t.yaml: error[Y06]: 2 more faults are not listed
)");
}

BOOST_AUTO_TEST_CASE(texts_show_what_values_and_the_environment_have_as_one_printable_line) {
  yaml::load_options options;
  options.environment = [](std::string_view) { return "\x1b[31m\xff"; };
  BOOST_TEST(rendered(R"(
schema: 1
tree: {id: "a\nb", intensity: "${env:X}", children: []}
)",
                      options) == R"(
t.yaml:2:12: error[Y26]: id `a?b`: an id can't contain spaces or control characters
  tree: {id: "a\nb", intensity: "${env:X}", children: []}
             ^~~~~~
t.yaml:2:31: error[Y23]: `intensity` must be a whole number, not `?[31m?`
  tree: {id: "a\nb", intensity: "${env:X}", children: []}
                                ^~~~~~~~~~
t.yaml:2:31: note: after substitution it is `?[31m?`
  tree: {id: "a\nb", intensity: "${env:X}", children: []}
                                ^~~~~~~~~~
)");
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut_between_characters) {
  const auto text = rendered("schema: 1\ntree: {id: a, children: [], restart: " + std::string(59, 'x') + "éy}\n");
  BOOST_TEST(text.find("`restart` can't be `" + std::string(59, 'x') + "…`: it is") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_has_names_of_files_that_are_not_utf8) {
  yaml::diagnostic d{"Y11", yaml::severity::error, {}, "é", {}};
  d.at.file = "a\xff";
  BOOST_TEST(yaml::render_json({d}) ==
             "[\n  {\"code\": \"Y11\", \"severity\": \"error\", \"file\": \"a\\ufffd\", \"line\": 0, \"column\": 0, "
             "\"length\": 1, \"text\": \"é\", \"notes\": []}\n]\n");
}

BOOST_AUTO_TEST_SUITE_END()
