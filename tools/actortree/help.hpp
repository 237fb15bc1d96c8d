// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <CLI/CLI.hpp>

#include <initializer_list>
#include <string>

namespace actortree {

/// What the help of a command says besides its options, which come from the parser itself.
struct help_page {
  const char* description;
  std::initializer_list<int> statuses;  ///< that it may end with
  const char* examples;                 ///< one a line, each after two spaces
  const char* more = "";                ///< further sections
};

/// Makes `--help` of a command look like a manual page: NAME, SYNOPSIS, DESCRIPTION, OPTIONS, EXIT STATUS, EXAMPLES.
/// Requires: `page` outlives the command.
void set_help(CLI::App& command, const help_page& page);

}  // namespace actortree
