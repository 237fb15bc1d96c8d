// SPDX-License-Identifier: BSL-1.0
// The engine: stops what must stop, then starts what must start, in the order that the specification asks for.
#include "actor/caf_seam.hpp"
#include "supervisor_actor.hpp"

#include <algorithm>

namespace libactor {

void supervisor_actor::advance() {
  if (advancing_ || ending())
    return;
  advancing_ = true;
  while (stop_some() || (to_stop_.empty() && start_some())) {
  }
  advancing_ = false;
  if (mode_ == mode::stopping) {
    end_if_empty();
    return;
  }
  if (mode_ == mode::starting && to_stop_.empty() && in_engine_ == 0 &&
      std::all_of(to_start_.begin(), to_start_.end(), [this](const auto* c) { return waits_for_resume(*c); })) {
    mode_ = mode::running;
    if (on_started_)
      std::exchange(on_started_, nullptr)({});
    detail::seam::post_urgent(line().supervisor(), {detail::envelope_kind::started, line().key(), {}}, context());
  }
}

bool supervisor_actor::may_stop(const child& c) const {
  if (fixed_->start == start_mode::graph)
    return dependents_are_down(c);
  // One that is starting holds up no stop: in its turn it is taken down in the middle of its start, and what is before
  // it waits for that.
  return in_engine_ == 0 || (in_engine_ == 1 && starting_ != nullptr);
}

// One that is down does not stand between what it depended on and those that depend on it.
bool supervisor_actor::dependents_are_down(const child& c) {
  std::vector<const child*> seen{&c};
  for (std::size_t i = 0; i != seen.size(); ++i) {
    for (const auto* above : seen[i]->needed_by()) {
      if (above->alive())
        return false;
      if (std::find(seen.begin(), seen.end(), above) == seen.end())
        seen.push_back(above);
    }
  }
  return true;
}

// Whether anything changed, so that it is worth another round.
bool supervisor_actor::stop_some() {
  bool changed = false;
  for (auto place = to_stop_.size(); place-- > 0;) {
    auto& c = *to_stop_[place];
    if (!c.alive()) {
      c.must_stop = false;
      to_stop_.erase(to_stop_.begin() + static_cast<std::ptrdiff_t>(place));
      changed = true;
      continue;
    }
    if (c.in_engine) {
      // Asked already, or still starting: then it is taken down in the middle of its start.
      if (!c.asked && dependents_are_down(c))
        ask(c);
    } else if (may_stop(c)) {
      c.in_engine = true;
      ++in_engine_;
      if (!c.asked)
        ask(c);
      changed = true;
    }
    if (fixed_->start == start_mode::ordered)
      break;
  }
  return changed;
}

bool supervisor_actor::may_start(const child& c) const {
  if (!is_dynamic() && fixed_->start == start_mode::ordered && in_engine_ != 0)
    return false;
  return std::all_of(c.needs().begin(), c.needs().end(),
                     [](const auto& need) { return meets(*need.first, need.second); });
}

// One that declined has nothing to do here, and holds up nobody.
bool supervisor_actor::meets(const child& c, dependency_state wanted) {
  if (c.declined)
    return true;
  switch (wanted) {
    case dependency_state::started:
      return c.state == child_state::running || c.completed;
    case dependency_state::ready:
      return c.state == child_state::running && (c.ready || !c.spec->awaits_ready);
    case dependency_state::completed:
      return c.completed;
  }
  return true;
}

// What `c` waits for and will not come, because it ended and is not going to start again; null if there is none.
supervisor_actor::child* supervisor_actor::lost_need(const child& c) {
  for (const auto& [other, wanted] : c.needs()) {
    if (other->state == child_state::idle && !other->must_start && !meets(*other, wanted))
      return other;
  }
  return nullptr;
}

void supervisor_actor::waits_in_vain(child& c, const child& need) {
  c.must_start = false;
  std::erase(to_start_, &c);
  const auto reason = need.ended != nullptr ? need.ended->as_error() : caf::error{};
  not_started(c,
              make_error(errc::start_failed, "it waits for " + path_of(need) + ", which ended: " + describe(reason)));
}

// `c` ended: the starts of those that wait for it to complete fail, and where it ended for good, of all whose need it
// does not meet.
void supervisor_actor::fail_waiting(child& c, bool for_good) {
  const std::vector<child*> waiting(c.needed_by().begin(), c.needed_by().end());
  for (auto* other : waiting) {
    const bool in_vain = std::any_of(other->needs().begin(), other->needs().end(), [&](const auto& need) {
      return need.first == &c && (for_good || need.second == dependency_state::completed) && !meets(c, need.second);
    });
    if (in_vain && other->must_start)
      waits_in_vain(*other, c);
    if (mode_ == mode::stopping)
      return;
  }
}

// Whether the child's own delay, or mail, comes first; `advance` is called again then.
bool supervisor_actor::must_wait(child& c) {
  if (mail_first_)
    return true;
  if (c.not_before <= now())
    return false;
  if (c.alarm == 0)
    arm(c, c.not_before, alarm_action::advance);
  return true;
}

// First starts, and those by hand, are no restarts.
bool supervisor_actor::waits_for_resume(const child& c) const { return suspended_ && c.incarnation != 0 && !c.by_hand; }

bool supervisor_actor::start_some() {
  if (mode_ == mode::stopping)
    return false;
  for (auto i = to_start_.begin(); i != to_start_.end(); ++i) {
    auto& c = **i;
    if (waits_for_resume(c))
      continue;
    if (const auto* need = lost_need(c)) {
      waits_in_vain(c, *need);
      return true;
    }
    if (may_start(c) && !must_wait(c)) {
      to_start_.erase(i);
      c.must_start = false;
      if (c.alive())
        return true;
      c.in_engine = true;
      ++in_engine_;
      starting_ = &c;
      begin_start(c);
      return true;
    }
    if (is_dynamic() || fixed_->start == start_mode::ordered)
      break;
  }
  return false;
}

void supervisor_actor::leave_engine(child& c) {
  if (std::exchange(c.in_engine, false))
    --in_engine_;
  if (starting_ == &c)
    starting_ = nullptr;
}

void supervisor_actor::begin_stop(caf::error reason, cause why) {
  if (mode_ == mode::stopping)
    return;
  mode_ = mode::stopping;
  final_reason_ = std::move(reason);
  stop_cause_ = why ? std::move(why) : cause("its tree is stopping", cause_origin::shutdown, line().path());
  // The guardian and the root stop for good: what stops from here on belongs into the report.
  if (line().path().find('/', 1) == std::string::npos)
    core_->stopping = true;
  to_start_.clear();
  to_stop_.clear();
  postponed_.clear();
  retries_.clear();
  ask_all_or_queue();
  advance();
}

// What stops in no order is asked at once; the rest has its turn in `advance`.
void supervisor_actor::ask_all_or_queue() {
  const detail::bulk_guard many{children_.size()};  // which become runnable together
  for (auto& c : children_) {
    if (c == nullptr)
      continue;
    c->must_start = false;
    if (!c->alive())
      c->answer_start(make_error(errc::shutdown));
    c->must_stop = c->alive() && !is_dynamic();
    if (c->must_stop)
      to_stop_.push_back(c.get());
    else if (c->alive() && !c->asked)
      ask(*c);
    else if (c->state == child_state::restarting) {
      disarm(*c);
      c->state = child_state::idle;
      tell_gone(*c);
      forget_rest(*c);
    }
  }
}

void supervisor_actor::end_if_empty() {
  if (live_ == 0 && !ending())
    quit(final_reason_);
}

}  // namespace libactor
