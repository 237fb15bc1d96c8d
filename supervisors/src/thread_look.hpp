// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/leak_event.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace libactor::detail {

/// What one thread was doing at the look.
struct thread_look {
  thread_activity activity = thread_activity::unknown;
  std::string system_call;             ///< empty where none
  std::vector<std::uintptr_t> frames;  ///< innermost first, each an address within the call; empty: none were got
  int mutex_holder = 0;                ///< the kernel's id of the thread that holds the mutex that it waits for
};

/// Looks at threads of this process, and interrupts their system calls, by two signals. The handlers stay for as long
/// as the process: what was sent may come late. Signals that others send go to the handler that was there before.
/// Thread-safe; any number may be used at once, with the same signals.
class thread_looker {
 public:
  /// 0: the last real-time signals but one and but two.
  thread_looker(int look_signal, int interrupt_signal);

  /// Waits for `limit` at most for the thread to answer; one that has ended, or that holds signals off, answers
  /// nothing. The thread itself is held up for some microseconds, no other thread is. Calls that no signal handler
  /// restarts (`poll`, sleeps: signal(7) lists them) return EINTR.
  thread_look look(int thread, duration limit) const;

  /// Makes a blocking system call of the thread return EINTR. Whether the thread is there.
  bool interrupt(int thread) const noexcept;

 private:
  int look_;
  int interrupt_;
};

/// The name of a system call of this machine, such as `read`; its number where the name is not known.
std::string system_call_name(long number);

}  // namespace libactor::detail
