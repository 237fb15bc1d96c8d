// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/observe/event_json.hpp"
#include "supervisors/snapshot.hpp"

#include <string>
#include <vector>

namespace libactor::observe {

/// For people: a line a node, with its context and what else there is to say of it below. `at`: when it was taken.
std::string as_text(const tree_snapshot& tree, wall_time at = std::chrono::system_clock::now());
/// One JSON object (`docs/observe.md`), on one line where `indent` is -1.
std::string as_json(const tree_snapshot& tree, wall_time at = std::chrono::system_clock::now(), int indent = 2);
/// For Graphviz: what is busy is thick, what has no incarnation dashed.
std::string as_dot(const tree_snapshot& tree);
/// The same for Mermaid.
std::string as_mermaid(const tree_snapshot& tree);

/// For people: each handler with its stack.
std::string as_text(const std::vector<running_handler>& handlers);
/// A JSON array (`docs/observe.md`), on one line where `indent` is -1.
std::string as_json(const std::vector<running_handler>& handlers, int indent = 2);

}  // namespace libactor::observe
