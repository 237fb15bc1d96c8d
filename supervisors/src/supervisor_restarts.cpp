// SPDX-License-Identifier: BSL-1.0
// What follows the end of a child that comes back: alone, with its group, or not until restarts are resumed.
#include "actor/caf_seam.hpp"
#include "rounded.hpp"
#include "supervisor_actor.hpp"
#include "supervisors/restart_plan.hpp"

#include <algorithm>

namespace libactor {

bool supervisor_actor::is_too_late(const child& c) const {
  return c.spec->context.deadline && *c.spec->context.deadline <= now();
}

void supervisor_actor::restart(child& c, bool after_failed_start) {
  const auto at = now();
  const duration ran = after_failed_start ? duration{} : at - c.started_at;
  if (set_aside_if_too_late(c, after_failed_start))
    return;
  c.state = child_state::restarting;
  if (!suspended_ && intensity_.admit(at)) {
    restart_counted(c, after_failed_start, ran);
    return;
  }
  if (!suspended_)
    give_up();
  if (!suspended_)
    return;
  postponed_.push_back({&c, after_failed_start, ran});
  note_rest(c);
  advance();
}

bool supervisor_actor::set_aside_if_too_late(child& c, bool after_failed_start) {
  if (!is_too_late(c))
    return false;
  c.state = child_state::idle;
  if (!after_failed_start)
    report(event_kind::start_failed, c, describe(make_error(errc::deadline_exceeded)), "its deadline is past");
  if (mode_ == mode::starting)
    fail_waiting(c, true);
  set_aside(c);
  return true;
}

// `ran`: its last incarnation.
void supervisor_actor::restart_counted(child& c, bool after_failed_start, duration ran) {
  ++c.restarts;
  duration delay{};
  if (c.delays)
    delay = c.delays->next(ran);
  c.not_before = now() + delay;
  report(event_kind::restarting, c, {}, delay == duration{} ? "" : "in " + detail::rounded(delay), delay);
  if (delay != duration{})
    note_rest(c);
  if (mode_ == mode::running && (is_dynamic() || own().strategy == strategy::one_for_one))
    restart_alone(c, after_failed_start);
  else
    restart_group(c, after_failed_start);
}

// Siblings go on; only this child's own delay holds its start.
void supervisor_actor::restart_alone(child& c, bool after_failed_start) {
  if (c.not_before > now()) {
    arm(c, c.not_before, alarm_action::restart);
  } else if (after_failed_start) {
    retries_.push_back(&c);
    serve_mail_first();
  } else {
    begin_start(c);
  }
}

void supervisor_actor::restart_group(child& c, bool after_failed_start) {
  std::vector<plan_sibling> siblings(children_.size());
  for (const auto& other : children_) {
    if (other == nullptr)
      continue;
    auto& seen = siblings[other->place];
    seen = {
        other->alive(),
        other->state == child_state::restarting,
        other->spec->restart != restart_type::temporary && !other->stop_is_awaited(),  // else it is being terminated
        {}};
    for (const auto* dependent : other->needed_by())
      seen.needed_by.push_back(dependent->place);
  }
  const auto plan = plan_restart(is_dynamic() ? strategy::one_for_one : own().strategy, c.place, siblings);
  for (const auto place : plan.stop) {
    if (!std::exchange(children_[place]->must_stop, true))
      to_stop_.push_back(children_[place].get());
  }
  for (const auto place : plan.start) {
    if (!std::exchange(children_[place]->must_start, true))
      to_start_.push_back(children_[place].get());
  }
  auto by_place = [](const child* a, const child* b) { return a->place < b->place; };
  std::sort(to_stop_.begin(), to_stop_.end(), by_place);
  std::sort(to_start_.begin(), to_start_.end(), by_place);
  if (after_failed_start && c.not_before <= now())
    serve_mail_first();
  advance();
}

// A start that failed is tried again only after the mail that came before.
void supervisor_actor::serve_mail_first() {
  if (std::exchange(mail_first_, true))
    return;
  detail::seam::post(this, {detail::envelope_kind::retry, 0, {}}, context());
}

void supervisor_actor::give_up() {
  const auto text = "more than " + std::to_string(own().intensity) + " restarts in " + to_string(own().period);
  if (own().on_giveup == giveup_action::suspend) {
    suspended_ = true;
    report_self(event_kind::suspended, text);
    return;
  }
  report_self(event_kind::gave_up, text);
  begin_stop(make_error(errc::gave_up, text), cause("its supervisor gave up", cause_origin::shutdown, line().path()));
}

void supervisor_actor::resume_restarts() {
  if (!std::exchange(suspended_, false))
    return;
  intensity_.clear();
  report_self(event_kind::resumed, "restarts go on");
  // What waited was resumed by hand, and does not count. Each may be dropped, or start with the group of one before it.
  while (!postponed_.empty() && !suspended_) {
    const auto [c, after_failed_start, ran] = postponed_.front();
    postponed_.pop_front();
    if (c->state == child_state::restarting && !c->must_start && !set_aside_if_too_late(*c, after_failed_start))
      restart_counted(*c, after_failed_start, ran);
  }
  if (!retries_.empty())
    serve_mail_first();
  advance();
}

}  // namespace libactor
