// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstddef>
#include <vector>

namespace libactor {

/// Whether the end of the child at `failed` takes down and restarts the sibling at `other` (places in start order).
/// The failed child is always affected itself. For `one_for_dependents`, `plan_restart` follows the dependencies.
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

/// A child as a plan sees it.
struct plan_sibling {
  bool alive = false;                    ///< it must stop before anything starts
  bool restarting = false;               ///< it is down, and waits for its next start
  bool returns = true;                   ///< false for a temporary one, which a restart of others does not start again
  std::vector<std::size_t> needed_by{};  ///< places of those that depend on it
};

/// What the restart of a child takes with it. Both lists are in start order: stops go from the back.
struct restart_plan {
  std::vector<std::size_t> stop;
  std::vector<std::size_t> start;
  friend bool operator==(const restart_plan&, const restart_plan&) = default;
};

/// The plan for the restart of the child at `failed`, by OTP's rules: who is affected and alive stops; the failed one,
/// and of the others those that were alive or waiting and are not temporary, start.
/// Complexity: O(siblings + dependencies). Requires: `failed` and all of `needed_by` are places of `siblings`.
restart_plan plan_restart(strategy how, std::size_t failed, const std::vector<plan_sibling>& siblings);

}  // namespace libactor
