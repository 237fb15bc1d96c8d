// SPDX-License-Identifier: BSL-1.0
#include "libactor/violation.hpp"

#include <atomic>
#include <cstdio>
#include <exception>

namespace libactor {

namespace {

void print_words(const char* what) { std::fprintf(stderr, "libactor: broken requirement: %s\n", what); }

std::atomic<violation_handler> current{&print_words};

}  // namespace

violation_handler set_violation_handler(violation_handler handler) noexcept {
  return current.exchange(handler != nullptr ? handler : &print_words, std::memory_order_acq_rel);
}

void violated(const char* what) noexcept {
  current.load(std::memory_order_acquire)(what);
  std::terminate();
}

}  // namespace libactor
