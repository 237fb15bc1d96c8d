// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"
#include "supervisors/observe/event_json.hpp"

#include <utility>

namespace libactor::observe {

/// An event, and when a sink got it.
struct stamped_event {
  event what;
  wall_time at;

  static stamped_event now(event what) { return {std::move(what), std::chrono::system_clock::now()}; }
  /// Says that a sink had no room for so many.
  static stamped_event lost(std::uint64_t count) {
    event what;
    what.kind = event_kind::dropped;
    what.count = count;
    what.text = "events, because their sink was too slow";
    return now(std::move(what));
  }
};

}  // namespace libactor::observe
