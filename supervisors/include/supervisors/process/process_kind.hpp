// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_host.hpp"

#include <functional>
#include <memory>

namespace libactor {
class child_catalog;
}

namespace libactor::process {

/// Whether output of processes may go to the runtime's sinks now; where it may not, it is kept back, and the processes
/// wait in their turn. Asked from any thread, every few lines; must not block.
using forward_gate = std::function<bool()>;

/// Adds the kind `process`: operating-system processes as children. `docs/process.md` describes its arguments, and how
/// a process's end becomes a reason. The catalog keeps the host alive. Without a gate, output goes out as it comes.
/// Throws: std::invalid_argument if the catalog has a kind of that name.
void register_process_kind(child_catalog& catalog,
                           std::shared_ptr<process_host> host = std::make_shared<process_host>(),
                           forward_gate may_forward = {});

}  // namespace libactor::process
