// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/scope.hpp"

namespace libactor {

/// Derives a child whose deadline lies `reserve` before that of `parent`, so that so much time is left for cleaning up
/// once it is over. A parent without a deadline gives a child without one. If less than `reserve` remains, the child is
/// `deadline_exceeded` at once. Requires: `reserve` is not negative; a runtime, where `parent` has a deadline.
[[nodiscard]] scope with_reserve(const context& parent, duration reserve, cause why = {},
                                 source_location where = source_location::current());

/// Derives a child that may use one part in `parts` of what remains of `parent`'s time, counted from now: `parts`
/// steps, each derived with the number that is left (3, 2, 1), share the time, and what one saves goes to the later
/// ones. A parent without a deadline gives a child without one. Requires: `parts` > 0; a runtime, where `parent` has a
/// deadline.
[[nodiscard]] scope with_share(const context& parent, unsigned parts, cause why = {},
                               source_location where = source_location::current());

}  // namespace libactor
