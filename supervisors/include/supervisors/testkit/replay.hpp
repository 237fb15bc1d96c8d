// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/explore.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace libactor::testkit {

/// What came of a replay.
struct replayed {
  /// Not empty: the token is not of this test as it is now, or the run was cut by `max_steps`, and nothing is known; it
  /// says why.
  std::string refused{};
  /// Whether a choice of the token could not be taken, because the code under test behaves otherwise now: from there on
  /// the first alternative was taken each time.
  bool diverged = false;
  std::optional<failure> failed{};
  std::string trace{};  ///< as `trial::trace`

  explicit operator bool() const noexcept { return refused.empty() && !failed; }
};

/// Repeats the run that `token` names. The body, the tree that it starts and the name in `options` must be those of the
/// test that gave the token: another tree, or other choices, acts or names, are refused. Of the other options only
/// `max_steps`, `max_faults` and `default_properties` matter.
replayed replay(std::string_view token, const std::function<void(trial&)>& body, const explore_options& options = {});

}  // namespace libactor::testkit
