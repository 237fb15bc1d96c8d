// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_node.hpp"
#include "libactor/detail/block_pool.hpp"

#include <cstddef>

namespace libactor::detail {

// A hook in place. Counted by its registration and by where it stands: a node's registry, the deadline queue, or the
// list of whoever is about to fire it. Keeps its owner's memory, not its owner from ending.
class hook_node : public registry_link, public timer_link {
 public:
  explicit hook_node(done_hook what) noexcept : hook{what} {}
  static void* operator new(std::size_t bytes) { return block_pool::allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { block_pool::deallocate(block, bytes); }

  void fire() noexcept {
    if (hook.fire != nullptr)
      hook.fire(hook.data);
  }

  // Of `refs`, beside the count: whether its registration is taking it out; whether its share is somebody else's now,
  // who fires many of its owner's and drops their shares together. Whichever is set first keeps the other from being
  // set.
  static constexpr std::uint32_t leaves = 1U << 8, shareless = 1U << 9, count = leaves - 1;

  // Whether the share of its owner is the caller's to drop. From then on nobody else looks at the owner.
  bool take_share() noexcept {
    std::uint32_t both = 2;
    return refs.compare_exchange_strong(both, both | shareless, std::memory_order_relaxed);
  }

  std::atomic<std::uint32_t> refs{2};
  done_hook hook;
  context_node* owner = nullptr;  // a share of it is held, unless `shareless`
  runtime_core* core = nullptr;   // of a timer; its root is pinned
  hook_node* next = nullptr;      // in a canceller's list
  std::uint8_t shard = 0;
};

inline hook_node& hook_of(std::uintptr_t cell) noexcept {
  return *static_cast<hook_node*>(static_cast<registry_link*>(untagged(cell)));
}
inline hook_node& hook_of_timer(std::uintptr_t cell) noexcept {
  return *static_cast<hook_node*>(static_cast<timer_link*>(untagged(cell)));
}
inline context_node& node_of_timer(std::uintptr_t cell) noexcept {
  return *static_cast<context_node*>(static_cast<timer_link*>(untagged(cell)));
}

// Drops one reference; with the last one, the hook's data and the share of its owner go.
void release(hook_node& hook) noexcept;

}  // namespace libactor::detail
