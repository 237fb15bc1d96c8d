// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/snapshot.hpp"
#include "supervisors/watchdog.hpp"

#include <vector>

namespace libactor::detail {

/// Those of `tree` that are busy, with the stacks of their threads.
std::vector<running_handler> look_at_handlers(const tree_snapshot& tree, watchdog& dog, duration limit);

}  // namespace libactor::detail
