// SPDX-License-Identifier: BSL-1.0
#include "libactor/trace_id.hpp"

#include "context_node.hpp"
#include "libactor/context_key.hpp"
#include "runtime_core.hpp"

#include <new>

namespace libactor {

std::string to_string(const trace_id& id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string words;
  words.reserve(2 * id.bytes.size());
  for (const auto byte : id.bytes) {
    words += digits[byte >> 4];
    words += digits[byte & 15];
  }
  return words;
}

namespace {

constexpr detail::payload_type trace_payload{[](void*) noexcept {}, nullptr, nullptr};

}  // namespace

context with_trace(const context& parent, trace_id id, source_location where) {
  using namespace detail;
  auto* node = make_payload_node(access::require(parent), node_kind::trace, trace_payload, sizeof(trace_state),
                                 alignof(trace_state), where);
  new (node->payload()) trace_state{id};
  node->env = node;
  attach_passing(*node);
  announce(*node);
  return access::adopt(node);
}

}  // namespace libactor
