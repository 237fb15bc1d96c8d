// SPDX-License-Identifier: BSL-1.0

// How a node leaves the tree: when its last handle is gone and nothing below it is left, by whichever thread sees that.

#include "context_node.hpp"
#include "hook_node.hpp"
#include "libactor/violation.hpp"
#include "runtime_core.hpp"

namespace libactor::detail {

namespace {

// Takes `link`, if given, out of its registry and drops shares, if any. Whether the owner is dead now, and the caller's
// to bury.
bool give_up(context_node& owner, std::uint8_t shard, registry_link* link, std::uint32_t shares) noexcept {
  {
    locked_registry held{owner, shard};
    if (link != nullptr && link->registered())
      unregister(held.bag(), *link);
    if (shares == 0)
      return false;
    if (!held.drop(shares)) {
      if (!held.last())
        return false;
      held.word() &= ~node_head::live;
      return true;
    }
  }
  // Closed: the shares of that shard are counted in the owner's word.
  auto word = lock(owner.word) - shares * node_head::one;
  const bool last = locked_registry::dying(word);
  unlock(owner.word, last ? word & ~node_head::live : word);
  return last;
}

}  // namespace

namespace {

// What died while something that a dying node carried was destroyed on this thread, chained by `env`: a value may hold
// a context, so that destroying it in place could go as deep as a chain is long.
struct graveyard {
  bool busy = false;
  context_node* waiting = nullptr;
};
thread_local constinit graveyard dead_here;

// Buries a node, and every ancestor that dies of it: a loop, for chains may be long.
void bury_line(context_node* node) noexcept {
  while (node != nullptr) {
    if (node->what() == node_kind::root) {
      if ((node->word.load(std::memory_order_relaxed) & node_head::sharded) != 0)
        delete node->shards();
      delete node->core;
      return;
    }
    const auto word = node->word.load(std::memory_order_relaxed);
    if ((word & node_head::has_timer) != 0)
      node->core->disarm(*node);
    if (has_payload(node->what())) {
      auto& extra = payload_of(*node);
      dead_here.busy = true;
      extra.type->destroy(extra.payload());
      dead_here.busy = false;
    }
    if ((word & node_head::done_bit) == 0 && node->settled_head != 0)
      release(*reinterpret_cast<hook_node*>(node->settled_head));
    if (node->core != nullptr && node->core->observed())
      node->core->tell(context_event::what::released, *node);
    if ((word & node_head::owns_cause) != 0)
      release(node->why);
    if ((word & node_head::sharded) != 0)
      delete node->shards();
    auto& parent = *node->parent;
    const auto parent_word = parent.word.load(std::memory_order_relaxed);
    bool parent_died = false;
    if ((word & node_head::passes) != 0) {
      if ((parent_word & node_head::immortal) == 0)
        parent_died = give_up(parent, (parent_word & node_head::passes) != 0 ? 0 : node->shard, nullptr, true);
    } else {
      auto& owner = *parent.lifeline();
      const bool direct = &owner == &parent;
      if ((owner.word.load(std::memory_order_relaxed) & node_head::immortal) == 0)
        parent_died = give_up(owner, node->shard, static_cast<registry_link*>(node), direct);
      if (!direct)
        parent_died = give_up(parent, 0, nullptr, true);
    }
    free_node(*node);
    node = parent_died ? &parent : nullptr;
  }
}

}  // namespace

void bury(context_node* node) noexcept {
  auto& dead = dead_here;
  if (dead.busy) {
    node->env = dead.waiting;
    dead.waiting = node;
    return;
  }
  bury_line(node);
  while (dead.waiting != nullptr) {
    node = dead.waiting;
    dead.waiting = node->env;
    bury_line(node);
  }
}

namespace {

// Moves the shares of all shards to the owner's own word: nothing is added to them any more, as no handle is left.
void close_shards(context_node& node) noexcept {
  std::int64_t total = 0;
  for (auto& shard : node.shards()->part) {
    const auto word = lock(shard.word);
    total += shard.count;
    unlock(shard.word, word | registry_shard::closed);
  }
  // What was dropped meanwhile came out of the bias.
  auto word = lock(node.word);
  word += static_cast<std::uint64_t>(total) * node_head::one;
  word -= share_bias + node_head::one;
  const bool last = locked_registry::dying(word);
  unlock(node.word, last ? word & ~node_head::live : word);
  if (last)
    bury(&node);
}

void last_handle_gone(context_node& node) noexcept {
  auto word = lock(node.word) & ~node_head::handles;
  if ((word & node_head::immortal) != 0) [[unlikely]] {
    unlock(node.word, word | node_head::handles);
    return;
  }
  if ((word & node_head::sharded) != 0) {
    unlock(node.word, word + share_bias);
    close_shards(node);
    return;
  }
  const bool last = locked_registry::dying(word);
  unlock(node.word, last ? word & ~node_head::live : word);
  if (last)
    bury(&node);
}

}  // namespace

void release(node_head& head) noexcept {
  // The only handle can't be copied by anybody else meanwhile: no need for a locked instruction.
  if (head.refs.load(std::memory_order_acquire) != 1 && head.refs.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  last_handle_gone(static_cast<context_node&>(head));
}

void leave_parent(context_node& node) noexcept {
  if (give_up(*node.parent, node.shard, &node, true))
    bury(node.parent);
}

void unpin(context_node& node) noexcept {
  if (give_up(node, 0, nullptr, true))
    bury(&node);
}

void drop_shares(context_node& owner, std::uint8_t shard, std::uint32_t shares) noexcept {
  if (give_up(owner, shard, nullptr, shares))
    bury(&owner);
}

bool try_pin(node_head& head) noexcept {
  auto seen = head.word.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & node_head::live) == 0)
      return false;
    if ((seen & node_head::locked) != 0) {
      pause_cpu();
      seen = head.word.load(std::memory_order_relaxed);
    } else if (head.word.compare_exchange_weak(seen, seen | node_head::locked, std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
      unlock(head.word, seen + node_head::one);
      return true;
    }
  }
}

bool done_by_lifeline(const node_head& head) noexcept {
  auto& node = const_cast<context_node&>(static_cast<const context_node&>(head));
  return node.lifeline()->is_done();
}

void broken_empty_context() noexcept { violated("the context must not be empty or moved from"); }

}  // namespace libactor::detail
