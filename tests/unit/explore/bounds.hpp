// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace libactor::tests {

/// Sanitizers take ten times as long. What the plain build tries in full, theirs tries a part of: the same code runs,
/// and only the plain build says that nothing else was to be found.
#ifdef __SANITIZE_ADDRESS__
constexpr bool in_part = true;
#else
constexpr bool in_part = false;
#endif

}  // namespace libactor::tests
