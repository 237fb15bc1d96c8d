// SPDX-License-Identifier: BSL-1.0
// What steps send and take.
#include "actor/caf_seam.hpp"
#include "actor/type_name.hpp"
#include "testkit/step_watch.hpp"

#include <caf/scheduled_actor.hpp>

#include <utility>

namespace libactor::testkit {

namespace {

using libactor::detail::envelope_kind;

const char* words_of(envelope_kind what) noexcept {
  switch (what) {
    case envelope_kind::wake:
      return "look";
    case envelope_kind::drain_marker:
      return "drain marker";
    case envelope_kind::retry:
      return "retry";
    case envelope_kind::timer:
      return "timer";
    case envelope_kind::started:
      return "started";
    case envelope_kind::ready:
      return "ready";
    case envelope_kind::child_done:
      return "context done";
    case envelope_kind::child_down:
      return "down";
    case envelope_kind::orphan_down:
      return "orphan down";
    case envelope_kind::request_over:
      return "request over";
    case envelope_kind::tasks_down:
      return "tasks down";
    case envelope_kind::give_up:
      return "give up";
  }
  return "";
}

// What a message is, for people.
std::string words_of(const caf::mailbox_element& of) {
  if (const auto* own = libactor::detail::seam::open(const_cast<caf::mailbox_element&>(of)))
    return words_of(own->kind);
  const auto& content = of.content();
  std::string text;
  for (std::size_t i = 0; i != content.size(); ++i) {
    const auto type = content.type(i);
    text += (i == 0 ? "" : ", ") +
            (type.second != nullptr ? libactor::detail::type_name(*type.second) : content.stringify(i));
  }
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

}  // namespace

step_watch::letter step_watch::letter_of(const seen_actor& whom, const caf::mailbox_element& element, process from) {
  letter made{now(), 0, whom.id != from && !whom.idle && !whom.fresh && whom.urgent.empty() && whom.normal.empty()};
  if (keeps_messages_) {
    messages_.push_back({now(), 0, from, whom.id, words_of(element)});
    made.number = static_cast<std::uint32_t>(messages_.size());
  }
  return made;
}

void step_watch::take(const seen_actor& whom, const letter& one, deed how, step_record& step) {
  step.marks.add(thing(sort::mailbox, whom.id), how);
  step.causes.push_back(one.sent);
  if (one.number != 0)
    messages_[one.number - 1].taken = now();
  // What would it have done without that message?
  for (const auto wake : std::exchange(wakes_, {}))
    step.against.push_back({wake, one.sent});
  const auto before = step.against.size();
  if (one.overtook)
    step.against.push_back({one.sent, one.sent});
  for (const auto flip : flips_)
    step.against.push_back({one.sent, flip});
  if (how == deed::take_urgent) {
    step.ahead.push_back({thing(sort::mailbox, whom.id), one.sent});
    for (const auto& other : whom.normal)
      step.against.push_back({one.sent, other.sent});
  }
  if (step.against.size() == before)
    step.after.push_back(one.sent);
}

// What the step of `whom` took from its mailbox: what was there and is not.
void step_watch::take(seen_actor& whom, step_record& step) {
  bool any = false;
  auto took = [&](std::deque<letter>& had, std::size_t has, deed how) {
    for (; had.size() > has; had.pop_front()) {
      any = true;
      take(whom, had.front(), how, step);
    }
    for (; had.size() < has;)  // what it had set aside is back
      had.push_front({now(), 0, false});
  };
  took(whom.urgent, whom.mail.fetched_urgent(), deed::take_urgent);
  took(whom.normal, whom.mail.fetched(), deed::take);
  if (!any && !whom.fresh)
    step.marks.add(thing(sort::mailbox, whom.id), deed::look);
}

}  // namespace libactor::testkit
