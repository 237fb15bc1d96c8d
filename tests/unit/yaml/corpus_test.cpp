// SPDX-License-Identifier: BSL-1.0
#include "loader_rules.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

BOOST_AUTO_TEST_CASE(what_the_fuzzer_begins_with_keeps_the_rules_of_the_loader) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CORPUS_FOLDER)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST(broken_rule(bytes) == "", entry.path());
    // Cut anywhere, it is what a program reads that an editor is writing.
    for (std::size_t end = 0; end < bytes.size(); end += 1 + bytes.size() / 40)
      BOOST_TEST(broken_rule(std::string_view(bytes).substr(0, end)) == "", entry.path() << " up to " << end);
    ++count;
  }
  BOOST_TEST(count >= 14u);
}
