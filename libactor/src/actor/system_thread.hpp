// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <caf/actor_system.hpp>
#include <caf/logger.hpp>

namespace libactor::detail {

// Has this thread's turns go without a logger where CAF was built without a log: with one it notes at the begin and at
// the end of each turn, in a table of all threads, whose turn it is. Every spawn sets the logger anew.
inline void without_idle_logger() noexcept {
  if constexpr (CAF_LOG_LEVEL == CAF_LOG_LEVEL_QUIET) {
    if (caf::logger::current_logger() != nullptr)
      CAF_SET_LOGGER_SYS(nullptr);
  }
}

// What CAF wants of each thread of an actor system: its log, and the host's hooks.
class system_thread {
 public:
  // `name`: at most 15 characters.
  system_thread(caf::actor_system& system, const char* name) : system_(system) {
    // For each turn of an actor CAF tells the log who acts, under a lock; which nobody needs of a log that is off.
    if (system_.logger().verbosity() > CAF_LOG_LEVEL_QUIET)
      CAF_SET_LOGGER_SYS(&system_);
    pthread_setname_np(pthread_self(), name);
    system_.thread_started();
  }
  ~system_thread() { system_.thread_terminates(); }
  system_thread(const system_thread&) = delete;
  system_thread& operator=(const system_thread&) = delete;

 private:
  caf::actor_system& system_;
};

}  // namespace libactor::detail
