// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/footprint.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace libactor::testkit {

// Decides in one run what is left open: who takes the next step, and which alternative the test's own choices have.
class guide {
 public:
  virtual ~guide() = default;
  // An index into `enabled`. `idle`: no actor can run, so that only acts, or the passing of time, are left.
  virtual std::size_t choose(std::span<const process> enabled, bool idle) = 0;
  virtual std::size_t pick(std::size_t alternatives) = 0;
  // What the step did that was chosen last.
  virtual void stepped(const step_record&) {}
  // The test went on, or time did: what follows can't be before what was.
  virtual void paused() {}
};

// Stands among those that can run for: nobody does, until time has passed.
constexpr process nobody_yet = ~std::uint64_t{0};
// Timers that are due have numbers from here on, and acts of the test's from there.
constexpr process first_timer = std::uint64_t{1} << 47;
constexpr process first_act = std::uint64_t{1} << 48;
constexpr bool is_actor(process who) noexcept { return who != 0 && who < first_timer; }
constexpr bool is_timer(process who) noexcept { return who >= first_timer && who < first_act; }

// The body did not do the same, though it saw the same.
struct not_the_same : std::logic_error {
  not_the_same()
      : std::logic_error(
            "the test is not the same twice: the same choices lead to another state; let its body use no real "
            "time, no random numbers of its own and no addresses as keys") {}
};

// Ends a run from within, through the test's body. Not an exception of the test's, which might catch those.
struct run_is_over {
  enum class why { asleep, too_long, failed } reason;
};

}  // namespace libactor::testkit
