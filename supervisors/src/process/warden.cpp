// SPDX-License-Identifier: BSL-1.0
#include "supervisors/process/warden.hpp"

#include "process/keeper.hpp"
#include "process/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace libactor::process {

namespace {

constexpr int last_wait_ms = 5000;

std::size_t thread_count() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

// In the new process: nothing of the program that it came from but one descriptor, moved to 3.
[[noreturn]] void become_warden(int control) noexcept {
  ::setsid();  // the terminal's signals are not for it
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd)
    ::dup2(null, fd);
  ::dup2(control, 3);
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 4, ~0U, 0) != 0)
#endif
  {
    const long end = ::sysconf(_SC_OPEN_MAX);
    for (int fd = 4; fd < end; ++fd)
      ::close(fd);
  }
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  run_warden(3);
}

}  // namespace

std::shared_ptr<warden> warden::start() {
  if (thread_count() != 1)
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "the warden must be started before any thread");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  unique_fd here = above_standard(ends[0]);
  const unique_fd there = above_standard(ends[1]);
  if (!here || !there)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  const auto pid = ::fork();
  if (pid < 0)
    throw std::system_error(errno, std::generic_category(), "fork the warden");
  if (pid == 0)
    become_warden(there.get());
  return std::shared_ptr<warden>(new warden(here.release(), pid));
}

warden::~warden() {
  ::close(control_);
  const unique_fd end{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U))};
  if (end) {
    pollfd ended{end.get(), POLLIN, 0};
    while (::poll(&ended, 1, last_wait_ms) < 0 && errno == EINTR) {
    }
    ::waitid(P_PID, static_cast<id_t>(pid_), nullptr, WEXITED | WNOHANG);
    return;
  }
  // Before Linux 5.3.
  for (int waited = 0; waited < last_wait_ms && ::waitpid(pid_, nullptr, WNOHANG) == 0; waited += 10)
    ::poll(nullptr, 0, 10);
}

int warden::send(const std::string& image, const std::array<int, 4>& descriptors) noexcept {
  static_assert(warden_request_fds == 4);
  warden_request head{image.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> room{};
  std::array<iovec, 2> parts{iovec{&head, sizeof head}, iovec{const_cast<char*>(image.data()), image.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  auto* with = CMSG_FIRSTHDR(&message);
  with->cmsg_level = SOL_SOCKET;
  with->cmsg_type = SCM_RIGHTS;
  with->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(with), descriptors.data(), sizeof descriptors);
  const std::lock_guard guard{mutex_};
  for (;;) {
    const auto count = ::sendmsg(control_, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno;
    // The descriptors go with the first byte; the rest may take more calls.
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    auto left = static_cast<std::size_t>(count);
    while (message.msg_iovlen != 0 && left >= message.msg_iov->iov_len) {
      left -= message.msg_iov->iov_len;
      ++message.msg_iov;
      --message.msg_iovlen;
    }
    if (message.msg_iovlen == 0)
      return 0;
    message.msg_iov->iov_base = static_cast<char*>(message.msg_iov->iov_base) + left;
    message.msg_iov->iov_len -= left;
  }
}

}  // namespace libactor::process
