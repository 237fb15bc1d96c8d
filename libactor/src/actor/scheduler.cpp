// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/scheduler.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

namespace libactor {

void configure(caf::actor_system_config& cfg) {
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-throughput", 50);
}

}  // namespace libactor
