// SPDX-License-Identifier: BSL-1.0
#pragma once

// What an abandoned actor sends is dropped by the actors of its runtime that live in a context, on receipt. As long as
// nothing was abandoned in a runtime, this costs a load of a shared constant for each message.

#include "libactor/actor/lifeline.hpp"
#include "libactor/context.hpp"
#include "runtime_core.hpp"

namespace libactor::detail {

inline constinit const std::atomic<bool> no_fence{false};

/// Whether anything that lives in the runtime of `ctx` was abandoned.
inline const std::atomic<bool>& fence_of(const context& ctx) noexcept {
  const auto* core = access::require(ctx).core;
  return core != nullptr ? core->fence : no_fence;
}

/// From now on what `line`'s actor sends is dropped. Thread-safe.
inline void fence_off(const lifeline& line, context_runtime& contexts) noexcept {
  line.abandon();
  runtime_core::of(contexts).fence.store(true, std::memory_order_release);
}

}  // namespace libactor::detail
