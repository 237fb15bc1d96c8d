// SPDX-License-Identifier: BSL-1.0
#pragma once

// A tree, and what happens to it, made up from a seed.

#include "workers.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace libactor::tests {

/// What is wrong with one child.
enum class fault : std::uint8_t {
  none,
  throws_in_start_function,
  throws_in_body,
  fails_second_start,
  declines,
  never_starts,
  throws_in_handler,
  ends_with_error,
  ends_normally,
  ends_with_shutdown,
  deadline_passes,
  ignores_stop,
  slow_to_stop,
  throws_when_asked_to_stop,
  killed_from_outside,
  told_to_exit_from_outside,
};
constexpr unsigned faults = 16;
const char* to_string(fault what) noexcept;

/// What a scenario knows of one supervisor: enough to judge the order of its stops.
struct shape {
  bool dynamic = false;
  strategy how = strategy::one_for_one;
  start_mode mode = start_mode::ordered;
  std::vector<std::string> children;                           ///< paths, in start order
  std::map<std::string, std::vector<std::string>> dependents;  ///< path → those that need it, directly or not
};

/// Something that is done to the tree after so many steps.
struct act {
  std::uint64_t step = 0;
  std::string words;
  std::function<void(world&)> run;
};

struct scenario {
  explicit scenario(std::uint64_t seed);

  std::uint64_t seed;
  tree_spec tree;
  std::map<std::string, shape> supervisors;  ///< by path
  std::string victim;                        ///< path of the child at fault, or of a supervisor
  fault what = fault::none;
  std::vector<std::string> terminated;                         ///< paths that a verb may have asked to stop alone
  std::vector<act> acts;                                       ///< in order
  std::shared_ptr<int> unanswered = std::make_shared<int>(0);  ///< verbs
  bool stops_in_between = false;                               ///< whether the stop does not wait until all is quiet

  std::string words() const;
};

}  // namespace libactor::tests
