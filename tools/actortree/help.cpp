// SPDX-License-Identifier: BSL-1.0
#include "help.hpp"

#include "exit_status.hpp"

#include <fmt/format.h>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace actortree {

namespace {

constexpr std::size_t width = 80;

// Breaks words at the width; each line begins with the indent. A text's own lines stay lines.
std::string wrapped(std::string_view text, const std::string& indent) {
  std::string result;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string current = indent;
    for (std::string word; words >> word;) {
      if (current.size() > indent.size() && current.size() + 1 + word.size() > width) {
        result += current + "\n";
        current = indent;
      }
      current += (current.size() > indent.size() ? " " : "") + word;
    }
    result += (current == indent ? "" : current) + "\n";
  }
  return result;
}

std::string meaning_of(int status) {
  switch (static_cast<exit_status>(status)) {
    case ok:
      return "done; a tree ended in order (children that were late and had to be killed are in the report)";
    case internal:
      return "a fault of the program itself; of all commands but `run` also an output that can't be written";
    case usage:
      return "the command line has faults";
    case bad_file:
      return "the file has faults, or can't be read";
    case start_failed:
      return "the tree did not start, or its socket can't be had";
    case tree_failed:
      return "the tree ended by itself, with an error";
    case overrun:
      return "the stop's budget ran out, or something did not end even when killed";
    case stopped_at_once:
      return "a second signal ended everything at once";
    case act_refused:
      return "the tree did not do what was asked; the reason is on standard error";
    case unreachable:
      return "no tree answers at the socket";
    case found:
      return "explore: there is an order in which the tree stops wrongly, or not at all";
  }
  return {};
}

std::string synopsis_of(const CLI::App& command, const std::string& name) {
  std::string text = name;
  for (const auto* option : command.get_options()) {
    if (option->get_positional() || option == command.get_help_ptr())
      continue;
    text +=
        " [" + option->get_name() + (option->get_option_text().empty() ? "" : " " + option->get_option_text()) + "]";
  }
  for (const auto* option : command.get_options()) {
    if (option->get_positional())
      text += " " + (option->get_required() ? option->get_name() : "[" + option->get_name() + "]");
  }
  if (!command.get_subcommands({}).empty())
    text += " COMMAND …";
  return text;
}

std::string render(const CLI::App& command, const help_page& page) {
  const auto* parent = command.get_parent();
  const auto name = (parent != nullptr ? parent->get_name() + " " : std::string()) + command.get_name();
  std::string text = "NAME\n" + wrapped(name + " - " + command.get_description(), "  ");
  text += "\nSYNOPSIS\n  " + synopsis_of(command, name) + "\n";
  text += "\nDESCRIPTION\n" + wrapped(page.description, "  ");
  if (const auto commands = command.get_subcommands({}); !commands.empty()) {
    text += "\nCOMMANDS\n";
    for (const auto* sub : commands)
      text += fmt::format("  {}\n", sub->get_name()) + wrapped(sub->get_description(), "      ");
  }
  text += "\nOPTIONS\n";
  for (const auto* option : command.get_options()) {
    const auto head = option->get_positional() ? option->get_name() : option->get_name(false, true);
    text += "  " + head + (option->get_option_text().empty() ? "" : " " + option->get_option_text()) + "\n" +
            wrapped(option->get_description(), "      ");
  }
  text += page.more;
  text += "\nEXIT STATUS\n";
  for (const int status : page.statuses)
    text += fmt::format("  {}  {}\n", status, meaning_of(status));
  return text + "\nEXAMPLES\n" + page.examples;
}

}  // namespace

void set_help(CLI::App& command, const help_page& page) {
  command.set_help_flag("-h,--help", "print this page");
  command.formatter_fn(
      [&page](const CLI::App* shown, const std::string&, CLI::AppFormatMode) { return render(*shown, page); });
}

}  // namespace actortree
