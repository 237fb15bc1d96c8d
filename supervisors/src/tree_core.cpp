// SPDX-License-Identifier: BSL-1.0
#include "tree_core.hpp"

#include "libactor/actor/reason.hpp"

#include <algorithm>
#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <utility>

namespace libactor {

void family::add(std::uint64_t key, member who) {
  const auto slot = slot_of(key);
  std::lock_guard guard{mutex_};
  while (slots_.size() <= slot)
    slots_.emplace_back();
  if (!slots_[slot].line)
    size_.fetch_add(1, std::memory_order_relaxed);
  slots_[slot] = std::move(who);
}

void family::remove(std::uint64_t key) {
  member last;  // dropped after the lock
  std::lock_guard guard{mutex_};
  const auto slot = slot_of(key);
  if (slot < slots_.size() && slots_[slot].line && slots_[slot].line->key() == key) {
    last = std::exchange(slots_[slot], {});
    size_.fetch_sub(1, std::memory_order_relaxed);
  }
}

void family::rest(resting_child who) {
  const auto slot = slot_of(who.key);
  std::lock_guard guard{mutex_};
  resting_.insert_or_assign(slot, std::move(who));
}

void family::forget(std::uint64_t key) {
  std::lock_guard guard{mutex_};
  resting_.erase(slot_of(key));
}

std::vector<family::member> family::peek() const {
  constexpr std::size_t at_once = 64;
  std::vector<member> all;
  std::size_t slot = 0;
  for (bool more = true; more;) {
    all.reserve(all.size() + at_once);
    std::lock_guard guard{mutex_};
    for (const auto end = std::min(slot + at_once, slots_.size()); slot < end; ++slot) {
      if (slots_[slot].line)
        all.push_back(slots_[slot]);
    }
    more = slot < slots_.size();
  }
  return all;
}

std::vector<family::resting_child> family::peek_resting() const {
  constexpr std::size_t at_once = 64;
  std::vector<resting_child> all;
  std::size_t slot = 0;
  for (bool more = true; more;) {
    std::lock_guard guard{mutex_};
    auto i = resting_.lower_bound(slot);
    for (std::size_t n = 0; n != at_once && i != resting_.end(); ++n, ++i) {
      all.push_back(i->second);
      slot = i->first + 1;
    }
    more = i != resting_.end();
  }
  return all;
}

std::vector<family::member> family::members() const {
  std::vector<member> all;
  {
    std::lock_guard guard{mutex_};
    all.reserve(slots_.size());
    for (const auto& who : slots_) {
      if (who.line)
        all.push_back(who);
    }
  }
  std::sort(all.begin(), all.end(), [](const member& a, const member& b) { return a.line->key() < b.line->key(); });
  return all;
}

std::optional<family::member> family::nearest(std::string_view path) const {
  std::lock_guard guard{mutex_};
  for (const auto& who : slots_) {
    if (who.line && who.line->leads_to(path))
      return who;
  }
  return std::nullopt;
}

void family::collect_tasks(const lifeline& of, std::vector<member>& into) {
  std::vector<lifeline::task> tasks;
  of.collect_tasks(tasks);
  for (auto& who : tasks)
    into.push_back({std::move(who.handle), std::move(who.line), nullptr});
}

void family::collect(std::vector<member>& into) const {
  for (auto& who : members()) {
    into.push_back(who);
    collect_tasks(*who.line, into);
    if (who.below)
      who.below->collect(into);
  }
}

std::optional<family::member> family::find(std::string_view path) const {
  auto who = nearest(path);
  while (who && who->line->path() != path)
    who = who->below != nullptr ? who->below->nearest(path) : std::nullopt;
  return who;
}

void event_hub::on_event(const event& what) noexcept {
  for (const auto& sink : sinks_)
    sink->on_event(what);
}

namespace {

// The child of `above` that a path's part names: in a dynamic supervisor each `id#number` is one.
const child_spec* child_named(const child_spec& above, std::string_view part) {
  if (const auto* fixed = std::get_if<static_supervisor>(&above.what)) {
    const auto i = std::find_if(fixed->children.begin(), fixed->children.end(),
                                [&](const auto& child) { return child.id == part && child.enabled; });
    return i == fixed->children.end() ? nullptr : &*i;
  }
  const auto* pool = std::get_if<dynamic_supervisor>(&above.what);
  const auto mark = part.rfind('#');
  const bool is_numbered =
      mark < part.size() - 1 && part.find_first_not_of("0123456789", mark + 1) == std::string_view::npos;
  return pool != nullptr && is_numbered && part.substr(0, mark) == pool->child->id ? pool->child.get() : nullptr;
}

const child_spec* spec_at(const child_spec& root, std::string_view path) {
  const child_spec* here = nullptr;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const auto part = path.substr(0, path.find('/'));
    here = here == nullptr ? (part == root.id ? &root : nullptr) : child_named(*here, part);
    if (here == nullptr)
      return nullptr;
    path.remove_prefix(part.size());
  }
  return here;
}

}  // namespace

bool tree_core::lists(std::string_view path) const noexcept { return spec_at(*root, path) != nullptr; }

caf::expected<caf::actor> tree_core::ref(caf::actor_system& system, std::string_view path) {
  const auto family = kin.lock();
  const auto* spec = spec_at(*root, path);
  if (spec == nullptr && (family == nullptr || !family->find(path)))
    return make_error(errc::not_found, "the tree has no " + std::string(path));
  auto made =
      addresses.at(system, std::string(path), spec != nullptr ? spec->address_hold : std::nullopt, contexts, hub);
  // A supervisor that finds no addresses in the book when its child is up has noted before that it is: that is seen
  // here. One that is still starting is bound by its supervisor.
  if (auto who = family != nullptr ? family->find(path) : std::nullopt;
      who && who->line->stage() != static_cast<std::uint8_t>(child_state::starting))
    static_cast<stable_address*>(caf::actor_cast<caf::abstract_actor*>(made))->bind_first(who->handle);
  return made;
}

void tree_core::record(shutdown_entry entry, const lifeline& of) {
  std::lock_guard guard{mutex};
  // One that was abandoned has its entry already, should it end after all.
  const auto is_of = [&](const auto& lost) { return lost.line.get() == &of; };
  if (!entry.abandoned && std::any_of(abandoned.begin(), abandoned.end(), is_of))
    return;
  entries.push_back(std::move(entry));
}

void tree_core::leave_behind(const caf::actor& whom, std::shared_ptr<const lifeline> line) {
  std::lock_guard guard{mutex};
  abandoned.push_back({caf::weak_actor_ptr{caf::actor_cast<caf::actor_control_block*>(whom)}, std::move(line)});
}

std::vector<family::member> tree_core::left_behind() const {
  std::vector<family::member> alive;
  std::vector<caf::strong_actor_ptr> held;  // dropped after the lock
  std::lock_guard guard{mutex};
  for (const auto& lost : abandoned) {
    held.push_back(caf::actor_cast<caf::strong_actor_ptr>(lost.handle));
    if (held.back() && !held.back()->get()->getf(caf::abstract_actor::is_terminated_flag))
      alive.push_back({caf::actor_cast<caf::actor>(held.back()), lost.line, nullptr});
  }
  return alive;
}

}  // namespace libactor
