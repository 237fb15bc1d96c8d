// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "ordered_deadlines.hpp"
#include "testkit/guide.hpp"
#include "testkit/world_clock.hpp"

#include <cstddef>
#include <variant>
#include <vector>

namespace libactor::testkit {

// Timers that are due at one moment, of CAF's clock and of the contexts', where there are several: each fires in a step
// of its own, as real ones race. One that is taken back meanwhile is not offered any more.
class due_timers {
 public:
  // Takes note of all that is due at `at`. How many.
  std::size_t collect(context_runtime& contexts, const world_clock& clock, time_point at);
  void clear() noexcept { all_.clear(); }
  // Those that are left, in the order in which they fire where nobody chooses.
  void offer(context_runtime& contexts, const world_clock& clock, std::vector<process>& into);
  // Whether it is more than a message to one actor: then nobody can tell what it touches.
  bool may_do_anything(process which) const;
  void fire(context_runtime& contexts, world_clock& clock, process which);

 private:
  using context_timer = detail::ordered_deadlines::due_timer;
  struct timer {
    process number;
    std::variant<context_timer, world_clock::place> what;
    bool may_do_anything;
  };
  std::vector<timer>::const_iterator find(process which) const;

  std::vector<timer> all_;
};

}  // namespace libactor::testkit
