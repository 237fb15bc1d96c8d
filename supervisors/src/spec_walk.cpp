// SPDX-License-Identifier: BSL-1.0
#include "spec_walk.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace libactor {

duration add_saturated(duration a, duration b) noexcept { return a > infinite - b ? infinite : a + b; }

namespace {

struct branch {
  duration cost{};
  std::size_t first_node = 0;
  std::size_t next = npos;  // the dependent that must be down before, on the longest chain
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

// Kahn's order over `after`: a child comes once everything it waits for has come, earlier ones first; what is in a
// cycle, or waits for one, is left out.
std::vector<std::size_t> order_by_dependencies(const std::vector<child_spec>& children,
                                               std::vector<std::vector<std::size_t>>& dependents) {
  const auto n = children.size();
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < n; ++i)
    places.emplace(children[i].id, i);
  dependents.assign(n, {});
  std::vector<std::size_t> waits(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (const auto& edge : children[i].after) {
      const auto j = places.find(edge.id);
      if (j != places.end()) {
        dependents[j->second].push_back(i);
        ++waits[i];
      }
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
  for (std::size_t i = 0; i < n; ++i) {
    if (waits[i] == 0)
      free.push(i);
  }
  std::vector<std::size_t> order;
  while (!free.empty()) {
    const auto i = free.top();
    free.pop();
    order.push_back(i);
    for (auto dependent : dependents[i]) {
      if (--waits[dependent] == 0)
        free.push(dependent);
    }
  }
  return order;
}

// Of the enabled children, the one at which the longest chain of stops begins, with `next` leading along it. A cycle,
// which is a fault of its own, is cut where it closes.
std::size_t longest_chain(const std::vector<child_spec>& children, std::vector<branch>& branches) {
  const auto n = children.size();
  std::vector<std::vector<std::size_t>> dependents;
  const auto order = order_by_dependencies(children, dependents);
  std::vector<duration> total(n);
  auto best = branch::npos;
  for (auto k = order.size(); k-- > 0;) {
    const auto i = order[k];
    duration longest{};
    for (auto dependent : dependents[i]) {
      if (total[dependent] > longest || branches[i].next == branch::npos) {
        longest = total[dependent];
        branches[i].next = dependent;
      }
    }
    total[i] = add_saturated(branches[i].cost, longest);
    if (best == branch::npos || total[i] >= total[best])
      best = i;
  }
  return best;
}

// The children that stop one after the other at the worst, in start order.
std::vector<std::size_t> worst_chain(const static_supervisor& parent, std::vector<branch>& branches) {
  std::vector<std::size_t> chain;
  if (parent.start == start_mode::ordered) {
    for (std::size_t i = 0; i < parent.children.size(); ++i)
      chain.push_back(i);
  } else {
    for (auto i = longest_chain(parent.children, branches); i != branch::npos; i = branches[i].next)
      chain.push_back(i);
  }
  return chain;
}

duration children_stop(const static_supervisor& parent, spec_walk& at, std::vector<stop_step>* steps) {
  std::vector<branch> branches(parent.children.size());
  for (std::size_t i = 0; i < branches.size(); ++i) {
    branches[i].first_node = at.node;
    const auto cost = worst_stop(parent.children[i], at, nullptr);
    if (parent.children[i].enabled)
      branches[i].cost = cost;
  }
  const auto chain = worst_chain(parent, branches);
  duration sum{};
  for (auto i = chain.rbegin(); i != chain.rend(); ++i) {
    sum = add_saturated(sum, branches[*i].cost);
    if (steps != nullptr && parent.children[*i].enabled) {
      spec_walk below{branches[*i].first_node, at.chain};
      worst_stop(parent.children[*i], below, steps);
    }
  }
  return sum;
}

}  // namespace

std::vector<std::size_t> graph_order(const std::vector<child_spec>& children) {
  std::vector<std::vector<std::size_t>> ignored;
  return order_by_dependencies(children, ignored);
}

duration combined_stop(const static_supervisor& parent, const std::vector<duration>& costs) {
  std::vector<branch> branches(costs.size());
  for (std::size_t i = 0; i < costs.size(); ++i)
    branches[i].cost = costs[i];
  duration sum{};
  for (auto i : worst_chain(parent, branches))
    sum = add_saturated(sum, costs[i]);
  return sum;
}

duration worst_stop(const child_spec& spec, spec_walk& at, std::vector<stop_step>* steps) {
  const auto node = at.node++;
  at.chain.push_back(&spec);
  const auto own = spec.effective_shutdown();
  const auto steps_before = steps == nullptr ? 0 : steps->size();
  duration below{};
  bool has_children = false;
  if (const auto* x = std::get_if<static_supervisor>(&spec.what)) {
    has_children = true;
    below = children_stop(*x, at, steps);
  } else if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what); d != nullptr && d->child) {
    has_children = true;
    below = worst_stop(*d->child, at, steps);
  }
  duration result{};
  if (has_children && (own.is_infinite() || below <= own.limit())) {
    result = below;
  } else {
    result = own.is_infinite() ? duration{} : std::max(own.limit(), duration{});
    if (steps != nullptr) {
      steps->resize(steps_before);
      if (result > duration{})
        steps->push_back({node, at.path(), result});
    }
  }
  at.chain.pop_back();
  return result;
}

std::string sum_text(const std::vector<stop_step>& steps, duration grace, duration sum) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < steps.size() && i < most; ++i)
    text += steps[i].path + " " + to_string(steps[i].limit) + " + ";
  if (steps.size() > most)
    text += std::to_string(steps.size() - most) + " more + ";
  return text + "kill_grace " + to_string(grace) + " = " + to_string(sum);
}

}  // namespace libactor
