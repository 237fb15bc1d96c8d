// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace actortree {

class descriptor {
 public:
  explicit descriptor(int fd, const char* what) : fd_(fd) {
    if (fd < 0)
      throw std::system_error(errno, std::generic_category(), what);
  }
  ~descriptor() { ::close(fd_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// SIGINT, SIGTERM and SIGUSR1 as something to poll. Made before any thread, so that all threads inherit the mask.
class signals {
 public:
  signals() : fd_(open(), "signalfd") {}
  int fd() const noexcept { return fd_.get(); }
  /// The name of the signal that came in.
  std::string take() const {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != sizeof info)
      throw std::system_error(errno, std::generic_category(), "signalfd");
    return info.ssi_signo == SIGINT ? "SIGINT" : info.ssi_signo == SIGUSR1 ? "SIGUSR1" : "SIGTERM";
  }

 private:
  static int open() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  descriptor fd_;
};

/// Prints to standard error, on a thread of its own: who reads it may be slow, or not read at all.
class diagnosis {
 public:
  /// What comes while an earlier text is still being written is dropped.
  void print(std::string text) {
    if (writing_->exchange(true))
      return;
    std::thread([text = std::move(text), writing = writing_] {
      for (std::string_view left = text; !left.empty();) {
        const auto count = ::write(STDERR_FILENO, left.data(), left.size());
        if (count < 0 && errno != EINTR)
          break;
        left.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
      }
      *writing = false;
    }).detach();
  }

 private:
  std::shared_ptr<std::atomic<bool>> writing_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace actortree
