// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_spec.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace libactor::process {

class warden;

/// What said that a process is ready.
enum class ready_sign : std::uint8_t { notify, port };

/// Learns what becomes of one process. Called on the host's own thread, one call at a time, with no lock held: calls
/// must not block. Either `on_start_failed` comes, and nothing else; or `on_started`, then output, then `on_ended`.
class process_listener {
 public:
  virtual ~process_listener() = default;
  /// The program runs: its exec succeeded.
  virtual void on_started(pid_t pid) noexcept = 0;
  virtual void on_start_failed(const start_failure& why) noexcept = 0;
  /// At least one line. The order within stdout and within stderr is kept, that between the two is not known.
  /// Answer each call with one `process_host::consumed`: while `max_unconsumed` calls are not answered, the process's
  /// output is not read, and so the process waits once its pipe is full.
  virtual void on_output(std::vector<output_line> lines) noexcept = 0;
  /// `READY=1` came (`process_spec::notify`), or `ready_port` accepts connections: once each, after `on_started`.
  virtual void on_ready(ready_sign) noexcept {}
  /// The last `STATUS=` that came; of many, some are left out. Answer it as `on_output`.
  virtual void on_status(std::string) noexcept {}
  /// No beat came for `process_spec::watchdog`: it gets SIGABRT, and SIGKILL one second later. At most once.
  virtual void on_beat_missed() noexcept {}
  /// The process has ended, was reaped, and all that it wrote was handed over; the rest of its group was killed.
  virtual void on_ended(const process_end& how) noexcept = 0;
};

/// How a host notices that a process ended.
enum class end_notice : std::uint8_t {
  pidfd,    ///< by the kernel's word; by polling where it has no pidfd_open(2) (before Linux 5.3)
  polling,  ///< by asking 20 times a second
};

/// Starts operating-system processes, reads their output and notices their end, all on one thread of its own. Each
/// process leads a session and a process group. Processes of others are left alone: no handler of SIGCHLD, and each
/// process is waited for by its id. A host that is killed takes its processes with it (PR_SET_PDEATHSIG), but not what
/// those started in turn; a `warden` takes all of it.
///
/// Thread-safe: every member may be called from any thread, and none blocks, except for construction and destruction.
class process_host {
 public:
  /// Names a process of one host; never used twice.
  using process_id = std::uint64_t;

  /// Calls of `on_output` that may wait for their `consumed`, for each process.
  static constexpr std::size_t max_unconsumed = 8;

  /// Copies the environment, for processes to inherit. Throws: std::system_error if there is no thread or descriptor to
  /// be had.
  explicit process_host(end_notice notice = end_notice::pidfd);
  /// The same, with processes that the warden starts and keeps: see there.
  explicit process_host(std::shared_ptr<warden> below);
  /// Kills what still runs, and returns once all of it is reaped, or after 5 s if the kernel does not let go of one.
  /// No listener is called any more. On the host's own thread, such as in a listener, it returns at once, and all that
  /// follows.
  ~process_host();
  process_host(const process_host&) = delete;
  process_host& operator=(const process_host&) = delete;

  /// Starts a process; the listener gets the outcome.
  process_id start(process_spec spec, std::shared_ptr<process_listener> listener);

  /// Sends a signal to the process's group. Does nothing once it has ended. After a SIGTERM no beats are asked for.
  void signal(process_id id, int number);

  /// Ends the process's group by SIGKILL, before the call returns if it runs already (below a warden: soon after), and
  /// drops its output and its listener. It is reaped all the same, and then `until_gone` is let go.
  void discard(process_id id, std::shared_ptr<void> until_gone = nullptr);

  /// One call of `on_output` was dealt with.
  void consumed(process_id id);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace libactor::process
