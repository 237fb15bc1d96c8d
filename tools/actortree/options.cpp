// SPDX-License-Identifier: BSL-1.0
#include "options.hpp"

#include "supervisors/nearest_word.hpp"

#include <charconv>
#include <cstdlib>
#include <map>

namespace actortree {

libactor::duration parse_duration(const char* option, const std::string& text) {
  static const std::map<std::string, double> units{{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                   {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  char* rest = nullptr;
  const double number = std::strtod(text.c_str(), &rest);
  const auto unit = units.find(rest);
  if (rest == text.c_str() || unit == units.end() || !(number >= 0))
    throw CLI::ValidationError(option,
                               "'" + text + "' is no duration: write a number and ns, us, ms, s, m or h, as in 10s");
  constexpr double hundred_years = 876'600 * 3.6e12;
  if (number * unit->second > hundred_years)
    throw CLI::ValidationError(option, "'" + text + "' is too long: at most 100 years");
  return libactor::duration{static_cast<libactor::duration::rep>(number * unit->second)};
}

unsigned parse_mode(const std::string& text) {
  char* rest = nullptr;
  const auto mode = std::strtoul(text.c_str(), &rest, 8);
  if (text.empty() || *rest != '\0' || mode > 0777)
    throw CLI::ValidationError("--socket-mode", "'" + text + "' is no mode: write octal digits, as in 660");
  return static_cast<unsigned>(mode);
}

std::string no_word(const std::string& word, const std::vector<std::string>& words) {
  std::string all;
  for (std::size_t i = 0; i != words.size(); ++i)
    all += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  const auto meant = libactor::nearest_word().suggest(word, words);
  return "'" + word + "' is not " + all + meant;
}

CLI::Option* add_text(CLI::App& command, const char* name, std::string& value, const char* shown, const char* doc) {
  const auto is_there = [](const std::string& given) {
    return std::string(given.empty() ? "is empty: leave it out, or give it a value" : "");
  };
  return command.add_option(name, value, doc)->check(is_there)->option_text(shown);
}

std::uint64_t parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw CLI::ValidationError("--seed", "'" + text + "' is no seed: write digits, as in 7");
  return seed;
}

}  // namespace actortree
