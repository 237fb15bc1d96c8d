// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"

#include <cstdint>
#include <deque>

namespace libactor {

/// OTP's limit on restarts: more than `intensity` restarts within `period` are too many. A sliding window, exact to the
/// clock's nanosecond: a restart at t and one at t + period do not fall into one window.
/// Complexity: O(1) amortised a restart; memory for at most `intensity` points in time. Not thread-safe.
class restart_intensity {
 public:
  restart_intensity(std::uint32_t intensity, duration period) : period_(period), intensity_(intensity) {}

  /// Counts a restart at `now`; false if it is one too many. Requires: `now` does not go back.
  bool admit(time_point now) {
    while (!recent_.empty() && now - recent_.front() >= period_)
      recent_.pop_front();
    if (recent_.size() >= intensity_)
      return false;
    recent_.push_back(now);
    return true;
  }

  /// Forgets all restarts so far.
  void clear() noexcept { recent_.clear(); }

 private:
  std::deque<time_point> recent_;
  duration period_;
  std::uint32_t intensity_;
};

}  // namespace libactor
