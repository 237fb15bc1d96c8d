// SPDX-License-Identifier: BSL-1.0
#include "supervisors/leak_event.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace libactor {

std::string to_string(const stack_frame& frame) {
  std::string text = frame.function;
  if (text.empty()) {
    std::array<char, 24> address{};
    std::snprintf(address.data(), address.size(), "0x%jx", static_cast<std::uintmax_t>(frame.address));
    text = address.data();
  }
  if (!frame.file.empty())
    text += " at " + frame.file + (frame.line != 0 ? ":" + std::to_string(frame.line) : "");
  return text;
}

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
