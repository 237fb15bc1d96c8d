// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "help.hpp"
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

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
    "ends everything at once. SIGUSR1 prints the tree as it is now to standard error. Each event is a line on standard "
    "output; the last ones are the report of the stop.",
    {ok, internal, usage, bad_file, start_failed, tree_failed, overrun, stopped_at_once},
    "  actortree run shop.yaml --for 10s\n"
    "  actortree run shop.yaml --log json | jq 'select(.event == \"crashed\")'\n",
    "\nENVIRONMENT\n"
    "  ACTORTREE_SOCKET  the socket, where --socket does not say it\n"};

const help_page leaks_help{
    "Prints the leaks that `actortree run --ledger FILE`, or a program with a ledger of its own, has kept: the most "
    "frequent culprits first. Leaks of one kind whose stacks have the same functions, and whose contexts were derived "
    "in the same places, are one culprit's. The file may be in use.",
    {ok, internal, usage, bad_file},
    "  actortree leaks shop.db --since 1h\n"
    "  actortree leaks shop.db --kind stuck --path /shop/api\n"
    "  actortree leaks shop.db --format json | jq '.culprits[0].stack'\n",
    "\nKINDS\n"
    "  stuck    one handler ran longer than `stuck_after`\n"
    "  overdue  a child was still alive after it should have ended\n"
    "  orphan   a child was alive, although what it belongs to had ended\n"
    "  runaway  a mailbox, children or restarts went beyond a limit\n"
    "  undead   a child was abandoned, and still ran\n"};

const help_page check_help{
    "Reports every fault and every doubt of the file, with its place, and starts nothing. As text they go to standard "
    "error. As json they are an array on standard output; as github they are workflow commands, which code hosting "
    "services show beside the lines. Doubts alone are no failure.",
    {ok, internal, usage, bad_file},
    "  actortree check shop.yaml\n"
    "  actortree check shop.yaml --format json | jq '.[].code'\n"};

const help_page explore_help{
    "Asks whether the tree can ever stop in the wrong order, or not at all: puts doubles in place of all workers, "
    "whatever their kind, and stops the tree at any time, in every order of messages that makes a difference, on a "
    "clock of its own. First all workers are well; then one of them ends by itself, fails, is slow to stop, or ignores "
    "its stop. Says `exhausted` of what was tried in full; of the rest a sample is taken. Starts nothing of the "
    "file's own.",
    {ok, internal, usage, bad_file, found},
    "  actortree explore shop.yaml\n"
    "  actortree explore shop.yaml --for 5m\n"};

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

const help_page ctl_help{
    "Looks after a tree that runs with --socket, from another terminal. Returns once the act is complete; each act is "
    "a "
    "line in the tree's log, with who asked.",
    {ok, internal, usage, act_refused, unreachable},
    "  actortree run shop.yaml --socket /run/shop.sock --socket-mode 660 &\n"
    "  export ACTORTREE_SOCKET=/run/shop.sock\n"
    "  actortree ctl tree\n"
    "  actortree ctl tree --format dot | dot -Tsvg > now.svg\n"
    "  actortree ctl restart /shop/api/http\n"
    "  actortree ctl start '/shop/workers/*'\n",
    "\nACTS\n"
    "  tree           print all that the tree has now, whatever is stuck: states, ages,\n"
    "                 handlers that run, unread messages, contexts and their deadlines\n"
    "  stacks         print the handlers that run now, with the stacks of their threads\n"
    "  children PATH  print the children of one supervisor\n"
    "  restart PATH   stop the child in order, if it runs, and start it\n"
    "  stop PATH      stop the child in order; it stays stopped until it is started\n"
    "  start PATH     start a child that does not run; PATH/* starts one more child of\n"
    "                 a dynamic supervisor\n"
    "  resume PATH    let a supervisor go on with restarts that it has suspended\n"
    "  shutdown       stop the tree in order, as SIGTERM does; returns at once\n"
    "\nENVIRONMENT\n"
    "  ACTORTREE_SOCKET  the socket, where --socket does not say it\n"};

constexpr libactor::event_kind leak_kinds[] = {libactor::event_kind::stuck, libactor::event_kind::overdue,
                                               libactor::event_kind::orphan, libactor::event_kind::runaway,
                                               libactor::event_kind::undead};

void parse_act(const std::string& act, ctl_options& into) {
  const auto* known = std::find(std::begin(control_words), std::end(control_words), act);
  into.act = static_cast<control_act>(known - std::begin(control_words));
  const bool about_one = needs_path(into.act);
  if (about_one == into.path.empty())
    throw CLI::ValidationError("PATH", act + (about_one ? " needs a path, such as /shop/api" : " takes no path"));
  const bool is_drawn = into.format == tree_format::dot || into.format == tree_format::mermaid;
  if (is_drawn && into.act != control_act::tree)
    throw CLI::ValidationError("--format", act + " can't be drawn: text or json");
  if (about_one && into.path[0] != '/')
    throw CLI::ValidationError("PATH", "'" + into.path + "' is no path: it begins with /, as in /shop/api");
}

void add_file(CLI::App& command, std::string& file) {
  command.add_option("FILE", file, "the tree file")->required()->option_text("");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"runs trees of supervised workers and processes"};
  app.name("actortree");
  app.require_subcommand(1);
  app.set_version_flag("--version", "actortree " ACTORTREE_VERSION, "print the version");
  set_help(app, program_help);

  run_options run;
  std::string limit;
  auto& run_command = *app.add_subcommand("run", "start a tree, supervise it, and stop it in order");
  set_help(run_command, run_help);
  add_file(run_command, run.file);
  add_choice<log_format>(run_command, "--log", run.log, {{"text", log_format::text}, {"json", log_format::json}},
                         "one line an event: text (the default) for people, json for programs");
  add_text(run_command, "--for", limit, "DURATION", "stop by itself after this time, as in 10s");
  add_text(run_command, "--socket", run.socket, "PATH",
           "answer `actortree ctl` at this Unix socket; by default there is none")
      ->envname("ACTORTREE_SOCKET");
  std::string mode;
  add_text(run_command, "--socket-mode", mode, "MODE", "the permissions of the socket's file, octal; 600 by default");
  add_text(run_command, "--ledger", run.ledger, "FILE",
           "keep the watchdog's events in this SQLite file, for `actortree leaks`");

  check_options check;
  auto& check_command = *app.add_subcommand("check", "report every fault of a tree file");
  set_help(check_command, check_help);
  add_file(check_command, check.file);
  add_choice<check_format>(
      check_command, "--format", check.format,
      {{"text", check_format::text}, {"json", check_format::json}, {"github", check_format::github}},
      "how the faults are written; text is the default");

  graph_options graph;
  auto& graph_command = *app.add_subcommand("graph", "print a tree: start order, dependencies, the worst stop path");
  set_help(graph_command, graph_help);
  add_file(graph_command, graph.file);
  add_choice<graph_format>(graph_command, "--format", graph.format,
                           {{"text", graph_format::text},
                            {"dot", graph_format::dot},
                            {"mermaid", graph_format::mermaid},
                            {"json", graph_format::json}},
                           "text (the default) for people, dot for Graphviz, mermaid, or json");

  explore_tree_options explore;
  std::string explore_time, seed;
  auto& explore_command = *app.add_subcommand("explore", "ask whether a tree can stop in the wrong order, or hang");
  set_help(explore_command, explore_help);
  add_file(explore_command, explore.file);
  add_text(explore_command, "--for", explore_time, "DURATION", "try for this long at the most; 20s by default");
  add_text(explore_command, "--seed", seed, "NUMBER", "of samples, where not everything can be tried; 1 by default");

  leaks_options leaks;
  std::string since;
  libactor::event_kind kind{};
  auto& leaks_command = *app.add_subcommand("leaks", "print the leaks that a ledger holds");
  set_help(leaks_command, leaks_help);
  leaks_command.add_option("FILE", leaks.file, "the ledger")->required()->option_text("");
  add_text(leaks_command, "--since", since, "DURATION", "only leaks that were told of within this time, as in 1h");
  std::vector<std::pair<std::string, libactor::event_kind>> kinds;
  for (const auto one : leak_kinds)
    kinds.emplace_back(to_string(one), one);
  add_choice(leaks_command, "--kind", kind, kinds, "only leaks that were of this kind: see KINDS");
  add_text(leaks_command, "--path", leaks.filter.path, "PATH", "only leaks of this child and of those below it");
  add_choice<leaks_format>(leaks_command, "--format", leaks.format,
                           {{"text", leaks_format::text}, {"json", leaks_format::json}},
                           "text (the default) for people, or one JSON object");

  auto& schema_command = *app.add_subcommand("schema", "print a JSON Schema of tree files, for editors");
  set_help(schema_command, schema_help);

  ctl_options ctl;
  std::string act;
  auto& ctl_command = *app.add_subcommand("ctl", "look after a running tree from another terminal");
  set_help(ctl_command, ctl_help);
  ctl_command.add_option("ACT", act, "what to do: see ACTS")
      ->required()
      ->check([](const std::string& given) {
        const std::vector<std::string> words(std::begin(control_words), std::end(control_words));
        return std::find(words.begin(), words.end(), given) == words.end() ? no_word(given, words) : std::string();
      })
      ->option_text("");
  ctl_command.add_option("PATH", ctl.path, "of the child, or the supervisor, such as /shop/api")->option_text("");
  add_text(ctl_command, "--socket", ctl.socket, "PATH", "the socket of the tree")
      ->envname("ACTORTREE_SOCKET")
      ->required();
  add_choice<tree_format>(ctl_command, "--format", ctl.format,
                          {{"text", tree_format::text},
                           {"json", tree_format::json},
                           {"dot", tree_format::dot},
                           {"mermaid", tree_format::mermaid}},
                          "a table (the default), or the reply as one JSON object; tree also dot and mermaid");

  try {
    std::vector<std::string> commands;
    for (const auto* command : app.get_subcommands({}))
      commands.push_back(command->get_name());
    if (argc > 1 && argv[1][0] != '-' && std::find(commands.begin(), commands.end(), argv[1]) == commands.end())
      throw CLI::ValidationError("COMMAND", no_word(argv[1], commands));
    app.parse(argc, argv);
    if (!mode.empty()) {
      if (run.socket.empty())
        throw CLI::ValidationError("--socket-mode", "there is no socket: it needs --socket");
      run.socket_mode = parse_mode(mode);
    }
    if (!seed.empty())
      explore.seed = parse_seed(seed);
    if (ctl_command)
      parse_act(act, ctl);
    if (!explore_time.empty())
      explore.max_time = parse_duration("--for", explore_time);
    if (leaks_command.count("--kind") != 0)
      leaks.filter.kind = kind;
    if (!since.empty())
      leaks.filter.since =
          std::chrono::system_clock::now() -
          std::chrono::duration_cast<std::chrono::system_clock::duration>(parse_duration("--since", since));
    if (!leaks.filter.path.empty() && leaks.filter.path[0] != '/')
      throw CLI::ValidationError("--path", "'" + leaks.filter.path + "' is no path: it begins with /, as in /shop/api");
    if (!limit.empty())
      run.stop_after = parse_duration("--for", limit);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? ok : usage;
  }
  const auto carry_out = [&] {
    if (check_command)
      return actortree::check(check);
    if (explore_command)
      return actortree::explore(explore);
    if (graph_command)
      return actortree::graph(graph);
    if (ctl_command)
      return actortree::ctl(ctl);
    if (leaks_command)
      return actortree::leaks(leaks);
    return actortree::schema();
  };
  try {
    if (run_command)
      return actortree::run(run);
    const int status = carry_out();
    if (std::cout.flush())
      return status;
    std::cerr << "actortree: can't write to standard output\n";
    return internal;
  } catch (const std::exception& e) {
    std::cerr << "actortree: " << e.what() << '\n';
    return internal;
  }
}
