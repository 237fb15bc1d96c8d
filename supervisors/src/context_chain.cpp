// SPDX-License-Identifier: BSL-1.0
#include "context_chain.hpp"

#include "context_node.hpp"

#include <sstream>

namespace libactor::detail {

std::string text_of(const cause& why) {
  if (!why)
    return {};
  std::ostringstream text;
  text << why;
  return text.str();
}

std::vector<chain_link> chain_of(const context& ctx) {
  constexpr std::size_t most_links = 64;
  std::vector<chain_link> chain;
  for (auto* node = access::get(ctx); node != nullptr && chain.size() != most_links; node = node->parent) {
    chain_link link;
    link.kind = node->what();
    link.where = node->where();
    if (link.kind == context_kind::deadline)
      link.due = time_point{duration{node->due.load(std::memory_order_relaxed)}};
    if (auto& lives_with = *node->lifeline(); lives_with.is_done())
      link.cause = text_of(cause_access::share(lives_with.why));
    chain.push_back(std::move(link));
  }
  return chain;
}

}  // namespace libactor::detail
