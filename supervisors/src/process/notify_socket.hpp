// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/unique_fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace libactor::process {

// What one datagram of the protocol of sd_notify(3) says, as far as it matters here.
struct notice {
  bool ready = false;                 // READY=1
  bool beat = false;                  // WATCHDOG=1
  bool gives_up = false;              // WATCHDOG=trigger
  std::optional<std::string> status;  // STATUS=…
};
notice parse_notice(std::string_view datagram);

// The socket that a process is given by NOTIFY_SOCKET: an abstract one, which needs no folder that its user may enter.
// `name` becomes the variable's value. None, with errno, where it can't be made.
unique_fd open_notify_socket(std::string& name);

// The next datagram, if there is one. Everybody can find the socket: what others than `user` and root send says
// nothing.
std::optional<notice> receive_notice(int socket, uid_t user);

}  // namespace libactor::process
