// SPDX-License-Identifier: BSL-1.0
#pragma once

// The part of `world` that needs CAF's heavy headers. Included by world.hpp.

#include "supervisors/testkit/world.hpp"

#include <caf/event_based_actor.hpp>

namespace libactor::testkit {

template <class T>
std::optional<caf::expected<T>> world::ask(std::string_view path, supervisor_verb verb) {
  auto answer = std::make_shared<std::optional<caf::expected<T>>>();
  auto whom = runtime_->supervisor(path);
  if (!whom) {
    answer->emplace(whom.error());
    return *answer;
  }
  system_.spawn([answer, to = whom->handle(), verb = std::move(verb)](caf::event_based_actor* self) {
    auto failed = [answer](caf::error& e) { answer->emplace(std::move(e)); };
    if constexpr (std::is_same_v<T, caf::unit_t>)
      self->request(to, caf::infinite, verb).then([answer] { answer->emplace(caf::unit); }, failed);
    else
      self->request(to, caf::infinite, verb).then([answer](const T& x) { answer->emplace(x); }, failed);
  });
  settle();
  return *answer;
}

}  // namespace libactor::testkit
