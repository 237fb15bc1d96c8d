// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"

#include <iostream>

namespace actortree {

int check(const std::string& file) {
  if (!load(file, built_in_kinds()))
    return bad_file;
  std::cout << file << ": no faults\n";
  return ok;
}

}  // namespace actortree
