// SPDX-License-Identifier: BSL-1.0
#include "spec_walk.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/tree_spec.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace libactor {

namespace {

// Commands that do one thing and exit with 0.
constexpr std::array one_shots = {
    "[",     "basename", "cat",   "chmod",   "chown", "cp",    "date",  "dirname", "du", "echo",   "expr",
    "false", "hostname", "id",    "install", "ln",    "ls",    "mkdir", "mktemp",  "mv", "printf", "pwd",
    "rm",    "rmdir",    "sleep", "sync",    "test",  "touch", "true",  "uname",   "wc", "whoami", ":"};

bool is_one_shot_word(std::string_view word) {
  if (const auto slash = word.rfind('/'); slash != std::string_view::npos)
    word.remove_prefix(slash + 1);
  return std::find(one_shots.begin(), one_shots.end(), word) != one_shots.end();
}

// Whether every simple command of a shell script is a one-shot: a loop, an `exec` or an unknown program says nothing.
bool is_one_shot_script(std::string_view script) {
  bool any = false;
  while (!script.empty()) {
    const auto end = std::min(script.find_first_of(";\n&|"), script.size());
    auto command = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    const auto first = command.find_first_not_of(" \t");
    if (first == std::string_view::npos)
      continue;
    command.remove_prefix(first);
    const auto word_end = std::min(command.find_first_of(" \t"), command.size());
    const auto rest = command.substr(word_end);
    if (!is_one_shot_word(command.substr(0, word_end)) || rest.find("infinity") != std::string_view::npos)
      return false;
    any = true;
  }
  return any;
}

bool is_one_shot(const arg_list& command) {
  const auto word = [&](std::size_t i) -> std::string_view {
    const auto* s = i < command.size() ? command[i].get_if<std::string>() : nullptr;
    return s == nullptr ? std::string_view() : std::string_view(*s);
  };
  auto program = word(0);
  if (const auto slash = program.rfind('/'); slash != std::string_view::npos)
    program.remove_prefix(slash + 1);
  if (program == "sh" || program == "bash" || program == "dash")
    return word(1) == "-c" && is_one_shot_script(word(2));
  return is_one_shot_word(program) && !(program == "sleep" && word(1) == "infinity");
}

// The time from the first to the last of `restarts` crashes of a node that crashes as soon as it runs, as short as
// jitter allows, or the longest for `longest`: a supervisor counts a restart when the crash comes, before the delay.
double restarts_take(const backoff_spec& b, std::uint64_t restarts, bool longest, double enough) {
  constexpr std::uint64_t most_steps = 10'000;  // those after are taken for as long as the last, and are longer
  const auto min = static_cast<double>(b.min.count());
  const auto max = static_cast<double>(b.max.count());
  const auto reset = b.reset_after ? static_cast<double>(b.reset_after->count()) : (min + max) / 2;
  double sum = 0, delay = min;
  for (std::uint64_t i = 1; i < restarts && sum < enough; ++i) {
    const auto gap = longest ? delay * (1 + b.jitter) : std::min(delay, reset + min) * (1 - b.jitter);
    if (delay >= max || b.factor == 1 || i == most_steps)  // from here on all gaps are equal
      return sum + gap * static_cast<double>(restarts - i);
    sum += gap;
    delay = std::min(delay * b.factor, max);
  }
  return sum;
}

class doubter {
 public:
  doubter(const tree_spec& tree, const child_catalog& catalog) : tree_(tree), catalog_(catalog) {}

  std::vector<spec_fault> run() {
    visit(tree_.root, nullptr, {});
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
    return std::move(found_);
  }

 private:
  struct timeout_at {
    duration limit;
    std::size_t node;
  };

  void doubt(std::size_t node, std::string field, const char* code, std::string text,
             std::vector<spec_note> notes = {}) {
    found_.push_back({at_.path(), std::move(field), std::move(text), code, node, std::move(notes)});
  }

  // How long the children take to stop at the worst; zero for a worker.
  duration visit(const child_spec& spec, const supervisor_spec* parent, std::optional<timeout_at> above) {
    const auto node = at_.node++;
    at_.chain.push_back(&spec);
    if (spec.context.timeout) {
      if (above && *spec.context.timeout > above->limit)
        doubt(node, "context.timeout", "Y63",
              "this deadline (" + to_string(*spec.context.timeout) +
                  ") can't be reached: a supervisor's above it is sooner (" + to_string(above->limit) + ")",
              {{{above->node, "context.timeout"}, "the sooner one is here"}});
      else
        above = timeout_at{*spec.context.timeout, node};
    }
    if (parent != nullptr && spec.backoff)
      check_backoff(spec, *parent, node);
    if (const auto* kind = std::get_if<kind_child>(&spec.what))
      check_command(spec, *kind, node);
    duration below{};
    if (const auto* x = std::get_if<static_supervisor>(&spec.what))
      below = visit_children(*x, above);
    else if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what); d != nullptr && d->child)
      below = visit(*d->child, d, above);
    const auto own = spec.effective_shutdown();
    if (spec.is_supervisor() && !own.is_infinite() && below > own.limit())
      doubt(node, "shutdown", "Y61",
            "`shutdown` (" + to_string(own) + ") is shorter than what the children may take (" + to_string(below) +
                "): some will be killed before their time is up");
    at_.chain.pop_back();
    if (spec.is_supervisor() && (own.is_infinite() || below <= own.limit()))
      return below;
    return own.is_infinite() ? duration{} : std::max(own.limit(), duration{});
  }

  duration visit_children(const static_supervisor& parent, const std::optional<timeout_at>& above) {
    std::vector<duration> costs;
    costs.reserve(parent.children.size());
    for (const auto& child : parent.children) {
      const auto cost = visit(child, &parent, above);
      costs.push_back(child.enabled ? cost : duration{});
    }
    return combined_stop(parent, costs);
  }

  void check_backoff(const child_spec& spec, const supervisor_spec& parent, std::size_t node) {
    const auto& b = *spec.backoff;
    if (b.min <= duration{} || b.max < b.min || !(b.factor >= 1) || !(b.jitter >= 0 && b.jitter <= 1))
      return;
    const auto limit = std::to_string(parent.intensity) + " in " + to_string(parent.period);
    const auto period = static_cast<double>(parent.period.count());
    if (parent.intensity == 0)
      doubt(node, "backoff", "Y62",
            "the first crash already reaches the supervisor's limit of restarts (" + limit +
                "), so that there is none to delay: raise `intensity`");
    else if (restarts_take(b, parent.intensity + std::uint64_t{1}, false, period) >= period)
      doubt(node, "backoff", "Y62",
            "with this backoff the supervisor's limit of restarts (" + limit +
                ") can never be reached: it never gives up");
    else if (parent.intensity == 1 && restarts_take(b, 2, true, period) < period)
      doubt(node, "backoff", "Y62",
            "with this backoff the second crash already reaches the supervisor's limit of restarts (" + limit +
                "): raise `intensity`, or the delays");
  }

  void check_command(const child_spec& spec, const kind_child& x, std::size_t node) {
    const auto* kind = catalog_.find(x.kind);
    if (kind == nullptr || !kind->is_process || spec.restart != restart_type::permanent)
      return;
    const auto command = x.args.find("command");
    const auto* words = command == x.args.end() ? nullptr : command->second.get_if<arg_list>();
    if (words != nullptr && is_one_shot(*words))
      doubt(node, "args.command", "Y64",
            "this command ends by itself, and a permanent child is restarted even after exit status 0: use `restart: "
            "transient`");
  }

  const tree_spec& tree_;
  const child_catalog& catalog_;
  spec_walk at_;
  std::vector<spec_fault> found_;
};

}  // namespace

std::vector<spec_fault> find_doubts(const tree_spec& tree, const child_catalog& catalog) {
  return doubter(tree, catalog).run();
}

}  // namespace libactor
