// SPDX-License-Identifier: BSL-1.0
#pragma once

// One run that a seed chooses, of a tree in which a lot goes wrong, and all that happened in it. For tests, and for the
// program that a release build runs.

#include "supervisors/builder.hpp"
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <string>

namespace libactor::tests {

inline std::string seeded_run(std::uint64_t seed) {
  using namespace libactor::testkit;
  using namespace std::chrono_literals;
  auto tree = one_for_all();
  tree.intensity(5, 1s)
      .child_started_by("a", a_double(fault::exits))
      .delays({100ms, 1s, 2, 0.2, {}})
      .child_started_by("b", a_double(fault::slow_to_stop))
      .child_started_by("c", a_double(fault::ignores_down_signal))
      .shutdown(1s);
  explore_options options;
  options.mode = search_mode::random;
  options.max_schedules = 1;
  options.seed = seed;
  std::string trace;
  explore(options, [&](trial& t) {
    t.at_any_time("crash", [&t] {
      if (const auto b = t.runtime().find("/root/b"))
        caf::anon_send(*b, std::string("fault"));
    });
    t.start(tree.tree());
    t.advance(3s);
    t.stop();
    t.run_until_ended(1h);
    trace = t.trace();
  });
  return trace;
}

}  // namespace libactor::tests
