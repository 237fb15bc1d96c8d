// SPDX-License-Identifier: BSL-1.0

// How long one run of an exploration takes, on one core: `bench_explore explore N` starts and stops a tree of 5
// children N times, each in another order of its steps, and prints `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`.
#include "supervisors/testkit/explore.hpp"
#include "measure.hpp"
#include "supervisors/testkit/doubles.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using namespace libactor;
using namespace libactor::testkit;

int explore_a_tree(std::uint64_t n) {
  // In a graph all five start and stop at once: there are more orders than anybody asks for.
  auto root = one_for_one().start_order(start_mode::graph);
  for (const auto* id : {"a", "b", "c", "d", "e"})
    root.child_started_by(id, a_double());
  explore_options options;
  options.max_schedules = n;
  const auto start = bench::clock::now();
  const auto result = explore(options, [&](trial& t) {
    t.must(everything_stopped());
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(root.tree());
    t.run_until_ended(std::chrono::hours(1));
  });
  const auto took = bench::clock::now() - start;
  if (result.failed || result.schedules != n) {
    std::cerr << "bench_explore: " << result.to_text() << '\n';
    return 1;
  }
  bench::report("explore", n, bench::ns_per_op(took, n));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (argc != 3 || argv[1] != std::string("explore") || n == 0) {
    std::cerr << "usage: bench_explore explore N\n";
    return 2;
  }
  return explore_a_tree(n);
}
