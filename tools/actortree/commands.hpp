// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "event_log.hpp"
#include "libactor/time.hpp"
#include "supervisors/tree_spec.hpp"

#include <optional>
#include <string>

namespace libactor {
class child_catalog;
}

namespace actortree {

struct run_options {
  std::string file;
  log_format log = log_format::text;
  std::optional<libactor::duration> stop_after;  ///< `--for`
};

/// Each returns the program's exit status.
int run(const run_options& options);
int check(const std::string& file);
int graph(const std::string& file);

/// Reads a tree; prints what is wrong with it to standard error, and is empty then.
std::optional<libactor::tree_spec> load(const std::string& file, const libactor::child_catalog& catalog);

}  // namespace actortree
