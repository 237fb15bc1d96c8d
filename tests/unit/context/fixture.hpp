// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_node.hpp"
#include "libactor/context_key.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/error.hpp"
#include "libactor/scope.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace libactor::test {

using namespace std::chrono_literals;

/// A runtime on the virtual clock.
struct world {
  context_runtime runtime{context_runtime::driver::virtual_};
  context root = runtime.background();

  time_point now() const { return runtime.now(); }
  void advance(duration by) { runtime.advance_to(runtime.now() + by); }
};

inline std::size_t registered(const context& ctx) { return detail::registered(*detail::access::get(ctx)->lifeline()); }

inline std::string printed(const context& ctx) {
  std::ostringstream out;
  out << ctx;
  return out.str();
}

/// Rounds of a race or a walk: fewer under the sanitizers, ThreadSanitizer's takes some 20 times as long for each;
/// LIBACTOR_TEST_ROUNDS overrides.
inline int rounds(int plain) {
  if (const char* words = std::getenv("LIBACTOR_TEST_ROUNDS"))
    return std::atoi(words);
#if defined(__SANITIZE_THREAD__)
  return plain / 10;
#elif defined(__SANITIZE_ADDRESS__)
  return plain / 4;
#else
  return plain;
#endif
}

/// What a thread other than the test's own checks with, as Boost.Test's macros are for one thread: `race` reports it.
inline std::atomic<const char*> broken{nullptr};
inline void must(bool holds, const char* what) {
  if (!holds)
    broken = what;
}

/// What a thread does at its end, once it has been told to.
struct last_words {
  std::function<void()> say;
  ~last_words() {
    if (say)
      say();
  }
};

/// Runs `body(thread, round)` on each of `threads` threads, all starting each round at once, and `before(round)` and
/// `after(round)` on this one, alone.
inline void race(int threads, int how_many, const std::function<void(int)>& before,
                 const std::function<void(int, int)>& body, const std::function<void(int)>& after) {
  std::barrier gate{threads + 1};
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (int round = 0; round < how_many; ++round) {
        gate.arrive_and_wait();
        body(t, round);
        gate.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < how_many; ++round) {
    before(round);
    gate.arrive_and_wait();
    gate.arrive_and_wait();
    BOOST_CHECK_MESSAGE(broken == nullptr, "round " << round << ": " << broken.load());
    broken = nullptr;
    after(round);
  }
}

}  // namespace libactor::test

namespace libactor {
inline std::ostream& boost_test_print_type(std::ostream& out, const cause& why) { return out << why; }
}  // namespace libactor

namespace std {
inline std::ostream& boost_test_print_type(std::ostream& out, const std::error_code& code) {
  return out << code.message();
}
}  // namespace std
