// SPDX-License-Identifier: BSL-1.0
#include "hook_node.hpp"

#include "libactor/context_runtime.hpp"
#include "runtime_core.hpp"

#include <utility>

namespace libactor::detail {

void release(hook_node& hook) noexcept {
  // Who holds the only reference needs no locked instruction to drop it.
  auto refs = hook.refs.load(std::memory_order_acquire);
  if ((refs & hook_node::count) != 1)
    refs = hook.refs.fetch_sub(1, std::memory_order_acq_rel);
  if ((refs & hook_node::count) != 1)
    return;
  if (hook.hook.drop != nullptr)
    hook.hook.drop(hook.hook.data);
  if (hook.owner != nullptr && (refs & hook_node::shareless) == 0)
    drop_shares(*hook.owner, hook.shard, 1);
  if (hook.core != nullptr)
    unpin(hook.core->root);
  delete &hook;
}

hook_registration::hook_registration(hook_registration&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}

hook_registration& hook_registration::operator=(hook_registration&& other) noexcept {
  if (this != &other) {
    reset();
    node_ = std::exchange(other.node_, nullptr);
  }
  return *this;
}

hook_registration::~hook_registration() { reset(); }

bool hook_registration::reset() noexcept {
  auto* hook = std::exchange(node_, nullptr);
  if (hook == nullptr)
    return false;
  bool taken_out = false;
  std::uint32_t both = 2;
  if ((hook->refs.load(std::memory_order_acquire) & hook_node::count) == 1) {
    // It has fired: the lock that all hooks of a context share is not needed for it.
  } else if (hook->owner != nullptr) {
    if (hook->refs.compare_exchange_strong(both, both | hook_node::leaves, std::memory_order_acquire))
      taken_out = detach_link(*hook->owner, *hook, hook->shard);
  } else if (hook->core != nullptr)
    taken_out = hook->core->disarm(*hook);
  if (taken_out)
    release(*hook);
  release(*hook);
  return taken_out;
}

void hook_registration::detach() && noexcept {
  auto* hook = std::exchange(node_, nullptr);
  if (hook != nullptr)
    release(*hook);
}

namespace {

// Owns a hook's data until it stands in a node of its own.
hook_node* make_hook(done_hook hook) {
  try {
    return new hook_node{hook};
  } catch (const std::bad_alloc&) {
    if (hook.drop != nullptr)
      hook.drop(hook.data);
    throw;
  }
}

}  // namespace

hook_registration when_done(const context& ctx, done_hook what) {
  auto& owner = *access::require(ctx).lifeline();
  auto* hook = make_hook(what);
  auto registration = hook_registration{hook};
  if ((owner.word.load(std::memory_order_relaxed) & node_head::immortal) != 0) {
    release(*hook);  // it will never fire
    return registration;
  }
  hook->owner = &owner;
  try {
    if (attach_link(owner, *hook, hook_tag, hook->shard))
      return registration;
  } catch (const std::bad_alloc&) {
    hook->owner = nullptr;
    release(*hook);
    throw;
  }
  hook->fire();
  release(*hook);
  return registration;
}

hook_registration at_time(context_runtime& runtime, time_point at, done_hook what) {
  auto& core = runtime_core::of(runtime);
  auto* hook = make_hook(what);
  auto registration = hook_registration{hook};
  hook->core = &core;
  pin(core.root);
  try {
    core.arm(*hook, timer_kind::hook, at.time_since_epoch().count());
  } catch (const std::bad_alloc&) {
    release(*hook);
    throw;
  }
  return registration;
}

}  // namespace libactor::detail
