// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace libactor::process {

// Owns one file descriptor, or none (-1).
class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~unique_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The same as a descriptor of 3 or above, closed by exec: in a program whose standard ones are closed, a new one would
// be taken for one of them. None, with errno, where it can't be had.
inline unique_fd above_standard(int fd) noexcept {
  if (fd < 0 || fd > 2)
    return unique_fd{fd};
  const unique_fd low{fd};
  return unique_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

}  // namespace libactor::process
