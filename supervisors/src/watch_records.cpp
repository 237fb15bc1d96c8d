// SPDX-License-Identifier: BSL-1.0
// Open records, and the ladder that each climbs.
#include "actor/caf_seam.hpp"
#include "actor/type_name.hpp"
#include "context_chain.hpp"
#include "context_node.hpp"
#include "watch_list.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>

namespace libactor::detail {

namespace {

const char* rung_text(leak_rung rung) {
  switch (rung) {
    case leak_rung::notice:
    case leak_rung::look:
      return "";
    case leak_rung::cancel:
      return "; its context is canceled";
    case leak_rung::interrupt:
      return "; its system call is interrupted";
    case leak_rung::kill:
      return "; it is killed";
    case leak_rung::abandon:
      return "; it is given up";
    case leak_rung::replace:
      return "; a successor was started";
  }
  return "";
}

}  // namespace

std::string message_of(const activity_cell& cell) {
  if (cell.sequence.load(std::memory_order_acquire) % 2 == 0)
    return {};
  const auto* type = cell.message_type.load(std::memory_order_relaxed);
  if (type == nullptr)
    return "a message";
  if (*type == typeid(std::string))
    return "std::string";
  return *type == typeid(envelope) ? "a timer or signal" : type_name(*type);
}

std::string doing(const leak_event& leak) {
  if (leak.message_type.empty())
    return "idle";
  auto text = "in the handler of " + leak.message_type;
  if (leak.thread != 0)
    text += ", on thread " + std::to_string(leak.thread);
  if (leak.activity == thread_activity::running)
    text += ", running";
  else if (leak.activity == thread_activity::waiting)
    text += leak.system_call.empty() ? ", waiting" : ", waiting in " + leak.system_call;
  return text;
}

// -- records ----------------------------------------------------------------------------------------------------------

watch_list::record& watch_list::open(entry& e, event_kind kind, time_point since) {
  auto& more = *e.more;
  more.open = std::make_unique<record>();
  auto& leak = more.open->leak;
  leak.kind = leak.opened_as = kind;
  leak.path = e.line->path();
  leak.actor = more.who.actor;
  leak.incarnation = e.line->incarnation();
  leak.since = since;
  step(*more.open, leak_rung::notice);
  e.looks_closer = true;
  return *more.open;
}

void watch_list::take_look(entry& e, thread_look seen) {
  auto& r = *e.more->open;
  const auto& cell = e.line->activity;
  r.leak.message_type = message_of(cell);
  r.leak.thread = r.leak.message_type.empty() ? 0 : cell.thread.load(std::memory_order_relaxed);
  r.leak.activity = seen.activity;
  r.leak.system_call = std::move(seen.system_call);
  r.frames = std::move(seen.frames);
  r.mutex_holder = seen.mutex_holder;
  step(r, leak_rung::look);
}

void watch_list::step(record& r, leak_rung rung) const {
  auto& steps = r.leak.steps;
  if (steps.empty() || steps.back().rung < rung)
    steps.push_back({rung, now_});
}

void watch_list::tell(entry& e, event_kind kind, std::string text) {
  auto& r = *e.more->open;
  r.leak.kind = kind;
  if (r.mutex_holder != 0)
    text += ", for a mutex that thread " + std::to_string(r.mutex_holder) + " holds";
  text += rung_text(r.leak.steps.back().rung);
  post(e, r, std::move(text));
}

void watch_list::post(const entry& e, record& r, std::string text) {
  auto& leak = r.leak;
  const auto& who = e.more->who;
  if (leak.record == 0)
    leak.record = ++last_record_;
  leak.at = now_;
  leak.elapsed = std::max(duration{}, now_ - leak.since);
  if (e.line->watched)
    leak.mailbox = e.line->activity.backlog.load(std::memory_order_relaxed);
  leak.children = children_of(e);
  leak.restarts = who.restarts;
  if (who.ctx) {
    leak.chain = chain_of(who.ctx);
    leak.deadline = who.ctx.deadline();
    leak.cause = who.ctx.done() ? text_of(who.ctx.cause()) : std::string{};
    leak.trace = who.ctx.trace();
  }
  leak.text = std::move(text);
  courier_.post({e.line->sink(), std::make_shared<leak_event>(leak), r.frames});
}

void watch_list::close(entry& e, leak_outcome how, std::string text) {
  auto r = std::move(e.more->open);
  r->leak.kind = event_kind::recovered;
  r->leak.outcome = how;
  if (const auto fenced = e.line->fenced(); fenced != 0)
    text +=
        "; " + std::to_string(fenced) +
        (fenced == 1 ? " message that it sent meanwhile was dropped" : " messages that it sent meanwhile were dropped");
  post(e, *r, std::move(text));
  if (!r->leak.blocked_behind.empty()) {
    // They go on now; if one does not, its time counts from here.
    for (auto& other : entries_) {
      if (other.more && other.more->open && other.more->open->blocked &&
          std::find(r->leak.blocked_behind.begin(), r->leak.blocked_behind.end(), other.line->path()) !=
              r->leak.blocked_behind.end()) {
        other.more->open = nullptr;
        other.since = clock_;
      }
    }
  }
  update_closer(e);
}

void watch_list::check_restarts(const watched_child& who) {
  const auto& most = who.spec.max_restarts;
  if (!most)
    return;
  if (who.restarts <= *most) {
    if (!storms_.empty())  // that was another supervisor's, which was killed while this child was to come back
      close_storm(who.line->path(), "its supervisor ended");
    return;
  }
  if (storms_.contains(who.line->path()))
    return;
  entry e;
  e.line = who.line.get();
  e.more = std::make_unique<details>();
  e.more->who = who;
  open(e, event_kind::runaway, now_);
  tell(e, event_kind::runaway,
       "restarted " + std::to_string(who.restarts) + " times, of at most " + std::to_string(*most));
  e.more->who.ctx = {};
  storms_.emplace(who.line->path(), std::move(e.more));
}

void watch_list::close_storm(const std::string& path, const std::string& why) {
  const auto storm = storms_.find(path);
  if (storm == storms_.end())
    return;
  entry last;
  last.line = storm->second->who.line.get();
  last.more = std::move(storm->second);
  close(last, leak_outcome::ended, why);
  storms_.erase(storm);
}

// An abandoned one has a successor.
void watch_list::replaced(const watched_child& by) {
  for (auto& e : entries_) {
    if (e.more->as != role::undead || !e.more->open || e.line->path() != by.line->path() ||
        e.line->incarnation() >= by.line->incarnation() || e.more->open->leak.outcome == leak_outcome::replaced)
      continue;
    auto& r = *e.more->open;
    step(r, leak_rung::replace);
    r.leak.outcome = leak_outcome::replaced;
    tell(e, event_kind::undead, "no longer waited for, and still there, " + doing(r.leak));
  }
}

// -- the ladder -------------------------------------------------------------------------------------------------------

void watch_list::begin_ladder(entry& e) {
  auto& r = *e.more->open;
  if (e.more->who.spec.action == watch_action::report || e.line->asked())
    r.climbing = false;
  else
    take_rung(e, leak_rung::cancel);
}

void watch_list::climb(entry& e) {
  auto& r = *e.more->open;
  const auto& spec = e.more->who.spec;
  if (r.returned && clock_ - *r.returned >= spec.grace) {
    close(e, leak_outcome::returned, "its handler returned");
    return;
  }
  // While its supervisor stops it, that owns the ladder (R24). A handler that came back is about to end.
  if (!r.climbing || r.blocked || r.returned || e.more->as != role::child || e.line->asked() || clock_ < r.next_rung)
    return;
  switch (r.leak.steps.back().rung) {
    case leak_rung::cancel:
      take_rung(e, leak_rung::interrupt);
      break;
    case leak_rung::interrupt:
      if (spec.action == watch_action::replace) {
        take_rung(e, leak_rung::kill);
        break;
      }
      // Its context is done, and it has not ended: its supervisor goes on from *wait* (R20).
      r.climbing = false;
      leave_to_supervisor(e);
      return;
    case leak_rung::kill:
      r.climbing = false;
      if (e.more->owner) {  // a task is given up with the worker that waits for it
        leave_to_supervisor(e);
        return;
      }
      seam::post_urgent(e.line->supervisor(), {envelope_kind::give_up, e.line->key(), {}});
      return;  // it says when it has
    default:
      return;
  }
  tell(e, r.leak.kind, doing(r.leak));
}

void watch_list::leave_to_supervisor(const entry& e) {
  const auto& line = e.more->owner ? *e.more->owner : *e.line;
  seam::post_urgent(line.supervisor(), {envelope_kind::child_done, line.key(), {}});
}

void watch_list::take_rung(entry& e, leak_rung rung) {
  auto& more = *e.more;
  auto& r = *more.open;
  step(r, rung);
  r.next_rung = clock_ + more.who.spec.grace;
  switch (rung) {
    case leak_rung::cancel:
      if (auto* node = access::get(more.who.ctx)) {
        const auto what = r.leak.opened_as == event_kind::stuck ? "its handler is stuck" : "it is beyond its limits";
        cause why(what, cause_origin::watchdog, r.leak.path);
        cancel(*node, {.why = cause_access::take(why)});
      }
      return;
    case leak_rung::interrupt:
      if (e.sequence % 2 == 1)
        looker_.interrupt(e.line->activity.thread.load(std::memory_order_relaxed));
      return;
    case leak_rung::kill:
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(more.who.handle))
        seam::exit_urgent(caf::actor_cast<caf::actor>(strong), caf::exit_reason::kill);
      return;
    default:
      return;
  }
}

}  // namespace libactor::detail
