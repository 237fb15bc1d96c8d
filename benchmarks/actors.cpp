// SPDX-License-Identifier: BSL-1.0

// The workloads of actors and supervisors: `bench_actors WORKLOAD N` prints
// `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`. `ping_pong_blocks`, `watched_ping_pong_blocks` and
// `cancel_workers_blocks` alternate blocks of ours and of plain CAF in this one process, and print
// `workload<TAB>n<TAB>ours<TAB>caf<TAB>median of the pairwise ratios`.
#include "end_workers.hpp"
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/scope.hpp"
#include "scheduling.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/watchdog.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using namespace libactor;

caf::behavior idle(worker*) {
  return {[](int) {}};
}

/// Asks the supervisor for one child after another, each once the one before is acknowledged.
void starter(worker* self, caf::actor supervisor, std::uint64_t n,
             std::shared_ptr<std::promise<bench::clock::duration>> done) {
  auto next = std::make_shared<std::function<void(std::uint64_t)>>();
  const auto start = bench::clock::now();
  *next = [self, supervisor, done, next, start](std::uint64_t left) {
    if (left == 0)
      return done->set_value(bench::clock::now() - start);
    self->request(supervisor, caf::infinite, supervisor_verb::start_child())
        .then([next, left](const caf::actor&) { (*next)(left - 1); },
              [self](const caf::error& why) {
                std::cerr << "bench_actors: a child did not start: " << self->system().render(why) << '\n';
                std::_Exit(1);
              });
  };
  (*next)(n);
}

double start_children(caf::actor_system& system, runtime& tree, const std::string& path, std::uint64_t n) {
  const caf::actor pool = tree.supervisor(path)->handle();
  auto done = std::make_shared<std::promise<bench::clock::duration>>();
  auto took = done->get_future();
  const caf::actor caller = spawn_in(system, tree.contexts().background(), starter, pool, n, done);
  return bench::ns_per_op(took.get(), n);
}

/// What the first starts cost, code that no processor has seen yet, is left out, as in the peers: another supervisor
/// has started 200, which live on, so that what they take is not taken again.
void start_child(caf::actor_system& system, runtime& tree, std::uint64_t n) {
  const auto child = worker_spec("child", idle);
  if (auto why = tree.start(one_for_one().dynamic("first", child).dynamic("pool", child).tree())) {
    std::cerr << "bench_actors: the tree did not start: " << system.render(why) << '\n';
    std::_Exit(1);
  }
  start_children(system, tree, "/root/first", 200);
  const auto before = bench::resident_bytes();
  const double ns = start_children(system, tree, "/root/pool", n);
  bench::report("start_child", n, ns, (bench::resident_bytes() - before) / n);
}

/// Workers in one context, which an actor cancels.
bench::ends cancel_a_group(caf::actor_system& system, const context& ctx, std::uint64_t n) {
  scope group = with_cancel(ctx);
  const auto line = std::make_shared<lifeline>();
  auto spawn = [&](bench::countdowns& all) {
    worker_options options;
    options.ctx = group.ctx();
    options.line = line;
    return spawn_worker_class<bench::idler<worker>>(system, std::move(options), all);
  };
  return bench::end_workers(system, n, spawn,
                            [&](caf::event_based_actor*, const std::vector<caf::actor>&) { group.cancel(); });
}

/// What the first ends cost, code that no processor has seen yet, is left out, as in the peers.
void cancel_workers(caf::actor_system& system, const context& ctx, std::uint64_t n) {
  cancel_a_group(system, ctx, 200);
  const auto took = cancel_a_group(system, ctx, n);
  bench::report("cancel_workers", n, took.ns, took.bytes);
}

double worker_ping_pong(caf::actor_system& system, const context& ctx, std::uint64_t n) {
  return bench::ping_pong<worker>([&](auto... xs) { return spawn_in(system, ctx, xs...); }, n);
}

/// Workers that write their activity for a watchdog.
double watched_ping_pong(caf::actor_system& system, const context& ctx, std::uint64_t n) {
  auto spawn = [&](auto fun, auto... xs) {
    worker_options options;
    options.ctx = ctx;
    options.line = std::make_shared<lifeline>();
    options.line->watched = true;
    return spawn_worker(system, std::move(options), fun, xs...);
  };
  return bench::ping_pong<worker>(spawn, n);
}

double plain_ping_pong(caf::actor_system& system, std::uint64_t n) {
  return bench::ping_pong<caf::event_based_actor>([&](auto... xs) -> caf::actor { return system.spawn(xs...); }, n);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Ours and plain CAF's in turn, by a median of their ratios.
template <class Ours, class Plain>
void alternate(const std::string& name, std::uint64_t n, Ours ours, Plain plain) {
  constexpr int pairs = 60;
  std::vector<double> our_times, plain_times, ratios;
  for (int i = 0; i != pairs; ++i) {
    // Each goes first in half of the pairs.
    if (i % 2 == 0)
      our_times.push_back(ours());
    plain_times.push_back(plain());
    if (i % 2 != 0)
      our_times.push_back(ours());
    ratios.push_back(our_times.back() / plain_times.back());
  }
  std::printf("%s\t%llu\t%.2f\t%.2f\t%.4f\n", name.c_str(), static_cast<unsigned long long>(n), median(our_times),
              median(plain_times), median(ratios));
}

/// The least of some looks: what the machine does besides is not what is measured.
template <class Fun>
double best_of(int times, Fun fun) {
  auto best = bench::clock::duration::max();
  for (int i = 0; i != times; ++i) {
    const auto start = bench::clock::now();
    fun();
    best = std::min(best, bench::clock::now() - start);
  }
  return bench::ns_per_op(best, 1);
}

/// One look of the watchdog at `n` idle workers.
void watchdog_scan(caf::actor_system& system, runtime& tree, std::uint64_t n) {
  watchdog_options by_hand;
  by_hand.threaded = false;
  watchdog dog{tree.contexts(), std::move(by_hand)};
  const scope all = with_cancel(tree.contexts().background());
  std::vector<caf::actor> workers;
  for (std::uint64_t i = 0; i != n; ++i) {
    worker_options options;
    options.ctx = all.ctx();
    options.line = std::make_shared<lifeline>();
    options.line->watched = true;
    const auto line = options.line;
    const caf::actor one = spawn_worker(system, std::move(options), idle);
    dog.add({one.id(), caf::actor_cast<caf::weak_actor_ptr>(one), line, all.ctx(), {}, {}, 0, {}});
    workers.push_back(one);
  }
  for (const auto& one : workers)
    caf::anon_send(one, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::vector<char> cold(64 << 20);  // what else a program does between two looks
  double worst = 0;
  for (int i = 0; i != 5; ++i) {
    std::fill(cold.begin(), cold.end(), static_cast<char>(i));
    worst = std::max(worst, best_of(1, [&] { dog.scan(tree.contexts().now()); }));
  }
  bench::report("watchdog_scan", n, worst);
}

/// A look at a thread that burns the CPU: until its stack is there, without symbols. The median of `n`.
void watchdog_look(runtime& tree, std::uint64_t n) {
  std::atomic<bool> stop{false};
  std::atomic<int> thread{0};
  std::thread hog{[&] {
    thread = ::gettid();
    while (!stop.load(std::memory_order_relaxed)) {
    }
  }};
  while (thread == 0)
    std::this_thread::yield();
  const watchdog dog{tree.contexts()};
  std::vector<double> took;
  for (std::uint64_t i = 0; i != n; ++i)
    took.push_back(best_of(1, [&] { static_cast<void>(dog.look(thread)); }));
  stop = true;
  hog.join();
  bench::report("watchdog_look", n, median(took));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string workload = argc == 3 ? argv[1] : "";
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (n == 0) {
    std::cerr << "usage: bench_actors WORKLOAD N\n";
    return 2;
  }
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system system{cfg};
  runtime tree{system};
  const scope all = with_cancel(tree.contexts().background());
  if (workload == "start_child") {
    start_child(system, tree, n);
  } else if (workload == "cancel_workers") {
    cancel_workers(system, all.ctx(), n);
  } else if (workload == "cancel_workers_blocks") {
    alternate(
        workload, n, [&] { return cancel_a_group(system, all.ctx(), n).ns; },
        [&] { return bench::end_plain_actors(system, n).ns; });
  } else if (workload == "ping_pong") {
    bench::report(workload, n, worker_ping_pong(system, all.ctx(), n));
  } else if (workload == "ping_pong_blocks") {
    alternate(
        workload, n, [&] { return worker_ping_pong(system, all.ctx(), n); },
        [&] { return plain_ping_pong(system, n); });
  } else if (workload == "watched_ping_pong") {
    bench::report(workload, n, watched_ping_pong(system, all.ctx(), n));
  } else if (workload == "watched_ping_pong_blocks") {
    alternate(
        workload, n, [&] { return watched_ping_pong(system, all.ctx(), n); },
        [&] { return plain_ping_pong(system, n); });
  } else if (workload == "watchdog_scan") {
    watchdog_scan(system, tree, n);
  } else if (workload == "watchdog_look") {
    watchdog_look(tree, n);
  } else if (!bench::run_scheduling(system, workload, n)) {
    std::cerr << "bench_actors: no workload '" << workload << "'\n";
    return 2;
  }
  bench::leave();
}
