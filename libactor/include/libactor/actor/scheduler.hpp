// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/fwd.hpp>

namespace libactor {

/// Sets up a configuration for trees of actors: CAF's *sharing* scheduler, and at most 50 messages a turn, so that no
/// actor that sends to itself starves the others. CAF's default is the *stealing* scheduler without such a limit, whose
/// cost grows with the square of a burst. Call it before the `actor_system` is made.
void configure(caf::actor_system_config& cfg);

}  // namespace libactor
