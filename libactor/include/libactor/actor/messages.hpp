// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/time.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <optional>
#include <system_error>

namespace libactor {

/// What a worker gets, before anything else, when a deadline ended its context.
struct deadline_reached {
  time_point at{};  ///< the deadline
};

/// What a worker gets, before any further message, when its context is done.
struct down_signal {
  std::error_code error;              ///< `errc::canceled` or `errc::deadline_exceeded`
  libactor::cause cause;              ///< why
  std::optional<time_point> stop_by;  ///< when the supervisor will kill it, where one waits
};

}  // namespace libactor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::deadline_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::down_signal)
