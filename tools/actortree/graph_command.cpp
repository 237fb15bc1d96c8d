// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "graph_formats.hpp"
#include "kinds.hpp"
#include "supervisors/tree_text.hpp"

#include <iostream>

namespace actortree {

int graph(const graph_options& options) {
  const auto tree = load(options.file, built_in_kinds());
  if (!tree)
    return bad_file;
  switch (options.format) {
    case graph_format::text:
      std::cout << libactor::tree_text(*tree);
      break;
    case graph_format::dot:
      std::cout << as_dot(*tree);
      break;
    case graph_format::mermaid:
      std::cout << as_mermaid(*tree);
      break;
    case graph_format::json:
      std::cout << as_json(*tree);
      break;
  }
  return ok;
}

}  // namespace actortree
