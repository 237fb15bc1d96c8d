// SPDX-License-Identifier: BSL-1.0
// Requests, tasks and addresses while everything around them ends at random, on real threads.
#include "libactor/actor/task_group.hpp"
#include "schedulers.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <atomic>
#include <caf/send.hpp>
#include <memory>
#include <random>
#include <thread>

namespace bdata = boost::unit_test::data;

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace request_race {  // named: what the cases' lambdas hold must not be local to this file

struct outcomes {
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
};

// Answers at once, later, or never; sometimes asks another server first; crashes now and then.
caf::behavior server(worker* self, std::vector<caf::actor> others) {
  return {[self, others](std::uint32_t dice) {
    auto promise = self->make_response_promise<std::uint32_t>();
    if (dice % 1000 == 0)
      throw std::runtime_error("boom");
    if (dice % 8 == 1)
      self->after(std::chrono::microseconds(dice % 2000), [promise, dice]() mutable { promise.deliver(dice); });
    else if (dice % 8 == 2 && !others.empty())
      self->request(others[dice % others.size()], 1ms, dice / 8)
          .then([promise](std::uint32_t x) mutable { promise.deliver(x); },
                [promise](caf::error& e) mutable { promise.deliver(std::move(e)); });
    else if (dice % 8 != 3)
      promise.deliver(dice);
    return promise;
  }};
}

// Makes so many requests, some at a time, each with a time of its own.
caf::behavior client(worker* self, const std::vector<caf::actor>& servers, std::shared_ptr<outcomes> all, int requests,
                     unsigned seed) {
  auto random = std::make_shared<std::mt19937>(seed);
  auto left = std::make_shared<int>(requests);
  self->on_down_signal([self](const down_signal&) { self->after(50ms, [self] { self->finish(); }); });
  return {[self, servers, all, random, left](int) {
    if (--*left < 0 || self->ctx().done())
      return;
    const auto dice = (*random)();
    ++all->asked;
    auto again = [self] { caf::anon_send(caf::actor_cast<caf::actor>(self), 1); };
    self->request(servers[dice % servers.size()], std::chrono::microseconds(200 + dice % 3000),
                  static_cast<std::uint32_t>(dice))
        .then(
            [all, again](std::uint32_t) {
              ++all->answered;
              again();
            },
            [all, again](const caf::error&) {
              ++all->failed;
              again();
            });
  }};
}

// Tasks that live, by the incarnation of their worker.
struct census {
  std::atomic<int> started{0};
  std::atomic<int> tasks{0};
  std::atomic<int> left_over{0};
};

struct counted {
  explicit counted(std::shared_ptr<census> in) : all(std::move(in)) { ++all->tasks; }
  ~counted() { --all->tasks; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  std::shared_ptr<census> all;
};

// Runs groups of tasks, one after another.
caf::behavior groups(worker* self, std::shared_ptr<census> all) {
  if (all->tasks != 0)
    ++all->left_over;
  ++all->started;
  return {[self, all](int number) {
    task_group<int> group{self};
    group.limit(3);
    for (int i = 0; i != 6; ++i) {
      group.spawn(
          [all](task<int>* task, int n) {
            auto here = std::make_shared<counted>(all);
            task->after(std::chrono::microseconds(100 * n), [task, n] { task->succeed(n); });
            task->become([here](int) {});
          },
          i);
    }
    group.close();
    group.join(self, [self, number](const group_outcome<int>&) {
      caf::anon_send(caf::actor_cast<caf::actor>(self), number + 1);
    });
    if (number % 16 == 15)
      throw std::runtime_error("boom");
  }};
}

}  // namespace request_race

using namespace request_race;

BOOST_AUTO_TEST_SUITE(request_races)

BOOST_DATA_TEST_CASE(W010_every_request_has_one_outcome_whoever_ends_when, bdata::make(both), kind) {
  constexpr int clients = 16;
  constexpr int at_once = 8;
  constexpr int requests = 500;
  threads host{kind};
  auto all = std::make_shared<outcomes>();
  {
    runtime tree{host.system};
    auto servers = one_for_one("s").intensity(1000000, 1s);
    servers.child("a", server, std::vector<caf::actor>{}).address_hold(1ms);
    servers.child("b", server, std::vector<caf::actor>{});
    BOOST_REQUIRE(!tree.start(servers.tree(30s)));
    const std::vector<caf::actor> leaves{*tree.ref("/s/a"), *tree.ref("/s/b")};
    BOOST_REQUIRE(tree.supervisor("/s")->start_child(worker_spec("c", server, leaves)));
    const std::vector<caf::actor> known{leaves[0], leaves[1], *tree.ref("/s/c")};

    std::vector<scope> scopes;
    std::vector<caf::actor> handles;
    for (int i = 0; i != clients; ++i) {
      scopes.push_back(with_cancel(tree.contexts().background()));
      handles.push_back(spawn_in(host.system, scopes.back().ctx(), client, known, all, requests, unsigned(i)));
      for (int n = 0; n != at_once; ++n)
        caf::anon_send(handles.back(), 1);
    }
    // A quarter of them give up in the middle; servers are killed meanwhile.
    std::mt19937 random{7};
    for (int i = 0; i != clients / 4; ++i) {
      std::this_thread::sleep_for(20ms);
      scopes[random() % scopes.size()].cancel(cause("gives up"));
      if (auto found = tree.find(i % 2 == 0 ? "/s/a" : "/s/c"))
        caf::anon_send_exit(*found, caf::exit_reason::kill);
    }
    int before = -1;
    BOOST_TEST(becomes([&] {
      // Over, once nothing has been asked for a while and all of it has come to something.
      const auto asked = all->asked.load();
      const bool still = asked == std::exchange(before, asked);
      std::this_thread::sleep_for(20ms);
      return still && asked == all->answered + all->failed;
    }));
    BOOST_TEST_MESSAGE(all->asked << " asked, " << all->answered << " answered, " << all->failed << " failed");
    BOOST_TEST(all->answered > 0);
    BOOST_TEST(all->failed > 0);
    scopes.clear();
    tree.stop();
  }
  host.system.await_all_actors_done();
}

BOOST_DATA_TEST_CASE(W026_no_task_of_an_incarnation_meets_the_next_one, bdata::make(both), kind) {
  constexpr int rounds = 100;
  threads host{kind};
  auto all = std::make_shared<census>();
  {
    runtime tree{host.system};
    BOOST_REQUIRE(!tree.start(one_for_one().intensity(1000000, 1s).child("w", groups, all).tree(30s)));
    const auto address = *tree.ref("/root/w");
    std::mt19937 random{7};
    for (int round = 1; round <= rounds; ++round) {
      BOOST_REQUIRE(becomes([&] { return all->started >= round; }));
      caf::anon_send(address, 1);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 1500));
      if (auto found = tree.find("/root/w"))
        caf::anon_send_exit(*found, caf::exit_reason::kill);
    }
    BOOST_TEST(all->left_over == 0);
    BOOST_TEST(tree.stop().clean());
  }
  host.system.await_all_actors_done();
  BOOST_TEST(all->tasks == 0);
}

BOOST_AUTO_TEST_SUITE_END()
