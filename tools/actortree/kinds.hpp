// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_catalog.hpp"
#include "supervisors/process/process_kind.hpp"
#include "supervisors/process/warden.hpp"

#include <memory>

namespace actortree {

/// The kinds that are built into the program: `process` and `demo.*`. Processes are started below the warden, or by
/// this program where there is none; the gate holds back their output.
libactor::child_catalog built_in_kinds(std::shared_ptr<libactor::process::warden> keeping = nullptr,
                                       libactor::process::forward_gate may_forward = {});

}  // namespace actortree
