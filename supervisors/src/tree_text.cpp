// SPDX-License-Identifier: BSL-1.0
#include "supervisors/tree_text.hpp"

#include "spec_walk.hpp"

#include <algorithm>
#include <vector>

namespace libactor {

namespace {

struct row {
  std::string name;  ///< with its branches
  std::string facts;
};

std::string what_it_is(const child_spec& spec) {
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what)) {
    return std::string(to_string(fixed->strategy)) + ", at most " + std::to_string(fixed->intensity) + " restarts in " +
           to_string(fixed->period) + (fixed->start == start_mode::graph ? ", start: graph" : "");
  }
  if (const auto* pool = std::get_if<dynamic_supervisor>(&spec.what)) {
    const auto* named = pool->child ? std::get_if<kind_child>(&pool->child->what) : nullptr;
    return "dynamic, of " + (named != nullptr ? named->kind : std::string("workers")) +
           (pool->max_children ? ", at most " + std::to_string(*pool->max_children) : std::string());
  }
  const auto* named = std::get_if<kind_child>(&spec.what);
  return named != nullptr ? named->kind : "worker";
}

std::string facts(const child_spec& spec) {
  std::string text = what_it_is(spec);
  text += std::string("; ") + to_string(spec.restart) + ", shutdown " + to_string(spec.effective_shutdown());
  if (spec.drain)
    text += ", drain " + to_string(*spec.drain);
  if (spec.context.timeout)
    text += ", timeout " + to_string(*spec.context.timeout);
  if (spec.backoff)
    text += ", backoff " + to_string(spec.backoff->min) + " to " + to_string(spec.backoff->max);
  if (spec.watch)
    text += ", stuck after " + to_string(spec.watch->stuck_after) +
            (spec.watch->action != watch_action::report ? std::string(", then ") + to_string(spec.watch->action) : "");
  if (spec.unwatched)
    text += ", not watched";
  if (spec.significant)
    text += ", significant";
  for (const auto& need : spec.after)
    text += ", after " + need.id + " " + to_string(need.when);
  if (!spec.enabled)
    text += ", not enabled";
  return text;
}

void add(std::vector<row>& rows, const child_spec& spec, const std::string& branch, const std::string& indent) {
  rows.push_back({branch + (spec.id.empty() ? "*" : spec.id), facts(spec)});
  std::vector<const child_spec*> children;
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what))
    children = start_order(*fixed);
  else if (const auto* pool = std::get_if<dynamic_supervisor>(&spec.what); pool != nullptr && pool->child)
    children.push_back(pool->child.get());
  for (std::size_t i = 0; i != children.size(); ++i) {
    const bool last = i + 1 == children.size();
    add(rows, *children[i], indent + (last ? "└─ " : "├─ "), indent + (last ? "   " : "│  "));
  }
}

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<const child_spec*> start_order(const static_supervisor& parent) {
  std::vector<const child_spec*> result;
  std::vector<bool> is_placed(parent.children.size(), false);
  if (parent.start == start_mode::graph) {
    for (auto place : graph_order(parent.children)) {
      result.push_back(&parent.children[place]);
      is_placed[place] = true;
    }
  }
  for (std::size_t i = 0; i != parent.children.size(); ++i) {
    if (!is_placed[i])
      result.push_back(&parent.children[i]);
  }
  return result;
}

stop_path worst_stop_path(const tree_spec& tree) {
  spec_walk walk;
  std::vector<stop_step> steps;
  stop_path result;
  result.kill_grace = tree.root.kill_grace;
  result.sum = add_saturated(worst_stop(tree.root, walk, &steps), tree.root.kill_grace);
  for (auto& step : steps)
    result.steps.push_back({std::move(step.path), step.limit});
  return result;
}

std::string tree_text(const tree_spec& tree) {
  std::vector<row> rows;
  add(rows, tree.root, "", "");
  std::size_t column = 0;
  for (const auto& r : rows)
    column = std::max(column, width(r.name));
  std::string text;
  for (const auto& r : rows)
    text += r.name + std::string(column - width(r.name) + 2, ' ') + r.facts + '\n';
  spec_walk walk;
  std::vector<stop_step> steps;
  const auto sum = add_saturated(worst_stop(tree.root, walk, &steps), tree.root.kill_grace);
  text += "worst stop path: " + sum_text(steps, tree.root.kill_grace, sum) + '\n';
  return text + "budget of the stop: " + to_string(tree.budget) + '\n';
}

}  // namespace libactor
