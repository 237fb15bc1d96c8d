// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "libactor/actor/reason.hpp"

#include <iostream>

namespace actortree {

int leaks(const leaks_options& options) {
  const auto report = libactor::observe::read_leaks(options.file, options.filter);
  if (!report) {
    std::cerr << "actortree: " << libactor::describe(report.error()) << '\n';
    return bad_file;
  }
  std::cout << (options.format == leaks_format::json ? as_json(*report) : as_text(*report));
  return ok;
}

}  // namespace actortree
