// SPDX-License-Identifier: BSL-1.0
#include "testkit/step_watch.hpp"

#include "libactor/actor/context_actor.hpp"
#include "libactor/context_runtime.hpp"
#include "supervisors/testkit/world.hpp"

#include <caf/actor_cast.hpp>
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

// -- steps and pauses -------------------------------------------------------------------------------------------------

void step_watch::note_events(std::uint32_t step) { event_steps_.resize(events_.size(), step); }

void step_watch::keep(run_step step) {
  note_events(now());
  step.at = contexts_.now();
  steps_.push_back(std::move(step));
}

// Whether there are more than before.
bool step_watch::note_callbacks(const void* newest) {
  const bool more = newest != nullptr && newest != newest_callback_;
  newest_callback_ = newest;
  if (more)
    callbacks_by_.push_back(now());
  return more;
}

bool step_watch::look_for_pause(const void* callback) {
  const bool callbacks = note_callbacks(callback);
  const bool any =
      compare(nullptr, first_act - 1) || callbacks || steps_.empty() || event_steps_.size() != events_.size();
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

void step_watch::time_passed(const void* callback) {
  note_callbacks(callback);
  compare(nullptr, first_act - 1);
  run_step pause;
  pause.is_pause = pause.is_time = true;
  pause.causes = std::move(setters_);
  setters_.clear();
  keep(std::move(pause));
  guide_.paused();
}

void step_watch::begin(process who, caf::actor_id newest) {
  under_way_ = {};
  under_way_.who = who;
  within_ = true;
  flips_.clear();
  wakes_.clear();
  newest_before_ = newest;
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
    // Without the first it could not have been; without the others it would have done less.
    under_way_.after.push_back(callbacks_by_.front());
    under_way_.causes = std::exchange(callbacks_by_, {});
    under_way_.marks.add(thing(sort::callbacks, 0), deed::write);
  } else if (is_timer(who)) {
    setters_.clear();
  } else if (!steps_.empty()) {
    under_way_.causes.push_back(last_pause_);
  }
}

void step_watch::end(const void* callback) {
  within_ = false;
  const auto who = under_way_.who;
  if (is_timer(who))
    under_way_.causes = std::exchange(setters_, {});
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
  if (note_callbacks(callback))
    under_way_.marks.add(thing(sort::callbacks, 0), deed::write);
  // Who was made now is known to nobody else yet, and has another number in another order. (Who is met now may have
  // been made before: it may wait for its first message to begin.)
  const auto made_now = [this](std::uint64_t what) {
    const auto of = static_cast<sort>(what >> 56);
    if (of != sort::mailbox && of != sort::life && of != sort::context)
      return false;
    const auto* one = find(what & ((std::uint64_t{1} << 56) - 1));
    return one != nullptr && one->made == now() && one->id > newest_before_;
  };
  under_way_.marks.forget_if(made_now);
  run_step step;
  step.who = who;
  step.is_time = is_timer(who);
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
  if (who == nobody_yet || is_timer(who))
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
