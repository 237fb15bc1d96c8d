// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/leak_event.hpp"

#include <cstdint>
#include <vector>

namespace libactor::detail {

/// Function, file and line of each address, as far as the program's debug information has them; calls that the compiler
/// put into others stand before those. The first call reads that information, which may take a second and memory that
/// is kept for as long as the process; later ones take microseconds. Thread-safe: one caller at a time goes on.
std::vector<stack_frame> resolve(const std::vector<std::uintptr_t>& addresses);

/// What the dynamic linker knows, which is less, at once: functions that shared objects export, and whose the rest is.
/// Thread-safe.
std::vector<stack_frame> resolve_quickly(const std::vector<std::uintptr_t>& addresses);

}  // namespace libactor::detail
