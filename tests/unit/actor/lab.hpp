// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/spawn.hpp"
#include "libactor/scope.hpp"
#include "supervisors/testkit/world.hpp"

#include <caf/send.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace libactor::tests {

using lines = std::vector<std::string>;

/// What workers of a test write to: it outlives the world that ends them.
struct notes {
  lines seen;
  std::optional<caf::error> end;
  std::shared_ptr<testkit::event_recorder> told = std::make_shared<testkit::event_recorder>();
};

/// Workers in contexts of the test's own, and how they ended.
struct lab : notes, testkit::world {
  using notes::seen;             // not the world's
  std::vector<caf::actor> held;  // CAF ends an idle actor that nobody holds

  template <class Fun, class... Ts>
  caf::actor spawn(const context& ctx, Fun fun, Ts... xs) {
    auto handle = spawn_in(system(), ctx, std::move(fun), std::move(xs)...);
    watch_end(handle);
    return held.emplace_back(std::move(handle));
  }
  void watch_end(const caf::actor& handle) {
    caf::actor_cast<caf::abstract_actor*>(handle)->attach_functor([this](const caf::error& reason) { end = reason; });
  }
  /// What a worker with a line of its own is made with; its events are in `told`.
  worker_options options(const context& ctx, std::string path = "/w") {
    worker_options with;
    with.ctx = ctx;
    with.line = std::make_shared<lifeline>(std::move(path), 1, caf::weak_actor_ptr{}, 0, told);
    return with;
  }
  /// The events of `options`' workers: kind, text and count.
  lines told_lines() const {
    lines all;
    for (const auto& what : told->events())
      all.push_back(to_string(what.kind) + (": " + what.text) + ", " + std::to_string(what.count));
    return all;
  }
  context root() { return runtime().contexts().background(); }
};

/// Answers when it is told to, and keeps the context of each request.
struct slow_server {
  std::vector<caf::response_promise> promises;
  std::vector<context> contexts;
  caf::actor handle;

  auto body() {
    return [this](worker* self) -> caf::behavior {
      handle = self;
      return {[this, self](int) -> caf::result<int> {
                contexts.push_back(self->request_ctx());
                promises.push_back(self->make_response_promise());
                return promises.back();
              },
              [this](int number, int value) { promises.at(static_cast<std::size_t>(number)).deliver(value); }};
    };
  }
  /// Answers the request of that number, counted from 0.
  void answer(int number, int value) const { caf::anon_send(handle, number, value); }
};

}  // namespace libactor::tests
