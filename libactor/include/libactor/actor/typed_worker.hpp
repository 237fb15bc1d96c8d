// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/worker.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_behavior.hpp>

#include <set>
#include <string>
#include <utility>

namespace libactor {

/// A worker whose messages are checked when the program is compiled: `Sigs` are CAF's signatures, such as
/// `caf::replies_to<int>::with<std::string>`. Its body takes `typed_worker<Sigs...>*` and returns a
/// `caf::typed_behavior<Sigs...>`; `spawn_in` then returns a `caf::typed_actor<Sigs...>`. In everything else it is a
/// `worker`. `caf::stateful_actor<State, typed_worker<Sigs...>>` has a state, too.
template <class... Sigs>
class typed_worker : public worker {
 public:
  using worker::worker;
  using behavior_type = caf::typed_behavior<Sigs...>;
  using handle_type = caf::typed_actor<Sigs...>;

  /// Replaces the behavior.
  void become(behavior_type next) { this->do_become(std::move(next.unbox()), true); }

  /// The signatures by name, for those who look this actor up from afar.
  std::set<std::string> message_types() const override {
    return this->home_system().message_types(caf::detail::type_list<handle_type>{});
  }
};

/// `handle` as one that is checked by `Handle`'s signatures. Requires: it is of a `typed_worker` that has them all;
/// this is not checked.
template <class Handle>
Handle typed(const caf::actor& handle) {
  return caf::actor_cast<Handle>(handle);
}

}  // namespace libactor
