// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

namespace libactor::tests {

/// What is wrong with the model.
enum class bug : std::uint8_t {
  none,
  stops_in_start_order,
  asks_all_at_once,
  goes_on_at_any_end,          // takes any child's end for that of the one it waits for
  does_not_wait_for_the_last,  // ends once the first child was asked
  restarts_during_stop,
  forgets_a_child,       // never asks the one in the middle
  forgets_a_grandchild,  // its children's own children are nobody's
  cancels_a_sibling,     // asks the one before, too
  kills_at_once,
  kills_before_grace,
  never_kills,
  kills_by_the_wrong_clock,   // a kill is due when the stop began, not when the child was asked
  kill_timer_outlives_child,  // the timer of one incarnation kills the next
  stale_down_ends_the_next,   // an end of one incarnation is taken for that of the next
  restarts_before_the_end,    // does not wait for what it restarts together
  restarts_backwards,
  starts_two,  // restarts twice for one end
  delayed_restart_outlives_stop,
  start_goes_on_after_stop,
  stop_misses_the_newest,  // a stop that comes during the start knows only what had started before
  crash_ends_the_stop,     // a crash in the middle of a stop makes it leave
  asks_the_dead,           // waits for a child that has ended
  loses_a_stop_while_it_restarts,
  restart_forgets_the_rest,  // of a group, starts only the one that crashed
};
constexpr std::size_t bugs = 25;
const char* to_string(bug what) noexcept;

/// A supervisor of three workers, written for this test: it starts them in order, restarts all when one crashes, and
/// stops them in reverse. In it, one thing may be wrong. It tells the world's sink what it does, as a supervisor would.
void run_model(testkit::trial& t, bug what);

}  // namespace libactor::tests
