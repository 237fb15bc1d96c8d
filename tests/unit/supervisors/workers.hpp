// SPDX-License-Identifier: BSL-1.0
#pragma once

// Workers for tests: each is a body to build trees with.

#include "libactor/actor/worker.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/testkit/world.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace libactor::tests {

using namespace std::chrono_literals;
using namespace std::string_literals;
using lines = std::vector<std::string>;

/// Ends as the message says ("error", "throw", "normal", "shutdown", "shutdown with words"), or answers with it.
inline caf::behavior ordinary(worker* self) {
  return {[self](const std::string& what) -> std::string {
    if (what == "error")
      self->finish(caf::make_error(caf::sec::invalid_argument));
    else if (what == "throw")
      throw std::logic_error("boom");
    else if (what == "normal")
      self->finish();
    else if (what == "shutdown with words")
      self->finish(make_error(errc::shutdown, "for the night"));
    else if (what == "shutdown")
      self->finish(caf::exit_reason::user_shutdown);
    return what;
  }};
}

/// Takes its down-signal to heart only after `delay`.
inline caf::behavior slow_to_stop(worker* self, duration delay) {
  self->on_down_signal([self, delay](const down_signal&) {
    self->after(delay, [self] { self->finish(caf::exit_reason::user_shutdown); });
  });
  return ordinary(self);
}

/// Sees its down-signal, and goes on.
inline caf::behavior ignores_stop(worker* self) {
  self->on_down_signal([](const down_signal&) {});
  return ordinary(self);
}

inline caf::behavior throws_in_start(worker*) { throw std::runtime_error("no disk"); }

/// Never acknowledges its start.
inline caf::behavior never_starts(worker* self) {
  self->defer_start();
  return ordinary(self);
}

/// A world with what tests ask of it.
struct world : testkit::world {
  using testkit::world::world;
  caf::actor at(std::string_view path) {
    auto found = runtime().find(path);
    BOOST_REQUIRE_MESSAGE(found, "nobody runs at " << path);
    return *found;
  }
  void tell(std::string_view path, std::string what) {
    caf::anon_send(at(path), std::move(what));
    settle();
  }
  void start_ok(const tree_spec& tree) {
    auto result = start(tree);
    BOOST_REQUIRE(result);
    BOOST_REQUIRE_MESSAGE(!*result, describe(*result));
  }
  lines starts() const { return log({event_kind::started}); }
  lines ends() const { return log({event_kind::stopped, event_kind::crashed, event_kind::ended}); }
};

}  // namespace libactor::tests
