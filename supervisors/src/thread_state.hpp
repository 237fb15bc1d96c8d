// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "thread_look.hpp"

namespace libactor::detail {

/// Fills in what the kernel tells of a thread of this process: everything but the frames. Disturbs nobody.
void read_state(int thread, thread_look& into);

}  // namespace libactor::detail
