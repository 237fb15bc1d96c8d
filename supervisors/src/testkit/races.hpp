// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/footprint.hpp"

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace libactor::testkit {

// The order that conflicts impose on the steps of one stretch of a run: one in which nothing but steps happened. A set
// of steps is a row of bits.
class races {
 public:
  // An earlier step that conflicts with a later one, with nothing in between, and that the later one might have been
  // before. `blind`: what the later one does is then the same, as it learns nothing from the earlier.
  struct race {
    std::uint32_t earlier;
    bool blind;
  };
  // The next step of the stretch, which began with the step `base` of the run. Returns the races that it is in.
  std::vector<race> add(const step_record& step, std::uint32_t base);
  // Those that show only once the stretch is over: an urgent message was taken, and a message came later that, had the
  // urgent one been late, might have been taken before.
  std::vector<std::pair<race, std::uint32_t>> late() const;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(who_.size()); }
  process who(std::uint32_t step) const noexcept { return who_[step]; }
  // Whether `a` has to be before `b`, or is it.
  bool is_before(std::uint32_t a, std::uint32_t b) const noexcept {
    return a == b || (a < b && (rows_[b][a / 64] >> (a % 64) & 1U) != 0);
  }
  // Who may be first of what follows without the earlier step of a race: the steps after it that are not after it in
  // the order of conflicts, up to the later one, and the later one itself. If that is not blind, it may do something
  // else then, and nobody knows with what that conflicts: so it is the last, behind all that does not need it.
  std::vector<process> initials(race of, std::uint32_t later) const;

 private:
  using row = std::vector<std::uint64_t>;
  struct history {
    std::vector<std::uint32_t> of[deeds];
  };
  struct urgent_take {
    std::uint64_t mailbox;
    std::uint32_t sent;
    std::uint32_t taken;
  };
  bool join(row& mine, std::uint32_t other) const;

  std::vector<process> who_;
  std::vector<row> rows_;
  std::unordered_map<std::uint64_t, history> things_;
  std::unordered_map<process, std::uint32_t> last_of_;
  std::vector<std::uint32_t> all_touching_;
  std::vector<urgent_take> urgent_;
};

}  // namespace libactor::testkit
