// SPDX-License-Identifier: BSL-1.0
#include "supervisors/yaml/load.hpp"
#include "commands.hpp"

#include <iostream>

namespace actortree {

std::optional<libactor::tree_spec> load(const std::string& file, const libactor::child_catalog& catalog) {
  auto loaded = libactor::yaml::load_file(file, catalog);
  std::cerr << render(loaded.diagnostics);
  return std::move(loaded.tree);
}

}  // namespace actortree
