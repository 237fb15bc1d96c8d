// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. A timer stands in `timers_` and in `by_owner_`.
//  2. No code of others runs with `mutex_` held: neither a message's nor an actor's end.
#include "testkit/world_clock.hpp"

#include "testkit/step_watch.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/group.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <memory>

namespace libactor::testkit {

namespace {

std::uint64_t number_of(caf::atom_value type) noexcept { return static_cast<std::uint64_t>(type); }

}  // namespace

world_clock::time_point world_clock::now() const noexcept {
  return contexts_ != nullptr ? contexts_->now() : time_point{};
}

std::optional<time_point> world_clock::next_due() const {
  const std::lock_guard guard{mutex_};
  if (timers_.empty())
    return std::nullopt;
  return timers_.begin()->first.first;
}

world_clock::timer world_clock::take_out(std::map<place, timer>::iterator at) {
  const auto [from, to] = by_owner_.equal_range(at->second.name.owner);
  by_owner_.erase(std::find_if(from, to, [&](const auto& one) { return one.second == at->first; }));
  auto taken = std::move(at->second);
  timers_.erase(at);
  return taken;
}

void world_clock::fire_due(time_point at) {
  std::vector<timer> due;
  {
    const std::lock_guard guard{mutex_};
    while (!timers_.empty() && timers_.begin()->first.first <= at)
      due.push_back(take_out(timers_.begin()));
  }
  for (const auto& one : due) {
    if (watch_ != nullptr)
      watch_->fired(one.set_by);
    one.fire();
  }
}

std::vector<world_clock::place> world_clock::due_at(time_point at) const {
  const std::lock_guard guard{mutex_};
  std::vector<place> all;
  for (auto i = timers_.begin(); i != timers_.end() && i->first.first <= at; ++i)
    all.push_back(i->first);
  return all;
}

bool world_clock::is_set(const place& one) const {
  const std::lock_guard guard{mutex_};
  return timers_.contains(one);
}

void world_clock::fire_one(const place& one) {
  std::unique_lock lock{mutex_};
  const auto at = timers_.find(one);
  if (at == timers_.end())
    return;
  const auto due = take_out(at);
  lock.unlock();
  if (watch_ != nullptr)
    watch_->fired(due.set_by);
  due.fire();
}

void world_clock::add(time_point t, label name, std::function<void()> fire) {
  const std::lock_guard guard{mutex_};
  const place at{t, ++last_number_};
  timers_.emplace(at, timer{name, std::move(fire), watch_ != nullptr ? watch_->now() : 0});
  by_owner_.emplace(name.owner, at);
}

template <class Gone>
void world_clock::cancel(caf::actor_id owner, Gone gone) {
  std::vector<timer> dropped;  // after the lock
  const std::lock_guard guard{mutex_};
  const auto [from, to] = by_owner_.equal_range(owner);
  for (auto i = from; i != to;) {
    const auto found = timers_.find(i->second);
    if (!gone(found->second.name)) {
      ++i;
      continue;
    }
    dropped.push_back(std::move(found->second));
    timers_.erase(found);
    i = by_owner_.erase(i);
  }
}

void world_clock::set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                                       std::uint64_t id) {
  cancel_ordinary_timeout(self, type);
  add(t, {self->id(), kind::receive, number_of(type)}, [who = caf::strong_actor_ptr{self->ctrl()}, type, id] {
    who->get()->eq_impl(caf::make_message_id(), who, nullptr, caf::timeout_msg{type, id});
  });
}

void world_clock::set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) {
  add(t, {self->id(), kind::other, number_of(type)}, [who = caf::strong_actor_ptr{self->ctrl()}, type, id] {
    who->get()->eq_impl(caf::make_message_id(), who, nullptr, caf::timeout_msg{type, id});
  });
}

void world_clock::set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) {
  add(t, {self->id(), kind::request, id.integer_value()}, [who = caf::strong_actor_ptr{self->ctrl()}, id] {
    who->get()->eq_impl(id, who, nullptr, caf::sec::request_timeout);
  });
}

void world_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  cancel(self->id(), [&](const label& x) { return x.what == kind::receive && x.number == number_of(type); });
}

void world_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  cancel(self->id(), [&](const label& x) { return x.what == kind::request && x.number == id.integer_value(); });
}

void world_clock::cancel_timeouts(caf::abstract_actor* self) {
  cancel(self->id(), [](const label&) { return true; });
}

void world_clock::schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) {
  const auto owner = receiver->id();
  const auto letter = std::make_shared<caf::mailbox_element_ptr>(std::move(content));
  add(t, {owner, kind::other, 0},
      [receiver = std::move(receiver), letter] { receiver->enqueue(std::move(*letter), nullptr); });
}

void world_clock::schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                                   caf::message content) {
  add(t, {0, kind::other, 0}, [target = std::move(target), sender = std::move(sender), content = std::move(content)] {
    target->eq_impl(caf::make_message_id(), sender, nullptr, content);
  });
}

void world_clock::cancel_all() {
  std::map<place, timer> dropped;  // after the lock
  const std::lock_guard guard{mutex_};
  dropped.swap(timers_);
  by_owner_.clear();
}

}  // namespace libactor::testkit
