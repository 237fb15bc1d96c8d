// SPDX-License-Identifier: BSL-1.0
#include "supervisors/leak_event.hpp"

namespace libactor {

const char* to_string(thread_activity what) noexcept {
  switch (what) {
    case thread_activity::unknown:
      return "unknown";
    case thread_activity::running:
      return "running";
    case thread_activity::waiting:
      return "waiting";
  }
  return "unknown";
}

const char* to_string(leak_rung rung) noexcept {
  switch (rung) {
    case leak_rung::notice:
      return "notice";
    case leak_rung::look:
      return "look";
    case leak_rung::cancel:
      return "cancel";
    case leak_rung::interrupt:
      return "interrupt";
    case leak_rung::kill:
      return "kill";
    case leak_rung::abandon:
      return "abandon";
    case leak_rung::replace:
      return "replace";
  }
  return "unknown";
}

const char* to_string(leak_outcome outcome) noexcept {
  switch (outcome) {
    case leak_outcome::open:
      return "open";
    case leak_outcome::returned:
      return "returned";
    case leak_outcome::ended:
      return "ended";
    case leak_outcome::abandoned:
      return "abandoned";
    case leak_outcome::replaced:
      return "replaced";
  }
  return "unknown";
}

}  // namespace libactor
