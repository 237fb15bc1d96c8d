// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/detail/actor_block.hpp"
#include "libactor/actor/worker.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace libactor {

namespace detail {

template <class Fun>
struct first_argument : first_argument<decltype(&Fun::operator())> {};
template <class R, class Self, class... As>
struct first_argument<R (*)(Self*, As...)> {
  using type = Self;
};
template <class C, class R, class Self, class... As>
struct first_argument<R (C::*)(Self*, As...) const> {
  using type = Self;
};
template <class C, class R, class Self, class... As>
struct first_argument<R (C::*)(Self*, As...)> {
  using type = Self;
};

/// What a worker of class `Self` is reached by.
template <class Self>
struct handle_of {
  using type = caf::actor;
};
template <class Self>
requires requires { typename Self::handle_type; }
struct handle_of<Self> {
  using type = typename Self::handle_type;
};

/// The body of a worker of class `Self`, which calls `fun(self, xs...)`.
template <class Self, class Fun, class... Ts>
caf::actor_config::init_fun_type body_of(Fun fun, Ts&&... xs) {
  return caf::actor_config::init_fun_type{
      [fun = std::move(fun), args = std::make_tuple(std::decay_t<Ts>(std::forward<Ts>(xs))...)](
          caf::local_actor* self) mutable -> caf::behavior {
        auto call = [&](auto&... ys) { return fun(static_cast<Self*>(self), ys...); };
        if constexpr (std::is_void_v<decltype(std::apply(call, args))>) {
          std::apply(call, args);
          return {};
        } else if constexpr (requires { std::apply(call, args).unbox(); }) {
          auto typed = std::apply(call, args);
          return std::move(typed.unbox());
        } else {
          return std::apply(call, args);
        }
      }};
}

template <class Impl, class... Ts>
caf::actor spawn_actor(caf::actor_system& system, caf::actor_config& cfg, worker_options options, Ts&&... xs) {
  if (options.detached)
    cfg.flags |= caf::abstract_actor::is_detached_flag;
  return spawn_in_block<Impl>(system, cfg, std::move(options), std::forward<Ts>(xs)...);
}

}  // namespace detail

/// Spawns a worker of class `Impl`, which is constructed with its `caf::actor_config&`, the options and `xs`.
template <class Impl, class... Ts>
caf::actor spawn_worker_class(caf::actor_system& system, worker_options options, Ts&&... xs) {
  static_assert(std::is_base_of_v<context_actor, Impl>, "only actors that live in a context are spawned here");
  caf::actor_config cfg{options.host};
  return detail::spawn_actor<Impl>(system, cfg, std::move(options), std::forward<Ts>(xs)...);
}

/// Spawns a worker whose body is `fun(self, xs...)`: a function or a function object whose first parameter is a pointer
/// to `worker` or a class derived from it, and which returns a `caf::behavior` or nothing.
template <class Fun, class... Ts>
caf::actor spawn_worker(caf::actor_system& system, worker_options options, Fun fun, Ts&&... xs) {
  using self_type = typename detail::first_argument<std::decay_t<Fun>>::type;
  caf::actor_config cfg{options.host};
  cfg.init_fun = detail::body_of<self_type>(std::move(fun), std::forward<Ts>(xs)...);
  return detail::spawn_actor<self_type>(system, cfg, std::move(options));
}

/// Spawns a worker without a supervisor, in a context that the caller owns. The handle is typed if the worker is.
template <class Fun, class... Ts>
auto spawn_in(caf::actor_system& system, const context& ctx, Fun fun, Ts&&... xs) {
  using handle = typename detail::handle_of<typename detail::first_argument<std::decay_t<Fun>>::type>::type;
  worker_options options;
  options.ctx = ctx;
  options.line = std::make_shared<lifeline>();
  return caf::actor_cast<handle>(spawn_worker(system, std::move(options), std::move(fun), std::forward<Ts>(xs)...));
}

}  // namespace libactor
