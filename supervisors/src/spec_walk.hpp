// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/tree_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace libactor {

// No time of a specification may be longer, so that a sum of two and of a clock's time is in range: 100 years.
inline constexpr duration longest_time = std::chrono::hours(876'600);

// Where a walk through a specification stands. Nodes are numbered as `spec_place` says: a parent before its children.
struct spec_walk {
  std::size_t node = 0;
  std::vector<const child_spec*> chain;  // from the root to the node

  std::string path() const {
    std::string result;
    for (const auto* spec : chain)
      result += "/" + (spec->id.empty() ? std::string("*") : spec->id);
    return result;
  }
};

// The settings that every supervisor has, or null for a worker.
inline const supervisor_spec* as_supervisor(const child_spec& spec) noexcept {
  if (const auto* x = std::get_if<static_supervisor>(&spec.what))
    return x;
  return std::get_if<dynamic_supervisor>(&spec.what);
}

// How long a subtree takes to stop at the worst, as far as its limits are finite; saturates at `infinite`. Siblings
// stop one by one or, under `start: graph`, along the longest chain of dependencies; a dynamic supervisor's all at
// once. `steps`, where not null, gets the nodes of the path that stop one after the other.
struct stop_step {
  std::size_t node;
  std::string path;
  duration limit;
};
duration worst_stop(const child_spec& spec, spec_walk& at, std::vector<stop_step>* steps);

// The same for the children of one supervisor, of which each one's is known.
duration combined_stop(const static_supervisor& parent, const std::vector<duration>& costs);

// The steps and the kill_grace after them as a sum, `/a 5s + /b 5s + kill_grace 1s = 11s`; many steps are cut.
std::string sum_text(const std::vector<stop_step>& steps, duration grace, duration sum);

// The places of children in the order in which a graph starts them where only their dependencies count; what is in a
// cycle, or waits for one, is left out.
std::vector<std::size_t> graph_order(const std::vector<child_spec>& children);

duration add_saturated(duration a, duration b) noexcept;

}  // namespace libactor
