// SPDX-License-Identifier: BSL-1.0
#pragma once

// Invariants
//  1. The guardian is a supervisor without a path whose only child is the tree's root: temporary and significant, so
//     that the guardian ends with it, and never restarts it.
//  2. `ended` is set once, when the guardian is down; nothing of the tree lives then, save what was abandoned.

#include "supervisors/runtime.hpp"
#include "supervisors/watchdog.hpp"
#include "tree_core.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libactor {

struct runtime::impl : std::enable_shared_from_this<impl> {
  impl(caf::actor_system& sys, runtime_options opts)
      : system(sys),
        options(std::move(opts)),
        contexts(std::make_shared<context_runtime>(options.driver)),
        dog(std::make_shared<watchdog>(*contexts, watching())),
        hub(std::make_shared<event_hub>(options.sinks)) {}

  caf::actor_system& system;
  runtime_options options;
  std::shared_ptr<context_runtime> contexts;
  std::shared_ptr<watchdog> dog;
  std::shared_ptr<event_hub> hub;
  std::shared_ptr<tree_core> core;
  std::shared_ptr<family> kin = std::make_shared<family>();
  std::shared_ptr<lifeline> line;
  tree_spec tree;
  scope own;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  caf::actor guardian;                   // under `mutex`; null before the start and after the end
  bool ended = true;                     // under `mutex`
  bool stop_requested = false;           // under `mutex`
  std::optional<time_point> stop_began;  // under `mutex`
  time_point stop_ended{};               // under `mutex`
  duration stop_limit = infinite;        // under `mutex`

  // Of those that were still in a handler when they should have ended.
  std::vector<std::pair<std::shared_ptr<const lifeline>, std::shared_ptr<const pending_stack>>>
      stacks;  // under `mutex`

  std::string root_path() const { return "/" + tree.root.id; }
  // -- runtime.cpp
  watchdog_options watching() const;
  void start(const tree_spec& spec, const child_catalog& catalog, std::function<void(const caf::error&)> done);
  void say_what_is_lacking() const;
  void on_guardian_down(const caf::error& reason);
  std::shared_ptr<tree_core> started() const;  // null before the start
  std::optional<family::member> find(std::string_view path) const;
  // -- runtime_stop.cpp
  void request_stop(std::optional<duration> budget, cause why);
  void note_stacks(const std::vector<family::member>& of, time_point until);
  std::shared_ptr<const pending_stack> stack_of(const std::string& path, std::uint32_t incarnation) const;
  void watch_stop(std::optional<time_point> stop_by);
  shutdown_report report();
  std::size_t others() const;
};

}  // namespace libactor
