// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"

#include <chrono>
#include <string>

namespace libactor::observe {

using wall_time = std::chrono::system_clock::time_point;

/// UTC, ISO 8601, to the millisecond: `2026-01-31T23:59:59.000Z`.
std::string to_string(wall_time at);

/// An event as a JSON object on one line, without its end; a leak event's record is its member `leak`.
/// `docs/observe.md` has the schema. Bytes that are not UTF-8 become U+FFFD. Throws: std::bad_alloc.
std::string to_json(const event& what, wall_time at);

}  // namespace libactor::observe
