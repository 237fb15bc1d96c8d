// SPDX-License-Identifier: BSL-1.0
#include "context_node.hpp"

#include "libactor/violation.hpp"
#include "runtime_core.hpp"

#include <memory>
#include <new>
#include <thread>

namespace libactor {

const char* to_string(context_kind kind) noexcept {
  switch (kind) {
    case context_kind::root:
      return "background";
    case context_kind::cancel:
      return "cancel";
    case context_kind::deadline:
      return "deadline";
    case context_kind::value:
      return "value";
    case context_kind::trace:
      return "trace";
    case context_kind::detached:
      return "without_cancel";
    case context_kind::shield:
      return "shielded";
    case context_kind::merged:
      return "merged";
    case context_kind::boundary:
      return "boundary";
    case context_kind::foreign:
      return "foreign";
  }
  return "";
}

namespace detail {

// -- locks ------------------------------------------------------------------------------------------------------------

std::uint64_t lock_slow(std::atomic<std::uint64_t>& word) noexcept {
  for (unsigned spins = 0;; ++spins) {
    auto seen = word.load(std::memory_order_relaxed);
    if ((seen & node_head::locked) == 0 &&
        word.compare_exchange_weak(seen, seen | node_head::locked, std::memory_order_acquire,
                                   std::memory_order_relaxed))
      return seen;
    if (spins < 64)
      pause_cpu();
    else
      std::this_thread::yield();
  }
}

void unregister(pointer_bag& bag, registry_link& link) noexcept {
  if (!link.settled()) {
    bag.remove(link);
    return;
  }
  auto* place = reinterpret_cast<std::uintptr_t*>(reinterpret_cast<std::uintptr_t>(link.slot) & ~std::uintptr_t{1});
  *place = link.next_settled;
  if (link.next_settled != 0)
    static_cast<registry_link*>(untagged(link.next_settled))->slot = link.slot;
  link.next_settled = 0;
  link.slot = nullptr;
}

void settle(locked_registry& from, registry_link& link, std::uintptr_t tag) noexcept {
  from.bag().remove(link);
  settle_new(from, link, tag);
}

void settle_new(locked_registry& from, registry_link& link, std::uintptr_t tag) noexcept {
  auto& head = from.settled();
  const auto settled_place = [](std::uintptr_t* place) {
    return reinterpret_cast<std::uintptr_t*>(reinterpret_cast<std::uintptr_t>(place) | 1);
  };
  link.next_settled = head;
  if (head != 0)
    untagged(head)->slot = settled_place(&link.next_settled);
  head = reinterpret_cast<std::uintptr_t>(static_cast<bag_link*>(&link)) | tag;
  link.slot = settled_place(&head);
}

// -- memory -----------------------------------------------------------------------------------------------------------

context_node& free_root() noexcept {
  alignas(context_node) static std::byte memory[sizeof(context_node)];  // never destroyed: contexts may outlive main
  static context_node& root = []() -> context_node& {
    auto* node = new (memory) context_node;
    std::construct_at(&node->word, std::uint64_t{0});
    node->kind = static_cast<std::uint8_t>(node_kind::root);
    node->refs.store(1, std::memory_order_relaxed);
    node->word.store(node_head::live | node_head::handles | node_head::never | node_head::immortal,
                     std::memory_order_release);
    return *node;
  }();
  return root;
}

context_node* make_node(context_node& parent, node_kind kind, source_location where) {
  return new (node_pool::allocate_smallest()) context_node{parent, kind, where};
}

payload_node* make_payload_node(context_node& parent, node_kind kind, const payload_type& type, std::size_t size,
                                std::size_t align, source_location where) {
  const auto offset = (sizeof(payload_node) + align - 1) / align * align;
  if (align > 128)
    violated("a context's value must not be aligned to more than 128 bytes");
  auto* node = new (node_pool::allocate(offset + size)) payload_node{parent, kind, where};
  node->type = &type;
  node->slot_size = static_cast<std::uint32_t>(offset + size);
  node->offset = static_cast<std::uint32_t>(offset);
  return node;
}

bool has_payload(node_kind kind) noexcept {
  switch (kind) {
    case node_kind::value:
    case node_kind::trace:
    case node_kind::shield:
    case node_kind::merged:
    case node_kind::foreign:
      return true;
    case node_kind::root:
    case node_kind::cancel:
    case node_kind::deadline:
    case node_kind::detached:
    case node_kind::boundary:
      return false;
  }
  return false;
}

void free_node(context_node& node) noexcept {
  const std::size_t size = has_payload(node.what()) ? payload_of(node).slot_size : sizeof(context_node);
  node.word.store(0, std::memory_order_release);
  node_pool::deallocate(&node, size);
}

// -- values -----------------------------------------------------------------------------------------------------------

node_builder::node_builder(const context& parent, const value_key& key, std::size_t size, std::size_t align,
                           source_location where) {
  node_ = make_payload_node(access::require(parent), node_kind::value, key, size, align, where);
  node_->env = node_;
}

node_builder::~node_builder() {
  if (node_ != nullptr)
    free_node(*node_);
}

void* node_builder::payload() noexcept { return payload_of(*node_).payload(); }

context node_builder::publish() {
  attach_passing(*node_);
  announce(*node_);
  return access::adopt(std::exchange(node_, nullptr));
}

}  // namespace detail

}  // namespace libactor
