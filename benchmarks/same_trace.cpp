// SPDX-License-Identifier: BSL-1.0

// Whether a build gives the same bytes for the same seed: `same_trace N` takes the run of each of 5 seeds N times, in
// one process, and prints how many traces were different from the first, and a sum of all: the same in every process.
#include "seeded_run.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

int main(int argc, char** argv) {
  const long rounds = argc == 2 ? std::atol(argv[1]) : 0;
  if (rounds <= 0) {
    std::fprintf(stderr, "usage: same_trace N\n");
    return 2;
  }
  int different = 0;
  std::size_t bytes = 0;
  std::set<std::string> by_seed;
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto first = libactor::tests::seeded_run(seed);
    bytes += first.size();
    by_seed.insert(first);
    for (const char one : first)
      sum = (sum ^ static_cast<unsigned char>(one)) * 0x100000001b3;
    for (long i = 1; i < rounds; ++i)
      different += libactor::tests::seeded_run(seed) == first ? 0 : 1;
  }
  std::printf("same_trace: 5 seeds, %ld runs each, %zu bytes: %d different; %zu seeds differ; sum %016llx\n", rounds,
              bytes, different, by_seed.size(), static_cast<unsigned long long>(sum));
  return different == 0 && by_seed.size() == 5 && bytes > 2500 ? 0 : 1;
}
