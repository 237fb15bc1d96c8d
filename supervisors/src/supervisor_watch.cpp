// SPDX-License-Identifier: BSL-1.0
// What a supervisor tells the watchdog of its children, and does at its word.
#include "actor/caf_seam.hpp"
#include "actor/fence.hpp"
#include "lost_threads.hpp"
#include "supervisor_actor.hpp"
#include "supervisors/watchdog.hpp"

namespace libactor {

const watch_spec* supervisor_actor::watch_of(const child& c) const {
  if (c.spec->unwatched)
    return nullptr;
  const auto& spec = c.spec->watch ? c.spec->watch : inherited_watch_;
  return spec ? &*spec : nullptr;
}

watched_child supervisor_actor::watched(const child& c) const {
  return {c.handle->id(), caf::actor_cast<caf::weak_actor_ptr>(c.handle), c.line, c.own.ctx(), *watch_of(c), c.below(),
          c.restarts};
}

// Somebody below a child, who may have no supervisor that tells of its end.
watched_child supervisor_actor::watched_below(const child& c, const family::member& who) const {
  return {who.handle->id(),
          caf::actor_cast<caf::weak_actor_ptr>(who.handle),
          who.line,
          c.own.ctx(),
          *watch_of(c),
          who.below,
          0,
          detail::seam::flag_at_end(who.handle)};
}

// Those that are in the way of a child that must end: who waits for another of them is not (R24), nor one whose turn
// had not come.
void supervisor_actor::tell_late(const child& c) {
  if (watch_of(c) == nullptr || c.spec->effective_shutdown().is_brutal() || !c.own.ctx().done())
    return;
  const auto by = c.line->stop_by().value_or(now());
  const auto left = living_below(c);
  if (left.empty() && !detail::seam::has_ended(c.handle))
    core_->dog->late(watched(c), by);
  for (const auto& who : left) {
    const bool waits = who.line->task_count() != 0 || (who.below && who.below->size() != 0);
    if (who.line->watched && !waits && (who.line->asked() || !who.line->supervisor()))
      core_->dog->late(watched_below(c, who), by);
  }
}

void supervisor_actor::tell_orphans(const child& c, const std::vector<family::member>& left) {
  if (watch_of(c) == nullptr)
    return;
  for (const auto& who : left) {
    if (who.line->watched)
      core_->dog->orphaned(watched_below(c, who), now() - c.spec->kill_grace);
  }
}

// It was to come back, and will not.
void supervisor_actor::tell_gone(const child& c) {
  const auto* spec = watch_of(c);
  if (spec != nullptr && spec->max_restarts && c.restarts > *spec->max_restarts)
    core_->dog->gone(path_of(c));
}

// The tree goes on without it: what it still does reaches nobody, and the thread that it holds is made up for.
void supervisor_actor::leave_behind(const child& c, const caf::actor& whom, const std::shared_ptr<const lifeline>& line,
                                    const std::shared_ptr<family>& below) {
  detail::fence_off(*line, *core_->contexts);
  detail::make_up_for(system(), whom->id());
  core_->leave_behind(whom, line);
  if (watch_of(c) == nullptr || !line->watched)
    return;
  auto lost = watched_below(c, {whom, line, below});
  lost.restarts = line == c.line ? c.restarts : 0;
  core_->dog->abandoned(std::move(lost));
}

// This supervisor ends before its children.
void supervisor_actor::leave_alone(const child& c) {
  if (c.handle && c.line && watch_of(c) != nullptr)
    core_->dog->left_alone(c.handle->id(), detail::seam::flag_at_end(c.handle));
}

void supervisor_actor::give_up_stuck(child& c) {
  if (!c.asked && (c.state == child_state::running || c.state == child_state::starting))
    abandon(c, "killed by the watchdog, and still not ended");
}

}  // namespace libactor
