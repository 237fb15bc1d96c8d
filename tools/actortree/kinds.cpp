// SPDX-License-Identifier: BSL-1.0
#include "kinds.hpp"

#include "demo_kinds.hpp"
#include "supervisors/process/process_kind.hpp"

namespace actortree {

libactor::child_catalog built_in_kinds(std::shared_ptr<libactor::process::warden> keeping,
                                       libactor::process::forward_gate may_forward) {
  using libactor::process::process_host;
  libactor::child_catalog kinds;
  libactor::process::register_process_kind(
      kinds, keeping ? std::make_shared<process_host>(std::move(keeping)) : std::make_shared<process_host>(),
      std::move(may_forward));
  register_demo_kinds(kinds);
  return kinds;
}

}  // namespace actortree
