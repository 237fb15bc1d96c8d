// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>

namespace {

constexpr auto footer = R"(exit status:
  0  done; a tree ended in order (children that were late and had to be killed are in the report)
  1  a fault of the program itself
  2  the command line has faults
  3  the tree file has faults, or can't be read
  4  the tree did not start
  5  the tree ended by itself, with an error
  6  the stop's budget ran out, or something did not end even when killed
  7  a second signal ended everything at once)";

/// `10s` as a duration; the units are those of tree files.
libactor::duration parse_duration(const std::string& text) {
  static const std::map<std::string, double> units{{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                   {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  char* rest = nullptr;
  const double number = std::strtod(text.c_str(), &rest);
  const auto unit = units.find(rest);
  if (rest == text.c_str() || unit == units.end() || !(number >= 0) || number * unit->second > 9e18)
    throw CLI::ValidationError("--for",
                               "'" + text + "' is no duration: write a number and ns, us, ms, s, m or h, as in 10s");
  return libactor::duration{static_cast<libactor::duration::rep>(number * unit->second)};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs trees of supervised workers and processes that a YAML file declares."};
  app.name("actortree");
  app.footer(footer);
  app.require_subcommand(1);

  actortree::run_options options;
  std::string limit;
  auto* run = app.add_subcommand("run",
                                 "Start the tree, supervise it, and stop it in order on SIGINT or SIGTERM; a "
                                 "second signal stops at once");
  run->add_option("FILE", options.file, "the tree file")->required();
  run->add_option("--log", options.log, "one line an event: text for people, json for programs")
      ->transform(CLI::CheckedTransformer(std::map<std::string, actortree::log_format>{
          {"text", actortree::log_format::text}, {"json", actortree::log_format::json}}))
      ->option_text("text|json");
  run->add_option("--for", limit, "stop by itself after this time, as in 10s")->option_text("DURATION");
  run->footer(footer);

  std::string file;
  auto* check = app.add_subcommand("check", "Report every fault of the file; start nothing");
  check->add_option("FILE", file, "the tree file")->required();
  auto* graph = app.add_subcommand("graph", "Print the tree: start order, kinds, restart types and limits");
  graph->add_option("FILE", file, "the tree file")->required();

  try {
    app.parse(argc, argv);
    if (!limit.empty())
      options.stop_after = parse_duration(limit);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? actortree::ok : actortree::usage;
  }
  try {
    if (*run)
      return actortree::run(options);
    return *check ? actortree::check(file) : actortree::graph(file);
  } catch (const std::exception& e) {
    std::cerr << "actortree: " << e.what() << '\n';
    return actortree::internal;
  }
}
