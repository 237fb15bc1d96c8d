// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace libactor {

/// Identifies one request across actors and programs: 16 bytes, as in W3C Trace Context. All zero: none.
struct trace_id {
  std::array<std::uint8_t, 16> bytes{};

  explicit operator bool() const noexcept { return bytes != std::array<std::uint8_t, 16>{}; }
  friend auto operator<=>(const trace_id&, const trace_id&) noexcept = default;
};

/// 32 lower-case hexadecimal digits.
std::string to_string(const trace_id& id);

}  // namespace libactor
