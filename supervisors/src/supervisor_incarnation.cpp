// SPDX-License-Identifier: BSL-1.0
// One incarnation of a child, from its start to its end and what follows.
#include "actor/caf_seam.hpp"
#include "supervisor_actor.hpp"
#include "supervisors/child_start.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>

namespace libactor {

namespace {

std::optional<time_point> deadline_of(const context_spec& spec, time_point start) {
  if (!spec.timeout)
    return spec.deadline;
  const auto own = start + *spec.timeout;
  return spec.deadline ? std::min(*spec.deadline, own) : own;
}

}  // namespace

caf::expected<started_child> child_start::decline() { return make_error(errc::declined); }

caf::expected<caf::actor> child_start::ref(std::string_view path) const { return core_->ref(*system_, path); }

// -- start ------------------------------------------------------------------------------------------------------------

void supervisor_actor::begin_start(child& c) {
  const auto& spec = *c.spec;
  c.key = ++last_incarnation_ << slot_bits | slot_of(c.key);
  ++c.incarnation;
  forget_rest(c);
  c.state = child_state::starting;
  c.acknowledged = c.ready = c.up = c.asked = c.killed = c.completed = c.declined = false;
  c.start_error = {};
  c.end_reason = {};
  c.start_asked_at = now();
  ++live_;

  libactor::context base = ctx();
  for (const auto& [name, value] : spec.context.values)
    base = core_->catalog.find_context_key(name)->derive(base, value);
  const auto deadline = deadline_of(spec.context, c.start_asked_at);
  if (spec.is_supervisor()) {
    if (deadline) {
      c.outer = with_deadline(base, *deadline);
      base = c.outer.ctx();
    }
    c.own = with_boundary(base);
    c.below = std::make_shared<family>(c.spec);
  } else if (deadline) {
    c.own = with_deadline(base, *deadline);
  } else {
    c.own = with_cancel(base);
  }

  report(event_kind::start_asked, c);
  if (is_too_late(c)) {
    start_failed(c, make_error(errc::deadline_exceeded, "its deadline had passed before it started"));
    return;
  }

  const caf::weak_actor_ptr self{ctrl()};
  c.line = std::allocate_shared<lifeline>(detail::block_pool::allocator<lifeline>{}, path_of(c), c.incarnation, self,
                                          c.key, core_->hub);
  set_stage(c, child_state::starting);
  c.line->watched = watch_of(c) != nullptr;
  worker_options options;
  options.ctx = c.own.ctx();
  options.line = c.line;
  options.drain = spec.drain;
  options.detached = spec.isolation == isolation::thread;
  options.host = context();
  options.tells_end = true;

  auto started = call_start(c, std::move(options));
  if (!started) {
    start_failed(c, started.error());
    return;
  }
  c.handle = std::move(started->handle);
  c.is_worker = started->is_worker;
  const auto* named = std::get_if<kind_child>(&spec.what);
  const auto* kind = named != nullptr ? &core_->catalog.find(named->kind)->name : nullptr;
  kin_->add(c.key,
            {c.handle, c.line, c.below, spec.effective_shutdown().is_infinite(), kind, c.start_asked_at, c.restarts});
  if (c.line->watched)
    core_->dog->add(watched(c));
  if (!c.is_worker) {
    detail::seam::when_ended(c.handle, [self, key = c.key](const caf::error& reason, caf::execution_unit* host) {
      detail::seam::post_urgent(self, {detail::envelope_kind::child_down, key, reason}, host);
    });
  }
  if (deadline) {
    c.done_hook = detail::when_done(c.own.ctx(),
                                    detail::seam::posting_hook(self, {detail::envelope_kind::child_done, c.key, {}}));
  }
  if (!c.is_worker) {
    c.acknowledged = c.ready = true;
    became_up(c);
    return;
  }
  const auto limit =
      spec.awaits_ready ? spec.ready_timeout.value_or(spec.effective_start_timeout()) : spec.effective_start_timeout();
  if (limit != infinite)
    arm(c, c.start_asked_at + limit, alarm_action::fail_start);
}

// What a snapshot reads of an incarnation.
void supervisor_actor::set_stage(child& c, child_state to) {
  c.state = to;
  c.line->note_stage(static_cast<std::uint8_t>(to));
}

// What a snapshot reads of a child that has none, and is not about to have one.
void supervisor_actor::note_rest(const child& c) {
  if (mode_ == mode::stopping)
    return;
  any_rests_ = true;
  const auto* named = std::get_if<kind_child>(&c.spec->what);
  kin_->rest({path_of(c), c.state, c.incarnation, c.restarts, c.key, named != nullptr ? named->kind : std::string(),
              c.spec->is_supervisor()});
}

void supervisor_actor::forget_rest(const child& c) {
  if (any_rests_)
    kin_->forget(c.key);
}

caf::expected<started_child> supervisor_actor::call_start(child& c, worker_options options) {
  const auto& spec = *c.spec;
  if (spec.is_supervisor()) {
    setup with{core_, c.spec, c.below};
    if (const auto* watch = watch_of(c))
      with.watch = *watch;
    return started_child{spawn_worker_class<supervisor_actor>(system(), std::move(options), std::move(with)), true};
  }
  const start_function* start = nullptr;
  child_args args;
  if (const auto* named = std::get_if<kind_child>(&spec.what)) {
    const auto* kind = core_->catalog.find(named->kind);
    std::vector<arg_fault> faults;
    args = check_args(*kind, named->args, faults);
    start = &kind->start;
  } else {
    start = &std::get<function_child>(spec.what).start;
  }
  child_start request{system(), std::move(options), args, *core_};
  try {
    auto started = (*start)(request);
    if (started && !started->handle)
      return make_error(errc::start_failed, "its start function returned no actor");
    return started;
  } catch (...) {
    return make_error(std::current_exception());
  }
}

void supervisor_actor::became_up(child& c) {
  disarm(c);
  set_stage(c, child_state::running);
  c.up = true;
  if (c.slims)
    slim(c);
  c.started_at = now();
  report(event_kind::started, c, {}, {}, c.started_at - c.start_asked_at);
  if (core_->addresses.any()) [[unlikely]]
    core_->addresses.bind(c.line->path(), c.handle, c.spec->address_hold);
  c.answer_start(c.handle);
  leave_engine(c);
  advance();
}

// It will not be started again: what only a start needs is let go.
void supervisor_actor::slim(child& c) {
  c.slims = false;
  auto rest = std::make_shared<child_spec>(*c.spec);
  if (auto* fun = std::get_if<function_child>(&rest->what))
    fun->start = nullptr;
  else if (auto* kind = std::get_if<kind_child>(&rest->what))
    kind->args.clear();
  c.spec = std::move(rest);
}

void supervisor_actor::start_timed_out(child& c) {
  c.start_error = make_error(errc::start_timeout, "not " + std::string(c.acknowledged ? "ready" : "started") +
                                                      " after " + to_string(duration{now() - c.start_asked_at}));
  ask(c);
}

// The incarnation is down, or never was: its start is over.
void supervisor_actor::start_failed(child& c, caf::error reason) {
  --live_;
  c.own = {};
  c.outer = {};
  c.line = nullptr;
  c.below = nullptr;
  leave_engine(c);
  c.state = child_state::idle;
  c.declined = errc_of(reason) == errc::declined;
  if (c.declined) {
    report(event_kind::declined, c, describe(reason));
    c.answer_start(caf::actor{});
    if (keeps_spec(c))
      note_rest(c);
    else
      drop_child(c);
    advance();
    return;
  }
  not_started(c, std::move(reason));
}

// What follows a start that failed, whether or not there was an incarnation.
void supervisor_actor::not_started(child& c, caf::error reason) {
  report(event_kind::start_failed, c, describe(reason));
  c.end_reason = reason;
  if (c.start_is_awaited()) {
    c.answer_start(reason);
    // Of a failed start_child nothing is kept; of a failed restart_child the specification.
    if (std::exchange(c.keep_if_failed, false))
      note_rest(c);
    else
      drop_child(c);
    advance();
    return;
  }
  if (mode_ == mode::stopping) {
    advance();
    return;
  }
  if (mode_ == mode::starting && c.incarnation <= 1) {
    const bool nested = errc_of(reason) == errc::start_failed && c.spec->is_supervisor();
    const std::string_view said{"start_failed: "};
    auto text = describe(reason);
    if (text.starts_with(said))
      text.erase(0, said.size());
    begin_stop(nested ? reason : make_error(errc::start_failed, path_of(c) + ": " + text),
               cause("a sibling did not start", cause_origin::shutdown, line().path()));
    return;
  }
  restart(c, true);
}

// -- stop -------------------------------------------------------------------------------------------------------------

void supervisor_actor::ask(child& c) {
  if (c.state == child_state::adopted)
    return;
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
    c.own.cancel(stop_cause_ ? stop_cause_ : cause("stopped by its supervisor", cause_origin::shutdown, line().path()));
  if (!c.is_worker)
    detail::seam::exit_urgent(c.handle, caf::exit_reason::user_shutdown);
  if (by)
    arm(c, *by, alarm_action::kill);
}

void supervisor_actor::kill(child& c) {
  c.killed = true;
  set_stage(c, child_state::killing);
  if (!c.spec->effective_shutdown().is_brutal())
    report(event_kind::killed, c, {}, {}, now() - (c.asked ? c.asked_at : c.started_at));
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
  if (!core_->stopping)
    return;
  detail::seam::when_ended(who.handle, [core = core_, line = who.line, asked = c.asked ? c.asked_at : now(),
                                        unlimited = who.unlimited](const caf::error& reason, caf::execution_unit*) {
    const bool killed = reason == caf::exit_reason::kill;
    core->record({line->path(), line->incarnation(), asked, core->contexts->now(), describe(reason), killed, false,
                  killed && unlimited});
  });
}

void supervisor_actor::kill_below(const child& c, const family::member& who) {
  report_below(event_kind::killed, who, {}, "with " + path_of(c));
  detail::seam::exit_urgent(who.handle, caf::exit_reason::kill);
}

void supervisor_actor::abandon(child& c, const std::string& why) {
  const auto reason = make_error(errc::abandoned);
  const auto elapsed = now() - (c.asked ? c.asked_at : c.started_at);
  const auto left = living_below(c);
  if (c.state == child_state::adopted)
    tell_orphans(c, left);
  for (const auto& who : left) {
    report_below(event_kind::abandoned, who, describe(reason), why, elapsed);
    leave_behind(c, who.handle, who.line, who.below);
    if (core_->stopping) {
      core_->record({who.line->path(), who.line->incarnation(), c.asked ? c.asked_at : now(), now(), describe(reason),
                     true, true});
    }
  }
  if (c.state == child_state::adopted) {
    complete_down(c, std::move(c.end_reason));
    return;
  }
  report(event_kind::abandoned, c, describe(reason), why, elapsed);
  leave_behind(c, c.handle, c.line, c.below);
  complete_down(c, reason);
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
  else if (!limit.is_infinite() && c.state == child_state::running)
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
      return start_timed_out(c);
    case alarm_action::kill:
      return kill(c);
    case alarm_action::kill_orphans:
      return kill_orphans(c);
    case alarm_action::abandon:
      return abandon(c, "killed " + to_string(c.spec->kill_grace) + " before, and still not ended");
    case alarm_action::restart:
      if (c.state == child_state::restarting && !suspended_)
        begin_start(c);
      return;
    case alarm_action::advance:
      return advance();
  }
}

// -- ends -------------------------------------------------------------------------------------------------------------

void supervisor_actor::child_down(child& c, caf::error reason) {
  if (c.state == child_state::adopted)
    return;
  c.end_reason = std::move(reason);
  if (!adopt(c))
    complete_down(c, std::move(c.end_reason));
}

std::vector<family::member> supervisor_actor::living_below(const child& c) {
  std::vector<family::member> left;
  family::collect_tasks(*c.line, left);
  if (c.below)
    c.below->collect(left);
  if (!left.empty())
    std::erase_if(left, [](const auto& who) { return detail::seam::has_ended(who.handle); });
  return left;
}

// If it ended before what it had started, its successor waits until that is down, too.
bool supervisor_actor::adopt(child& c) {
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
    complete_down(c, std::move(c.end_reason));
}

void supervisor_actor::complete_down(child& c, caf::error reason) {
  const bool expected = c.asked || c.must_stop;
  disarm(c);
  c.done_hook.reset();
  kin_->remove(c.key);
  if (core_->addresses.any()) [[unlikely]]
    core_->addresses.unbind(c.line->path());
  const auto how = ending_of(reason);
  const bool again = c.spec->restart == restart_type::permanent ||
                     (c.spec->restart == restart_type::transient && how == ending::abnormal);
  if (c.line->watched) {
    const bool for_good = mode_ == mode::stopping || (expected ? !c.must_start : !again);
    core_->dog->remove(c.handle->id(), describe(reason), for_good);
  }
  if (c.asked && core_->stopping) {
    core_->record({path_of(c), c.incarnation, c.asked_at, now(), describe(reason), c.killed,
                   errc_of(reason) == errc::abandoned, c.killed && c.spec->effective_shutdown().is_infinite()});
  }
  if (line().path().empty()) {
    std::lock_guard guard{core_->mutex};
    core_->root_reason = reason;
  }
  if (c.start_error || (!c.up && !expected)) {
    // A child that ended by itself before it had started says why; one whose time was up had that said for it.
    const auto error = c.start_error ? c.start_error : reason ? reason : make_error(errc::start_failed, "it ended");
    c.handle = nullptr;
    c.answer_stop();
    start_failed(c, error);
    return;
  }
  if (reports()) {
    report(c.asked                   ? event_kind::stopped
           : how == ending::abnormal ? event_kind::crashed
                                     : event_kind::ended,
           c, describe(reason), {}, now() - (c.asked ? c.asked_at : c.started_at));
  }
  --live_;
  if (c.start_is_awaited())
    c.answer_start(make_error(errc::shutdown));
  auto replies = std::move(c.replies);
  c.handle = nullptr;
  c.own = {};
  c.outer = {};
  c.line = nullptr;
  c.below = nullptr;
  c.state = child_state::idle;
  c.completed = how == ending::normal;
  c.end_reason = std::move(reason);
  leave_engine(c);
  if (expected) {
    if (!c.must_start && keeps_spec(c))
      note_rest(c);
    else if (!c.must_start)
      drop_child(c);
    if (replies)
      replies->stopped();
    advance();
    return;
  }
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
  const bool others = significant && std::any_of(children_.begin(), children_.end(), [](const auto& other) {
                        return other != nullptr && other->alive() && other->spec->significant;
                      });
  if (significant && (when == auto_shutdown::any_significant || (when == auto_shutdown::all_significant && !others))) {
    begin_stop(caf::exit_reason::user_shutdown,
               cause("a significant child ended", cause_origin::shutdown, line().path()));
    return;
  }
  advance();
}

}  // namespace libactor
