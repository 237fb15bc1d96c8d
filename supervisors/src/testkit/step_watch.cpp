// SPDX-License-Identifier: BSL-1.0
#include "testkit/step_watch.hpp"

#include "actor/caf_seam.hpp"
#include "actor/type_name.hpp"
#include "libactor/actor/context_actor.hpp"
#include "libactor/context_runtime.hpp"
#include "supervisors/testkit/world.hpp"

#include <caf/actor_cast.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <functional>
#include <string_view>

namespace libactor::testkit {

namespace {

// 56 bits that name a path.
std::uint64_t number_of(std::string_view path) { return std::hash<std::string_view>{}(path) >> 8; }

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view{} : path.substr(0, slash);
}

// What a message is, for people.
std::string words_of(const caf::mailbox_element& of) {
  if (const auto* own = libactor::detail::seam::open(const_cast<caf::mailbox_element&>(of))) {
    constexpr const char* names[] = {"look",        "drain marker", "retry",        "timer",
                                     "started",     "ready",        "context done", "down",
                                     "orphan down", "request over", "tasks down"};
    return names[static_cast<std::size_t>(own->kind)];
  }
  const auto& content = of.content();
  std::string text;
  for (std::size_t i = 0; i != content.size(); ++i) {
    const auto type = content.type(i);
    text += (i == 0 ? "" : ", ") +
            (type.second != nullptr ? libactor::detail::type_name(*type.second) : content.stringify(i));
  }
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

constexpr bool is_actor(process who) noexcept { return who != 0 && who < first_act; }

}  // namespace

step_watch::step_watch(guide& by, context_runtime& contexts, const event_recorder& events)
    : guide_(by), contexts_(contexts), events_(events) {}

step_watch::~step_watch() = default;

step_watch::seen_actor* step_watch::find(process who) {
  const auto i = std::lower_bound(actors_.begin(), actors_.end(), who,
                                  [](const seen_actor& one, process id) { return one.id < id; });
  return i != actors_.end() && i->id == who ? &*i : nullptr;
}

const step_watch::seen_actor* step_watch::find(process who) const { return const_cast<step_watch*>(this)->find(who); }

bool step_watch::is_fresh(caf::actor_id id) const {
  const auto* one = find(id);
  return one != nullptr && one->fresh;
}

void step_watch::meet(caf::scheduled_actor& whom) {
  if (find(whom.id()) != nullptr)
    return;
  seen_actor one{mailbox_view{whom}};
  one.id = whom.id();
  one.weak = caf::weak_actor_ptr{whom.ctrl()};
  one.name = whom.name();
  one.in_context = dynamic_cast<const context_actor*>(&whom);
  if (one.in_context != nullptr) {
    one.path = one.in_context->line().path();
    one.incarnation = one.in_context->line().incarnation();
    one.supervises = one.name == "libactor.supervisor";
  }
  if (!one.path.empty()) {
    one.shape = number_of(one.path);
    auto up = parent_of(one.path);
    one.parent = number_of(up);
    for (up = parent_of(up); !up.empty(); up = parent_of(up))
      one.above.push_back(number_of(up));
  }
  one.watchers = one.mail.watchers();
  one.made = now();
  one.needs.push_back(now());
  // Ids grow, save that who is made by a step may be told of before who made it.
  const auto place = std::lower_bound(actors_.begin(), actors_.end(), one.id,
                                      [](const seen_actor& other, process id) { return other.id < id; });
  actors_.insert(place, std::move(one));
}

void step_watch::say_shape(const seen_actor& whom, footprint& into) const {
  for (const auto path : whom.above)
    into.add(thing(sort::shape, path), deed::write);
}

// -- mail -------------------------------------------------------------------------------------------------------------

void step_watch::receive(seen_actor& whom, const std::vector<const caf::mailbox_element*>& mail, process from) {
  for (const auto* element : mail) {
    const bool one = element->is_high_priority();
    letter made{now(), 0, whom.id != from && !whom.idle && !whom.fresh && whom.urgent.empty() && whom.normal.empty()};
    if (keeps_messages_) {
      messages_.push_back({now(), 0, from, whom.id, words_of(*element)});
      made.number = static_cast<std::uint32_t>(messages_.size());
    }
    (one ? whom.urgent : whom.normal).push_back(made);
  }
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

// -- comparing --------------------------------------------------------------------------------------------------------

bool step_watch::compare(footprint* into, process who) {
  bool any = false;
  auto add = [&](std::uint64_t what, deed how) {
    any = true;
    if (into != nullptr)
      into->add(what, how);
  };
  const auto* own = find(who);
  std::vector<const caf::mailbox_element*> mail;
  // Who has ended answers requests with an error, which others may get: so they come first.
  for (auto& one : actors_) {
    if (!one.ended || one.gone)
      continue;
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(one.weak);
    if (!alive) {
      one.gone = true;
      continue;
    }
    for (auto& letter : one.mail.gathered()) {
      add(thing(sort::mailbox, one.id), letter->is_high_priority() ? deed::send_urgent : deed::send);
      add(thing(sort::life, one.id), deed::call);
      if (letter->mid.is_request())
        caf::detail::sync_request_bouncer{static_cast<caf::monitorable_actor*>(alive->get())->fail_state()}(*letter);
    }
    if (const auto watchers = one.mail.watchers(); watchers != one.watchers) {
      one.watchers = watchers;
      add(thing(sort::life, one.id), deed::attach);
    }
    // A cancel that came too late for it might have been in time.
    if (one.in_context != nullptr && !one.done && one.in_context->ctx().done()) {
      one.done = true;
      add(thing(sort::context, one.id), deed::write);
    }
  }
  for (auto& one : actors_) {
    if (one.ended)
      continue;
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(one.weak);
    if (!alive) {
      one.gone = one.ended = true;
      one.ended_at = now();
      add(thing(sort::life, one.id), deed::end);
      continue;
    }
    if (alive->get()->getf(caf::abstract_actor::is_terminated_flag)) {
      one.ended = true;
      one.ended_at = now();
      one.watchers = one.mail.watchers();
      one.mail.reopen();
      add(thing(sort::life, one.id), deed::end);
      if (into != nullptr)
        say_shape(one, *into);
      for (auto& other : actors_) {
        if (other.shape != 0 && other.shape == one.parent)
          other.lost_a_subtree = other.lost_a_subtree || one.supervises ||
                                 std::any_of(actors_.begin(), actors_.end(), [&](const auto& task) {
                                   return task.parent == one.shape && one.shape != 0;
                                 });
      }
      continue;
    }
    if (const auto* newest = one.mail.newest(); newest != one.newest) {
      one.mail.since(one.newest, mail);
      one.newest = newest;
      if (!mail.empty()) {
        receive(one, mail, who);
        add(thing(sort::life, one.id), deed::call);
        bool any_urgent = false;
        for (const auto* element : mail) {
          any_urgent = any_urgent || element->is_high_priority();
          add(thing(sort::mailbox, one.id), element->is_high_priority() ? deed::send_urgent : deed::send);
        }
        // A supervisor that tells a child to end at once looks at what lives below it.
        if (into != nullptr && own != nullptr && own->supervises && one.parent == own->shape && any_urgent)
          into->add(thing(sort::shape, own->shape), deed::read);
      }
    }
    if (const auto watchers = one.mail.watchers(); watchers != one.watchers) {
      one.watchers = watchers;
      add(thing(sort::life, one.id), deed::attach);
    }
    if (one.in_context != nullptr && !one.done && one.in_context->ctx().done()) {
      one.done = true;
      add(thing(sort::context, one.id), deed::write);
      if (one.id != who)
        (one.idle ? one.wakes : one.learns).push_back(now());
    }
    if (one.made == now()) {
      any = true;
      if (into != nullptr)
        say_shape(one, *into);
    }
    one.idle = static_cast<caf::scheduled_actor*>(alive->get())->mailbox().blocked();
  }
  return any;
}

// -- steps and pauses -------------------------------------------------------------------------------------------------

void step_watch::note_events(std::uint32_t step) { event_steps_.resize(events_.size(), step); }

void step_watch::keep(run_step step) {
  note_events(now());
  step.at = contexts_.now();
  steps_.push_back(std::move(step));
}

bool step_watch::look_for_pause() {
  const bool any = compare(nullptr, first_act - 1) || steps_.empty() || event_steps_.size() != events_.size();
  if (!any)
    return false;
  run_step pause;
  pause.is_pause = true;
  for (std::uint32_t i = 0; i != now(); ++i)
    pause.causes.push_back(i);
  last_pause_ = now();
  keep(std::move(pause));
  guide_.paused();
  return true;
}

void step_watch::time_passed() {
  compare(nullptr, first_act - 1);
  run_step pause;
  pause.is_pause = pause.is_time = true;
  pause.causes = std::move(setters_);
  setters_.clear();
  keep(std::move(pause));
  guide_.paused();
}

void step_watch::begin(process who, bool callbacks_wait) {
  under_way_ = {};
  under_way_.who = who;
  within_ = true;
  flips_.clear();
  wakes_.clear();
  callbacks_waited_ = callbacks_wait;
  if (auto* own = find(who)) {
    under_way_.after = own->needs;
    under_way_.causes = std::exchange(own->needs, {});
    under_way_.causes.insert(under_way_.causes.end(), own->learns.begin(), own->learns.end());
    flips_ = std::exchange(own->learns, {});
    wakes_ = std::exchange(own->wakes, {});
    under_way_.causes.insert(under_way_.causes.end(), wakes_.begin(), wakes_.end());
    if (own->in_context != nullptr)
      under_way_.marks.add(thing(sort::context, own->id), deed::read);
    if (own->supervises && own->lost_a_subtree)
      under_way_.marks.add(thing(sort::shape, own->shape), deed::read);
    // It fetches all that is there.
    own->newest = nullptr;
  } else if (who == 0) {
    under_way_.after.push_back(callbacks_since_);
    under_way_.causes.push_back(callbacks_since_);
    under_way_.marks.add(thing(sort::callbacks, 0), deed::write);
  } else if (!steps_.empty()) {
    under_way_.causes.push_back(last_pause_);
  }
}

void step_watch::end(bool callbacks_wait) {
  within_ = false;
  const auto who = under_way_.who;
  if (auto* own = find(who)) {
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(own->weak);
    if (alive && !alive->get()->getf(caf::abstract_actor::is_terminated_flag))
      take(*own, under_way_);
    else {
      // It took one, and dropped the others.
      auto& from = own->urgent.empty() ? own->normal : own->urgent;
      if (!from.empty()) {
        take(*own, from.front(), own->urgent.empty() ? deed::take : deed::take_urgent, under_way_);
      } else if (!own->fresh) {
        under_way_.marks.add(thing(sort::mailbox, own->id), deed::look);
      }
    }
    own->fresh = false;
  }
  under_way_.after.insert(under_way_.after.end(), wakes_.begin(), wakes_.end());
  compare(&under_way_.marks, who);
  if (callbacks_wait && (!callbacks_waited_ || who == 0)) {
    callbacks_since_ = now();
    under_way_.marks.add(thing(sort::callbacks, 0), deed::write);
  }
  // Who was made now is known to nobody else yet, and has another number in another order.
  const auto made_now = [this](std::uint64_t what) {
    const auto of = static_cast<sort>(what >> 56);
    if (of != sort::mailbox && of != sort::life && of != sort::context)
      return false;
    const auto* one = find(what & ((std::uint64_t{1} << 56) - 1));
    return one != nullptr && one->made == now();
  };
  under_way_.marks.forget_if(made_now);
  run_step step;
  step.who = who;
  step.causes = under_way_.causes;
  keep(std::move(step));
  guide_.stepped(under_way_);
}

void step_watch::nobody() {
  under_way_ = {};
  under_way_.who = nobody_yet;
  under_way_.marks.touch_everything();
  run_step step;
  step.who = nobody_yet;
  step.is_pause = true;
  keep(std::move(step));
  guide_.stepped(under_way_);
}

void step_watch::touch(std::uint64_t variable, deed how) {
  if (within_)
    under_way_.marks.add(thing(sort::variable, variable), how);
}

void step_watch::leave() {
  for (auto& one : actors_) {
    if (!one.ended || one.gone)
      continue;
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(one.weak))
      one.mail.close();
  }
}

std::vector<life_seen> step_watch::lives() const {
  std::vector<life_seen> all;
  for (const auto& one : actors_)
    all.push_back({one.id, one.path, one.incarnation, one.made, one.ended_at, one.ended});
  return all;
}

std::string step_watch::name_of(process who) const {
  if (who == 0)
    return "callbacks";
  if (who == nobody_yet)
    return "time";
  if (!is_actor(who)) {
    for (const auto& [act, words] : act_names_) {
      if (act == who)
        return words;
    }
    return "test";
  }
  const auto* one = find(who);
  if (one == nullptr)
    return "actor " + std::to_string(who);
  return !one->path.empty() ? one->path : one->supervises ? "runtime" : one->name + " " + std::to_string(one->id);
}

}  // namespace libactor::testkit
