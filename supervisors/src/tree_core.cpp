// SPDX-License-Identifier: BSL-1.0
#include "tree_core.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>

namespace libactor {

void family::add(std::uint64_t key, member who) {
  std::lock_guard guard{mutex_};
  members_.emplace_hint(members_.end(), key, std::move(who));
}

void family::remove(std::uint64_t key) {
  std::map<std::uint64_t, member>::node_type last;  // dropped after the lock
  std::lock_guard guard{mutex_};
  last = members_.extract(key);
}

std::vector<family::member> family::members() const {
  std::vector<member> all;
  std::lock_guard guard{mutex_};
  all.reserve(members_.size());
  for (const auto& [key, who] : members_)
    all.push_back(who);
  return all;
}

void family::collect(std::vector<member>& into) const {
  for (auto& who : members()) {
    into.push_back(who);
    if (who.below)
      who.below->collect(into);
  }
}

void event_hub::on_event(const event& what) noexcept {
  for (const auto& sink : sinks_)
    sink->on_event(what);
}

void tree_core::record(shutdown_entry entry) {
  std::lock_guard guard{mutex};
  entries.push_back(std::move(entry));
}

void tree_core::leave_behind(const caf::actor& whom) {
  std::lock_guard guard{mutex};
  abandoned.emplace_back(caf::actor_cast<caf::actor_control_block*>(whom));
}

std::size_t tree_core::left_behind() const {
  std::vector<caf::strong_actor_ptr> held;  // dropped after the lock
  std::size_t alive = 0;
  std::lock_guard guard{mutex};
  for (const auto& weak : abandoned) {
    held.push_back(caf::actor_cast<caf::strong_actor_ptr>(weak));
    if (held.back() && !held.back()->get()->getf(caf::abstract_actor::is_terminated_flag))
      ++alive;
  }
  return alive;
}

}  // namespace libactor
