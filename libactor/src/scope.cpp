// SPDX-License-Identifier: BSL-1.0
#include "libactor/scope.hpp"

#include "context_node.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/error.hpp"
#include "libactor/violation.hpp"
#include "plain_node.hpp"
#include "runtime_core.hpp"

namespace libactor {

using namespace detail;

namespace {

constexpr auto no_time = timer_link::no_time;

runtime_core& require_core(context_node& node, const char* what) noexcept {
  if (node.core == nullptr) [[unlikely]]
    violated(what);
  return *node.core;
}

}  // namespace

// -- scope ------------------------------------------------------------------------------------------------------------

void scope::leave(node_head& own, bool armed) noexcept {
  auto& node = static_cast<context_node&>(own);
  __builtin_prefetch(static_cast<timer_link*>(&node), 1);  // its second cache line: the locks wait for what they miss
  if (!armed) {
    release(own);
    return;
  }
  if (release_plain(node))
    return;
  // What nobody else can ever look at, or tell of its end, need not be canceled.
  const auto word = node.word.load(std::memory_order_acquire);
  const bool unseen = node.refs.load(std::memory_order_acquire) == 1 && word < node_head::one &&
                      (word & node_head::has_stop) == 0 && node.what() != node_kind::foreign &&
                      (node.core == nullptr || !node.core->observed());
  if (!unseen && (word & node_head::done_bit) == 0)
    detail::cancel(node, {});
  release(own);
}

void scope::cancel(cause why, source_location where) noexcept {
  if (ctx_)
    detail::cancel(*access::get(ctx_), {.why = why ? cause_access::take(why) : canceled_at(where)});
}

void scope::cancel_now(cause why, source_location where) noexcept {
  if (ctx_)
    detail::cancel(*access::get(ctx_), {.now = true, .why = why ? cause_access::take(why) : canceled_at(where)});
}

void detail::end_like(scope& own, const context& ended) noexcept {
  if (!own || !ended.done())
    return;
  auto why = ended.cause();
  detail::cancel(*access::get(own.ctx()),
                 {.expired = ended.error() == errc::deadline_exceeded, .why = cause_access::take(why)});
}

context scope::commit() noexcept {
  armed_ = true;
  return std::move(ctx_);
}

bool scope::move_deadline(time_point at) {
  auto& node = access::require(ctx_);
  if (node.what() != node_kind::deadline)
    violated("move_deadline() needs a context that was derived with a deadline");
  if (node.is_done())
    return false;
  const auto due = at.time_since_epoch().count();
  node.core->disarm(node);
  if (due <= node.core->now()) {
    node.due.store(due, std::memory_order_relaxed);
    return detail::cancel(node, {.expired = true});
  }
  node.core->arm(node, timer_kind::node, due);
  if (!node.is_done())
    return true;
  node.core->disarm(node);
  return false;
}

// -- derivation -------------------------------------------------------------------------------------------------------

scope with_cancel(const context& parent, source_location where) {
  auto* node = new (node_pool::allocate_smallest()) context_node{access::require(parent), node_kind::cancel, where};
  attach_plain(*node, 0);
  announce(*node);
  return access::own(node);
}

scope with_boundary(const context& parent, source_location where) {
  auto* node = make_node(access::require(parent), node_kind::boundary, where);
  attach(*node);
  announce(*node);
  return access::own(node);
}

namespace {

// `now` may be earlier than it is; where it is later, `due` must not be before the time that it stands for.
// `take_cause` gives what the cause points to, once there is a node to own it; so that nothing is left of a cause that
// is not given.
template <class TakeCause>
[[gnu::always_inline]] inline scope derive_until(const context& parent, std::int64_t due, std::int64_t now,
                                                 TakeCause take_cause, source_location where) {
  auto& core = *access::get(parent)->core;
  auto* node = new (node_pool::allocate_smallest()) context_node{*access::get(parent), due, where};
  node->why = take_cause();
  const auto flags = node_head::has_timer | (node->why != nullptr ? node_head::owns_cause : 0);
  if (due > now && core.join_root_armed(*node, flags, due)) [[likely]]
    return access::own(node);
  attach_plain(*node, flags);
  auto owner = access::own(node);
  announce(*node);
  if (node->is_done())
    return owner;
  if (due <= now) {
    detail::cancel(*node, {.expired = true});
    return owner;
  }
  core.arm(*node, timer_kind::node, due);
  if (node->is_done())
    core.disarm(*node);
  return owner;
}

}  // namespace

scope with_deadline(const context& parent, time_point at, cause why, source_location where) {
  auto& core = require_core(access::require(parent), "a deadline needs a context of a runtime");
  const auto take_cause = [&] { return cause_access::take(why); };
  return derive_until(parent, at.time_since_epoch().count(), core.now(), take_cause, where);
}

namespace {

template <class TakeCause>
[[gnu::always_inline]] inline scope derive_for(const context& parent, duration limit, TakeCause take_cause,
                                               source_location where) {
  auto& core = require_core(access::require(parent), "a timeout needs a context of a runtime");
  const auto now = core.now_or_just_after();
  const auto count = limit.count();
  const auto due = count > no_time - 1 - now ? no_time - 1 : (count < 0 ? now : now + count);
  return derive_until(parent, due, now, take_cause, where);
}

}  // namespace

scope with_timeout(const context& parent, duration limit, cause why, source_location where) {
  return derive_for(
      parent, limit, [&] { return cause_access::take(why); }, where);
}

scope with_timeout(const context& parent, duration limit, source_location where) {
  return derive_for(
      parent, limit, []() -> const cause_rep* { return nullptr; }, where);
}

}  // namespace libactor
