// SPDX-License-Identifier: BSL-1.0

// How long one run of an exploration takes: `bench_explore explore N` starts and stops a tree of 5 children N times,
// each in another order of its steps, on one core, and prints `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`, and to
// the standard error how many that is a second. `explore_2t` takes two worlds side by side.
#include "supervisors/testkit/explore.hpp"
#include "measure.hpp"
#include "supervisors/testkit/doubles.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using namespace libactor;
using namespace libactor::testkit;

int explore_a_tree(const char* workload, std::uint64_t n, unsigned threads) {
  // In a graph all five start and stop at once: there are more orders than anybody asks for.
  auto root = one_for_one().start_order(start_mode::graph);
  for (const auto* id : {"a", "b", "c", "d", "e"})
    root.child_started_by(id, a_double());
  explore_options options;
  options.max_schedules = n;
  options.threads = threads;
  const auto start = bench::clock::now();
  const auto result = explore(options, [&](trial& t) {
    t.must(everything_stopped());
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(root.tree());
    t.run_until_ended(std::chrono::hours(1));
  });
  const auto took = bench::clock::now() - start;
  // Worlds that were under way when the last one was counted are counted, too.
  if (result.failed || result.schedules < n || result.schedules >= n + threads) {
    std::cerr << "bench_explore: " << result.to_text() << '\n';
    return 1;
  }
  const auto ns = bench::ns_per_op(took, result.schedules);
  bench::report(workload, n, ns);
  std::cerr << workload << ": " << static_cast<std::uint64_t>(1e9 / ns) << " schedules a second\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::string workload = argc == 3 ? argv[1] : "";
  if ((workload != "explore" && workload != "explore_2t") || n == 0) {
    std::cerr << "usage: bench_explore explore|explore_2t N\n";
    return 2;
  }
  return explore_a_tree(argv[1], n, workload == "explore" ? 1 : 2);
}
