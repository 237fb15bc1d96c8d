// SPDX-License-Identifier: BSL-1.0
#include "yaml/scalars.hpp"

#include "spec_walk.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace libactor::yaml {

namespace {

// Booleans of YAML 1.1 that are meant as such, or that turn a word into one in other programs.
constexpr std::array old_booleans = {"yes", "no", "on", "off", "y", "n", "Yes",  "No",    "On",   "Off",
                                     "YES", "NO", "ON", "OFF", "Y", "N", "True", "False", "TRUE", "FALSE"};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string quoted(std::string_view text) {
  constexpr std::size_t most = 60;
  if (text.size() <= most)
    return "`" + std::string(text) + "`";
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return "`" + std::string(text.substr(0, end)) + "…`";
}

}  // namespace

bool is_decimal(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
}

duration_fault parse_duration(std::string_view text, duration& result) {
  if (!text.empty() && text[0] == '-') {
    duration ignored;
    const auto rest = parse_duration(text.substr(1), ignored);
    return rest == duration_fault::none || rest == duration_fault::too_long ? duration_fault::negative : rest;
  }
  const auto whole_end = std::find_if_not(text.begin(), text.end(), is_digit);
  auto number_end = whole_end;
  if (number_end != text.end() && *number_end == '.')
    number_end = std::find_if_not(number_end + 1, text.end(), is_digit);
  const std::string_view whole(text.begin(), whole_end);
  const auto fraction = whole_end == number_end ? std::string_view() : std::string_view(whole_end + 1, number_end);
  if (whole.empty() || (number_end != whole_end && fraction.empty()))
    return duration_fault::not_a_duration;
  const std::string_view unit(number_end, text.end());
  if (unit.empty())
    return duration_fault::no_unit;
  struct entry {
    std::string_view name;
    std::int64_t ns;
  };
  static constexpr entry units[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", 1'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000}};
  const auto* found = std::find_if(std::begin(units), std::end(units), [&](const entry& u) { return u.name == unit; });
  if (found == std::end(units))
    return duration_fault::bad_unit;
  std::int64_t count = 0;
  const auto [ptr, error] = std::from_chars(whole.data(), whole.data() + whole.size(), count);
  if (error != std::errc() || count > longest_time.count() / found->ns)
    return duration_fault::too_long;
  auto rest = found->ns;
  std::int64_t part = 0;
  for (const char c : fraction) {
    if (rest % 10 != 0) {
      if (c != '0')
        return duration_fault::not_a_duration;  // finer than a nanosecond
      continue;
    }
    rest /= 10;
    part += (c - '0') * rest;
  }
  result = duration(count * found->ns + part);
  return duration_fault::none;
}

void scalar_reader::fault(const char* code, const node& n, std::string text) {
  if (n.faulty)
    return;
  std::vector<report::pending_note> notes;
  if (n.is_scalar()) {
    // Keys and names of files are not substituted.
    const auto value = vars_.expanded(n);
    if (value && value->substituted)
      notes.push_back({at(n), "after substitution it is " + quoted(value->text)});
  }
  faults_.error(code, at(n), std::move(text), std::move(notes));
}

void scalar_reader::wrong_type(const node& n, std::string_view what, std::string_view expected) {
  const auto value = n.is_scalar() ? vars_.expand(n) : std::nullopt;
  const bool is_shown = value && value->substituted && value->plain;  // its quotes don't matter
  fault("Y23", n,
        quoted(what) + " must be " + std::string(expected) + ", not " + (is_shown ? quoted(value->text) : describe(n)));
}

std::optional<scalar_value> scalar_reader::scalar(const node& n, std::string_view what, std::string_view expected) {
  if (n.is_scalar())
    return vars_.expand(n);
  wrong_type(n, what, expected);
  return {};
}

std::optional<std::string> scalar_reader::text(const node& n, std::string_view what) {
  const auto value = scalar(n, what, "a string");
  return value ? std::optional(std::string(value->text)) : std::nullopt;
}

std::optional<bool> scalar_reader::boolean(const node& n, std::string_view what) {
  const auto value = scalar(n, what, "true or false");
  if (!value)
    return {};
  if (value->plain && value->text == "true")
    return true;
  if (value->plain && value->text == "false")
    return false;
  if (std::find(old_booleans.begin(), old_booleans.end(), value->text) != old_booleans.end())
    fault("Y28", n, quoted(value->text) + " is not a boolean here: write true or false");
  else
    wrong_type(n, what, "true or false");
  return {};
}

std::optional<std::int64_t> scalar_reader::integer(const node& n, std::string_view what, std::int64_t least,
                                                   std::int64_t most) {
  const auto value = scalar(n, what, "a whole number");
  if (!value)
    return {};
  auto digits = value->text;
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative)
    digits.remove_prefix(1);
  if (!value->plain || !is_decimal(digits)) {
    const bool has_zero = value->plain && digits.size() > 1 && std::all_of(digits.begin(), digits.end(), is_digit);
    if (has_zero)
      leading_zero(n, value->text);
    else
      wrong_type(n, what, "a whole number");
    return {};
  }
  std::int64_t result = 0;
  const auto [ptr, error] = std::from_chars(value->text.data(), value->text.data() + value->text.size(), result);
  if (error != std::errc() || result < least || result > most) {
    const auto upper = most == std::numeric_limits<std::int64_t>::max() ? " or more" : " to " + std::to_string(most);
    fault("Y26", n, quoted(what) + " must be " + std::to_string(least) + upper + ", not " + std::string(value->text));
    return {};
  }
  return result;
}

void scalar_reader::leading_zero(const node& n, std::string_view text) {
  fault("Y23", n, quoted(text) + " begins with 0, which some programs read as octal: write the decimal number");
}

std::optional<double> scalar_reader::real(const node& n, std::string_view what) {
  const auto value = scalar(n, what, "a number");
  if (!value)
    return {};
  const auto unsigned_text = value->text.substr(!value->text.empty() && value->text[0] == '-' ? 1 : 0);
  double result = 0;
  const auto* end = value->text.data() + value->text.size();
  const auto [ptr, error] = std::from_chars(value->text.data(), end, result, std::chars_format::general);
  const bool has_zero = unsigned_text.size() > 1 && unsigned_text[0] == '0' && is_digit(unsigned_text[1]);
  const bool is_number = value->plain && !unsigned_text.empty() && is_digit(unsigned_text[0]) && ptr == end;
  if (is_number && has_zero) {
    leading_zero(n, value->text);
    return {};
  }
  if (!is_number || error == std::errc::invalid_argument) {
    wrong_type(n, what, "a number");
    return {};
  }
  if (error != std::errc() || !std::isfinite(result)) {
    fault("Y26", n, quoted(what) + " is out of range");
    return {};
  }
  return result;
}

std::optional<duration> scalar_reader::time(const node& n, std::string_view what, bool may_be_infinite) {
  const std::string_view expected = may_be_infinite ? "a duration such as 10s, or infinity" : "a duration such as 10s";
  const auto value = scalar(n, what, expected);
  if (!value)
    return {};
  if (value->text == "infinity") {
    if (may_be_infinite)
      return infinite;
    fault("Y26", n, quoted(what) + " must be finite");
    return {};
  }
  duration result{};
  switch (parse_duration(value->text, result)) {
    case duration_fault::none:
      return result;
    case duration_fault::not_a_duration:
      fault("Y23", n, quoted(what) + " must be " + std::string(expected) + ", not " + quoted(value->text));
      break;
    case duration_fault::no_unit:
      fault("Y25", n, "the duration " + quoted(value->text) + " has no unit: add one of ns us ms s m h");
      break;
    case duration_fault::bad_unit:
      fault("Y25", n, "the duration " + quoted(value->text) + " has an unknown unit: use one of ns us ms s m h");
      break;
    case duration_fault::negative:
      fault("Y25", n, "the duration " + quoted(value->text) + " is negative");
      break;
    case duration_fault::too_long:
      fault("Y25", n,
            "the duration " + quoted(value->text) + " is too long: at most 100 years" +
                (may_be_infinite ? ", or infinity" : ""));
      break;
  }
  return {};
}

std::optional<std::size_t> scalar_reader::word(const node& n, std::string_view what,
                                               const std::vector<std::string_view>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i)
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  const auto value = scalar(n, what, list);
  if (!value)
    return {};
  const auto found = std::find(words.begin(), words.end(), value->text);
  if (found != words.end())
    return static_cast<std::size_t>(found - words.begin());
  const auto hint = words_.suggest(value->text, words);
  fault("Y24", n, quoted(what) + " can't be " + quoted(value->text) + (hint.empty() ? ": it is " + list : hint));
  return {};
}

bool scalar_reader::is_word(const node& n, std::string_view word) {
  if (!n.is_scalar())
    return false;
  const auto value = vars_.expand(n);
  return value && value->text == word;
}

}  // namespace libactor::yaml
