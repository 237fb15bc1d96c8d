// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace libactor {

/// How a context was derived.
enum class context_kind : std::uint8_t {
  root,      ///< `background()`
  cancel,    ///< `with_cancel`
  deadline,  ///< `with_deadline`, `with_timeout`, and the budgets
  value,     ///< `with_value`
  trace,     ///< `with_trace`
  detached,  ///< `without_cancel`
  shield,    ///< `shielded`
  merged,    ///< `merged`
  boundary,  ///< `with_boundary`
  foreign,   ///< `with_stop`, `with_source`
};

/// As it stands in a printed chain, such as `background` or `without_cancel`.
const char* to_string(context_kind kind) noexcept;

}  // namespace libactor
