// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/leak_event.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace libactor {

/// How one child stopped.
struct shutdown_entry {
  std::string path;
  std::uint32_t incarnation = 0;
  time_point asked{};
  time_point ended{};
  std::string reason;      ///< such as `user_shutdown`
  bool killed = false;     ///< it was late, or stops by `brutal_kill`, and was sent a kill
  bool abandoned = false;  ///< it did not end after a kill; `ended` is when it was given up
  bool clipped = false;    ///< its `shutdown` is infinity, but what is above it had no more time
  /// Of one that did not end: what it was in. Innermost first; empty where its thread could not be looked at.
  std::vector<stack_frame> stack{};
  duration took() const noexcept { return ended - asked; }
};

/// How a tree stopped: every child, in the order in which they ended.
struct shutdown_report {
  std::string root;    ///< path of the tree's root
  std::string reason;  ///< how the root ended, or would have
  time_point began{};
  time_point ended{};
  std::vector<shutdown_entry> children;
  bool within_budget = true;  ///< false if the budget ran out before everything was down
  /// Actors of the system that are not this tree's and still run when it is down: the host's own, plain ones included.
  /// The system's destructor waits for them, as for what was abandoned.
  std::size_t others = 0;
  std::vector<std::string> other_names{};  ///< of those that the host registered under a name

  std::size_t killed() const noexcept;
  std::size_t abandoned() const noexcept;
  /// Everything ended when it was asked, within the budget; nothing was killed.
  bool clean() const noexcept { return within_budget && killed() == 0 && abandoned() == 0; }
};

/// As a table, one line a child, with a summary in the last line.
std::string to_string(const shutdown_report& report);

}  // namespace libactor
