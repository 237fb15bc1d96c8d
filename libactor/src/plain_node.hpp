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
  const auto parent_word = parent.word.load(std::memory_order_relaxed);
  if ((parent_word & (node_head::passes | node_head::immortal)) != 0)
    return false;
  if (!die(fresh | (timed ? node_head::has_timer : 0)))
    return false;
  // Dead: who still finds it in its parent's registry, or in the deadline queue, leaves it alone.
  if (timed)
    node.core->disarm(node);
  if (node.shard != 0) [[unlikely]] {
    leave_parent(node);
  } else {
    auto word = lock(parent.word);
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
  node_pool::deallocate_smallest(&node);
  return true;
}

}  // namespace libactor::detail
