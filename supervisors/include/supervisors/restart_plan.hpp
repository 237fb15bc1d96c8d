// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstddef>

namespace libactor {

/// Whether the end of the child at `failed` takes down and restarts the sibling at `other` (places in start order).
/// The failed child is always affected itself. For `one_for_dependents`, the supervisor asks for each dependent.
constexpr bool restart_affects(strategy how, std::size_t failed, std::size_t other) noexcept {
  switch (how) {
    case strategy::one_for_one:
    case strategy::one_for_dependents:
      return other == failed;
    case strategy::one_for_all:
      return true;
    case strategy::rest_for_one:
      return other >= failed;
  }
  return false;
}

}  // namespace libactor
