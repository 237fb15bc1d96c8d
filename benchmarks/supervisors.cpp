// SPDX-License-Identifier: BSL-1.0

// The workloads of supervisors: `bench_supervisors WORKLOAD N` prints
// `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`. Whoever asks is an actor, as Erlang's caller is a process.
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/scope.hpp"
#include "measure.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace libactor;
using namespace std::chrono_literals;

constexpr std::uint32_t unlimited = 1u << 30;

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "bench_supervisors: " << what << '\n';
  std::_Exit(1);
}

struct bench_system {
  bench_system() : system(configured(cfg)), tree(system) {}
  static caf::actor_system_config& configured(caf::actor_system_config& cfg) {
    configure(cfg);
    return cfg;
  }
  void start(const child_spec& root) {
    if (auto why = tree.start(tree_spec{root}))
      fail("the tree did not start: " + describe(why));
  }
  caf::actor_system_config cfg;
  caf::actor_system system;
  runtime tree;
};

caf::behavior idle(worker*) {
  return {[](int) {}};
}

/// Runs `body(self, done)` in an actor and waits for what it hands to `done`.
template <class T, class Body>
T in_an_actor(bench_system& on, Body body) {
  auto result = std::make_shared<std::promise<T>>();
  auto ready = result->get_future();
  const caf::actor caller = spawn_in(on.system, on.tree.contexts().background(), [body, result](worker* self) {
    return body(self, [result](T x) { result->set_value(std::move(x)); });
  });
  return ready.get();
}

// -- start and stop ---------------------------------------------------------------------------------------------------

/// Asks the supervisor for one child after another, each once the one before is acknowledged.
bench::clock::duration start_children(bench_system& on, const caf::actor& pool, std::uint64_t n) {
  return in_an_actor<bench::clock::duration>(on, [pool, n](worker* self, auto done) -> caf::behavior {
    auto next = std::make_shared<std::function<void(std::uint64_t)>>();
    const auto start = bench::clock::now();
    *next = [self, pool, done, next, start](std::uint64_t left) {
      if (left == 0)
        return done(bench::clock::now() - start);
      self->request(pool, caf::infinite, supervisor_verb::start_child())
          .then([next, left](const caf::actor&) { (*next)(left - 1); },
                [](const caf::error& why) { fail("a child did not start: " + describe(why)); });
    };
    (*next)(n);
    return {[](int) {}};
  });
}

bench::clock::duration time_to_terminate(bench_system& on, const std::string& id) {
  const caf::actor root = on.tree.supervisor("/root")->handle();
  return in_an_actor<bench::clock::duration>(on, [root, id](worker* self, auto done) -> caf::behavior {
    const auto start = bench::clock::now();
    self->request(root, caf::infinite, supervisor_verb::terminate_child(id))
        .then([done, start] { done(bench::clock::now() - start); },
              [](const caf::error& why) { fail("it did not stop: " + describe(why)); });
    return {[](int) {}};
  });
}

/// What the first ends cost, code that no processor has seen yet, is left out, as in the peer: a group of as many stops
/// before the one that is measured.
constexpr std::uint64_t warm_up = 200;

void dynamic_stop(std::uint64_t n) {
  bench_system on;
  on.start(
      one_for_one().dynamic("first", worker_spec("child", idle)).dynamic("pool", worker_spec("child", idle)).spec());
  start_children(on, on.tree.supervisor("/root/first")->handle(), warm_up);
  time_to_terminate(on, "first");
  start_children(on, on.tree.supervisor("/root/pool")->handle(), n);
  bench::report("dynamic_stop", n, bench::ns_per_op(time_to_terminate(on, "pool"), n));
  bench::leave();
}

void ordered_stop(std::uint64_t n) {
  bench_system on;
  auto root = one_for_one();
  for (const auto& [id, size] : {std::pair{"first", warm_up}, std::pair{"group", n}}) {
    auto group = one_for_one(id);
    for (std::uint64_t i = 0; i != size; ++i)
      group.child(std::to_string(i), idle);
    root.child(group);
  }
  on.start(root.spec());
  time_to_terminate(on, "first");
  bench::report("ordered_stop", n, bench::ns_per_op(time_to_terminate(on, "group"), n));
  bench::leave();
}

void deep_stop(std::uint64_t n) {
  bench_system on;
  child_spec chain;
  chain.id = "s";
  chain.what = static_supervisor{};
  for (std::uint64_t i = 1; i < n; ++i) {
    static_supervisor above;
    above.children.push_back(std::move(chain));
    chain = child_spec{};
    chain.id = "s";
    chain.what = std::move(above);
  }
  static_supervisor top;
  top.children.push_back(std::move(chain));
  child_spec root;
  root.id = "root";
  root.what = std::move(top);
  on.start(root);
  bench::report("deep_stop", n, bench::ns_per_op(time_to_terminate(on, "s"), n));
  bench::leave();
}

// -- restarts ---------------------------------------------------------------------------------------------------------

enum class blow : int { error, exception };

/// Tells `whom` of each incarnation, answers pings, and ends as it is told.
caf::behavior victim(worker* self, const std::shared_ptr<caf::actor>& whom) {
  if (*whom)
    self->send(*whom, caf::actor_cast<caf::actor>(self));
  return {[self](blow how) {
            if (how == blow::exception)
              throw std::runtime_error("boom");
            self->finish(caf::make_error(caf::sec::runtime_error));
          },
          [](int x) { return x; }};
}

/// From one blow to the next incarnation's first answer, `rounds` times, after `before` that are not timed.
std::vector<bench::clock::duration> restarts(bench_system& on, const std::shared_ptr<caf::actor>& whom, blow how,
                                             std::size_t before, std::size_t rounds) {
  const auto first = on.tree.find("/root/group/victim");
  using samples = std::vector<bench::clock::duration>;
  return in_an_actor<samples>(on, [=, first = *first](worker* self, auto done) -> caf::behavior {
    *whom = caf::actor_cast<caf::actor>(self);
    auto taken = std::make_shared<samples>();
    taken->reserve(before + rounds);
    auto struck = std::make_shared<bench::clock::time_point>(bench::clock::now());
    self->send(first, how);
    return {[=](const caf::actor& next) {
      self->request(next, caf::infinite, 1).then([=](int) {
        const auto now = bench::clock::now();
        taken->push_back(now - *struck);
        if (taken->size() == before + rounds) {
          *whom = nullptr;
          taken->erase(taken->begin(), taken->begin() + static_cast<std::ptrdiff_t>(before));
          return done(std::move(*taken));
        }
        *struck = now;
        self->send(next, how);
      });
    }};
  });
}

std::vector<bench::clock::duration> restart_samples(std::uint64_t siblings, blow how, std::size_t before,
                                                    std::size_t rounds) {
  bench_system on;
  auto whom = std::make_shared<caf::actor>();
  auto group = one_for_one("group");
  group.intensity(unlimited, 1h).child("victim", victim, whom);
  for (std::uint64_t i = 0; i != siblings; ++i)
    group.child(std::to_string(i), idle);
  on.start(one_for_one().child(group).spec());
  auto samples = restarts(on, whom, how, before, rounds);
  std::sort(samples.begin(), samples.end());
  return samples;
}

double middle_of(const std::vector<bench::clock::duration>& sorted) {
  return bench::ns_per_op(sorted[sorted.size() / 2], 1);
}

// -- a group ----------------------------------------------------------------------------------------------------------

/// Tells `whom` of each incarnation.
caf::behavior member(worker* self, const std::shared_ptr<caf::actor>& whom) {
  if (*whom)
    self->send(*whom, 1);
  return victim(self, std::make_shared<caf::actor>());
}

void group_restart(std::uint64_t n) {
  constexpr int rounds = 50;
  bench_system on;
  auto whom = std::make_shared<caf::actor>();
  auto group = one_for_all("group");
  group.intensity(unlimited, 1h);
  for (std::uint64_t i = 0; i != n; ++i)
    group.child(std::to_string(i), member, whom);
  on.start(one_for_one().child(group).spec());
  runtime* tree = &on.tree;
  const auto path = "/root/group/" + std::to_string(n / 2);
  const auto took = in_an_actor<bench::clock::duration>(on, [=](worker* self, auto done) -> caf::behavior {
    *whom = caf::actor_cast<caf::actor>(self);
    auto up = std::make_shared<std::uint64_t>(0);
    auto left = std::make_shared<int>(rounds);
    auto total = std::make_shared<bench::clock::duration>(0);
    auto struck = std::make_shared<bench::clock::time_point>();
    auto strike = [=] {
      const auto one = tree->find(path);  // not timed: an Erlang caller knows its victim
      *struck = bench::clock::now();
      self->send(*one, blow::error);
    };
    strike();
    return {[=](int) {
      if (++*up != n)
        return;
      *total += bench::clock::now() - *struck;
      *up = 0;
      if (--*left == 0) {
        *whom = nullptr;
        return done(*total);
      }
      strike();
    }};
  });
  bench::report("group_restart", n, bench::ns_per_op(took, n * rounds));
  bench::leave();
}

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(blow)

int main(int argc, char** argv) {
  const std::string workload = argc == 3 ? argv[1] : "";
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  constexpr std::size_t rounds = 20000;
  if (workload == "dynamic_stop" && n > 0)
    dynamic_stop(n);
  else if (workload == "ordered_stop" && n > 0)
    ordered_stop(n);
  else if (workload == "deep_stop" && n > 0)
    deep_stop(n);
  else if (workload == "group_restart" && n > 0)
    group_restart(n);
  else if (workload == "restart_error")
    bench::report(workload, n, middle_of(restart_samples(n, blow::error, 100, rounds)));
  else if (workload == "restart_exception")
    bench::report(workload, n, middle_of(restart_samples(n, blow::exception, 100, rounds)));
  else if (workload == "restart_history")
    bench::report(workload, n, middle_of(restart_samples(0, blow::error, n, 1000)));
  else if (workload == "restart_error_p99") {
    const auto samples = restart_samples(n, blow::error, 100, rounds);
    bench::report(workload, n, bench::ns_per_op(samples[samples.size() * 99 / 100], 1));
  } else {
    std::cerr << "usage: bench_supervisors WORKLOAD N\n";
    return 2;
  }
  bench::leave();
}
