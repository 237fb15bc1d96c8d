// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace actortree {

// What the command line may say. Each throws `CLI::ValidationError` for what is none, with the option's name, and what
// to write instead.

/// `10s` as a duration; the units are those of tree files.
libactor::duration parse_duration(const char* option, const std::string& text);
unsigned parse_mode(const std::string& text);
std::uint64_t parse_seed(const std::string& text);

/// What is wrong with a word that is none of those that there are.
std::string no_word(const std::string& word, const std::vector<std::string>& words);

/// An option that may be left out, but not be empty.
CLI::Option* add_text(CLI::App& command, const char* name, std::string& value, const char* shown, const char* doc);

/// An option that is one of some words.
template <class Enum>
CLI::Option* add_choice(CLI::App& command, const char* name, Enum& value,
                        std::vector<std::pair<std::string, Enum>> words, const char* doc) {
  std::vector<std::string> names;
  std::string shown;
  for (const auto& [word, meaning] : words) {
    names.push_back(word);
    shown += (shown.empty() ? "" : "|") + word;
  }
  const auto take = [=, &value](const std::string& given) {
    const auto i = std::find(names.begin(), names.end(), given);
    if (i == names.end())
      throw CLI::ValidationError(name, no_word(given, names));
    value = words[static_cast<std::size_t>(i - names.begin())].second;
  };
  return command.add_option_function<std::string>(name, take, doc)->option_text(shown);
}

}  // namespace actortree
