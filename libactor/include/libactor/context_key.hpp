// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/scope.hpp"

namespace libactor {

/// Names a value that contexts carry: `struct tenant : context_key<std::string> {};`. The type is the key, so two keys
/// of one value type are two keys, and a value of a wrong type does not compile.
template <class T>
struct context_key {
  using value_type = T;
};

/// Derives a child that carries `value` under `Key`, visible to it and to all below; a nearer binding shadows it.
/// Throws: std::bad_alloc, and what the value's constructor throws.
template <class Key>
[[nodiscard]] context with_value(const context& parent, typename Key::value_type value,
                                 source_location where = source_location::current());

/// Derives a child with a trace id of its own.
[[nodiscard]] context with_trace(const context& parent, trace_id id, source_location where = source_location::current());

}  // namespace libactor
