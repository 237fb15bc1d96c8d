// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/builder.hpp"
#include "supervisors/testkit/trial.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace libactor::testkit {

/// What is wrong with a double. What it does by itself it does in a message of its own after its start, which any step
/// of others may come before.
enum class fault : std::uint8_t {
  none,
  throws_in_start,
  throws_in_handler,
  throws_in_stop,          ///< when it gets its down-signal
  declines,                ///< chooses not to start
  never_ready,             ///< never reports readiness; or, where none is awaited, never acknowledges its start
  ignores_down_signal,     ///< goes on, until it is killed
  slow_to_stop,            ///< takes its down-signal to heart after `double_options::delay`
  stuck,                   ///< in a handler that never returns, not even for a kill: it is abandoned
  exits,                   ///< ends with `double_options::reason`
  floods_parent,           ///< sends its supervisor `double_options::count` messages that that does not know
  drops_monitor,           ///< monitors its supervisor, and then no longer does
  fails_after_first_start  ///< starts once, fails, and can't be started again
};

/// The enumerator's name.
const char* to_string(fault what) noexcept;

struct double_options {
  duration delay = std::chrono::seconds(1);
  caf::error reason{};  ///< of `fault::exits`; none: a normal end
  std::uint32_t count = 3;
};

/// A start function of a worker that does nothing but what its fault makes it do.
start_function a_double(fault what = fault::none, double_options options = {}, bool reports_ready = false);

/// The tree with a double in place of every worker, whatever its kind: by default one that is well. `faults` are by
/// path; `/root/pool/*` is a template's. What can't run in a world (threads and processes of its own) is shared then.
/// Throws: std::invalid_argument if there is no worker at one of these paths.
tree_spec with_doubles(tree_spec tree, const std::map<std::string, fault>& faults = {}, double_options options = {});

/// The fault or none: another choice of the run, that counts as a fault.
fault maybe(trial& in, fault what, std::string_view where);

/// The paths of all workers of a tree, in the order of its nodes; a template's ends in `*`.
std::vector<std::string> workers_of(const tree_spec& tree);

}  // namespace libactor::testkit
