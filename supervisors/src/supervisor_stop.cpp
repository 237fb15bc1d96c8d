// SPDX-License-Identifier: BSL-1.0
// How a child is stopped, rung by rung, and the alarms that lead from one to the next.
#include "actor/caf_seam.hpp"
#include "supervisor_actor.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>

namespace libactor {

void supervisor_actor::ask(child& c) {
  if (c.state == child_state::adopted)
    return;
  if (c.state == child_state::killing) {  // by its own deadline: there is nothing left to ask
    c.asked = true;
    c.asked_at = now();
    return;
  }
  const auto limit = c.spec->effective_shutdown();
  std::optional<time_point> by = stop_by_;
  c.asked_at = now();
  if (!limit.is_infinite())
    by = by ? std::min(*by, c.asked_at + limit.limit()) : c.asked_at + limit.limit();
  c.asked = true;
  c.line->ask(by);
  set_stage(c, child_state::stopping);
  disarm(c);
  report(event_kind::stop_asked, c, {}, limit.is_brutal() ? "brutal_kill" : "");
  if (limit.is_brutal()) {
    kill(c);
    return;
  }
  // What made the supervisor done is the child's error and cause, too.
  if (ctx().done())
    detail::end_like(c.own, ctx());
  else
    c.own.cancel(stop_cause_ ? stop_cause_ : cause_of_asking());
  if (!c.is_worker)
    detail::seam::exit_urgent(c.handle, caf::exit_reason::user_shutdown);
  if (by)
    arm(c, *by, alarm_action::kill);
}

const cause& supervisor_actor::cause_of_asking() {
  if (!asked_cause_)
    asked_cause_ = cause("stopped by its supervisor", cause_origin::shutdown, line().path());
  return asked_cause_;
}

// Since when it stops, runs or starts.
time_point supervisor_actor::began(const child& c) {
  return c.asked ? c.asked_at : c.up ? c.started_at : c.start_asked_at;
}

void supervisor_actor::kill(child& c) {
  c.killed = true;
  set_stage(c, child_state::killing);
  if (!c.spec->effective_shutdown().is_brutal())
    report(event_kind::killed, c, {}, {}, now() - began(c));
  tell_late(c);
  // The kill goes first: an actor that saw its context done before it would end as if it had been asked.
  detail::seam::exit_urgent(c.handle, caf::exit_reason::kill);
  c.own.cancel_now(cause("killed by its supervisor", cause_origin::shutdown, line().path()));
  // Everything below it goes with it, in no order.
  for (const auto& who : living_below(c)) {
    record_end_of(c, who);
    kill_below(c, who);
  }
  arm(c, now() + c.spec->kill_grace, alarm_action::abandon);
}

// Its own supervisor will not be there to note it.
void supervisor_actor::record_end_of(const child& c, const family::member& who) {
  detail::seam::when_ended(who.handle, [core = core_, line = who.line, asked = c.asked ? c.asked_at : now(),
                                        unlimited = who.unlimited](const caf::error& reason, caf::execution_unit*) {
    if (!core->stopping)
      return;
    const bool killed = reason == caf::exit_reason::kill;
    core->record({line->path(), line->incarnation(), asked, core->contexts->now(), describe(reason), killed, false,
                  killed && unlimited},
                 *line);
  });
}

void supervisor_actor::kill_below(const child& c, const family::member& who) {
  report_below(event_kind::killed, who, {}, "with " + path_of(c));
  detail::seam::exit_urgent(who.handle, caf::exit_reason::kill);
}

void supervisor_actor::abandon(child& c, const std::string& why) {
  const auto reason = make_error(errc::abandoned);
  const auto elapsed = now() - began(c);
  const auto left = living_below(c);
  if (c.state == child_state::adopted)
    tell_orphans(c, left);
  for (const auto& who : left) {
    report_below(event_kind::abandoned, who, describe(reason), why, elapsed);
    leave_behind(c, who.handle, who.line, who.below);
    if (core_->stopping) {
      core_->record({who.line->path(), who.line->incarnation(), c.asked ? c.asked_at : now(), now(), describe(reason),
                     true, true},
                    *who.line);
    }
  }
  if (c.state == child_state::adopted) {
    complete_down(c, std::move(*c.ended));
    return;
  }
  report(event_kind::abandoned, c, describe(reason), why, elapsed);
  leave_behind(c, c.handle, c.line, c.below());
  complete_down(c, detail::end_reason{reason});
}

void supervisor_actor::own_context_done(child& c) {
  if (c.asked || c.state == child_state::killing || c.state == child_state::adopted)
    return;
  if (c.own.ctx().error() == errc::deadline_exceeded)
    report(event_kind::deadline, c, describe(make_error(errc::deadline_exceeded)), {}, now() - c.start_asked_at);
  // Nobody asked it, but it must end: the ladder begins at the wait.
  const auto limit = c.spec->effective_shutdown();
  if (!c.is_worker) {
    const bool expired = c.own.ctx().error() == errc::deadline_exceeded;
    detail::seam::exit_urgent(c.handle, make_error(expired ? errc::deadline_exceeded : errc::canceled));
  }
  if (limit.is_brutal())
    kill(c);
  else if (!limit.is_infinite())
    arm(c, now() + limit.limit(), alarm_action::kill);
}

// -- alarms -----------------------------------------------------------------------------------------------------------

void supervisor_actor::arm(child& c, time_point when, alarm_action what) {
  disarm(c);
  c.alarm = alarms_.add(when, c.key, what);
  if (timer_ == 0 || alarms_.earliest().at < timer_at_)
    set_timer();
}

// The timer stays, though it may find nothing to do: to set it anew for each child that starts in time costs more.
void supervisor_actor::disarm(child& c) {
  if (std::exchange(c.alarm, 0) == 0)
    return;
  while (!alarms_.empty() && is_stale(alarms_.earliest()))
    alarms_.pop();
}

bool supervisor_actor::is_stale(const alarm_queue::entry& alarm) const {
  const auto* c = child_of(alarm.key);
  return c == nullptr || c->alarm != alarm.number;
}

void supervisor_actor::set_timer() {
  if (timer_ != 0)
    cancel_timer(timer_);
  timer_at_ = alarms_.earliest().at;
  timer_ = at(timer_at_, [this] { ring(); });
}

void supervisor_actor::ring() {
  timer_ = 0;
  while (!alarms_.empty() && !ending()) {
    const auto alarm = alarms_.earliest();
    if (is_stale(alarm)) {
      alarms_.pop();
      continue;
    }
    if (alarm.at > now())
      break;
    alarms_.pop();
    auto& c = *child_of(alarm.key);
    c.alarm = 0;
    act_on(c, alarm.action);
  }
  if (!alarms_.empty() && !ending() && (timer_ == 0 || alarms_.earliest().at < timer_at_))
    set_timer();
}

void supervisor_actor::act_on(child& c, alarm_action what) {
  switch (what) {
    case alarm_action::fail_start:
      if (c.state == child_state::starting)
        start_timed_out(c);
      return;
    case alarm_action::kill:
      return kill(c);
    case alarm_action::kill_orphans:
      return kill_orphans(c);
    case alarm_action::abandon:
      return abandon(c, "killed " + to_string(c.spec->kill_grace) + " before, and still not ended");
    case alarm_action::restart:
      if (c.state != child_state::restarting)
        return;
      if (suspended_)
        retries_.push_back(&c);
      else
        begin_start(c);
      return;
    case alarm_action::advance:
      return advance();
  }
}

}  // namespace libactor
