// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "yaml/variables.hpp"

#include <limits>

namespace libactor::yaml {

// Reads scalars as the types that tree files use, and reports what they are not. Every reader returns nothing if it has
// reported a fault. `what` is how messages call the value, such as a key's name.
class scalar_reader {
 public:
  scalar_reader(report& faults, variables& vars) : faults_(faults), vars_(vars) {}

  std::optional<std::string> text(const node& n, std::string_view what);
  std::optional<bool> boolean(const node& n, std::string_view what);
  std::optional<std::int64_t> integer(const node& n, std::string_view what, std::int64_t least, std::int64_t most);
  std::optional<double> real(const node& n, std::string_view what);
  // `infinity` is `infinite`.
  std::optional<duration> time(const node& n, std::string_view what, bool may_be_infinite);
  // One of the words, as its place among them.
  std::optional<std::size_t> word(const node& n, std::string_view what, const std::vector<std::string_view>& words);

  // Whether it is this word, in quotes or not.
  bool is_word(const node& n, std::string_view word);

  // Reports that the value should have been `expected`, such as "a map".
  void wrong_type(const node& n, std::string_view what, std::string_view expected);
  void fault(const char* code, const node& n, std::string text);

  position at(const node& n) const { return position_of(n, faults_.file(n.file)); }
  report& faults() noexcept { return faults_; }
  nearest_word& words() noexcept { return words_; }

 private:
  void leading_zero(const node& n, std::string_view text);
  std::optional<scalar_value> scalar(const node& n, std::string_view what, std::string_view expected);

  report& faults_;
  variables& vars_;
  nearest_word words_;
};

// Digits without a leading zero, which is octal in some programs and not in others.
bool is_decimal(std::string_view text) noexcept;

enum class duration_fault { none, not_a_duration, no_unit, bad_unit, negative, too_long };
// `10s`, `1.5m`: a number and one of ns us ms s m h.
duration_fault parse_duration(std::string_view text, duration& result);

}  // namespace libactor::yaml
