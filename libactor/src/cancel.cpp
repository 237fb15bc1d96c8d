// SPDX-License-Identifier: BSL-1.0

// How a cancel goes through a subtree: in post-order, without recursion, by any number of threads at once. Each takes
// the last member of a node's bag; one that has something below it stays there, pinned, while the thread goes down, and
// leaves when its own bag is empty. So a thread that meets another's cancel finds what that one has not marked yet, and
// does it too (invariant 5 of context_node.hpp). Hooks are collected on the way and fired at the end.

#include "context_node.hpp"
#include "delivery.hpp"
#include "hook_node.hpp"
#include "runtime_core.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace libactor::detail {

thread_local constinit bulk_delivery bulk_here;

namespace {

constexpr std::uint32_t prefetch_distance = 16;

bool is_plain(const context_node& node) noexcept {
  return node.what() == node_kind::cancel || node.what() == node_kind::deadline;
}

class sweep {
 public:
  explicit sweep(bool now) noexcept : now_{now} {}

  // Requires: `node` is locked, its word is `word`, and it is not done. Returns the word that ends it. Takes over `why`
  // where it is `owned`. `kin` is of the same runtime: the node's own second cache line is left alone where it can be.
  std::uint64_t mark(context_node& node, const context_node& kin, std::uint64_t word, bool expired,
                     const cause_rep* why, bool owned) noexcept;
  // What follows a mark, with no lock held. The caller keeps the node alive.
  void after_mark(context_node& node) noexcept;
  // Takes what is to be told of the end of a boundary, and leaves what is below it.
  void take_hooks(context_node& node) noexcept;
  // Marks everything below `root`, which is done.
  void run(context_node& root) noexcept;
  void deliver() noexcept { delivery_.run(); }

 private:
  struct member {
    std::uintptr_t cell;
    std::uintptr_t tag() const noexcept { return cell & tag_mask; }
    registry_link& link() const noexcept { return *static_cast<registry_link*>(untagged(cell)); }
    merge_link& merge() const noexcept { return static_cast<merge_link&>(link()); }
    context_node& node() const noexcept { return tag() == merge_tag ? *merge().target : node_of(cell); }
  };
  enum class outcome {
    next,     // the member was dealt with; the registry is still locked
    again,    // the same, but the registry was unlocked
    descend,  // go below the member, which is pinned; the registry was unlocked
  };

  context_node* step(context_node& node) noexcept;
  bool mark_bare(context_node& node, context_node& child) noexcept;
  outcome visit(context_node& node, locked_registry& held, member m) noexcept;
  std::uint64_t mark_below(context_node& node, context_node& child, std::uint64_t word, bool by_merge) noexcept;
  context_node* ascend(context_node& node) noexcept;

  struct merge_frame {
    context_node* from;
    merge_link* link;
  };
  bool now_;
  delivery delivery_;
  std::vector<merge_frame> frames_;  // where the way down went through a second parent
};

bool needs_after_mark(const context_node& node) noexcept {
  return (node.word.load(std::memory_order_relaxed) & node_head::has_timer) != 0 || node.what() == node_kind::merged ||
         node.what() == node_kind::foreign;
}

std::uint64_t sweep::mark(context_node& node, const context_node& kin, std::uint64_t word, bool expired,
                          const cause_rep* why, bool owned) noexcept {
  if ((word & node_head::owns_cause) != 0)
    release(node.why);
  node.why = why;
  if (kin.core != nullptr && kin.core->observed()) [[unlikely]] {
    const auto what = expired ? context_event::what::expired : context_event::what::canceled;
    delivery_.push(*node.core, node.core->event_of(what, node, why));
  }
  if ((word & node_head::has_stop) != 0 && node.settled_head != 0) [[unlikely]] {
    delivery_.push(*reinterpret_cast<hook_node*>(node.settled_head));
    node.settled_head = 0;
  }
  word &= ~node_head::owns_cause;
  return word | node_head::done_bit | (expired ? node_head::expired : 0) | (owned ? node_head::owns_cause : 0);
}

}  // namespace

// Takes a node that is done out of its parents' registries, unless something is below it that a cancel through them has
// to find: `cancel_now` what is settled, any other what is not marked yet.
void leave_registries(context_node& node, bool now) noexcept {
  if (node.what() == node_kind::root)
    return;
  const auto leave = [&](context_node& owner, registry_link& link, std::uint8_t shard) {
    locked_registry held{owner, shard};
    if (!link.registered())
      return;
    const auto word = lock(node.word);
    const bool keep = !node.bag.empty() || (!now && node.settled_head != 0);
    unlock(node.word, word);
    if (!keep)
      unregister(held.bag(), link);
  };
  auto& owner = *node.parent->lifeline();
  if ((owner.word.load(std::memory_order_relaxed) & node_head::never) == 0)
    leave(owner, node, node.shard);
  if (node.what() == node_kind::merged) {
    auto& link = payload_as<merge_link>(node);
    if (link.owner != nullptr)
      leave(*link.owner, link, link.shard);
  }
}

namespace {

void sweep::after_mark(context_node& node) noexcept {
  if ((node.word.load(std::memory_order_relaxed) & node_head::has_timer) != 0)
    node.core->disarm(node);
  if (node.what() == node_kind::merged) {
    leave_registries(node, false);
  } else if (node.what() == node_kind::foreign) {
    pin(node);
    delivery_.push(payload_of(node));
  }
}

std::uint64_t sweep::mark_below(context_node& node, context_node& child, std::uint64_t word, bool by_merge) noexcept {
  const bool expired = (node.word.load(std::memory_order_relaxed) & node_head::expired) != 0;
  // Below a second parent, the cause's owner need not outlive the child.
  return mark(child, by_merge ? child : node, word, expired, by_merge ? retain(node.why) : node.why, by_merge);
}

sweep::outcome sweep::visit(context_node& node, locked_registry& held, member m) noexcept {
  auto& child = m.node();
  auto& link = m.link();
  auto word = lock(child.word);
  if ((word & node_head::live) == 0) {  // dying: its owner will find it gone
    unregister(held.bag(), link);
    unlock(child.word, word);
    return outcome::next;
  }
  const bool fresh = (word & node_head::done_bit) == 0;
  if (!now_ && fresh && child.what() == node_kind::shield) {
    const bool starts = (word & node_head::triggered) == 0;
    if (starts) {
      auto& shield = payload_as<shield_state>(child);
      shield.held = retain(node.why);
      shield.held_expired = (node.word.load(std::memory_order_relaxed) & node_head::expired) != 0;
      word |= node_head::triggered;
    }
    settle(held, link, m.tag());
    unlock(child.word, starts ? word + node_head::one : word);
    if (!starts)
      return outcome::next;
    held.release();
    start_budget(child);
    unpin(child);
    return outcome::again;
  }
  const bool after = fresh && needs_after_mark(child);
  const bool was_settled_below = !fresh && (word & node_head::sharded) == 0 && child.settled_head != 0;
  if (fresh)
    word = mark_below(node, child, word, m.tag() == merge_tag);
  if (now_)
    word |= node_head::hard;
  const bool bare = child.bag.empty();
  if (!now_ && child.what() == node_kind::boundary) {
    if (bare && !was_settled_below)
      unregister(held.bag(), link);
    else
      settle(held, link, m.tag());
    const bool hooks = fresh && !bare;
    unlock(child.word, hooks || after ? word + node_head::one : word);
    if (!hooks && !after)
      return outcome::next;
    held.release();
    if (after)
      after_mark(child);
    take_hooks(child);
    unpin(child);
    return outcome::again;
  }
  if (bare && !(now_ && was_settled_below)) {
    if (was_settled_below)
      settle(held, link, m.tag());
    else
      unregister(held.bag(), link);
    unlock(child.word, after ? word + node_head::one : word);
    if (!after)
      return outcome::next;
    held.release();
    after_mark(child);
    unpin(child);
    return outcome::again;
  }
  unlock(child.word, word + node_head::one);
  held.release();
  if (m.tag() == merge_tag)
    frames_.push_back({&node, &m.merge()});
  if (after)
    after_mark(child);
  return outcome::descend;
}

// Marks a plain child that has nothing below it, no timer and nobody to tell: what nearly all are in a wide tree. The
// caller holds the registry that it stands in, and takes it out. False, without effect, for any other.
inline bool sweep::mark_bare(context_node& node, context_node& child) noexcept {
  auto word = child.word.load(std::memory_order_relaxed);
  if ((word | node_head::handles) != (node_head::live | node_head::handles) || !is_plain(child) || now_ ||
      (node.core != nullptr && node.core->observed()))
    return false;
  if (!child.word.compare_exchange_strong(word, word | node_head::locked, std::memory_order_acquire,
                                          std::memory_order_relaxed))
    return false;
  child.why = node.why;
  unlock(child.word, word | node_head::done_bit | (node.word.load(std::memory_order_relaxed) & node_head::expired));
  return true;
}

// Deals with the members of `node` until none is left, or one is found that has something below it.
context_node* sweep::step(context_node& node) noexcept {
  const unsigned parts = (node.word.load(std::memory_order_acquire) & node_head::sharded) != 0 ? shard_block::width : 0;
  for (unsigned index = 0; index <= parts; ++index) {
    auto result = outcome::again;
    while (result == outcome::again) {
      locked_registry held{node, index};
      for (result = outcome::next; result == outcome::next;) {
        auto& bag = held.bag();
        member m{bag.back()};
        if (m.cell == 0) {
          if (!now_ || held.settled() == 0)
            break;
          m.cell = held.settled();
        } else {
          __builtin_prefetch(untagged(bag.near_back(prefetch_distance)), 1);
        }
        if (m.tag() == hook_tag) {
          bag.pop();
          delivery_.push(hook_of(m.cell));
          continue;
        }
        auto& child = m.node();
        if (m.tag() == node_tag && mark_bare(node, child)) [[likely]] {
          bag.pop();
          continue;
        }
        result = visit(node, held, m);
        if (result == outcome::descend)
          return &child;
      }
    }
  }
  return nullptr;
}

bool has_settled(context_node& node, std::uint64_t word) noexcept {
  // Of a split registry it is not looked up: it stays where `cancel_now` can find it.
  return (word & node_head::sharded) != 0 || node.settled_head != 0;
}

// From a node below which all is marked: takes it out of the registry that the way down came through, unpins it, and
// returns that registry's owner.
context_node* sweep::ascend(context_node& node) noexcept {
  const bool by_merge = !frames_.empty() && frames_.back().link->target == &node;
  auto* link = by_merge ? static_cast<registry_link*>(frames_.back().link) : static_cast<registry_link*>(&node);
  auto* owner = by_merge ? frames_.back().from : node.parent->lifeline();
  const auto index = by_merge ? frames_.back().link->shard : node.shard;
  if (by_merge)
    frames_.pop_back();
  bool died;
  {
    locked_registry held{*owner, index};
    auto word = lock(node.word);
    if (link->registered()) {
      if (now_ || !has_settled(node, word))
        unregister(held.bag(), *link);
      else if (!link->settled())
        settle(held, *link, by_merge ? merge_tag : node_tag);
    }
    if (node.what() != node_kind::merged)
      word -= node_head::one;
    died = locked_registry::dying(word);
    unlock(node.word, died ? word & ~node_head::live : word);
  }
  if (died) {
    bury(&node);
  } else if (node.what() == node_kind::merged) {
    leave_registries(node, now_);  // the other one too
    unpin(node);
  }
  return owner;
}

void sweep::run(context_node& root) noexcept {
  auto* node = &root;
  for (;;) {
    if (auto* below = step(*node))
      node = below;
    else if (node == &root)
      return;
    else
      node = ascend(*node);
  }
}

void sweep::take_hooks(context_node& node) noexcept {
  const unsigned parts = (node.word.load(std::memory_order_acquire) & node_head::sharded) != 0 ? shard_block::width : 0;
  for (unsigned index = 0; index <= parts; ++index) {
    locked_registry held{node, index};
    held.bag().extract([this](std::uintptr_t cell) {
      if ((cell & tag_mask) != hook_tag)
        return false;
      delivery_.push(hook_of(cell));
      return true;
    });
  }
}

}  // namespace

void start_budget(context_node& node) {
  const auto budget = payload_as<shield_state>(node).budget.count();
  const auto now = node.core->now();
  if (budget > timer_link::no_time - now)
    return;  // it holds for good
  node.core->arm(node, timer_kind::node, now + budget);
  if (node.is_done())
    node.core->disarm(node);
}

namespace {

// Requires: the node is locked and not done. Returns the word that ends it.
std::uint64_t mark_root(sweep& all, context_node& node, std::uint64_t word, const verdict& how) noexcept {
  const auto* why = how.why;
  if (why == nullptr && how.expired && (word & node_head::owns_cause) != 0)
    why = retain(node.why);
  if (why == nullptr)
    why = how.expired ? plain_expired() : plain_canceled();
  return all.mark(node, node, word, how.expired, why, true) | (how.now ? node_head::hard : 0);
}

// The common case: a plain node with nothing below it, which can be marked and leave its parent's registry at once.
bool cancel_leaf(context_node& node, const verdict& how) noexcept {
  if (!is_plain(node) || (node.word.load(std::memory_order_relaxed) & (node_head::done_bit | node_head::sharded)) != 0)
    return false;
  sweep all{how.now};
  auto& owner = *node.parent->lifeline();
  const auto act = [&] {
    auto word = lock(node.word);
    const bool may = (word & node_head::done_bit) == 0 && node.bag.empty() &&
                     node.due.load(std::memory_order_relaxed) <= how.only_if_due_by;
    if (may)
      word = mark_root(all, node, word, how);
    unlock(node.word, word);
    return may;
  };
  if ((owner.word.load(std::memory_order_relaxed) & node_head::never) != 0) {
    if (!act())
      return false;
  } else {
    locked_registry held{owner, node.shard};
    if (!act())
      return false;
    if (node.registered())
      unregister(held.bag(), node);
  }
  all.after_mark(node);
  all.deliver();
  return true;
}

}  // namespace

bool cancel(context_node& node, verdict how) noexcept {
  if (cancel_leaf(node, how))
    return true;
  sweep all{how.now};
  auto word = lock(node.word);
  const bool was_done = (word & node_head::done_bit) != 0;
  if (!was_done && node.due.load(std::memory_order_relaxed) > how.only_if_due_by) {
    unlock(node.word, word);
    return false;
  }
  if (!was_done)
    word = mark_root(all, node, word, how);
  unlock(node.word, how.now ? word | node_head::hard : word);
  if (was_done)
    release(how.why);
  else
    all.after_mark(node);
  if (node.what() == node_kind::boundary && !how.now)
    all.take_hooks(node);
  else
    all.run(node);
  leave_registries(node, how.now);
  all.deliver();
  return !was_done;
}

void expire(context_node& node, std::int64_t due) noexcept {
  verdict how{.expired = true, .only_if_due_by = due};
  if (node.what() == node_kind::shield) {
    const auto word = lock(node.word);
    auto& shield = payload_as<shield_state>(node);
    how = {.expired = shield.held_expired, .why = retain(shield.held)};
    unlock(node.word, word);
  }
  cancel(node, how);
}

void cancel_all(runtime_core& core) noexcept {
  cancel(core.root, {.now = true, .why = runtime_shutdown()});
  // Once more where one ended that does not tell what is below it: until then somebody may have derived from it, in a
  // place that had been passed.
  struct visit {
    runtime_core& core;
    bool again = true;
  } all{core};
  while (std::exchange(all.again, false)) {
    node_pool::each_live(
        [](void* data, node_head& head) {
          if (!try_pin(head))
            return;
          auto& to = *static_cast<visit*>(data);
          auto& node = static_cast<context_node&>(head);
          const auto word = node.word.load(std::memory_order_relaxed);
          if (node.core == &to.core && (word & node_head::passes) == 0 &&
              cancel(node, {.now = true, .why = runtime_shutdown()}) && (word & node_head::never) != 0)
            to.again = true;
          unpin(node);
        },
        &all);
  }
}

}  // namespace libactor::detail
