// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/violation.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <functional>

namespace libactor::test {

// Whether `act` ends the program through the handler, which is replaced, in a process of its own.
inline bool is_violation(const std::function<void()>& act) {
  const auto child = ::fork();
  if (child == 0) {
    set_violation_handler([](const char* what) { ::_exit(what != nullptr && *what != '\0' ? 42 : 43); });
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

}  // namespace libactor::test
