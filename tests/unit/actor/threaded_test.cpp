// SPDX-License-Identifier: BSL-1.0
// What must hold on real threads: on our scheduler, and for hosts that bring CAF's *sharing* one.
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/context_runtime.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <future>
#include <memory>
#include <tuple>
#include <vector>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

constexpr auto generous = 30s;

struct ours {
  ours() { configure(cfg); }
  caf::actor_system_config cfg;
};

struct sharing {
  sharing() { cfg.set("scheduler.policy", caf::atom("sharing")).set("scheduler.max-throughput", 50); }
  caf::actor_system_config cfg;
};

using both = std::tuple<ours, sharing>;

template <class Scheduler>
struct threads_of : Scheduler {
  caf::actor_system system{this->cfg};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(threads)

BOOST_AUTO_TEST_CASE_TEMPLATE(W002_a_down_signal_overtakes_the_backlog_on_real_threads, scheduler, both) {
  threads_of<scheduler> host;
  auto& system = host.system;
  context_runtime contexts;
  auto own = with_cancel(contexts.background());
  std::atomic<int> handled{0};
  std::promise<void> in_handler;
  std::promise<void> go_on;
  std::promise<caf::error> ended;
  auto handle = spawn_in(system, own.ctx(), [&](worker*) -> caf::behavior {
    return {[&](int x) {
      ++handled;
      if (x == 0) {
        in_handler.set_value();
        go_on.get_future().wait();
      }
    }};
  });
  caf::actor_cast<caf::abstract_actor*>(handle)->attach_functor([&](const caf::error& e) { ended.set_value(e); });
  for (int i = 0; i != 50000; ++i)
    caf::anon_send(handle, i);
  in_handler.get_future().wait();
  own.cancel();
  go_on.set_value();
  auto end = ended.get_future();
  BOOST_REQUIRE((end.wait_for(generous) == std::future_status::ready));
  BOOST_TEST(handled == 1);
}

// The worker may be about to wait when its context ends.
BOOST_AUTO_TEST_CASE_TEMPLATE(W002_no_cancel_is_lost_whatever_the_worker_does_at_that_moment, scheduler, both) {
  constexpr int rounds = 20000;
  threads_of<scheduler> host;
  context_runtime contexts;
  std::vector<caf::actor> held;
  for (int i = 0; i != rounds; ++i) {
    auto own = with_cancel(contexts.background());
    auto& handle = held.emplace_back();
    handle = spawn_in(host.system, own.ctx(), [](worker*) -> caf::behavior { return {[](int) {}}; });
    for (int n = i % 4; n != 0; --n)
      caf::anon_send(handle, n);
    own.cancel();
  }
  auto all_ended = std::async(std::launch::async, [&] { host.system.await_all_actors_done(); });
  BOOST_REQUIRE((all_ended.wait_for(generous) == std::future_status::ready));
}

// Who follows it may come before its end, in the middle, or after it.
BOOST_AUTO_TEST_CASE_TEMPLATE(R12_who_follows_a_worker_while_it_ends_hears_that_it_was_asked, scheduler, both) {
  constexpr int rounds = 5000;
  threads_of<scheduler> host;
  context_runtime contexts;
  std::vector<caf::actor> held;
  std::atomic<int> asked{0};
  std::promise<void> all_told;
  std::atomic<int> told{0};
  const auto listen = [&](const caf::error& reason) {
    asked += reason == caf::exit_reason::user_shutdown ? 1 : 0;
    if (++told == 2 * rounds)
      all_told.set_value();
  };
  for (int i = 0; i != rounds; ++i) {
    auto own = with_cancel(contexts.background());
    auto* whom = caf::actor_cast<caf::abstract_actor*>(
        held.emplace_back(spawn_in(host.system, own.ctx(), [](worker*) -> caf::behavior { return {[](int) {}}; })));
    own.cancel();
    for (int n = i % 50; n != 0; --n)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    whom->attach_functor(listen);
    whom->attach_functor(listen);
  }
  auto over = all_told.get_future();
  BOOST_REQUIRE((over.wait_for(generous) == std::future_status::ready));
  BOOST_TEST(asked == 2 * rounds);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tree_runs_and_stops_on_real_threads_a_hundred_times, scheduler, both) {
  threads_of<scheduler> host;
  auto& system = host.system;
  for (int round = 0; round != 100; ++round) {
    auto body = [](worker*) -> caf::behavior { return {[](int x) { return x; }}; };
    runtime tree{system};
    BOOST_REQUIRE(!tree.start(one_for_all()
                                  .intensity(5, 1s)
                                  .child("a", body)
                                  .child(one_for_one("b").child("b1", body).child("b2", body))
                                  .child("c", body)
                                  .tree(30s)));
    caf::anon_send_exit(*tree.find("/root/a"), caf::exit_reason::out_of_workers);
    const auto report = tree.stop();
    BOOST_REQUIRE(report.clean());
    BOOST_REQUIRE(tree.alive().empty());
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(S032_stop_from_two_threads_is_safe, scheduler, both) {
  threads_of<scheduler> host;
  auto& system = host.system;
  auto body = [](worker*) -> caf::behavior { return {[](int) {}}; };
  runtime tree{system};
  BOOST_REQUIRE(!tree.start(one_for_one().child("a", body).tree(30s)));
  auto other = std::async(std::launch::async, [&] { return tree.stop(); });
  BOOST_TEST(tree.stop().clean());
  BOOST_TEST(other.get().clean());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(R25_stop_returns_within_its_budget_when_a_handler_is_stuck_and_says_who, scheduler,
                              both) {
  threads_of<scheduler> host;
  auto& system = host.system;
  auto release = std::make_shared<std::promise<void>>();
  auto entered = std::make_shared<std::promise<void>>();
  auto stuck = [release, entered](worker*) -> caf::behavior {
    return {[release, entered](int) {
      entered->set_value();
      release->get_future().wait();
    }};
  };
  runtime tree{system};
  BOOST_REQUIRE(!tree.start(one_for_one()
                                .child("s", stuck)
                                .shutdown(20ms)
                                .kill_grace(20ms)
                                .child("t", [](worker*) { return caf::behavior{[](int) {}}; })
                                .tree(30s)));
  caf::anon_send(*tree.find("/root/s"), 1);
  entered->get_future().wait();
  const auto report = tree.stop();
  BOOST_TEST(report.abandoned() == 1u);
  BOOST_TEST(report.within_budget);
  release->set_value();
}

BOOST_AUTO_TEST_SUITE_END()
