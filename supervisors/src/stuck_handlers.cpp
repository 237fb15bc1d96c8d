// SPDX-License-Identifier: BSL-1.0
// Handlers that run for too long: which of them are to blame, and which only wait for another.
#include "watch_list.hpp"

#include <algorithm>

namespace libactor::detail {

using namespace std::chrono_literals;

struct watch_list::finding {
  std::size_t place;
  thread_look seen;
  int thread;
};

namespace {

// A thread that runs answers within microseconds; one that the machine has no time for, later.
constexpr duration answer_limit = 50ms;
constexpr std::size_t most_looks = 64;  // at one scan; the others' turn comes with the next

}  // namespace

// Only while the same handler runs: a thread goes on to other work.
void watch_list::look_at(entry& e, thread_look& seen) const {
  const auto& cell = e.line->activity;
  const auto sequence = cell.sequence.load(std::memory_order_acquire);
  if (sequence % 2 == 0)
    return;
  seen = looker_.look(cell.thread.load(std::memory_order_relaxed), answer_limit);
  if (cell.sequence.load(std::memory_order_acquire) != sequence)
    seen = {};
}

const watch_list::finding* watch_list::holder_of(const finding& of, const std::vector<finding>& all) const {
  if (of.seen.mutex_holder == 0)
    return nullptr;
  const auto i =
      std::find_if(all.begin(), all.end(), [&](const finding& x) { return x.thread == of.seen.mutex_holder; });
  return i != all.end() && &*i != &of ? &*i : nullptr;
}

// Follows who waits for whose mutex. Where that leads in a circle, the one whose handler began first is to blame (R24).
std::size_t watch_list::culprit_of(std::size_t at, const std::vector<finding>& all) const {
  std::vector<const finding*> seen{&all[at]};
  while (const auto* next = holder_of(*seen.back(), all)) {
    const auto again = std::find(seen.begin(), seen.end(), next);
    if (again == seen.end()) {
      seen.push_back(next);
      continue;
    }
    const auto first = std::min_element(again, seen.end(), [&](const finding* a, const finding* b) {
      const auto& x = entries_[a->place];
      const auto& y = entries_[b->place];
      return x.since != y.since ? x.since < y.since : x.more->who.actor < y.more->who.actor;
    });
    return (*first)->place;
  }
  return seen.back()->place;
}

void watch_list::list_behind(entry& culprit, const entry& blocked) {
  auto& list = culprit.more->open->leak.blocked_behind;
  if (std::find(list.begin(), list.end(), blocked.line->path()) == list.end())
    list.push_back(blocked.line->path());
}

void watch_list::notice(const std::vector<std::size_t>& places) {
  // Others are looked at and made up for meanwhile, which may take a while.
  const auto goes_on = [](const entry& e) {
    return e.line->activity.sequence.load(std::memory_order_acquire) == e.sequence;
  };
  std::vector<finding> all;
  for (const auto place : places) {
    if (all.size() == most_looks)
      break;
    auto& e = entries_[place];
    finding found{place, {}, e.line->activity.thread.load(std::memory_order_relaxed)};
    look_at(e, found.seen);
    if (goes_on(e))
      all.push_back(std::move(found));
  }
  const auto fresh = all.size();
  // Those that were reported before may be what these wait for.
  for (std::size_t place = 0; place != entries_.size(); ++place) {
    const auto& e = entries_[place];
    if (e.more->open && !e.more->open->blocked && e.sequence % 2 == 1) {
      thread_look known;
      known.mutex_holder = e.more->open->mutex_holder;
      all.push_back({place, std::move(known), e.line->activity.thread.load(std::memory_order_relaxed)});
    }
  }
  std::vector<std::size_t> to_tell;
  for (std::size_t i = 0; i != fresh; ++i) {
    auto& e = entries_[all[i].place];
    if (make_up_)
      make_up_(all[i].thread, e.more->who.actor);
    if (culprit_of(i, all) != all[i].place || !goes_on(e))
      continue;
    open(e, event_kind::stuck, now_ - (clock_ - e.since));
    take_look(e, std::move(all[i].seen));
    begin_ladder(e);
    to_tell.push_back(all[i].place);
  }
  for (std::size_t i = 0; i != fresh; ++i) {
    auto& e = entries_[all[i].place];
    auto& culprit = entries_[culprit_of(i, all)];
    if (e.more->open || !culprit.more->open || !goes_on(e))
      continue;
    open(e, event_kind::stuck, now_ - (clock_ - e.since)).blocked = true;
    list_behind(culprit, e);
    const auto place = static_cast<std::size_t>(&culprit - entries_.data());
    if (std::find(to_tell.begin(), to_tell.end(), place) == to_tell.end())
      to_tell.push_back(place);
  }
  for (const auto place : to_tell) {
    auto& e = entries_[place];
    tell(e, e.more->open->leak.kind, doing(e.more->open->leak));
  }
}

}  // namespace libactor::detail
