// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace libactor {

/// Every error of this library. The same values travel as `std::error_code` and, in actor messages, as `caf::error`
/// (`libactor/actor/reason.hpp`).
enum class errc : std::uint8_t {
  canceled = 1,       ///< the context was canceled
  deadline_exceeded,  ///< the context's deadline passed; equivalent to `std::errc::timed_out`
  abandoned,          ///< an actor did not end after a kill, and is no longer waited for
  exit_status,        ///< a process ended with a status other than 0
  signaled,           ///< a process was ended by a signal
  gave_up,            ///< a supervisor reached its limit of restarts
  shutdown,           ///< the work ended because its tree is stopping
  start_failed,       ///< a child did not start
  start_timeout,      ///< a child did not report its start in time
  declined,           ///< a child chose not to start ("ignore")
  invalid_spec,       ///< a specification has faults
  not_found,          ///< no child of that id
  already_started,    ///< a child of that id is running
  already_present,    ///< a child of that id is known, and is not running
  running,            ///< the act needs a child that is not running
  restarting,         ///< the child is between two incarnations
  is_dynamic,         ///< the supervisor is dynamic: its children have no ids
  max_children,       ///< the supervisor has as many children as it may have
  no_incarnation,     ///< the address is valid, but nobody runs there now
  dropped,            ///< the receiver ended before it read the message
  closed,             ///< a group of tasks takes no more work
};

/// The category of `errc`. Thread-safe.
const std::error_category& error_category() noexcept;

/// Found by `std::error_code`'s constructor.
std::error_code make_error_code(errc code) noexcept;

/// The enumerator's own name, such as `deadline_exceeded`.
const char* to_string(errc code) noexcept;

}  // namespace libactor

template <>
struct std::is_error_code_enum<libactor::errc> : std::true_type {};
