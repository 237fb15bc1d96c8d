// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_node.hpp"
#include "hook_node.hpp"
#include "libactor/detail/done_hook.hpp"
#include "runtime_core.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace libactor::detail {

// The shares that many hooks of one context have of it: dropped together, as those who end for it look at its memory.
class hook_shares {
 public:
  void take(hook_node& hook, const hook_node* next) noexcept {
    if (hook.owner != owner_ || hook.shard != shard_) {
      drop();
      if (next == nullptr || next->owner != hook.owner || hook.owner == nullptr)
        return;
      owner_ = hook.owner;
      shard_ = hook.shard;
    }
    if (owner_ != nullptr && hook.take_share())
      ++count_;
  }
  void drop() noexcept {
    auto* owner = std::exchange(owner_, nullptr);
    if (const auto count = std::exchange(count_, 0U))
      drop_shares(*owner, shard_, count);
  }

 private:
  context_node* owner_ = nullptr;
  std::uint8_t shard_ = 0;
  std::uint32_t count_ = 0;
};

// What a cancel has still to do when all is marked.
class delivery {
 public:
  void push(hook_node& hook) noexcept {
    hook.next = nullptr;
    (last_hook_ == nullptr ? first_hook_ : last_hook_->next) = &hook;
    last_hook_ = &hook;
    ++hooks_;
  }
  // The node is pinned by the caller.
  void push(payload_node& node) noexcept {
    node.delivery = first_node_;
    first_node_ = &node;
  }

  void push(runtime_core& core, context_event&& event) noexcept {
    try {
      events_.emplace_back(&core, std::move(event));
    } catch (const std::bad_alloc&) {
      // An event is lost rather than the cancel.
    }
  }

  void run() noexcept {
    for (const auto& [core, event] : events_)
      core->tell(event);
    {
      std::optional<bulk_guard> many;
      if (hooks_ > 1)
        many.emplace(hooks_);
      while (first_hook_ != nullptr) {
        auto* hook = first_hook_;
        first_hook_ = hook->next;
        __builtin_prefetch(first_hook_);
        shares_.take(*hook, first_hook_);
        hook->fire();
        release(*hook);
      }
      shares_.drop();
    }
    while (first_node_ != nullptr) {
      auto* node = first_node_;
      first_node_ = node->delivery;
      node->type->on_done(node->payload());
      unpin(*node);
    }
  }

 private:
  hook_shares shares_;
  hook_node* first_hook_ = nullptr;
  hook_node* last_hook_ = nullptr;
  std::size_t hooks_ = 0;
  payload_node* first_node_ = nullptr;
  std::vector<std::pair<runtime_core*, context_event>> events_;
};

}  // namespace libactor::detail
