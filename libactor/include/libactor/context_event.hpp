// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/context_kind.hpp"
#include "libactor/source_location.hpp"
#include "libactor/time.hpp"

#include <cstdint>

namespace libactor {

/// One step in a context's life, as `context_runtime::subscribe` reports it.
struct context_event {
  enum class what : std::uint8_t {
    derived,   ///< it was made
    canceled,  ///< it is done, with `errc::canceled`
    expired,   ///< it is done, with `errc::deadline_exceeded`
    released,  ///< the last handle is gone, and nothing below it is left; one never `canceled` before was simply let go
  };

  what step = what::derived;
  context_kind kind = context_kind::root;
  std::uint64_t id = 0;      ///< unique among the contexts that exist at a time; 0 is none
  std::uint64_t parent = 0;  ///< the id of the context that it was derived from
  source_location where;     ///< of the derivation
  time_point at;             ///< on the runtime's clock
  libactor::cause why;       ///< of the end; empty for `derived`
};

/// The enumerator's name.
const char* to_string(context_event::what step) noexcept;

}  // namespace libactor
