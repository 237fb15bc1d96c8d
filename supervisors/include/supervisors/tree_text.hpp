// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/tree_spec.hpp"

#include <string>
#include <vector>

namespace libactor {

/// The tree as text for people, one line a node, children below their supervisor in start order: the kind or strategy,
/// the restart type, how long it may take to stop, and what is out of the ordinary (a timeout, dependencies, a
/// backoff). A node that is not enabled is said to be so; the template of a dynamic
/// supervisor is its one child. The last lines are the worst stop path, as far as its limits are finite, and the budget
/// of the whole stop.
std::string tree_text(const tree_spec& tree);

/// The nodes that stop one after the other at the worst, as far as their limits are finite.
struct stop_path {
  struct step {
    std::string path;
    duration limit;
  };
  std::vector<step> steps;  ///< what stops first comes first
  duration kill_grace{};    ///< of the root, which comes after them
  duration sum{};
};
/// Complexity: O((nodes + dependencies) · depth).
stop_path worst_stop_path(const tree_spec& tree);

/// A supervisor's children in the order in which they may start; under `graph`, what is in a cycle comes last.
/// Valid as long as `parent`.
std::vector<const child_spec*> start_order(const static_supervisor& parent);

}  // namespace libactor
