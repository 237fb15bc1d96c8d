// SPDX-License-Identifier: BSL-1.0

// The derivations that need more than a node of the common size, and those that are made of others.

#include "context_node.hpp"
#include "libactor/budget.hpp"
#include "libactor/foreign.hpp"
#include "libactor/violation.hpp"
#include "runtime_core.hpp"

#include <new>

namespace libactor {

using namespace detail;

context without_cancel(const context& parent, source_location where) {
  auto* node = make_node(access::require(parent), node_kind::detached, where);
  node->env = node;
  attach(*node, node_head::never);
  announce(*node);
  return access::adopt(node);
}

// -- shields ----------------------------------------------------------------------------------------------------------

namespace {

constexpr payload_type shield_payload{
    [](void* payload) noexcept { release(static_cast<shield_state*>(payload)->held); }, nullptr, nullptr};

}  // namespace

scope shielded(const context& parent, duration budget, source_location where) {
  auto& above = access::require(parent);
  if (above.core == nullptr)
    violated("a shield needs a context of a runtime");
  if (budget < duration::zero())
    budget = duration::zero();
  auto* node =
      make_payload_node(above, node_kind::shield, shield_payload, sizeof(shield_state), alignof(shield_state), where);
  new (node->payload()) shield_state{budget};
  node->env = node;
  attach(*node, node_head::has_timer);
  announce(*node);
  return access::own(node);
}

// -- merges -----------------------------------------------------------------------------------------------------------

namespace {

constexpr payload_type merged_payload{[](void* payload) noexcept {
                                        auto& link = *static_cast<merge_link*>(payload);
                                        if (link.owner == nullptr)
                                          return;
                                        detach_link(*link.owner, link, link.shard);
                                        drop_shares(*link.owner, link.shard, 1);
                                      },
                                      nullptr, nullptr};

}  // namespace

scope merged(const context& first, const context& second, source_location where) {
  auto& above = access::require(first);
  auto& other = *access::require(second).lifeline();
  auto* node =
      make_payload_node(above, node_kind::merged, merged_payload, sizeof(merge_link), alignof(merge_link), where);
  auto& link = *new (node->payload()) merge_link;
  link.target = node;
  if (const auto due = second.deadline())
    link.other_deadline = due->time_since_epoch().count();
  node->env = node;
  // Set before a cancel can find the node, through either parent.
  if ((other.word.load(std::memory_order_relaxed) & node_head::immortal) == 0) {
    link.owner = &other;
    link.shard = add_share(other);
  }
  attach(*node);
  auto owner = access::own(node);
  announce(*node);
  if (link.owner == nullptr)
    return owner;
  if (!register_link(other, link, merge_tag, link.shard)) {
    const auto end = other.word.load(std::memory_order_acquire);
    detail::cancel(
        *node,
        {.expired = (end & node_head::expired) != 0, .now = (end & node_head::hard) != 0, .why = retain(other.why)});
    return owner;
  }
  if (node->is_done())  // ended by the first parent meanwhile
    leave_registries(*node, false);
  return owner;
}

// -- foreign sources --------------------------------------------------------------------------------------------------

void foreign_trigger::operator()(cause why) const noexcept {
  auto* node = node_;  // this object may go with the registration that the cancel destroys
  if (!try_pin(*node))
    return;
  detail::cancel(*node, {.why = why ? cause_access::take(why) : foreign_canceled()});
  unpin(*node);
}

namespace detail {

context_node* make_foreign(const context& parent, const payload_type& type, std::size_t size, std::size_t align,
                           source_location where) {
  return make_payload_node(access::require(parent), node_kind::foreign, type, size, align, where);
}

void* foreign_payload(context_node* node) noexcept { return payload_of(*node).payload(); }

scope publish_foreign(context_node* node) {
  attach(*node);
  announce(*node);
  return access::own(node);
}

bool foreign_done(context_node* node) noexcept { return node->is_done(); }

}  // namespace detail

namespace {

struct token_source {
  std::stop_token token;
  std::stop_callback<foreign_trigger> subscribe(foreign_trigger trigger) const {
    return std::stop_callback<foreign_trigger>{token, trigger};
  }
};

}  // namespace

scope with_stop(const context& parent, std::stop_token token, source_location where) {
  return with_source(parent, token_source{std::move(token)}, where);
}

// -- budgets ----------------------------------------------------------------------------------------------------------

scope with_reserve(const context& parent, duration reserve, cause why, source_location where) {
  if (reserve < duration::zero())
    violated("a reserve must not be negative");
  const auto due = parent.deadline();
  return due ? with_deadline(parent, *due - reserve, std::move(why), where) : with_cancel(parent, where);
}

scope with_share(const context& parent, unsigned parts, cause why, source_location where) {
  if (parts == 0)
    violated("a share is one part in at least one");
  const auto due = parent.deadline();
  if (!due)
    return with_cancel(parent, where);
  auto* home = parent.runtime();
  if (home == nullptr)  // the runtime has ended, and the parent with it
    return with_cancel(parent, where);
  const auto now = home->now();
  return with_deadline(parent, *due > now ? now + (*due - now) / parts : *due, std::move(why), where);
}

}  // namespace libactor
