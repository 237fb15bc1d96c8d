// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/child_spec.hpp"

#include <string>

namespace libactor::detail {

// How long something took, for people: to the millisecond, or to the microsecond where that says nothing.
inline std::string rounded(duration d) {
  if (d < std::chrono::milliseconds(10))
    return to_string(duration{std::chrono::round<std::chrono::microseconds>(d)});
  return to_string(duration{std::chrono::round<std::chrono::milliseconds>(d)});
}

}  // namespace libactor::detail
