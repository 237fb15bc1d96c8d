// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_catalog.hpp"

namespace actortree {

/// The kinds that are built into the program: `process` and `demo.*`.
libactor::child_catalog built_in_kinds();

}  // namespace actortree
