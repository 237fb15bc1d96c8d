// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"
#include "supervisors/yaml/load.hpp"

#include <iostream>

namespace actortree {

int check(const check_options& options) {
  const auto loaded = libactor::yaml::load_file(options.file, built_in_kinds());
  // What programs read goes to standard output, and is there even when there is nothing to say.
  switch (options.format) {
    case check_format::text:
      std::cerr << render(loaded.diagnostics);
      if (loaded)
        std::cout << options.file << ": no faults\n";
      break;
    case check_format::json:
      std::cout << render_json(loaded.diagnostics);
      break;
    case check_format::github:
      std::cout << render_github(loaded.diagnostics);
      break;
  }
  return loaded ? ok : bad_file;
}

}  // namespace actortree
