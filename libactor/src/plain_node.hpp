// SPDX-License-Identifier: BSL-1.0
#pragma once

// The way that most contexts go: a plain node (kinds `cancel` and `deadline`) that is derived below a living node with
// a registry of its own, and released when it is not done and nobody else can see it. Both ends are one critical
// section of the parent's lock, inline (a call's saved registers are a tenth of the cost); whatever is unusual is left
// to attach.cpp, cancel.cpp and release.cpp.

#include "context_node.hpp"
#include "runtime_core.hpp"

namespace libactor::detail {

// Makes the node live, counts it and registers it. Throws std::bad_alloc, and then the node is freed.
inline void attach_plain(context_node& node, std::uint64_t flags) {
  constexpr auto unusual =
      node_head::passes | node_head::immortal | node_head::sharded | node_head::locked | node_head::done_bit;
  node.word.store(node_head::live | node_head::handles | flags, std::memory_order_release);
  auto& parent = *node.parent;
  auto seen = parent.word.load(std::memory_order_relaxed);
  if ((seen & unusual) == 0 &&
      parent.word.compare_exchange_strong(seen, seen | node_head::locked, std::memory_order_acquire,
                                          std::memory_order_relaxed)) [[likely]] {
    const bool joined =
        (seen & node_head::never) != 0 || parent.bag.push_in_place(static_cast<registry_link&>(node), node_tag);
    unlock(parent.word, joined ? seen + node_head::one : seen);
    if (joined) [[likely]]
      return;
  }
  join(node, flags);
}

// Takes the node, which is dead, out of the registry of its parent, whose own word is locked and was `word`.
[[gnu::always_inline]] inline void leave_locked(context_node& node, context_node& parent, std::uint64_t word) noexcept {
  if (node.registered()) {
    auto& bag = (word & node_head::sharded) != 0 ? parent.shards()->main.bag : parent.bag;
    bag.remove(static_cast<registry_link&>(node));
  }
  word -= node_head::one;
  const bool last = locked_registry::dying(word);
  unlock(parent.word, last ? word & ~node_head::live : word);
  if (last) [[unlikely]]
    bury(&parent);
}

// Whether the node's word was `as`, and the node is dead now, by a plain store: the parent's lock, which is held then
// and was taken off `word`, keeps cancels away, and what else may hold a node that it found by chance visits all nodes.
// Waits for nobody: somebody may wait for this thread to be through.
[[gnu::always_inline]] inline bool lock_and_end(context_node& node, context_node& parent, std::uint64_t as,
                                                std::uint64_t& word) noexcept {
  auto& here = node_pool::cached;
  word = parent.word.load(std::memory_order_relaxed);
  if ((word & (node_head::locked | node_head::sharded)) != 0 || here.most == 0 ||
      node.word.load(std::memory_order_relaxed) != as) [[unlikely]]
    return false;
  bool ended = false;
  here.ends_one.store(true, std::memory_order_relaxed);
  if (parent.word.compare_exchange_strong(word, word | node_head::locked, std::memory_order_seq_cst,
                                          std::memory_order_relaxed)) [[likely]] {
    node_pool::fence_after_locked();
    ended = node_pool::visitors.load(std::memory_order_relaxed) == 0 && node.word.load(std::memory_order_acquire) == as;
    if (ended) [[likely]]
      node.word.store(0, std::memory_order_release);
    else
      unlock(parent.word, word);
  }
  here.ends_one.store(false, std::memory_order_release);
  return ended;
}

// Ends a context that its owner leaves, if nobody else can ever look at it: then its end alone is enough. False,
// without effect on what anybody can see, otherwise. Requires: a handle.
[[gnu::always_inline]] inline bool release_plain(context_node& node) noexcept {
  constexpr auto fresh = node_head::live | node_head::handles;
  const auto die = [&](std::uint64_t as) {
    return node.word.compare_exchange_strong(as, 0, std::memory_order_acq_rel, std::memory_order_relaxed);
  };
  auto& parent = *node.parent;
  const bool timed = node.what() == node_kind::deadline;
  if (timed && node.core->usual() && &parent == &node.core->root && node.shard == 0) [[likely]] {
    return node.refs.load(std::memory_order_acquire) == 1 &&
           node.core->leave_root_armed(node, [&] { return die(fresh | node_head::has_timer); });
  }
  if ((!timed && node.what() != node_kind::cancel) || node.refs.load(std::memory_order_acquire) != 1 ||
      (node.core != nullptr && node.core->observed()))
    return false;
  std::uint64_t word = parent.word.load(std::memory_order_relaxed);
  if ((word & (node_head::passes | node_head::immortal)) != 0)
    return false;
  if (!timed && lock_and_end(node, parent, fresh, word)) [[likely]] {
    leave_locked(node, parent, word);
    node_pool::deallocate_smallest(&node);
    return true;
  }
  if (!die(fresh | (timed ? node_head::has_timer : 0)))
    return false;
  // Dead: who still finds it in its parent's registry, or in the deadline queue, leaves it alone.
  if (timed)
    node.core->disarm(node);
  if (node.shard != 0) [[unlikely]] {
    leave_parent(node);
  } else {
    leave_locked(node, parent, lock(parent.word));
  }
  node_pool::deallocate_smallest(&node);
  return true;
}

}  // namespace libactor::detail
