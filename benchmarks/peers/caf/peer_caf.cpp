// SPDX-License-Identifier: BSL-1.0

// The workloads in plain CAF actors: `peer_caf WORKLOAD N [own|sharing|stealing]` prints
// `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`. `own`, the default, is the scheduler that ours run on too; the
// other two are CAF's.
#include "../../end_workers.hpp"
#include "../../scheduling.hpp"
#include "libactor/actor/scheduler.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <iostream>
#include <vector>

namespace {

using bench::done_promise;
using caf::event_based_actor;
using acknowledged = std::uint64_t;

caf::behavior child(event_based_actor* self, const caf::actor& parent) {
  self->send(parent, acknowledged{0});
  return {[](int) {}};
}

/// Spawns and monitors one child after another, each once the one before has acknowledged; holds their handles, as CAF
/// destroys an idle actor that nobody holds.
caf::behavior parent(event_based_actor* self, std::uint64_t n, const done_promise& done) {
  auto children = std::make_shared<std::vector<caf::actor>>();
  auto next = [self, children] {
    children->push_back(self->spawn(child, caf::actor{self}));
    self->monitor(children->back());
  };
  const auto start = bench::clock::now();
  next();
  return {[=](acknowledged) {
    if (children->size() < n)
      next();
    else
      done->set_value(bench::clock::now() - start);
  }};
}

struct started {
  caf::actor parent;
  double ns;
};

started start_children(caf::actor_system& system, std::uint64_t n) {
  auto done = std::make_shared<std::promise<bench::clock::duration>>();
  auto took = done->get_future();
  caf::actor root = system.spawn(parent, n, done);
  return {std::move(root), bench::ns_per_op(took.get(), n)};
}

/// After 200 that live on, as in the other programs.
void start_child(caf::actor_system& system, std::uint64_t n) {
  const auto first = start_children(system, 200);
  const auto before = bench::resident_bytes();
  const auto all = start_children(system, n);
  bench::report("start_child", n, all.ns, (bench::resident_bytes() - before) / n);
}

/// An actor sends an exit message to each. After 200 that have ended before, as in the other programs.
void cancel_workers(caf::actor_system& system, std::uint64_t n) {
  bench::end_plain_actors(system, 200);
  const auto took = bench::end_plain_actors(system, n);
  bench::report("cancel_workers", n, took.ns, took.bytes);
}

/// CAF's clock finds a timeout among those of its actor, one by one: hence an actor for each, up to 100,000.
void deadline_churn(caf::actor_system& system, std::uint64_t n) {
  constexpr std::uint64_t ops = 500'000;
  std::vector<caf::actor> owners;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(n, 100'000); ++i)
    owners.push_back(system.spawn([](event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
  auto& clock = system.scheduler().clock();
  const auto far = clock.now() + std::chrono::hours(1);
  auto owner = [&](std::uint64_t i) {
    return caf::actor_cast<caf::abstract_actor*>(owners[static_cast<std::size_t>(i % owners.size())]);
  };
  auto arm = [&](std::uint64_t i) { clock.set_request_timeout(far, owner(i), caf::make_message_id(i + 1)); };
  for (std::uint64_t i = 0; i < n; ++i)
    arm(i);
  const auto start = bench::clock::now();
  for (std::uint64_t i = 0; i < ops; ++i) {
    clock.cancel_request_timeout(owner(i), caf::make_message_id(i + 1));
    arm(i + n);
  }
  bench::report("deadline_churn", n, bench::ns_per_op(bench::clock::now() - start, ops));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string workload = argc == 3 || argc == 4 ? argv[1] : "";
  const std::uint64_t n = argc == 3 || argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::string policy = argc == 4 ? argv[3] : "own";
  if (n == 0 || (policy != "own" && policy != "sharing" && policy != "stealing")) {
    std::cerr << "usage: peer_caf WORKLOAD N [own|sharing|stealing]\n";
    return 2;
  }
  caf::actor_system_config cfg;
  if (policy == "own") {
    libactor::configure(cfg);
  } else {
    cfg.set("scheduler.policy", policy == "sharing" ? caf::atom("sharing") : caf::atom("stealing"));
    cfg.set("scheduler.max-throughput", 50);
    cfg.set("scheduler.max-threads", std::max(2U, std::thread::hardware_concurrency()));
  }
  caf::actor_system system{cfg};
  if (workload == "start_child") {
    start_child(system, n);
  } else if (workload == "cancel_workers") {
    cancel_workers(system, n);
  } else if (workload == "ping_pong" || workload == "watched_ping_pong") {
    auto spawn = [&](auto... xs) -> caf::actor { return system.spawn(xs...); };
    bench::report(workload, n, bench::ping_pong<event_based_actor>(spawn, n));
  } else if (workload == "deadline_churn") {
    deadline_churn(system, n);
  } else if (!bench::run_scheduling(system, workload, n)) {
    std::cerr << "peer_caf: no workload '" << workload << "'\n";
    return 2;
  }
  bench::leave();
}
