// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/spawn.hpp"
#include "supervisors/child_spec.hpp"

#include <caf/actor.hpp>
#include <caf/expected.hpp>

#include <string_view>

namespace libactor {

struct tree_core;

/// What a start function hands back: the incarnation's actor.
struct started_child {
  caf::actor handle;
  bool is_worker = true;  ///< false: a plain CAF actor, which acknowledges nothing and gets exit messages
};

/// What a start function is given: everything that one incarnation of a child is made with. Valid during the call only.
class child_start {
 public:
  child_start(caf::actor_system& system, worker_options options, const child_args& args, tree_core& core)
      : system_(&system), options_(std::move(options)), args_(&args), core_(&core) {}

  caf::actor_system& system() const noexcept { return *system_; }
  /// The context of this incarnation; what is spawned here lives in it.
  const context& ctx() const noexcept { return options_.ctx; }
  const std::string& path() const noexcept { return options_.line->path(); }
  /// Counts from 1.
  std::uint32_t incarnation() const noexcept { return options_.line->incarnation(); }
  const child_args& args() const noexcept { return *args_; }
  /// The stable address of another child of the tree, as `runtime::ref` gives it.
  caf::expected<caf::actor> ref(std::string_view path) const;

  /// Spawns a worker whose body is `fun(self, xs...)`, as `caf::actor_system::spawn` does.
  template <class Fun, class... Ts>
  caf::expected<started_child> spawn(Fun fun, Ts&&... xs) {
    return started_child{spawn_worker(*system_, std::move(options_), std::move(fun), std::forward<Ts>(xs)...), true};
  }

  /// Spawns a worker of class `Impl` (derived from `worker`), constructed with its `actor_config`, its `worker_options`
  /// and `xs`.
  template <class Impl, class... Ts>
  caf::expected<started_child> spawn_class(Ts&&... xs) {
    return started_child{spawn_worker_class<Impl>(*system_, std::move(options_), std::forward<Ts>(xs)...), true};
  }

  /// Takes a plain CAF actor as the child. It counts as started at once, and is stopped by an exit message.
  caf::expected<started_child> plain(caf::actor handle) { return started_child{std::move(handle), false}; }

  /// The child chooses not to start (OTP's "ignore").
  caf::expected<started_child> decline();

 private:
  caf::actor_system* system_;
  worker_options options_;
  const child_args* args_;
  tree_core* core_;
};

}  // namespace libactor
