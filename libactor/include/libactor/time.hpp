// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace libactor {

/// All durations of this library, in nanoseconds.
using duration = std::chrono::nanoseconds;

/// A point on the monotonic clock of a runtime. A production runtime uses `std::chrono::steady_clock`; a virtual one
/// counts from its own start, on the same type.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// Stands for "never" wherever a duration limits something.
inline constexpr duration infinite = duration::max();

/// The time that is `delay` after `from`, which is not negative; the last there is where that would be later still, and
/// so for `infinite`: never.
constexpr time_point add_saturated(time_point from, duration delay) noexcept {
  return delay > time_point::max() - from ? time_point::max() : from + delay;
}

}  // namespace libactor
