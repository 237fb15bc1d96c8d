// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace libactor {

/// Called when a documented `Requires:` is broken, with words that say which. It must not return: if it does, or
/// throws, the program is terminated. May be called on any thread, with the library's locks free.
using violation_handler = void (*)(const char* what);

/// Replaces the process's handler and returns the one before; null stands for the default, which prints the words to
/// the standard error stream and aborts. Thread-safe.
violation_handler set_violation_handler(violation_handler handler) noexcept;

/// Reports a broken `Requires:` and ends the program.
[[noreturn]] void violated(const char* what) noexcept;

}  // namespace libactor
