// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/snapshot.hpp"
#include "tree_core.hpp"

#include <caf/fwd.hpp>

namespace libactor::detail {

/// Of the tree below `guardian`, whose only child is the root.
tree_snapshot take_snapshot(caf::actor_system& system, const tree_core& core, const family& guardian);

}  // namespace libactor::detail
