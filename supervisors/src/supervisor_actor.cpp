// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. A child has at most one incarnation: `begin_start` runs only when the last one is down, or was abandoned.
//  2. `live_` counts the children for which `alive()` is true. A child keeps its slot, and each incarnation has a key
//     of its own: an end or an acknowledgement under any other key is of an earlier one, and is ignored.
//  3. The engine stops everything in `to_stop_`, from the back, before it starts anything in `to_start_`; in ordered
//     mode it waits for one child at a time.
//  4. Once `mode_` is stopping, nothing starts.
//  5. No function here blocks. What may lead back here (a start that fails at once) goes through `advance`, which does
//     not nest.
#include "supervisor_actor.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/event.hpp"
#include "supervisors/child_start.hpp"
#include "supervisors/restart_plan.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>

namespace libactor {

namespace {

const supervisor_spec& supervisor_part(const child_spec& spec) {
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what))
    return *fixed;
  return std::get<dynamic_supervisor>(spec.what);
}

}  // namespace

supervisor_actor::supervisor_actor(caf::actor_config& cfg, worker_options options, setup with)
    : context_actor(cfg, std::move(options)),
      core_(std::move(with.core)),
      spec_(std::move(with.spec)),
      kin_(std::move(with.kin)),
      on_started_(std::move(with.on_started)),
      inherited_watch_(with.watch),
      own_(&supervisor_part(*spec_)),
      fixed_(std::get_if<static_supervisor>(&spec_->what)),
      template_(std::get_if<dynamic_supervisor>(&spec_->what)),
      here_(std::make_shared<const std::string>(line().path())),
      intensity_(own_->intensity, own_->period) {}

caf::behavior supervisor_actor::make_behavior() {
  if (ctx().done()) {
    quit(reason_of_context());
    return {};
  }
  set_default_handler([this](caf::scheduled_actor*, caf::message_view& x) -> caf::result<caf::message> {
    report_self(event_kind::note, "ignored a message it does not know: " + caf::to_string(x.move_content_to_message()));
    return caf::make_error(caf::sec::unexpected_message);
  });
  set_exit_handler([this](caf::scheduled_actor*, caf::exit_msg& x) {
    if (x.reason)
      begin_stop(x.reason, cause("an exit message from outside", cause_origin::foreign, line().path()));
  });
  set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  if (fixed_ != nullptr) {
    for (const auto& spec : fixed_->children) {
      if (!spec.enabled)
        continue;
      auto& c = add_child(std::shared_ptr<const child_spec>(spec_, &spec));
      c.must_start = true;
      to_start_.push_back(&c);
    }
    link_dependencies();
  }
  advance();
  return {[this](const supervisor_verb& verb) { return on_verb(verb); }};
}

void supervisor_actor::on_exit() {
  // Killed, or left by an exception: what lives below is ended by whoever holds `kin_`.
  for (auto& c : children_) {
    if (c == nullptr)
      continue;
    c->done_hook.reset();
    leave_alone(*c);
    if (c->own) {
      c->own.cancel_now(cause("its supervisor ended", cause_origin::parent_ended, line().path()));
      c->own = {};
    }
    c->handle = nullptr;
    // A promise that nobody keeps holds this actor, and whoever waits for it.
    c->answer_start(make_error(errc::shutdown));
    for (auto& to : c->take_stops())  // what lives below it is ended, too
      to.deliver(caf::unit);
  }
  if (on_started_)
    std::exchange(on_started_, nullptr)(final_reason_ ? final_reason_ : make_error(errc::start_failed));
}

void supervisor_actor::context_done() {
  stop_by_ = line().stop_by();
  if (!line().asked()) {
    const auto limit = spec_->effective_shutdown();
    if (!limit.is_infinite())
      stop_by_ = now() + limit.limit();
  }
  begin_stop(reason_of_context(), ctx().cause());
}

void supervisor_actor::receive(detail::envelope& message, caf::mailbox_element&) {
  if (message.kind == detail::envelope_kind::retry) {
    mail_first_ = false;
    for (auto* c : std::exchange(retries_, {})) {
      if (suspended_)
        retries_.push_back(c);
      else if (c->state == child_state::restarting)
        begin_start(*c);
    }
    advance();
    return;
  }
  auto* found = child_of(message.key);
  if (found == nullptr || !found->alive())
    return;
  auto& c = *found;
  switch (message.kind) {
    case detail::envelope_kind::started:
      c.acknowledged = true;
      if (c.state == child_state::starting && (!c.spec->awaits_ready || c.ready))
        became_up(c);
      break;
    case detail::envelope_kind::ready:
      if (std::exchange(c.ready, true))
        break;
      report(event_kind::ready, c, {}, {}, now() - c.start_asked_at);
      if (c.state == child_state::starting && c.acknowledged)
        became_up(c);
      else
        advance();
      break;
    case detail::envelope_kind::child_done:
      own_context_done(c);
      break;
    case detail::envelope_kind::child_down:
      child_down(c, std::move(message.reason));
      break;
    case detail::envelope_kind::orphan_down:
      orphan_down(c);
      break;
    case detail::envelope_kind::give_up:
      give_up_stuck(c);
      break;
    default:
      break;
  }
}

// -- children ---------------------------------------------------------------------------------------------------------

supervisor_actor::child& supervisor_actor::add_child(std::shared_ptr<const child_spec> spec) {
  auto c = std::make_unique<child>();
  c->spec = std::move(spec);
  c->place = static_cast<std::uint32_t>(children_.size());
  if (free_slots_.empty()) {
    c->key = slots_.size();
    slots_.push_back(c.get());
  } else {
    c->key = free_slots_.back();
    free_slots_.pop_back();
    slots_[c->key] = c.get();
  }
  if (c->spec->backoff)
    c->delays = std::make_unique<backoff>(*c->spec->backoff, id() * 1000003 + c->place);
  if (is_dynamic())
    c->number = ++last_dynamic_;
  else
    by_id_.emplace(c->spec->id, c.get());
  children_.push_back(std::move(c));
  return *children_.back();
}

supervisor_actor::child* supervisor_actor::child_of(std::uint64_t key) const {
  const auto slot = slot_of(key);
  auto* c = slot < slots_.size() ? slots_[slot] : nullptr;
  return c != nullptr && c->key == key ? c : nullptr;
}

std::string supervisor_actor::path_of(const child& c) const {
  if (c.line)
    return c.line->path();
  return place_of(c).path();
}

// What its incarnations share. A specification that is to shrink is not held for its id.
lifeline::place supervisor_actor::place_of(const child& c) const {
  auto id = c.slims ? std::make_shared<const std::string>(c.spec->id)
                    : std::shared_ptr<const std::string>(c.spec, &c.spec->id);
  return {here_, std::move(id), c.number};
}

void supervisor_actor::drop_child(child& c) {
  forget_rest(c);
  if (!is_dynamic())
    by_id_.erase(c.spec->id);
  if (c.links != nullptr)
    unlink(c);
  if (c.must_stop)
    std::erase(to_stop_, &c);
  if (c.must_start)
    std::erase(to_start_, &c);
  std::erase_if(postponed_, [&](const auto& one) { return one.whom == &c; });
  std::erase(retries_, &c);
  former_.erase(&c);
  c.alarm = 0;
  slots_[slot_of(c.key)] = nullptr;
  free_slots_.push_back(static_cast<std::uint32_t>(slot_of(c.key)));
  children_[c.place].reset();
  ++dropped_places_;
  if (dropped_places_ * 2 <= children_.size())
    return;
  std::erase(children_, nullptr);
  for (std::size_t place = 0; place != children_.size(); ++place)
    children_[place]->place = static_cast<std::uint32_t>(place);
  dropped_places_ = 0;
}

void supervisor_actor::link_dependencies() {
  for (auto& c : children_) {
    for (const auto& need : c->spec->after) {
      if (auto* other = find_child(need.id)) {
        c->make_links().needs.emplace_back(other, need.when);
        other->make_links().needed_by.push_back(c.get());
      }
    }
  }
}

// Those that depended on it stop, as before, ahead of what it depended on, be it through another that is gone.
void supervisor_actor::unlink(child& c) {
  for (auto& other : children_) {
    if (other == nullptr || other->links == nullptr)
      continue;
    auto& dependents = other->links->needed_by;
    if (std::erase(dependents, &c) != 0) {
      for (auto* above : c.needed_by()) {
        if (std::find(dependents.begin(), dependents.end(), above) == dependents.end())
          dependents.push_back(above);
      }
    }
    std::erase_if(other->links->needs, [&](const auto& need) { return need.first == &c; });
  }
}

supervisor_actor::child* supervisor_actor::find_child(const std::string& id) const {
  auto i = by_id_.find(id);
  return i == by_id_.end() ? nullptr : i->second;
}

bool supervisor_actor::keeps_spec(const child& c) const {
  return !is_dynamic() && c.spec->restart != restart_type::temporary;
}

// -- reports ----------------------------------------------------------------------------------------------------------

void supervisor_actor::report(event_kind kind, const child& c, std::string reason, std::string text, duration elapsed) {
  if (!reports())
    return;
  event what;
  what.kind = kind;
  what.at = now();
  what.path = path_of(c);
  what.actor = c.handle ? c.handle->id() : 0;
  what.incarnation = c.incarnation;
  what.reason = std::move(reason);
  what.text = std::move(text);
  what.elapsed = elapsed;
  what.count = c.line ? c.line->unread() : 0;
  what.trace = c.own ? c.own.ctx().trace() : ctx().trace();
  core_->hub->on_event(what);
}

void supervisor_actor::report_below(event_kind kind, const family::member& who, std::string reason, std::string text,
                                    duration elapsed) {
  event what;
  what.kind = kind;
  what.at = now();
  what.path = who.line->path();
  what.actor = who.handle->id();
  what.incarnation = who.line->incarnation();
  what.reason = std::move(reason);
  what.text = std::move(text);
  what.elapsed = elapsed;
  what.trace = ctx().trace();
  core_->hub->on_event(what);
}

void supervisor_actor::report_self(event_kind kind, std::string text) {
  event what;
  what.kind = kind;
  what.at = now();
  what.path = line().path();
  what.actor = id();
  what.incarnation = line().incarnation();
  what.text = std::move(text);
  what.trace = ctx().trace();
  core_->hub->on_event(what);
}

}  // namespace libactor
