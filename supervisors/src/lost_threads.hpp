// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>

namespace libactor::detail {

/// Where the library's scheduler runs a turn of `actor`: has another thread take the place of that one, until the turn
/// ends. Does nothing where there is no such turn, or for a stock scheduler. Thread-safe.
void make_up_for(caf::actor_system& system, std::uint64_t actor) noexcept;

/// The kernel's id of the thread on which the library's scheduler runs a turn of `actor`; 0 where it runs none.
int thread_of(caf::actor_system& system, std::uint64_t actor);

/// A function that makes up for all threads of the library's scheduler if each of them is in the same turn as at the
/// call before.
std::function<void()> reliever(caf::actor_system& system);

}  // namespace libactor::detail
