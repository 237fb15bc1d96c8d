// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <caf/actor_system.hpp>
#include <caf/logger.hpp>

namespace libactor::detail {

// Whether anything can come of what is told to the system's log.
inline bool logs(caf::actor_system& system) { return system.logger().verbosity() > CAF_LOG_LEVEL_QUIET; }

// Has this thread's turns go without a logger: with one, CAF notes at the begin and at the end of each, in a table of
// all threads and under its lock, whose turn it is. Every spawn sets the logger anew.
inline void without_logger() noexcept {
  if (caf::logger::current_logger() != nullptr)
    CAF_SET_LOGGER_SYS(nullptr);
}

// What CAF wants of each thread of an actor system: its log, and the host's hooks.
class system_thread {
 public:
  // `name`: at most 15 characters.
  system_thread(caf::actor_system& system, const char* name) : system_(system) {
    if (logs(system_))
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
