// SPDX-License-Identifier: BSL-1.0

// `bench_yaml yaml_load N` loads and checks a tree of N workers, and prints
// `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`, an op being one worker.
#include "measure.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/child_start.hpp"
#include "supervisors/yaml/load.hpp"
#include "tree_file.hpp"

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

using namespace libactor;

child_catalog catalog_of_workers() {
  child_kind kind;
  kind.name = "bench.worker";
  kind.args = {{"port", arg_type::integer, true, {}, {}},
               {"url", arg_type::string, true, {}, {}},
               {"every", arg_type::duration, false, {}, {}}};
  kind.start = [](child_start& start) { return start.decline(); };
  child_catalog catalog;
  catalog.add(std::move(kind));
  return catalog;
}

void yaml_load(std::uint64_t n) {
  const auto text = bench::tree_file(n);
  const auto catalog = catalog_of_workers();
  const auto begin = bench::clock::now();
  const auto loaded = yaml::load_text(text, "tree.yaml", catalog);
  const auto took = bench::clock::now() - begin;
  if (!loaded || !loaded.diagnostics.empty()) {
    std::cerr << render(loaded.diagnostics);
    std::exit(1);
  }
  bench::report("yaml_load", n, bench::ns_per_op(took, n));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "yaml_load") {
    std::cerr << "usage: bench_yaml yaml_load N\n";
    return 2;
  }
  yaml_load(std::strtoull(argv[2], nullptr, 10));
}
