// SPDX-License-Identifier: BSL-1.0
#include "process/line_splitter.hpp"

#include <boost/test/unit_test.hpp>

using namespace libactor::process;

namespace {

std::vector<output_line> cut(const std::vector<std::string>& chunks, std::size_t limit = max_line) {
  line_splitter splitter{false, limit};
  std::vector<output_line> lines;
  for (const auto& chunk : chunks)
    splitter.feed(chunk, lines);
  splitter.finish(lines);
  return lines;
}

output_line whole(std::string text) { return {std::move(text), false, false}; }
output_line piece(std::string text) { return {std::move(text), false, true}; }

void check_lines(const std::vector<output_line>& got, const std::vector<output_line>& expected) {
  BOOST_TEST_REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    BOOST_TEST(got[i].text == expected[i].text);
    BOOST_TEST(got[i].split == expected[i].split);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(line_splitter_)

BOOST_AUTO_TEST_CASE(a_line_ends_with_a_line_feed_alone_or_after_a_carriage_return) {
  check_lines(cut({"a\nb\r\n\n\r\nc\rd\n"}), {whole("a"), whole("b"), whole(""), whole(""), whole("c\rd")});
}

BOOST_AUTO_TEST_CASE(a_line_may_arrive_in_any_number_of_chunks) {
  check_lines(cut({"he", "l", "lo\r", "\nwor", "ld\n"}), {whole("hello"), whole("world")});
}

BOOST_AUTO_TEST_CASE(the_last_line_needs_no_end) {
  check_lines(cut({"a\nb"}), {whole("a"), whole("b")});
  check_lines(cut({"a\n"}), {whole("a")});
  check_lines(cut({}), {});
}

BOOST_AUTO_TEST_CASE(a_line_of_exactly_the_limit_is_not_split) {
  check_lines(cut({"abcd\nabcd\r\n"}, 4), {whole("abcd"), whole("abcd")});
  check_lines(cut({"abcd\r", "\n"}, 4), {whole("abcd")});
}

BOOST_AUTO_TEST_CASE(a_longer_line_comes_in_pieces_of_the_limit) {
  check_lines(cut({"abcdefghij\nk\n"}, 4), {piece("abcd"), piece("efgh"), whole("ij"), whole("k")});
  check_lines(cut({"abcd\r", "e\n"}, 4), {piece("abcd"), whole("\re")});
  check_lines(cut({"abcdefgh"}, 4), {piece("abcd"), whole("efgh")});
}

BOOST_AUTO_TEST_CASE(bytes_pass_unchanged) {
  const std::string bytes{"\0\xff\xfe\x80z", 5};
  check_lines(cut({bytes + "\n"}), {whole(bytes)});
}

BOOST_AUTO_TEST_SUITE_END()
