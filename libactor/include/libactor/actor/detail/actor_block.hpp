// SPDX-License-Identifier: BSL-1.0
#pragma once

// Part of the seam to CAF 0.17: where an actor's memory comes from.

#include "libactor/detail/block_pool.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/config.hpp>
#include <caf/scoped_execution_unit.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace libactor::detail {

/// What `caf::actor_storage` is, in memory of the pool: the control block, and the actor a cache line behind it.
template <class T>
class actor_block {
 public:
  /// A new actor, with one reference. Throws what its constructor does, and std::bad_alloc.
  template <class... Ts>
  static caf::strong_actor_ptr make(caf::actor_system& system, caf::actor_config& cfg, Ts&&... xs) {
    auto* whole = new (block_pool::allocate(sizeof(actor_block))) actor_block(system);
    try {
      new (whole->place_) T(cfg, std::forward<Ts>(xs)...);
    } catch (...) {
      free(&whole->control_);
      throw;
    }
    return {&whole->control_, false};
  }

 private:
  static_assert(sizeof(caf::actor_control_block) < CAF_CACHE_LINE_SIZE);
  static_assert(alignof(T) <= 32, "the pool's blocks are aligned to 32");

  explicit actor_block(caf::actor_system& system) : actor_block(system, system.node()) {}
  actor_block(caf::actor_system& system, caf::node_id node)
      : control_(system.next_actor_id(), node, &system, &end, &free) {}

  // The last strong reference is gone.
  static void end(caf::abstract_actor* whom) {
    whom->on_destroy();
    static_cast<T*>(whom)->~T();
  }
  // And the last weak one.
  static void free(caf::actor_control_block* control) {
    auto* whole = reinterpret_cast<actor_block*>(control);
    whole->~actor_block();
    block_pool::deallocate(whole, sizeof(actor_block));
  }

  caf::actor_control_block control_;
  char pad_[CAF_CACHE_LINE_SIZE - sizeof(caf::actor_control_block)];
  alignas(T) std::byte place_[sizeof(T)];
};

/// Makes an actor of class `T` and starts it, as `caf::actor_system::spawn_class` does.
template <class T, class... Ts>
caf::actor spawn_in_block(caf::actor_system& system, caf::actor_config& cfg, Ts&&... xs) {
  if (cfg.host == nullptr)
    cfg.host = system.dummy_execution_unit();
  auto made = actor_block<T>::make(system, cfg, std::forward<Ts>(xs)...);
  static_cast<T*>(made->get())->launch(cfg.host, false, false);
  return caf::actor_cast<caf::actor>(std::move(made));
}

}  // namespace libactor::detail
