// SPDX-License-Identifier: BSL-1.0
#include "context_node.hpp"
#include "runtime_core.hpp"

#include <ostream>
#include <string_view>

namespace libactor::detail {

std::string_view key_name(const char* signature) noexcept {
  // "… [with Key = ns::tenant]" (g++) or "… [Key = ns::tenant]" (clang)
  std::string_view words{signature};
  const auto begin = words.find("Key = ");
  if (begin == std::string_view::npos)
    return words;
  words.remove_prefix(begin + 6);
  return words.substr(0, words.find_first_of(";]"));
}

namespace {

void describe_time(std::ostream& out, std::int64_t left) {
  constexpr std::int64_t thousand = 1000;
  out << (left < 0 ? "-" : "+");
  const auto amount = left < 0 ? -left : left;
  if (amount >= thousand * thousand * thousand)
    out << amount / (thousand * thousand) / 1e3 << 's';
  else if (amount >= thousand * thousand)
    out << amount / thousand / 1e3 << "ms";
  else
    out << amount / 1e3 << "us";
}

}  // namespace

void describe(std::ostream& out, context_node& node) {
  out << to_string(node.what());
  if (node.what() == node_kind::deadline) {
    out << '(';
    describe_time(out, node.due.load(std::memory_order_relaxed) - node.core->now());
    out << ')';
  } else if (node.what() == node_kind::value) {
    out << '(' << key_name(payload_of(node).type->signature) << ')';
  } else if (node.what() == node_kind::trace) {
    out << '(' << to_string(payload_as<trace_state>(node).id) << ')';
  }
}

}  // namespace libactor::detail
