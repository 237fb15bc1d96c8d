// SPDX-License-Identifier: BSL-1.0
#include "supervisors/restart_plan.hpp"

namespace libactor {

namespace {

std::vector<bool> affected_by(strategy how, std::size_t failed, const std::vector<plan_sibling>& siblings) {
  std::vector<bool> affected(siblings.size());
  if (how != strategy::one_for_dependents) {
    for (std::size_t i = 0; i != siblings.size(); ++i)
      affected[i] = restart_affects(how, failed, i);
    return affected;
  }
  std::vector<std::size_t> found{failed};
  affected[failed] = true;
  for (std::size_t i = 0; i != found.size(); ++i) {
    for (const auto dependent : siblings[found[i]].needed_by) {
      if (!affected[dependent]) {
        affected[dependent] = true;
        found.push_back(dependent);
      }
    }
  }
  return affected;
}

}  // namespace

restart_plan plan_restart(strategy how, std::size_t failed, const std::vector<plan_sibling>& siblings) {
  restart_plan plan;
  const auto affected = affected_by(how, failed, siblings);
  for (std::size_t i = 0; i != siblings.size(); ++i) {
    if (!affected[i])
      continue;
    const auto& sibling = siblings[i];
    if (sibling.alive)
      plan.stop.push_back(i);
    if (i == failed || (sibling.returns && (sibling.alive || sibling.restarting)))
      plan.start.push_back(i);
  }
  return plan;
}

}  // namespace libactor
