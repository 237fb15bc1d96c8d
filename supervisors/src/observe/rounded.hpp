// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/child_spec.hpp"

#include <string>

namespace libactor::observe {

/// A duration to some digits, which is what people read.
inline std::string rounded(duration d) {
  using namespace std::chrono;
  if (d < duration{})
    return "-" + rounded(-d);
  if (d < milliseconds(10))
    return libactor::to_string(duration{round<microseconds>(d)});
  if (d < seconds(10))
    return libactor::to_string(duration{round<milliseconds>(d)});
  return libactor::to_string(duration{round<seconds>(d)});
}

/// A line, of which the middle is left out where it is long: names of templates can fill pages.
inline std::string shortened(const std::string& line) {
  constexpr std::size_t most = 150;
  return line.size() <= most ? line : line.substr(0, most / 2) + " … " + line.substr(line.size() - most / 2);
}

}  // namespace libactor::observe
