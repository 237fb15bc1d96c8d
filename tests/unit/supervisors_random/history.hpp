// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "scenario.hpp"

#include <string>
#include <vector>

namespace libactor::tests {

/// What broke one of the rules in a run, in words. The workers' own word for when they live counts ("up" and "down"),
/// not their supervisors'.
std::vector<std::string> judge(const scenario& of, const std::vector<event>& seen);

/// A line for each event.
std::string to_text(const std::vector<event>& seen);

}  // namespace libactor::tests
