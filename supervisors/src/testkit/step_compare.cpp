// SPDX-License-Identifier: BSL-1.0
// What a step did: all actors as they were before it, and as they are after.
#include "libactor/actor/context_actor.hpp"
#include "testkit/step_watch.hpp"

#include <caf/actor_cast.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>

namespace libactor::testkit {

namespace {

// Of whose end a message tells; 0: of nobody's.
caf::actor_id dead_of(const caf::mailbox_element& element) {
  const auto& content = element.content();
  if (content.match_elements<caf::down_msg>())
    return content.get_as<caf::down_msg>(0).source.id();
  if (content.match_elements<caf::exit_msg>())
    return content.get_as<caf::exit_msg>(0).source.id();
  return 0;
}

}  // namespace

// What is found, and where it is put down.
struct step_watch::changes {
  process by;              // none of the actors: a pause
  const seen_actor* doer;  // who did it, if an actor
  footprint* into;         // null: nobody wants to know
  bool any = false;
  std::vector<const caf::mailbox_element*> mail{};

  void add(std::uint64_t what, deed how) {
    any = true;
    if (into != nullptr)
      into->add(what, how);
  }
  // Something begins or ends to live there.
  void add_shape(const seen_actor& of) {
    any = true;
    if (into == nullptr)
      return;
    for (const auto path : of.above)
      into->add(thing(sort::shape, path), deed::write);
  }
};

bool step_watch::compare(footprint* into, process who) {
  changes found{who, find(who), into};
  // Who has ended answers requests with an error, which others may get: so they come first.
  for (auto& one : actors_) {
    if (one.ended && !one.gone)
      compare_ended(one, found);
  }
  for (auto& one : actors_) {
    if (!one.ended)
      compare_living(one, found);
  }
  return found.any;
}

void step_watch::compare_ended(seen_actor& one, changes& found) {
  const auto alive = caf::actor_cast<caf::strong_actor_ptr>(one.weak);
  if (!alive) {
    one.gone = true;
    return;
  }
  for (auto& letter : one.mail.gathered()) {
    found.add(thing(sort::mailbox, one.id), letter->is_high_priority() ? deed::send_urgent : deed::send);
    found.add(thing(sort::life, one.id), deed::call);
    if (letter->mid.is_request())
      caf::detail::sync_request_bouncer{static_cast<caf::monitorable_actor*>(alive->get())->fail_state()}(*letter);
  }
  // A cancel that came too late for it might have been in time.
  look_around(one, found);
}

void step_watch::compare_living(seen_actor& one, changes& found) {
  const auto alive = caf::actor_cast<caf::strong_actor_ptr>(one.weak);
  if (!alive) {
    one.gone = one.ended = true;
    one.ended_at = now();
    found.add(thing(sort::life, one.id), deed::end);
    return;
  }
  if (alive->get()->getf(caf::abstract_actor::is_terminated_flag)) {
    note_end(one, found);
    return;
  }
  if (const auto* newest = one.mail.newest(); newest != one.newest) {
    one.mail.since(one.newest, found.mail);
    one.newest = newest;
    receive(one, found);
  }
  const bool was_done = one.done;
  look_around(one, found);
  if (one.done && !was_done && one.id != found.by)
    (one.idle ? one.wakes : one.learns).push_back(now());
  if (one.made == now())
    found.add_shape(one);
  one.idle = static_cast<caf::scheduled_actor*>(alive->get())->mailbox().blocked();
}

// Who watches it, and whether its context is done.
void step_watch::look_around(seen_actor& one, changes& found) {
  if (const auto watchers = one.mail.watchers(); watchers != one.watchers) {
    one.watchers = watchers;
    found.add(thing(sort::life, one.id), deed::attach);
  }
  if (one.in_context != nullptr && !one.done && one.in_context->ctx().done()) {
    one.done = true;
    found.add(thing(sort::context, one.id), deed::write);
  }
}

void step_watch::note_end(seen_actor& one, changes& found) {
  one.ended = true;
  one.ended_at = now();
  one.mail.reopen();
  one.watchers = one.mail.watchers();
  found.add(thing(sort::life, one.id), deed::end);
  found.add_shape(one);
  for (auto& other : actors_) {
    if (other.shape != 0 && other.shape == one.parent)
      other.lost_a_subtree = other.lost_a_subtree || one.supervises ||
                             std::any_of(actors_.begin(), actors_.end(),
                                         [&](const auto& task) { return task.parent == one.shape && one.shape != 0; });
  }
}

void step_watch::receive(seen_actor& whom, changes& found) {
  if (found.mail.empty())
    return;
  found.add(thing(sort::life, whom.id), deed::call);
  bool any_urgent = false;
  for (const auto* element : found.mail) {
    const bool is_urgent = element->is_high_priority();
    any_urgent = any_urgent || is_urgent;
    auto made = letter_of(whom, *element, found.by);
    (is_urgent ? whom.urgent : whom.normal).push_back(made);
    found.add(thing(sort::mailbox, whom.id), is_urgent ? deed::send_urgent : deed::send);
    // Who monitors, or links to, an actor that has ended is told at once.
    if (const auto* dead = find(dead_of(*element)); dead != nullptr && dead->ended && dead->id != found.by)
      found.add(thing(sort::life, dead->id), deed::attach);
  }
  // A supervisor that tells a child to end at once looks at what lives below it.
  if (found.into != nullptr && any_urgent && found.doer != nullptr && found.doer->supervises &&
      whom.parent == found.doer->shape)
    found.into->add(thing(sort::shape, found.doer->shape), deed::read);
}

}  // namespace libactor::testkit
