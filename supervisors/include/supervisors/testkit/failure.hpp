// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace libactor::testkit {

/// What went wrong in one run, and how to see it again.
struct failure {
  std::string property;  ///< which one does not hold, such as `happens_before(stopped /root/b, stop_asked /root/a)`
  std::string what;      ///< in words, with the two events and their times where there are two
  std::string token;     ///< for `replay`
  std::uint64_t steps = 0;
  bool replays = false;  ///< whether it was seen again, step for step, twice
  std::string text;      ///< the run as a sequence diagram, a line a step; `>>` marks the two events
  std::string mermaid;   ///< the same for Mermaid
};

}  // namespace libactor::testkit
