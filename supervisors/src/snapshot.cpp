// SPDX-License-Identifier: BSL-1.0
#include "supervisors/snapshot.hpp"

#include "actor/caf_seam.hpp"
#include "context_chain.hpp"
#include "libactor/actor/context_actor.hpp"
#include "libactor/actor/scheduler.hpp"
#include "supervisors/tree_text.hpp"
#include "take_snapshot.hpp"
#include "watch_list.hpp"

#include <algorithm>
#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace libactor {

const char* to_string(tree_node::type what) noexcept {
  switch (what) {
    case tree_node::type::supervisor:
      return "supervisor";
    case tree_node::type::worker:
      return "worker";
    case tree_node::type::task:
      return "task";
  }
  return "unknown";
}

namespace detail {

namespace {

std::string kind_of(const child_spec& spec) {
  if (const auto* kind = std::get_if<kind_child>(&spec.what))
    return kind->kind;
  if (const auto* fixed = std::get_if<static_supervisor>(&spec.what))
    return to_string(fixed->strategy);
  return std::holds_alternative<dynamic_supervisor>(spec.what) ? "dynamic" : "";
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// What there is to know of one child, before its place in the whole is known.
struct found {
  tree_node node;
  std::uint64_t key = 0;  // of two children that no specification orders, the greater one is the later
  std::size_t order = SIZE_MAX;
  std::shared_ptr<const lifeline> line;  // null: it rests
  std::shared_ptr<family> below;         // of a supervisor
};

class looker {
 public:
  looker(caf::actor_system& system, const tree_core& core) {
    out_.taken = core.contexts->now();
    if (const auto* pool = scheduler::of(system)) {
      for (const auto& thread : pool->threads()) {
        if (thread.sequence % 2 == 1 && thread.actor != 0)
          turns_.emplace(thread.actor, thread.thread);
      }
    }
  }

  tree_snapshot look(const family& guardian) {
    add_all(children_of(guardian, ""), 0);
    while (!to_do_.empty()) {
      auto next = std::move(to_do_.back());
      to_do_.pop_back();
      const auto place = out_.nodes.size();
      next.child.node.parent = out_.nodes.empty() ? 0 : next.parent;
      out_.nodes.push_back(std::move(next.child.node));
      const auto& [node, key, order, line, below] = next.child;
      if (line == nullptr)
        continue;
      if (below != nullptr)
        add_all(children_of(*below, line->path()), place);
      add_all(tasks_of(*line), place);
    }
    return std::move(out_);
  }

 private:
  struct pending {
    found child;
    std::size_t parent;
  };

  // Of what is added, the first comes next.
  void add_all(std::vector<found> all, std::size_t parent) {
    for (auto i = all.rbegin(); i != all.rend(); ++i)
      to_do_.push_back({std::move(*i), parent});
  }

  std::vector<found> children_of(const family& of, const std::string& above) const;
  std::vector<found> tasks_of(const lifeline& of) const;
  void add_specified(const child_spec& spec, const std::string& above, std::vector<found>& all) const;
  found child(const family::member& who) const;
  found resting(const family::resting_child& who) const;
  void look_into(tree_node& node, const caf::actor& handle, const lifeline& line) const;

  tree_snapshot out_;
  std::vector<pending> to_do_;  // the next one is last
  std::unordered_map<std::uint64_t, int> turns_;
};

void looker::look_into(tree_node& node, const caf::actor& handle, const lifeline& line) const {
  const auto& cell = line.activity;
  node.actor = handle.id();
  if (line.watched) {
    const auto sequence = cell.sequence.load(std::memory_order_acquire);
    node.busy = sequence % 2 == 1;
    node.mailbox = cell.backlog.load(std::memory_order_relaxed);
    if (node.busy) {
      if (const auto since = line.busy_since())
        node.busy_for = std::max(duration{}, out_.taken - *since);
      node.thread = cell.thread.load(std::memory_order_relaxed);
      node.message_type = message_of(cell);
    }
  } else if (const auto turn = turns_.find(node.actor); turn != turns_.end()) {
    node.busy = true;
    node.thread = turn->second;
  } else if (seam::waits(handle)) {
    node.mailbox = 0;
  }
  auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
  // What an actor was made with does not change while it exists.
  if (const auto* in_context = dynamic_cast<const context_actor*>(actor)) {
    const auto& ctx = in_context->ctx();
    node.chain = chain_of(ctx);
    node.deadline = ctx.deadline();
    node.cause = text_of(ctx.cause());
    node.trace = ctx.trace();
  }
}

found looker::child(const family::member& who) const {
  found one;
  auto& node = one.node;
  node.path = who.line->path();
  node.what = who.below ? tree_node::type::supervisor : tree_node::type::worker;
  if (who.kind != nullptr)
    node.kind = *who.kind;
  else if (who.below && who.below->spec() != nullptr)
    node.kind = kind_of(*who.below->spec());
  node.state = static_cast<child_state>(who.line->stage());
  node.incarnation = who.line->incarnation();
  node.restarts = who.restarts;
  node.age = std::max(duration{}, out_.taken - who.born);
  look_into(node, who.handle, *who.line);
  one.key = who.line->key();
  one.line = who.line;
  one.below = who.below;
  return one;
}

found looker::resting(const family::resting_child& who) const {
  found one;
  one.node.path = who.path;
  one.node.what = who.is_supervisor ? tree_node::type::supervisor : tree_node::type::worker;
  one.node.kind = who.kind;
  one.node.state = who.state;
  one.node.incarnation = who.incarnation;
  one.node.restarts = who.restarts;
  one.key = who.key;
  return one;
}

std::vector<found> looker::children_of(const family& of, const std::string& above) const {
  // One that rests and comes up, or the other way round, while this looks is in one of the three.
  auto rest = of.peek_resting();
  const auto members = of.peek();
  for (auto& who : of.peek_resting())
    rest.push_back(std::move(who));
  std::vector<found> all;
  all.reserve(members.size() + rest.size());
  std::unordered_set<std::string_view> known;  // the paths are those of lifelines, or of `rest`
  for (const auto& who : members) {
    if (known.insert(who.line->path()).second)
      all.push_back(child(who));
  }
  for (const auto& who : rest) {
    if (known.insert(who.path).second)
      all.push_back(resting(who));
  }
  if (of.spec() != nullptr)
    add_specified(*of.spec(), above, all);
  std::sort(all.begin(), all.end(),
            [](const found& a, const found& b) { return std::pair(a.order, a.key) < std::pair(b.order, b.key); });
  return all;
}

// The order of the specification, and those that it lists and that have never been up.
void looker::add_specified(const child_spec& spec, const std::string& above, std::vector<found>& all) const {
  const auto* fixed = std::get_if<static_supervisor>(&spec.what);
  if (fixed == nullptr) {
    if (const auto* pool = std::get_if<dynamic_supervisor>(&spec.what); pool != nullptr && pool->child) {
      for (auto& one : all)
        one.node.kind = one.node.kind.empty() ? kind_of(*pool->child) : one.node.kind;
    }
    return;
  }
  std::unordered_map<std::string_view, std::size_t> places;
  const auto specified = start_order(*fixed);
  for (std::size_t i = 0; i != specified.size(); ++i) {
    if (specified[i]->enabled)
      places.emplace(specified[i]->id, i);
  }
  std::vector<bool> seen(specified.size());
  for (auto& one : all) {
    const auto place = places.find(last_part(one.node.path));
    if (place == places.end())
      continue;
    one.order = place->second;
    seen[one.order] = true;
    if (one.node.kind.empty())
      one.node.kind = kind_of(*specified[one.order]);
  }
  for (const auto& [id, place] : places) {
    if (seen[place])
      continue;
    found one;
    one.node.path = above + '/' + std::string(id);
    one.node.what = specified[place]->is_supervisor() ? tree_node::type::supervisor : tree_node::type::worker;
    one.node.kind = kind_of(*specified[place]);
    one.order = place;
    all.push_back(std::move(one));
  }
}

std::vector<found> looker::tasks_of(const lifeline& of) const {
  std::vector<found> all;
  for (auto& who : of.peek_tasks()) {
    found one;
    one.node.path = who.line->path();
    one.node.what = tree_node::type::task;
    one.node.state = child_state::running;
    one.node.incarnation = who.line->incarnation();
    look_into(one.node, who.handle, *who.line);
    one.key = who.line->key();
    one.line = std::move(who.line);
    all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const found& a, const found& b) { return a.key < b.key; });
  return all;
}

}  // namespace

tree_snapshot take_snapshot(caf::actor_system& system, const tree_core& core, const family& guardian) {
  return looker(system, core).look(guardian);
}

}  // namespace detail
}  // namespace libactor
