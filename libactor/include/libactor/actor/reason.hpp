// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/error.hpp"

#include <caf/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace libactor {

/// How an actor ended, as supervision sees it. `docs/lifetimes.md` has the table of endings.
enum class ending : unsigned char {
  normal,    ///< finished without error
  shutdown,  ///< `exit_reason::user_shutdown`, or `errc::shutdown` with more to say
  abnormal,  ///< everything else
};

/// This library's errors as CAF's. Found by CAF's conversions, so that `self->quit(errc::canceled)` works.
caf::error make_error(errc code);
/// The same with words to it.
caf::error make_error(errc code, std::string text);
/// The same with a number: the status of `exit_status`, the signal of `signaled`.
caf::error make_error(errc code, int number);

/// The error of an exception that left a handler: `sec::runtime_error` with the exception's type and text.
caf::error make_error(const std::exception_ptr& thrown);

/// The code of an error of this library; empty for all others.
std::optional<errc> errc_of(const caf::error& reason);

ending ending_of(const caf::error& reason);

/// For people and logs: `normal`, `user_shutdown`, `kill`, `deadline_exceeded`, `exit_status: 3`,
/// `runtime_error: std::logic_error: boom`.
std::string describe(const caf::error& reason);

}  // namespace libactor
