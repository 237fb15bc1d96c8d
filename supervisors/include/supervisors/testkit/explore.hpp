// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/failure.hpp"
#include "supervisors/testkit/trial.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace libactor::testkit {

enum class search_mode : std::uint8_t {
  exhaustive,  ///< every order that makes a difference
  random,      ///< each step is chosen at random
  pct,         ///< random priorities, lowered at a few random steps: finds a bug of depth d with a known probability
};

/// How `search_mode::exhaustive` leaves out orders that make no difference.
enum class reduction : std::uint8_t {
  none,         ///< every order of steps
  sleep_sets,   ///< every class of orders once, at the price of many runs that are given up on the way
  source_dpor,  ///< the same with few of those
};

struct explore_options {
  /// Of the test; a part of the tokens of its failures.
  std::string name{};
  search_mode mode = search_mode::exhaustive;
  reduction reduce = reduction::source_dpor;
  std::uint64_t seed = 1;  ///< of what is random
  unsigned pct_depth = 3;  ///< how many ordering constraints a bug may need
  /// How many runs at the most, those that are cut among them, not those that are given up. 0: no bound, and 1,000 of
  /// those that are random.
  std::uint64_t max_schedules = 0;
  std::uint64_t max_steps = 10'000;  ///< of one run; a longer one is cut, and not judged
  /// How many of the body's `maybe` may say yes in one run.
  std::uint64_t max_faults = ~std::uint64_t{0};
  std::chrono::milliseconds max_time{0};  ///< of the whole, by the real clock; 0: no bound
  unsigned threads = 1;                   ///< worlds side by side; the body is called in all of them
  bool default_properties = true;         ///< see `default_properties()`
  /// Whether a failure is made as small as it can be: with fewer faults, fewer children in the tree that `trial::start`
  /// starts, and fewer choices. A body that needs a child of that tree asks first whether it is there.
  bool minimise = true;
  /// Gets a line now and then that says how far it is. Null: nothing.
  std::ostream* progress = nullptr;
};

/// What an exploration did.
struct exploration {
  search_mode mode = search_mode::exhaustive;
  /// Runs to their end: of `exhaustive`, one for each class of orders.
  std::uint64_t schedules = 0;
  std::uint64_t given_up = 0;         ///< runs that turned out to be one that was taken before
  std::uint64_t cut = 0;              ///< runs that were longer than `max_steps`
  std::uint64_t steps = 0;            ///< of all runs
  std::uint64_t faults_left_out = 0;  ///< choices that `max_faults` made alone
  /// Whether everything was tried: the mode is `exhaustive`, no bound was met, and nothing failed.
  bool exhausted = false;
  std::chrono::nanoseconds took{0};
  std::optional<failure> failed{};

  explicit operator bool() const noexcept { return !failed; }
  /// In a few words, such as `5,040 schedules, exhausted`; with the failure, if there is one.
  std::string to_text() const;
};

/// Runs `body` again and again, each time in a world of its own, until it has seen every order in which that world's
/// actors can handle their messages, or until a bound is met, or something fails: a property, an `expect`, or an
/// exception that leaves the body. The first failure ends it.
///
/// The body must do the same each time that it sees the same: what it makes up (random numbers, addresses as keys, real
/// time) makes it useless here, and is refused with an error where that is noticed. With `threads` over 1 it runs on
/// several threads at once.
///
/// Throws: std::logic_error for a body that is not the same twice.
exploration explore(const explore_options& options, const std::function<void(trial&)>& body);

}  // namespace libactor::testkit
