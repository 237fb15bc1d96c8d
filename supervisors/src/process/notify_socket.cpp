// SPDX-License-Identifier: BSL-1.0
#include "process/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace libactor::process {

namespace {

constexpr std::size_t longest = 4096;  // of a datagram; more is cut
constexpr std::size_t longest_status = 1024;

}  // namespace

notice parse_notice(std::string_view datagram) {
  notice result;
  while (!datagram.empty()) {
    const auto end = std::min(datagram.find('\n'), datagram.size());
    const auto line = datagram.substr(0, end);
    datagram.remove_prefix(std::min(end + 1, datagram.size()));
    result.ready = result.ready || line == "READY=1";
    result.beat = result.beat || line == "WATCHDOG=1";
    result.gives_up = result.gives_up || line == "WATCHDOG=trigger";
    if (constexpr std::string_view status = "STATUS="; line.substr(0, status.size()) == status)
      result.status = line.substr(status.size(), longest_status);
  }
  return result;
}

unique_fd open_notify_socket(std::string& name) {
  unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int on = 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // With nothing but the family the kernel finds an abstract name that is free.
  socklen_t size = sizeof(sa_family_t);
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return {};
  size = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return {};
  name = "@" + std::string(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  return fd;
}

std::optional<notice> receive_notice(int socket, uid_t user) {
  std::array<char, longest> text;
  // Room for the sender alone: descriptors that somebody sends along are dropped by the kernel.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> room{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  ssize_t count = 0;
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0)
    return {};
  ucred sender{};
  const auto* with = CMSG_FIRSTHDR(&message);
  if (with == nullptr || with->cmsg_type != SCM_CREDENTIALS)
    return notice{};
  std::memcpy(&sender, CMSG_DATA(with), sizeof sender);
  if (sender.uid != 0 && sender.uid != user)
    return notice{};
  return parse_notice({text.data(), static_cast<std::size_t>(count)});
}

}  // namespace libactor::process
