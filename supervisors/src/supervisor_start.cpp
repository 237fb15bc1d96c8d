// SPDX-License-Identifier: BSL-1.0
// The start of an incarnation of a child, until it is up or has failed.
#include "actor/caf_seam.hpp"
#include "rounded.hpp"
#include "supervisor_actor.hpp"
#include "supervisors/child_start.hpp"

#include <algorithm>

namespace libactor {

namespace {

std::optional<time_point> deadline_of(const context_spec& spec, time_point start) {
  if (!spec.timeout || *spec.timeout == infinite)
    return spec.deadline;
  const auto own = add_saturated(start, *spec.timeout);
  return spec.deadline ? std::min(*spec.deadline, own) : own;
}

}  // namespace

caf::expected<started_child> child_start::decline() { return make_error(errc::declined); }

caf::expected<caf::actor> child_start::ref(std::string_view path) const { return core_->ref(*system_, path); }

void supervisor_actor::begin_start(child& c) {
  const auto& spec = *c.spec;
  disarm(c);  // its backoff may be over by the clock before the timer says so
  c.key = ++last_incarnation_ << slot_bits | slot_of(c.key);
  ++c.incarnation;
  forget_rest(c);
  c.state = child_state::starting;
  c.acknowledged = c.ready = c.up = c.asked = c.killed = c.completed = c.declined = false;
  c.start_error = {};
  c.ended = nullptr;
  c.start_asked_at = now();
  ++live_;

  libactor::context with_values;
  for (const auto& [name, value] : spec.context.values)
    with_values = core_->catalog.find_context_key(name)->derive(with_values ? with_values : ctx(), value);
  const auto& base = with_values ? with_values : ctx();
  const auto deadline = deadline_of(spec.context, c.start_asked_at);
  if (spec.is_supervisor()) {
    c.sub = std::make_unique<child::subtree>();
    if (deadline)
      c.sub->outer = with_deadline(base, *deadline);
    c.own = with_boundary(deadline ? c.sub->outer.ctx() : base);
    c.sub->below = std::make_shared<family>(c.spec);
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
  c.line = std::allocate_shared<lifeline>(detail::block_pool::allocator<lifeline>{}, place_of(c), c.incarnation, self,
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
            {c.handle, c.line, c.below(), kind, c.start_asked_at, c.restarts, spec.effective_shutdown().is_infinite()});
  if (c.line->watched)
    core_->dog->add(watched(c));
  if (!c.is_worker) {
    detail::seam::when_ended(c.handle, [self, key = c.key](const caf::error& reason, caf::execution_unit* host) {
      detail::seam::post_urgent(self, {detail::envelope_kind::child_down, key, detail::end_reason{reason}}, host);
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

// Nothing starts it again but a verb, where its specification is kept.
void supervisor_actor::set_aside(child& c) {
  tell_gone(c);
  if (keeps_spec(c))
    note_rest(c);
  else
    drop_child(c);
  advance();
}

caf::expected<started_child> supervisor_actor::call_start(child& c, worker_options options) {
  const auto& spec = *c.spec;
  if (spec.is_supervisor()) {
    setup with{core_, c.spec, c.below()};
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
  if (!c.own.ctx().done())  // else that is the alarm of its ladder
    disarm(c);
  set_stage(c, child_state::running);
  c.up = true;
  c.by_hand = false;
  if (!former_.empty())
    former_.erase(&c);
  if (c.slims)
    slim(c);
  c.started_at = now();
  report(event_kind::started, c, {}, {}, c.started_at - c.start_asked_at);
  if (core_->addresses.any()) [[unlikely]]
    core_->addresses.bind(c.line->path(), c.handle, c.spec->address_hold);
  c.answer_up(*this);
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
                                                      " after " + detail::rounded(now() - c.start_asked_at));
  ask(c);
}

// The incarnation is down, or never was: its start is over.
void supervisor_actor::start_failed(child& c, caf::error reason) {
  c.declined = errc_of(reason) == errc::declined;
  report(c.declined ? event_kind::declined : event_kind::start_failed, c, describe(reason));
  --live_;
  c.handle = nullptr;
  c.own = {};
  c.line = nullptr;
  c.sub = nullptr;
  leave_engine(c);
  c.state = child_state::idle;
  if (c.declined) {
    c.by_hand = false;
    c.answer_start(caf::actor{});
    return set_aside(c);
  }
  after_failed_start(c, std::move(reason));
}

// There was no incarnation.
void supervisor_actor::not_started(child& c, caf::error reason) {
  report(event_kind::start_failed, c, describe(reason));
  after_failed_start(c, std::move(reason));
}

void supervisor_actor::after_failed_start(child& c, caf::error reason) {
  keep_reason(c, detail::end_reason{reason});
  if (c.by_hand) {
    c.by_hand = false;
    if (std::exchange(c.must_start, false))  // with its group
      std::erase(to_start_, &c);
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

}  // namespace libactor
