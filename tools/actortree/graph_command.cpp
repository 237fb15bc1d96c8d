// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"
#include "supervisors/tree_text.hpp"

#include <iostream>

namespace actortree {

int graph(const std::string& file) {
  const auto tree = load(file, built_in_kinds());
  if (!tree)
    return bad_file;
  std::cout << libactor::tree_text(*tree);
  return ok;
}

}  // namespace actortree
