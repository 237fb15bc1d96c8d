// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_spec.hpp"

#include <sys/types.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace libactor::process {

/// A small process of its own that starts processes for a `process_host`, each below a *keeper*, and that leaves
/// nothing behind: when a process ends, its keeper kills all that descends from it, sessions of their own and double
/// forks notwithstanding; when this program ends, however it does, everything is killed. This program itself is made no
/// subreaper, and its other children are left alone.
///
/// What a process inherits, such as the working folder and the umask, is what this program had when the warden started.
/// Out of reach is what runs as a user that this program may not signal.
///
/// Thread-safe, except for construction and destruction.
class warden {
 public:
  /// Forks the warden: as the first thing in `main`. Requires: this program has one thread.
  /// Throws: std::system_error; `operation_not_permitted` where there are more threads.
  static std::shared_ptr<warden> start();

  /// Everything that was started is killed; returns once the warden has ended, or after 5 s. Requires: no host uses it.
  ~warden();
  warden(const warden&) = delete;
  warden& operator=(const warden&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// For `process_host`: hands over a request and the descriptors that go with it, which stay open here. The error is
  /// an errno, or 0. Blocks until the warden has read it, which it does at once.
  int send(const std::string& image, const std::array<int, 4>& descriptors) noexcept;

 private:
  warden(int control, pid_t pid) noexcept : control_(control), pid_(pid) {}

  std::mutex mutex_;
  int control_;
  pid_t pid_;
};

}  // namespace libactor::process
