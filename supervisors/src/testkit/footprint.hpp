// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace libactor::testkit {

// Who takes a step: an actor by its id, the callbacks that are due (0), a timer that is, or an act of the test's.
using process = std::uint64_t;

// What a step did to a thing that others can see. Two steps of different processes may be swapped, and nobody can tell,
// unless they did to one thing what conflicts.
enum class deed : std::uint8_t {
  read,
  write,
  send,         // appends to a mailbox
  send_urgent,  // the same, past the messages of normal priority
  take,         // takes the first message of normal priority
  take_urgent,
  look,    // found no message: an idle actor that was woken
  call,    // needs an actor alive: a send to it
  attach,  // joins, or leaves, those who are told of an actor's end
  end,     // the actor's
};
constexpr std::size_t deeds = 10;

using deed_mask = std::uint16_t;
constexpr deed_mask bit(deed what) noexcept { return static_cast<deed_mask>(1U << static_cast<unsigned>(what)); }

// With what a deed conflicts, at the same thing. Sends to one mailbox do: they are read in the order in which they
// came. A send and a take do not, as the one is at the back and the other at the front; save that an urgent message
// goes before the normal one that would have been taken.
constexpr deed_mask conflicts_of(deed what) noexcept {
  switch (what) {
    case deed::read:
      return bit(deed::write);
    case deed::write:
      return bit(deed::read) | bit(deed::write);
    case deed::send:
      return bit(deed::send) | bit(deed::look);
    case deed::send_urgent:
      return bit(deed::send_urgent) | bit(deed::take) | bit(deed::look);
    case deed::take:
      return bit(deed::send_urgent);
    case deed::take_urgent:
      return 0;
    case deed::look:
      return bit(deed::send) | bit(deed::send_urgent);
    case deed::call:
    case deed::attach:
      return bit(deed::end);
    case deed::end:
      return bit(deed::call) | bit(deed::attach);
  }
  return 0;
}

// A thing: of which sort, and which one.
enum class sort : std::uint8_t { mailbox, life, context, shape, variable, callbacks };
constexpr std::uint64_t thing(sort of, std::uint64_t number) noexcept {
  return static_cast<std::uint64_t>(of) << 56 | number;
}

// What one step did.
class footprint {
 public:
  struct mark {
    std::uint64_t what;
    deed_mask how;
  };

  void add(std::uint64_t what, deed how) {
    for (auto& seen : marks_) {
      if (seen.what == what) {
        seen.how |= bit(how);
        return;
      }
    }
    marks_.push_back({what, bit(how)});
  }
  // What it did to things that did not exist before it concerns nobody yet, and has other numbers in another order.
  template <class Gone>
  void forget_if(Gone gone) {
    std::erase_if(marks_, [&](const mark& one) { return gone(one.what); });
  }
  // From now on it conflicts with every other.
  void touch_everything() noexcept { everything_ = true; }
  bool touches_everything() const noexcept { return everything_; }
  const std::vector<mark>& marks() const noexcept { return marks_; }

  bool conflicts_with(const footprint& other) const noexcept {
    if (everything_ || other.everything_)
      return true;
    for (const auto& mine : marks_) {
      for (const auto& theirs : other.marks_) {
        if (mine.what == theirs.what && conflict(mine.how, theirs.how))
          return true;
      }
    }
    return false;
  }

  static constexpr bool conflict(deed_mask a, deed_mask b) noexcept {
    for (unsigned i = 0; i != deeds; ++i) {
      if ((a >> i & 1U) != 0 && (conflicts_of(static_cast<deed>(i)) & b) != 0)
        return true;
    }
    return false;
  }

 private:
  std::vector<mark> marks_;
  bool everything_ = false;
};

// One step of a run.
struct step_record {
  process who = 0;
  footprint marks;
  std::vector<std::uint32_t> after;  // steps without which it could not have been: that sent it its message, made it
  // Steps without which it would have been another: what they sent was taken before something else, which another step
  // had brought. Where that one could only be after the first, it is as with `after`.
  struct rival {
    std::uint32_t step;
    std::uint32_t other;
  };
  std::vector<rival> against;
  // What it took first because it was urgent: from which mailbox, and which step had sent it.
  struct privilege {
    std::uint64_t mailbox;
    std::uint32_t sent;
  };
  std::vector<privilege> ahead;
  std::vector<std::uint32_t> causes;  // of those, and of others, what it knows of
};

}  // namespace libactor::testkit
