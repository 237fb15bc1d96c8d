// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"

#include <cstddef>
#include <memory>

namespace libactor::detail {

class context_node;

/// How to treat what a node carries beyond the common part. For a value, its address is the key.
struct payload_type {
  void (*destroy)(void* payload) noexcept;
  /// Run once when the node is done, with no lock held; may be null.
  void (*on_done)(void* payload) noexcept;
  /// `__PRETTY_FUNCTION__` of a template over the key; null where there is none.
  const char* signature;
};

struct value_key : payload_type {};

template <class Key>
constexpr const char* key_signature() noexcept {
  return __PRETTY_FUNCTION__;
}

template <class Key>
inline constexpr value_key key_of{
    {[](void* payload) noexcept { std::destroy_at(static_cast<typename Key::value_type*>(payload)); }, nullptr,
     key_signature<Key>()}};

/// A node under construction: its payload is to be built in place, then it is published, or else abandoned.
class node_builder {
 public:
  /// Throws: std::bad_alloc.
  node_builder(const context& parent, const value_key& key, std::size_t size, std::size_t align, source_location where);
  ~node_builder();
  node_builder(const node_builder&) = delete;
  node_builder& operator=(const node_builder&) = delete;

  void* payload() noexcept;
  context publish();

 private:
  context_node* node_;
};

}  // namespace libactor::detail
