// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "help.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>

namespace {

using namespace actortree;

const help_page program_help{
    "Runs trees of supervised workers and operating-system processes that a YAML file declares: starts them in order, "
    "restarts what ends, and stops all of it in reverse, within limits of time.\n"
    "`actortree COMMAND --help` describes each command.",
    {ok, internal, usage, bad_file, start_failed, tree_failed, overrun, stopped_at_once},
    "  actortree check shop.yaml\n"
    "  actortree run shop.yaml\n"};

const help_page run_help{
    "Starts the tree and supervises it. SIGINT, SIGTERM and --for stop it in order, within its budget; a second signal "
    "ends everything at once. Each event is a line on standard output; the last ones are the report of the stop.",
    {ok, internal, usage, bad_file, start_failed, tree_failed, overrun, stopped_at_once},
    "  actortree run shop.yaml --for 10s\n"
    "  actortree run shop.yaml --log json | jq 'select(.event == \"crashed\")'\n"};

const help_page check_help{
    "Reports every fault and every doubt of the file, with its place, and starts nothing. As text they go to standard "
    "error. As json they are an array on standard output; as github they are workflow commands, which code hosting "
    "services show beside the lines. Doubts alone are no failure.",
    {ok, internal, usage, bad_file},
    "  actortree check shop.yaml\n"
    "  actortree check shop.yaml --format json | jq '.[].code'\n"};

const help_page graph_help{
    "Prints the tree with its start order, dependencies and limits, and the worst stop path: the children that stop "
    "one "
    "after the other, as long as each of them may take, with the sum. Nothing starts.",
    {ok, internal, usage, bad_file},
    "  actortree graph shop.yaml\n"
    "  actortree graph shop.yaml --format dot | dot -Tsvg > shop.svg\n"};

const help_page schema_help{
    "Prints a JSON Schema (draft 2020-12) of tree files with the kinds that are built in, for editors that complete "
    "and "
    "check while one types. `check` finds more than a schema can.",
    {ok, internal, usage},
    "  actortree schema > tree.schema.json\n"
    "  # and as the first line of a tree file, for editors with the YAML language server:\n"
    "  # yaml-language-server: $schema=tree.schema.json\n"};

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

template <class Enum>
void add_choice(CLI::App& command, const char* name, Enum& value, std::map<std::string, Enum> words, const char* shown,
                const char* doc) {
  command.add_option(name, value, doc)->transform(CLI::CheckedTransformer(std::move(words)))->option_text(shown);
}

void add_file(CLI::App& command, std::string& file) {
  command.add_option("FILE", file, "the tree file")->required()->option_text("");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"runs trees of supervised workers and processes"};
  app.name("actortree");
  app.require_subcommand(1);
  set_help(app, program_help);

  run_options run;
  std::string limit;
  auto& run_command = *app.add_subcommand("run", "start a tree, supervise it, and stop it in order");
  set_help(run_command, run_help);
  add_file(run_command, run.file);
  add_choice(run_command, "--log", run.log, {{"text", log_format::text}, {"json", log_format::json}}, "text|json",
             "one line an event: text (the default) for people, json for programs");
  run_command.add_option("--for", limit, "stop by itself after this time, as in 10s")->option_text("DURATION");

  check_options check;
  auto& check_command = *app.add_subcommand("check", "report every fault of a tree file");
  set_help(check_command, check_help);
  add_file(check_command, check.file);
  add_choice(check_command, "--format", check.format,
             {{"text", check_format::text}, {"json", check_format::json}, {"github", check_format::github}},
             "text|json|github", "how the faults are written; text is the default");

  graph_options graph;
  auto& graph_command = *app.add_subcommand("graph", "print a tree: start order, dependencies, the worst stop path");
  set_help(graph_command, graph_help);
  add_file(graph_command, graph.file);
  add_choice(graph_command, "--format", graph.format,
             {{"text", graph_format::text},
              {"dot", graph_format::dot},
              {"mermaid", graph_format::mermaid},
              {"json", graph_format::json}},
             "text|dot|mermaid|json", "text (the default) for people, dot for Graphviz, mermaid, or json");

  auto& schema_command = *app.add_subcommand("schema", "print a JSON Schema of tree files, for editors");
  set_help(schema_command, schema_help);

  try {
    app.parse(argc, argv);
    if (!limit.empty())
      run.stop_after = parse_duration(limit);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? ok : usage;
  }
  try {
    if (run_command)
      return actortree::run(run);
    if (check_command)
      return actortree::check(check);
    if (graph_command)
      return actortree::graph(graph);
    return actortree::schema();
  } catch (const std::exception& e) {
    std::cerr << "actortree: " << e.what() << '\n';
    return internal;
  }
}
