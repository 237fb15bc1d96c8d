// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace libactor::process {

/// What an operating-system process is started with: plain data.
struct process_spec {
  /// The program and its arguments. A program without a slash is looked up in the `PATH` that the process gets; one
  /// with a slash is relative to `cwd`. Nothing is interpreted by a shell.
  std::vector<std::string> command;
  /// Added to the environment that the host was made with, or put in the place of its variables.
  std::map<std::string, std::string> env;
  std::string cwd;   ///< empty: that of the program
  std::string user;  ///< empty: that of the program. Sets HOME, LOGNAME and USER too, unless `env` does
  /// Resource limits by name (`limit_names`), soft and hard alike, in the units of setrlimit(2).
  std::map<std::string, std::int64_t> limits;
  /// It is ready once this TCP port of the loopback interface accepts connections; 0: not asked.
  std::uint16_t ready_port = 0;
  /// Whether it gets a `NOTIFY_SOCKET`, for the protocol of sd_notify(3).
  bool notify = false;
  /// With `notify`: the longest time between two `WATCHDOG=1`, from its first one or its `READY=1` on; 0: none asked.
  std::chrono::nanoseconds watchdog{};
  bool no_new_privs = true;  ///< whether set-user-id programs and the like gain nothing (PR_SET_NO_NEW_PRIVS)
};

/// The names that `process_spec::limits` may have, sorted: `as`, `core`, `cpu`, …, `nofile`, `nproc`, `stack`.
const std::vector<std::string_view>& limit_names();

/// Why a process did not start.
struct start_failure {
  std::string step;  ///< what was tried, such as `run nope` or `enter /nowhere`
  int error = 0;     ///< errno
  /// Such as `cannot run nope: No such file or directory`.
  std::string text() const;
};

/// How a process ended.
struct process_end {
  enum class how : std::uint8_t {
    exited,    ///< `code` is its exit status
    signaled,  ///< `code` is the signal
    lost,      ///< somebody else in this program collected its status, or its keeper was killed
  } what = how::exited;
  int code = 0;
  friend bool operator==(const process_end&, const process_end&) = default;
};

/// A line that a process wrote, without its end (`\n` or `\r\n`): bytes, not necessarily UTF-8.
struct output_line {
  std::string text;
  bool from_stderr = false;
  bool split = false;  ///< the line is longer than `max_line`, and goes on in the next one
  friend bool operator==(const output_line&, const output_line&) = default;
};

/// Longer lines are handed out in pieces of this many bytes.
inline constexpr std::size_t max_line = 64 * 1024;

}  // namespace libactor::process
