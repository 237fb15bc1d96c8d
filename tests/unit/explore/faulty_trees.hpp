// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

namespace libactor::tests {

using namespace testkit;

inline tree_spec pair_of(fault store, fault api) {
  return one_for_one()
      .child_started_by("store", a_double(store))
      .shutdown(2s)
      .child_started_by("api", a_double(api))
      .shutdown(2s)
      .tree();
}

/// A tree that is stopped at any time.
inline void stopped_at_any_time(trial& t, const tree_spec& tree) {
  t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
  t.start(tree);
  t.run_until_ended(1h);
}

}  // namespace libactor::tests
