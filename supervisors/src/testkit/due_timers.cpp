// SPDX-License-Identifier: BSL-1.0
#include "testkit/due_timers.hpp"

#include "actor/caf_seam.hpp"
#include "runtime_core.hpp"

#include <algorithm>

namespace libactor::testkit {

using detail::runtime_core;

std::size_t due_timers::collect(context_runtime& contexts, const world_clock& clock, time_point at) {
  all_.clear();
  const auto sample = detail::seam::posting_hook({}, {});
  sample.drop(sample.data);
  // Each clock numbers its own: contexts with odd numbers only. They are told apart by the lowest bit.
  for (const auto& one : runtime_core::of(contexts).due_at(at.time_since_epoch().count()))
    all_.push_back({first_timer + 2 * one.number, one, runtime_core::call_of(one) != sample.fire});
  for (const auto& one : clock.due_at(at))
    all_.push_back({first_timer + 2 * one.second + 1, one, false});
  return all_.size();
}

void due_timers::offer(context_runtime& contexts, const world_clock& clock, std::vector<process>& into) {
  auto& core = runtime_core::of(contexts);
  std::erase_if(all_, [&](const timer& one) {
    const auto* of_context = std::get_if<context_timer>(&one.what);
    return of_context != nullptr ? !core.is_armed(*of_context) : !clock.is_set(std::get<world_clock::place>(one.what));
  });
  for (const auto& one : all_)
    into.push_back(one.number);
}

std::vector<due_timers::timer>::const_iterator due_timers::find(process which) const {
  return std::find_if(all_.begin(), all_.end(), [&](const timer& one) { return one.number == which; });
}

bool due_timers::may_do_anything(process which) const { return find(which)->may_do_anything; }

void due_timers::fire(context_runtime& contexts, world_clock& clock, process which) {
  const auto at = find(which);
  const auto what = at->what;
  all_.erase(at);
  if (const auto* of_context = std::get_if<context_timer>(&what))
    runtime_core::of(contexts).fire_one(*of_context);
  else
    clock.fire_one(std::get<world_clock::place>(what));
}

}  // namespace libactor::testkit
