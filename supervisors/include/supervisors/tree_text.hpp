// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/tree_spec.hpp"

#include <string>

namespace libactor {

/// The tree as text for people, one line a node, children below their supervisor in start order: the kind or strategy,
/// the restart type, how long it may take to stop, and what is out of the ordinary (a timeout, dependencies, a
/// backoff). A node that is not enabled is said to be so; the template of a dynamic
/// supervisor is its one child. The last lines are the worst stop path, as far as its limits are finite, and the budget
/// of the whole stop.
std::string tree_text(const tree_spec& tree);

}  // namespace libactor
