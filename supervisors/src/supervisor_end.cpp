// SPDX-License-Identifier: BSL-1.0
// What follows once an incarnation has ended.
#include "actor/caf_seam.hpp"
#include "supervisor_actor.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>

namespace libactor {

void supervisor_actor::child_down(child& c, detail::end_reason reason) {
  if (c.state == child_state::adopted)
    return;
  if (!adopt(c))
    complete_down(c, std::move(reason));
  else
    c.ended = std::make_unique<detail::end_reason>(std::move(reason));
}

// Only those that wait for it ask.
void supervisor_actor::keep_reason(child& c, detail::end_reason reason) {
  if (c.links != nullptr)
    c.ended = std::make_unique<detail::end_reason>(std::move(reason));
}

std::vector<family::member> supervisor_actor::living_below(const child& c) {
  std::vector<family::member> left;
  family::collect_tasks(*c.line, left);
  if (c.sub != nullptr)
    c.sub->below->collect(left);
  if (!left.empty())
    std::erase_if(left, [](const auto& who) { return detail::seam::has_ended(who.handle); });
  return left;
}

// If it ended before what it had started, its successor waits until that is down, too.
bool supervisor_actor::adopt(child& c) {
  if (c.sub == nullptr && c.line->task_count() == 0)
    return false;  // as nearly always
  const auto left = living_below(c);
  if (left.empty())
    return false;
  set_stage(c, child_state::adopted);
  c.own.cancel_now(cause("its supervisor ended", cause_origin::parent_ended, path_of(c)));
  c.orphans = static_cast<std::uint32_t>(left.size());
  const caf::weak_actor_ptr self{ctrl()};
  for (const auto& who : left) {
    detail::seam::when_ended(who.handle, [self, key = c.key](const caf::error&, caf::execution_unit* host) {
      detail::seam::post_urgent(self, {detail::envelope_kind::orphan_down, key, {}}, host);
    });
    if (!c.killed)
      record_end_of(c, who);
    if (c.killed)  // said already, save to what was started since
      detail::seam::exit_urgent(who.handle, caf::exit_reason::kill);
  }
  arm(c, now() + c.spec->kill_grace, c.killed ? alarm_action::abandon : alarm_action::kill_orphans);
  return true;
}

void supervisor_actor::kill_orphans(child& c) {
  c.killed = true;
  const auto left = living_below(c);
  tell_orphans(c, left);
  for (const auto& who : left)
    kill_below(c, who);
  arm(c, now() + c.spec->kill_grace, alarm_action::abandon);
}

void supervisor_actor::orphan_down(child& c) {
  // What the orphans started while they were being adopted is adopted in turn.
  if (c.state == child_state::adopted && --c.orphans == 0 && !adopt(c))
    complete_down(c, std::move(*c.ended));
}

void supervisor_actor::complete_down(child& c, detail::end_reason reason) {
  // One that had ended before it was terminated, and whose descendants are down now, was not asked.
  const bool expected = c.asked || c.must_stop || c.stop_is_awaited();
  disarm(c);
  c.done_hook.reset();
  kin_->remove(c.key);
  if (core_->addresses.any()) [[unlikely]]
    core_->addresses.unbind(c.line->path());
  const auto how = reason.how();
  const bool again = c.spec->restart == restart_type::permanent ||
                     (c.spec->restart == restart_type::transient && how == ending::abnormal);
  if (c.line->watched) {
    const bool for_good = mode_ == mode::stopping || (expected ? !c.must_start : !again);
    core_->dog->remove(c.handle->id(), describe(reason.as_error()), for_good);
  }
  if (c.asked && core_->stopping) {
    core_->record(
        {path_of(c), c.incarnation, c.asked_at, now(), describe(reason.as_error()), c.killed,
         errc_of(reason.as_error()) == errc::abandoned, c.killed && c.spec->effective_shutdown().is_infinite()},
        *c.line);
  }
  if (line().path().empty()) {
    std::lock_guard guard{core_->mutex};
    core_->root_reason = reason.as_error();
  }
  // A child that ended by itself before it had started says why; one whose time was up had that said for it.
  const bool fell_short = !c.up && !c.asked;
  const auto why_not_started = [&] {
    return c.start_error      ? c.start_error
           : reason.code != 0 ? reason.as_error()
                              : make_error(errc::start_failed, "it ended");
  };
  if (c.start_error ? !c.stop_is_awaited() : fell_short && !expected) {
    start_failed(c, why_not_started());
    return;
  }
  if (c.start_error || fell_short) {
    report(event_kind::start_failed, c, describe(why_not_started()));
  } else if (reports()) {
    report(c.asked                   ? event_kind::stopped
           : how == ending::abnormal ? event_kind::crashed
                                     : event_kind::ended,
           c, describe(reason.as_error()), {}, now() - began(c));
  }
  --live_;
  // Where its group starts it again, the answer is that start's.
  if (!c.must_start) {
    c.by_hand = false;
    c.answer_start(c.start_error || fell_short ? why_not_started() : make_error(errc::shutdown));
  }
  auto waiting = c.take_stops();
  if (is_dynamic() && again && !expected)
    former_.emplace(&c, c.handle.address());
  c.handle = nullptr;
  c.own = {};
  c.line = nullptr;
  c.sub = nullptr;
  c.state = child_state::idle;
  c.completed = how == ending::normal;
  keep_reason(c, std::move(reason));
  leave_engine(c);
  if (expected) {
    if (!c.must_start && keeps_spec(c))
      note_rest(c);
    else if (!c.must_start)
      drop_child(c);
    for (auto& to : waiting)
      to.deliver(caf::unit);
    advance();
    return;
  }
  if (again)
    c.state = child_state::restarting;
  if (mode_ == mode::starting)
    fail_waiting(c, !again);
  if (mode_ == mode::stopping)
    advance();
  else if (again)
    restart(c, false);
  else
    ended_for_good(c);
}

void supervisor_actor::ended_for_good(child& c) {
  const bool significant = c.spec->significant;
  if (keeps_spec(c))
    note_rest(c);
  else
    drop_child(c);
  const auto when = own().auto_shutdown;
  // One that is to start, or to start again, counts as one that runs.
  const bool others = significant && std::any_of(children_.begin(), children_.end(), [](const auto& other) {
                        return other != nullptr && other->spec->significant &&
                               (other->alive() || other->must_start || other->state == child_state::restarting);
                      });
  if (significant && (when == auto_shutdown::any_significant || (when == auto_shutdown::all_significant && !others))) {
    begin_stop(caf::exit_reason::user_shutdown,
               cause("a significant child ended", cause_origin::shutdown, line().path()));
    return;
  }
  advance();
}

}  // namespace libactor
