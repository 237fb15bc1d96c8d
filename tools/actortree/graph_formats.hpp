// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/tree_spec.hpp"

#include <string>

namespace actortree {

/// The tree for Graphviz: supervisors point to their children, with the place in the start order; dotted edges point
/// from what depends to what it depends on; the worst stop path is drawn thick, and its sum is the graph's label.
std::string as_dot(const libactor::tree_spec& tree);
/// The same for Mermaid.
std::string as_mermaid(const libactor::tree_spec& tree);
/// The same as a JSON object: `tree`, with `children` in start order, and `stop`, with the worst path and its sum.
std::string as_json(const libactor::tree_spec& tree);

}  // namespace actortree
