// SPDX-License-Identifier: BSL-1.0
#include "watch_list.hpp"

#include "actor/caf_seam.hpp"
#include "tree_core.hpp"

#include <algorithm>
#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <utility>

namespace libactor::detail {

namespace {

using namespace std::chrono_literals;

bool has_limits(const watch_spec& spec) noexcept { return spec.max_mailbox || spec.max_children; }

bool has_ended(const watched_child& who) {
  if (who.over)
    return who.over->load(std::memory_order_acquire);
  if (!who.handle)
    return false;
  const auto strong = caf::actor_cast<caf::strong_actor_ptr>(who.handle);
  return !strong || strong->get()->getf(caf::abstract_actor::is_terminated_flag);
}

}  // namespace

// Four looks within the shortest limit: a report is less than two of them late.
duration watch_list::period_for(const watch_spec& spec) noexcept {
  return std::clamp<duration>(std::min(spec.stuck_after, spec.grace) / 4, 1ms, 1s);
}

// -- what supervisors tell --------------------------------------------------------------------------------------------

watch_list::entry& watch_list::entry_of(watched_child who) {
  const auto known = places_.find(who.actor);
  if (known != places_.end())
    return entries_[known->second];
  period_ = std::min(period_, period_for(who.spec));
  places_.emplace(who.actor, entries_.size());
  entry e;
  e.line = who.line.get();
  e.sequence = e.line->activity.sequence.load(std::memory_order_acquire);
  e.since = clock_;
  if (e.sequence % 2 == 1) {  // it has begun to work before this came to be known
    e.line->note_handler_seen(e.sequence, now_);
    busy_at_first_.push_back(who.actor);
  }
  e.stuck_after = who.spec.stuck_after;
  e.more = std::make_unique<details>();
  e.more->who = std::move(who);
  entries_.push_back(std::move(e));
  update_closer(entries_.back());
  return entries_.back();
}

void watch_list::update_closer(entry& e) const noexcept {
  const auto& more = *e.more;
  e.looks_closer = has_limits(more.who.spec) || more.open != nullptr || more.who.over != nullptr;
}

void watch_list::add(watched_child who) {
  now_ = contexts_.now();
  if (undead_ != 0)
    replaced(who);
  check_restarts(who);
  entry_of(std::move(who));
}

void watch_list::erase(std::size_t place) {
  auto& gone = entries_[place];
  if (gone.more->as == role::undead)
    --undead_;
  if (period_for(gone.more->who.spec) <= period_)
    period_is_stale_ = true;
  places_.erase(gone.more->who.actor);
  if (place + 1 != entries_.size()) {
    gone = std::move(entries_.back());
    places_[gone.more->who.actor] = place;
  }
  entries_.pop_back();
}

void watch_list::remove(std::uint64_t actor, const std::string& reason, bool for_good) {
  now_ = contexts_.now();
  const auto known = places_.find(actor);
  if (known == places_.end())
    return;
  auto& e = entries_[known->second];
  if (for_good && !storms_.empty())
    close_storm(e.line->path(), "ended: " + reason);
  if (e.more->as != role::child)
    return;  // it lives on, and says itself when it ends
  if (e.more->open && !e.more->open->blocked)
    close(e, leak_outcome::ended, "ended: " + reason);
  erase(places_.at(actor));
}

void watch_list::gone(const std::string& path) {
  now_ = contexts_.now();
  close_storm(path, "it is not restarted any more");
}

void watch_list::late(watched_child who, time_point stop_by, bool killed) {
  now_ = contexts_.now();
  auto& e = entry_of(std::move(who));
  const bool fresh = e.more->open == nullptr || e.more->open->blocked;
  if (!fresh && e.more->open->leak.kind != event_kind::stuck && e.more->open->leak.kind != event_kind::runaway)
    return;  // said already
  auto& r = fresh ? open(e, event_kind::overdue, stop_by) : *e.more->open;
  if (fresh) {
    thread_look seen;
    look_at(e, seen);
    take_look(e, std::move(seen));
  }
  if (killed)
    step(r, leak_rung::kill);
  tell(e, event_kind::overdue, "still alive at its stop-by, " + doing(r.leak));
}

void watch_list::orphaned(watched_child who, time_point since) {
  now_ = contexts_.now();
  const auto over = who.over;
  auto& e = entry_of(std::move(who));
  e.more->as = role::orphan;
  e.more->who.over = over;
  update_closer(e);
  if (e.more->open && !e.more->open->blocked)
    return;
  auto& r = open(e, event_kind::orphan, since);
  thread_look seen;
  look_at(e, seen);
  take_look(e, std::move(seen));
  tell(e, event_kind::orphan, "what it belonged to has ended, and it lives on, " + doing(r.leak));
}

void watch_list::left_alone(std::uint64_t actor, std::shared_ptr<const std::atomic<bool>> over) {
  const auto known = places_.find(actor);
  if (known == places_.end())
    return;
  auto& e = entries_[known->second];
  e.more->who.over = std::move(over);
  update_closer(e);
}

void watch_list::abandoned(watched_child who) {
  now_ = contexts_.now();
  const auto over = who.over;
  auto& e = entry_of(std::move(who));
  e.more->who.over = over;
  if (std::exchange(e.more->as, role::undead) != role::undead)
    ++undead_;
  const bool fresh = e.more->open == nullptr || e.more->open->blocked;
  auto& r = fresh ? open(e, event_kind::undead, now_) : *e.more->open;
  thread_look seen;
  look_at(e, seen);
  take_look(e, std::move(seen));
  if (e.line->asked() || fresh)
    step(r, leak_rung::kill);  // its supervisor's, before it gave it up
  step(r, leak_rung::abandon);
  r.leak.outcome = leak_outcome::abandoned;
  tell(e, event_kind::undead, "no longer waited for, and still there, " + doing(r.leak));
}

// -- looks ------------------------------------------------------------------------------------------------------------

void watch_list::scan(time_point now, duration credit) {
  constexpr std::size_t ahead = 8;
  now_ = now;
  clock_ += credit;
  // The time since the last look is that of those which were there.
  for (const auto actor : std::exchange(busy_at_first_, {})) {
    if (const auto known = places_.find(actor); known != places_.end())
      entries_[known->second].since = clock_;
  }
  next_look_ = std::nullopt;
  std::vector<std::size_t> busy_too_long;
  std::vector<std::size_t> over;
  for (std::size_t i = 0; i != entries_.size(); ++i) {
    if (i + ahead < entries_.size())
      __builtin_prefetch(entries_[i + ahead].line);
    if (entries_[i].line->has_had_tasks() && entries_[i].line->task_count() != 0) [[unlikely]]
      add_tasks(i);
    auto& e = entries_[i];
    const auto sequence = e.line->activity.sequence.load(std::memory_order_acquire);
    if (sequence % 2 == 1 || sequence != e.sequence) [[unlikely]]
      look_at_latest(now_ + period_);
    if (sequence != e.sequence)
      moved(e, sequence);
    else if (sequence % 2 == 1 && clock_ - e.since >= e.stuck_after && !e.more->open)
      busy_too_long.push_back(i);
    if (e.line->asked()) [[unlikely]] {
      check_stop_by(e);
      if (const auto stop_by = e.line->stop_by(); stop_by && now_ <= *stop_by)
        look_at_latest(*stop_by + period_);
    }
    if (!e.looks_closer) [[likely]]
      continue;
    if (is_over(e)) {
      over.push_back(i);
      continue;
    }
    check_limits(e);
    if (e.more->open) {
      climb(e);
      if (is_climbing(e))
        look_at_latest(now_ + period_);
    }
  }
  if (!busy_too_long.empty())
    notice(busy_too_long);
  for (auto place = over.rbegin(); place != over.rend(); ++place)
    erase(*place);
  // Here and not at once: a child that restarts is away for a moment only.
  if (std::exchange(period_is_stale_, false)) {
    period_ = infinite;
    for (const auto& e : entries_)
      period_ = std::min(period_, period_for(e.more->who.spec));
  }
}

// A worker's tasks are watched like itself; they are no children of a supervisor, and so are found here.
void watch_list::add_tasks(std::size_t place) {
  const auto owner = entries_[place].more->who;  // a copy: entries move
  if (owner.below || entries_[place].more->as != role::child)
    return;
  std::vector<lifeline::task> tasks;
  owner.line->collect_tasks(tasks);
  for (const auto& task : tasks) {
    if (!task.line->watched || places_.contains(task.handle->id()))
      continue;
    watched_child who{task.handle->id(),
                      caf::actor_cast<caf::weak_actor_ptr>(task.handle),
                      task.line,
                      owner.ctx,
                      owner.spec,
                      {},
                      0,
                      seam::flag_at_end(task.handle)};
    who.spec.max_children = who.spec.max_restarts = std::nullopt;
    entry_of(std::move(who)).more->owner = owner.line;
  }
  // The last to hold an actor takes it apart, which is not for this thread.
  std::erase_if(tasks, [](const auto& task) {
    return caf::actor_cast<caf::actor_control_block*>(task.handle)->strong_refs.load(std::memory_order_relaxed) > 1;
  });
  if (!tasks.empty())
    courier_.drop(std::move(tasks));
}

// Another handler runs, or none.
void watch_list::moved(entry& e, std::uint64_t sequence) {
  e.sequence = sequence;
  e.since = clock_;
  if (sequence % 2 == 1)
    e.line->note_handler_seen(sequence, now_);
  if (!e.looks_closer) [[likely]]
    return;
  auto& r = e.more->open;
  if (!r)
    return;
  if (r->blocked) {
    r = nullptr;
    return;
  }
  if (e.more->as == role::undead) {
    close(e, leak_outcome::returned, "its handler returned");
    e.more->who.over = std::make_shared<const std::atomic<bool>>(true);  // nothing more to see
    return;
  }
  if (r->leak.opened_as != event_kind::stuck || r->leak.kind == event_kind::overdue)
    return;
  // Once it was told to end it does so next; that is told when it has.
  if (r->leak.steps.back().rung >= leak_rung::cancel)
    r->returned = clock_;
  else
    close(e, leak_outcome::returned, "its handler returned");
}

// Whether there is nothing more to watch.
bool watch_list::is_over(entry& e) {
  auto& more = *e.more;
  if (!more.who.over || !more.who.over->load(std::memory_order_acquire))
    return false;
  if (more.open && !more.open->blocked)
    close(e, leak_outcome::ended, "ended");
  return true;
}

std::uint64_t watch_list::children_of(const entry& e) const {
  return e.more->who.below ? e.more->who.below->size() : e.line->task_count();
}

void watch_list::check_limits(entry& e) {
  auto& more = *e.more;
  const auto& spec = more.who.spec;
  if (more.as != role::child || !has_limits(spec) || (more.open && more.open->leak.opened_as != event_kind::runaway))
    return;
  // What piles up behind a handler that goes on and on says only that it does: it returns, or is stuck.
  if (!more.open && e.sequence % 2 == 1 && e.since != clock_)
    return;
  const auto unread = spec.max_mailbox ? e.line->activity.backlog.load(std::memory_order_relaxed) : 0;
  const auto children = spec.max_children ? children_of(e) : 0;
  const bool mailbox_over = spec.max_mailbox && unread > *spec.max_mailbox;
  const bool children_over = spec.max_children && children > *spec.max_children;
  if (more.open) {
    // Half of it, so that what swings around its limit is told once.
    if ((!spec.max_mailbox || unread <= *spec.max_mailbox / 2) &&
        (!spec.max_children || children <= *spec.max_children / 2) && !more.open->returned)
      close(e, leak_outcome::returned, "within its limits again");
    return;
  }
  if (!mailbox_over && !children_over)
    return;
  open(e, event_kind::runaway, now_);
  thread_look seen;
  look_at(e, seen);
  take_look(e, std::move(seen));
  begin_ladder(e);
  tell(e, event_kind::runaway,
       mailbox_over ? std::to_string(unread) + " messages stand unread, of at most " + std::to_string(*spec.max_mailbox)
                    : std::to_string(children) + " children live, of at most " + std::to_string(*spec.max_children));
}

bool watch_list::is_climbing(const entry& e) noexcept {
  const auto& r = e.more->open;
  return r && ((r->climbing && !r->blocked && e.more->as == role::child) || r->returned);
}

void watch_list::look_at_latest(time_point when) noexcept { next_look_ = std::min(next_look_.value_or(when), when); }

// A parent that waits for its child is not overdue (R24).
void watch_list::check_stop_by(entry& e) {
  const auto stop_by = e.line->stop_by();
  if (!stop_by || now_ <= *stop_by || e.more->as != role::child || (e.more->open && !e.more->open->blocked) ||
      children_of(e) != 0 || has_ended(e.more->who))
    return;
  late(e.more->who, *stop_by, false);
}

}  // namespace libactor::detail
