// SPDX-License-Identifier: BSL-1.0
#include "kinds.hpp"

#include "demo_kinds.hpp"
#include "supervisors/process/process_kind.hpp"

namespace actortree {

libactor::child_catalog built_in_kinds() {
  libactor::child_catalog kinds;
  libactor::process::register_process_kind(kinds);
  register_demo_kinds(kinds);
  return kinds;
}

}  // namespace actortree
