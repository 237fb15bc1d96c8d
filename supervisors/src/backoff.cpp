// SPDX-License-Identifier: BSL-1.0
#include "supervisors/backoff.hpp"

#include "splitmix.hpp"

#include <algorithm>

namespace libactor {

double backoff::between_0_and_1() {
  return static_cast<double>(detail::splitmix(random_state_ += detail::splitmix_step) >> 11) * 0x1p-53;
}

duration backoff::next(duration ran) {
  const auto reset_after = spec_.reset_after.value_or(spec_.min / 2 + spec_.max / 2);
  const auto min_ns = static_cast<double>(spec_.min.count());
  const auto max_ns = static_cast<double>(spec_.max.count());
  if (base_ns_ == 0 || ran >= reset_after)
    base_ns_ = min_ns;
  else
    base_ns_ = std::min(base_ns_ * spec_.factor, max_ns);
  const double spread = spec_.jitter * (2 * between_0_and_1() - 1);
  // 2^62 ns are 146 years: what is longer would not fit a duration once it was spread.
  return duration{static_cast<duration::rep>(std::min(base_ns_ * (1 + spread), 0x1p62))};
}

}  // namespace libactor
