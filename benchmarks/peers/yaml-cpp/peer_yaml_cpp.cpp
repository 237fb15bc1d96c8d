// SPDX-License-Identifier: BSL-1.0

// `peer_yaml_cpp yaml_load N`: what yaml-cpp alone takes to parse the same file into its nodes.
#include "measure.hpp"
#include "tree_file.hpp"

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "yaml_load") {
    std::cerr << "usage: peer_yaml_cpp yaml_load N\n";
    return 2;
  }
  const auto n = std::strtoull(argv[2], nullptr, 10);
  const auto text = bench::tree_file(n);
  const auto begin = bench::clock::now();
  const auto root = YAML::Load(text);
  const auto took = bench::clock::now() - begin;
  if (!root["tree"]["children"].IsSequence())
    return 1;
  bench::report("yaml_load", n, bench::ns_per_op(took, n));
}
