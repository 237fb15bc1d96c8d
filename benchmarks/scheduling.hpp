// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "ping_pong.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

// What schedulers are compared by: plain CAF actors, the same code on ours and on CAF's.
namespace bench {

using plain = caf::event_based_actor;
using done_promise = std::shared_ptr<std::promise<clock::duration>>;

inline caf::behavior idle(plain*) {
  return {[](int) {}};
}

inline double p99(std::vector<double> values) {
  auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Spawned from outside, each ends at once.
inline double sched_spawn(caf::actor_system& system, std::uint64_t n) {
  const auto start = clock::now();
  for (std::uint64_t i = 0; i < n; ++i)
    system.spawn([](plain*) {});
  system.await_all_actors_done();
  return ns_per_op(clock::now() - start, n);
}

/// Spawned by an actor, each ends at once.
inline double sched_spawn_nested(caf::actor_system& system, std::uint64_t n) {
  const auto start = clock::now();
  system.spawn([n](plain* self) {
    for (std::uint64_t i = 0; i < n; ++i)
      self->spawn([](plain*) {});
  });
  system.await_all_actors_done();
  return ns_per_op(clock::now() - start, n);
}

/// An actor sends an exit message to each of its idle children, and gets the down message of each.
inline double sched_exit_down(caf::actor_system& system, std::uint64_t n) {
  auto done = std::make_shared<std::promise<clock::duration>>();
  auto took = done->get_future();
  const caf::actor parent = system.spawn([n, done](plain* self) -> caf::behavior {
    auto children = std::make_shared<std::vector<caf::actor>>();
    auto left = std::make_shared<std::uint64_t>(n);
    for (std::uint64_t i = 0; i < n; ++i) {
      children->push_back(self->spawn(idle));
      self->monitor(children->back());
    }
    auto start = std::make_shared<clock::time_point>();
    self->set_down_handler([self, done, start, left](const caf::down_msg&) {
      if (--*left == 0) {
        done->set_value(clock::now() - *start);
        self->quit();
      }
    });
    return {[self, children, start](int) {
      *start = clock::now();
      for (const auto& child : *children)
        self->send_exit(child, caf::exit_reason::user_shutdown);
      children->clear();
    }};
  });
  // Behind the first turns of all children.
  while (system.registry().running() != n + 1)
    std::this_thread::yield();
  caf::anon_send(parent, 1);
  return ns_per_op(took.get(), n);
}

/// Each is linked to the next; the first is killed.
inline double sched_link_chain(caf::actor_system& system, std::uint64_t n) {
  std::vector<caf::actor> chain;
  for (std::uint64_t i = 0; i < n; ++i) {
    chain.push_back(system.spawn(idle));
    if (i != 0)
      caf::actor_cast<caf::event_based_actor*>(chain[i - 1])->link_to(chain[i]);
  }
  const auto start = clock::now();
  caf::anon_send_exit(chain.front(), caf::exit_reason::kill);
  system.await_all_actors_done();
  return ns_per_op(clock::now() - start, n);
}

/// An actor sets timers that are far away.
inline double sched_timer(caf::actor_system& system, std::uint64_t n) {
  auto done = std::make_shared<std::promise<clock::duration>>();
  auto took = done->get_future();
  const caf::actor owner = system.spawn([n, done](plain* self) -> caf::behavior {
    const auto start = clock::now();
    for (std::uint64_t i = 0; i < n; ++i)
      self->delayed_send(self, std::chrono::hours(1), 1);
    done->set_value(clock::now() - start);
    return idle(self);
  });
  return ns_per_op(took.get(), n);
}

/// An idle system gets a message from outside, `n` times: how long until it is handled.
inline double sched_wake_p99(caf::actor_system& system, std::uint64_t n) {
  std::vector<double> late;
  std::atomic<bool> handled{false};
  const caf::actor sleeper = system.spawn([&](plain*) -> caf::behavior {
    return {[&](std::int64_t sent) {
      late.push_back(static_cast<double>(clock::now().time_since_epoch().count() - sent));
      handled = true;
    }};
  });
  for (std::uint64_t i = 0; i < n; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    handled = false;
    caf::anon_send(sleeper, static_cast<std::int64_t>(clock::now().time_since_epoch().count()));
    while (!handled)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return p99(std::move(late));
}

/// `n` timers of 10 ms, 20 at a time, while two actors set and replace timers as fast as they can: how late they come.
inline double timer_flood(caf::actor_system& system, std::uint64_t n) {
  std::atomic<bool> stop{false};
  auto flood = [&](plain* self) -> caf::behavior {
    auto id = std::make_shared<std::uint64_t>(0);
    self->send(self, 1);
    return {[self, &stop, id](int) {
      for (int i = 0; i < 20; ++i) {
        self->clock().set_ordinary_timeout(clock::now() + std::chrono::hours(1), self, caf::atom("flood"), ++*id);
      }
      if (!stop)
        self->send(self, 1);
    }};
  };
  const caf::actor one = system.spawn(flood);
  const caf::actor other = system.spawn(flood);
  std::promise<double> result;
  const caf::actor timed = system.spawn([&, n](plain* self) -> caf::behavior {
    auto arm = [self] {
      const auto due = clock::now() + std::chrono::milliseconds(10);
      self->delayed_send(self, std::chrono::milliseconds(10),
                         static_cast<std::int64_t>(due.time_since_epoch().count()));
    };
    auto late = std::make_shared<std::vector<double>>();
    for (int i = 0; i < 20; ++i)
      arm();
    return {[&result, n, arm, late](std::int64_t due) {
      if (late->size() == n)
        return;
      late->push_back(static_cast<double>(clock::now().time_since_epoch().count() - due));
      if (late->size() == n)
        result.set_value(p99(*late));
      else
        arm();
    }};
  });
  const double value = result.get_future().get();
  stop = true;
  return value;
}

/// Runs a workload by its name, and reports it; whether there is one of that name.
inline bool run_scheduling(caf::actor_system& system, const std::string& workload, std::uint64_t n) {
  using function = double (*)(caf::actor_system&, std::uint64_t);
  constexpr std::pair<const char*, function> all[] = {
      {"sched_spawn", sched_spawn},         {"sched_spawn_nested", sched_spawn_nested},
      {"sched_exit_down", sched_exit_down}, {"sched_link_chain", sched_link_chain},
      {"sched_timer", sched_timer},         {"sched_wake_p99", sched_wake_p99},
      {"timer_flood", timer_flood},
  };
  if (workload == "sched_ping_pong") {
    report(workload, n, ping_pong<plain>([&](auto... xs) -> caf::actor { return system.spawn(xs...); }, n));
    return true;
  }
  for (const auto& [name, run] : all) {
    if (workload == name) {
      report(workload, n, run(system, n));
      return true;
    }
  }
  return false;
}

}  // namespace bench
