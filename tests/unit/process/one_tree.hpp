// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/scheduler.hpp"
#include "recorder.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/process/process_kind.hpp"
#include "supervisors/runtime.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace libactor::process {

// Keeps events, and lets a test wait for one.
class event_log final : public event_sink {
 public:
  void on_event(const event& what) noexcept override {
    const std::lock_guard guard{mutex_};
    events_.push_back(what);
    changed_.notify_all();
  }

  // The first event of the kind at the path, from the incarnation on.
  event wait(event_kind kind, const std::string& path, std::uint32_t incarnation = 1) {
    std::unique_lock guard{mutex_};
    std::size_t seen = 0;
    const auto is_it = [&](const event& e) { return e.kind == kind && e.path == path && e.incarnation >= incarnation; };
    const bool came = changed_.wait_for(guard, generous, [&] {
      while (seen < events_.size() && !is_it(events_[seen]))
        ++seen;
      return seen < events_.size();
    });
    BOOST_TEST_REQUIRE(came, to_string(kind) << " " << path << " did not come");
    return events_[seen];
  }

  std::vector<std::string> texts(event_kind kind) {
    const std::lock_guard guard{mutex_};
    std::vector<std::string> all;
    for (const auto& e : events_) {
      if (e.kind == kind)
        all.push_back(e.text);
    }
    return all;
  }

  // `kind path` of those kinds, in order.
  std::vector<std::string> order(std::initializer_list<event_kind> kinds) {
    const std::lock_guard guard{mutex_};
    std::vector<std::string> all;
    for (const auto& e : events_) {
      if (std::find(kinds.begin(), kinds.end(), e.kind) != kinds.end())
        all.push_back(std::string(to_string(e.kind)) + " " + e.path);
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<event> events_;
};

// A runtime with the kind `process`, and a mark in the environment of all that it starts: nothing may be left of it.
struct one_tree {
  explicit one_tree(std::shared_ptr<process_host> host = std::make_shared<process_host>()) {
    register_process_kind(catalog, std::move(host));
    configure(config);
    system = std::make_unique<caf::actor_system>(config);
    runtime_options options;
    options.sinks.push_back(log);
    tree_runtime = std::make_unique<libactor::runtime>(*system, std::move(options));
  }

  ~one_tree() {
    tree_runtime.reset();
    system.reset();
    catalog = {};
    BOOST_TEST(none_left());
  }

  // Whether all processes of the tree end, though their host lives on.
  bool none_left() const {
    const auto until = std::chrono::steady_clock::now() + generous;
    while (!processes_with(mark).empty() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    return processes_with(mark).empty();
  }

  // A child that runs a shell.
  child_spec sh(std::string id, const char* script, arg_map more = {}) const {
    child_spec child;
    child.id = std::move(id);
    more["command"] = arg_list{"sh", "-c", script};
    more["env"] = arg_map{{"LIBACTOR_TEST_MARK", std::to_string(::getpid())}};
    child.what = kind_child{"process", std::move(more)};
    return child;
  }

  caf::error start(std::vector<child_spec> children) {
    tree_spec tree;
    static_supervisor root;
    root.children = std::move(children);
    tree.root.id = "t";
    tree.root.what = std::move(root);
    return tree_runtime->start(tree, catalog);
  }

  std::string mark = "LIBACTOR_TEST_MARK=" + std::to_string(::getpid());
  std::shared_ptr<event_log> log = std::make_shared<event_log>();
  child_catalog catalog;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<libactor::runtime> tree_runtime;
};

}  // namespace libactor::process
