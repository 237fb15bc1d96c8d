// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/detail/payload.hpp"
#include "libactor/scope.hpp"

#include <new>
#include <utility>

namespace libactor {

/// Names a value that contexts carry: `struct tenant : context_key<std::string> {};`. The type is the key, so two keys
/// of one value type are two keys, and a value of a wrong type does not compile.
template <class T>
struct context_key {
  using value_type = T;
};

template <class Key>
const typename Key::value_type* context::value() const noexcept {
  return static_cast<const typename Key::value_type*>(find(&detail::key_of<Key>));
}

/// Derives a child that carries `value` under `Key`, visible to it and to all below; a nearer binding shadows it.
/// Throws: std::bad_alloc, and what the value's constructor throws. Requires: `parent` is not empty; the value is
/// aligned to 128 bytes at the most.
template <class Key>
[[nodiscard]] context with_value(const context& parent, typename Key::value_type value,
                                 source_location where = source_location::current()) {
  using value_type = typename Key::value_type;
  detail::node_builder node{parent, detail::key_of<Key>, sizeof(value_type), alignof(value_type), where};
  new (node.payload()) value_type(std::move(value));
  return node.publish();
}

/// Derives a child with a trace id of its own.
[[nodiscard]] context with_trace(const context& parent, trace_id id,
                                 source_location where = source_location::current());

}  // namespace libactor
