// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace libactor::detail {

// What splitmix64 (Steele, Lea, Flood 2014) makes of its state, which grows by `splitmix_step`: numbers that are close
// come out far apart. 8 bytes of state, where the standard's generators have 2,504.
inline constexpr std::uint64_t splitmix_step = 0x9e3779b97f4a7c15;
constexpr std::uint64_t splitmix(std::uint64_t state) noexcept {
  auto z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace libactor::detail
