// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstdint>

namespace libactor {

/// The delays before a node's restarts: min · factorⁿ⁻¹ for the n-th in a row, at most max, then spread evenly by
/// ± jitter. A node that ran for `reset_after` starts again from min. Deterministic for a seed. Not thread-safe.
class backoff {
 public:
  backoff(const backoff_spec& spec, std::uint64_t seed) : spec_(spec), random_state_(seed) {}

  /// The delay before the next restart of a node that ran for `ran`.
  duration next(duration ran);

 private:
  double between_0_and_1();

  backoff_spec spec_;
  std::uint64_t random_state_;
  double base_ns_ = 0;
};

}  // namespace libactor
