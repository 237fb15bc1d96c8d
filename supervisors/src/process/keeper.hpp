// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/child_image.hpp"

#include <cstdint>

namespace libactor::process {

// What a keeper tells its host: how the process ended, once nothing is left of it. Sent once, as one packet.
struct keeper_news {
  process_end end;
};

// A request to the warden: this head, with four descriptors beside its first byte (the keeper's end of its socket, then
// the process's standard output, standard error and report pipe), and as many bytes of an encoded image.
struct warden_request {
  std::uint64_t size;
};
inline constexpr int warden_request_fds = 4;

// The warden's whole life, in a process that has one thread. Ends when the host's end of `control` is closed.
[[noreturn]] void run_warden(int control) noexcept;

}  // namespace libactor::process
