// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

namespace bench {

using clock = std::chrono::steady_clock;

/// Works for `how_long`: a processor that has slept is slow at first, which is not what is to be measured.
inline void spin(clock::duration how_long) {
  const auto until = clock::now() + how_long;
  while (clock::now() < until) {
  }
}

inline double ns_per_op(clock::duration took, std::uint64_t ops) {
  return static_cast<double>(std::chrono::nanoseconds(took).count()) / static_cast<double>(ops);
}

/// Bytes of memory that this process occupies.
inline std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// The line that every program of the benchmarks prints.
inline void report(const std::string& workload, std::uint64_t n, double ns, std::optional<std::size_t> bytes = {}) {
  std::printf("%s\t%llu\t%.2f\t%s\n", workload.c_str(), static_cast<unsigned long long>(n), ns,
              bytes ? std::to_string(*bytes).c_str() : "-");
}

/// Ends the process once the line is out. What is left behind, up to a million actors, is not what is measured, and
/// CAF 0.17.6 can hang when so many end at once.
[[noreturn]] inline void leave() {
  std::fflush(nullptr);
  std::_Exit(0);
}

}  // namespace bench
