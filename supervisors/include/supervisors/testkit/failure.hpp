// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace libactor::testkit {

/// What went wrong in one run, and how to see it again.
struct failure {
  std::string property;  ///< which one, such as `happens_before(stopped /root/b, stop_asked /root/a)`
  std::string what;      ///< in words, with the two events and their times where there are two
  std::string token;     ///< for `replay`
  std::uint64_t steps = 0;
};

}  // namespace libactor::testkit
