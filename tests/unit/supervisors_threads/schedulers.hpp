// SPDX-License-Identifier: BSL-1.0
#pragma once

// Real threads: each case runs on the library's scheduler and on CAF's *sharing* one.

#include "../waiting.hpp"
#include "libactor/actor/scheduler.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

#include <array>
#include <ostream>

namespace libactor::tests {

enum class scheduler_kind { own, sharing };

inline std::ostream& operator<<(std::ostream& out, scheduler_kind kind) {
  return out << (kind == scheduler_kind::own ? "own" : "sharing");
}

inline const std::array<scheduler_kind, 2> both{scheduler_kind::own, scheduler_kind::sharing};

struct threads {
  explicit threads(scheduler_kind kind) : system(configured(cfg, kind)) {}
  static caf::actor_system_config& configured(caf::actor_system_config& cfg, scheduler_kind kind) {
    if (kind == scheduler_kind::own) {
      configure(cfg);
    } else {
      cfg.set("scheduler.policy", caf::atom("sharing"));
      cfg.set("scheduler.max-throughput", 50);
    }
    return cfg;
  }
  caf::actor_system_config cfg;
  caf::actor_system system;
};

}  // namespace libactor::tests
