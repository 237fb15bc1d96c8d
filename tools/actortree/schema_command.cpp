// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"
#include "supervisors/yaml/schema.hpp"

#include <iostream>

namespace actortree {

int schema() {
  std::cout << libactor::yaml::json_schema(built_in_kinds());
  return ok;
}

}  // namespace actortree
