// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "control_acts.hpp"
#include "event_log.hpp"
#include "libactor/time.hpp"
#include "supervisors/observe/leaks.hpp"
#include "supervisors/tree_spec.hpp"

#include <chrono>
#include <cstdint>
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
  std::string socket;                            ///< for `ctl`; empty: none
  unsigned socket_mode = 0600;
  std::string ledger;  ///< where leaks are kept; empty: nowhere
};

enum class leaks_format { text, json };
struct leaks_options {
  std::string file;
  libactor::observe::leak_filter filter{};
  leaks_format format = leaks_format::text;
};

enum class check_format { text, json, github };
struct check_options {
  std::string file;
  check_format format = check_format::text;
};

enum class graph_format { text, dot, mermaid, json };
struct graph_options {
  std::string file;
  graph_format format = graph_format::text;
};

struct ctl_options {
  std::string socket;
  control_act act = control_act::tree;
  std::string path;
  tree_format format = tree_format::text;  ///< `dot` and `mermaid` of `tree` only
};

struct explore_tree_options {
  std::string file;
  libactor::duration max_time = std::chrono::seconds(20);
  std::uint64_t seed = 1;  ///< of samples, where not everything can be tried
};

/// Each returns the program's exit status.
int run(const run_options& options);
int check(const check_options& options);
int graph(const graph_options& options);
int schema();
int ctl(const ctl_options& options);
int leaks(const leaks_options& options);
int explore(const explore_tree_options& options);

/// Reads a tree; prints what is wrong with it to standard error, and is empty then.
std::optional<libactor::tree_spec> load(const std::string& file, const libactor::child_catalog& catalog);

}  // namespace actortree
