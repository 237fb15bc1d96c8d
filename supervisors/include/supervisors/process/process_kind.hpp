// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_host.hpp"

#include <memory>

namespace libactor {
class child_catalog;
}

namespace libactor::process {

/// Adds the kind `process`: operating-system processes as children. `docs/process.md` describes its arguments, and how
/// a process's end becomes a reason. The catalog keeps the host alive.
/// Throws: std::invalid_argument if the catalog has a kind of that name.
void register_process_kind(child_catalog& catalog,
                           std::shared_ptr<process_host> host = std::make_shared<process_host>());

}  // namespace libactor::process
