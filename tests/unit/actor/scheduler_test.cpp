// SPDX-License-Identifier: BSL-1.0
// The scheduler on real threads. Waits are on events, with a generous limit.
#include "engine.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <caf/actor_ostream.hpp>
#include <caf/send.hpp>
#include <future>
#include <memory>
#include <vector>

using namespace libactor::tests;
using namespace std::chrono_literals;
using caf::event_based_actor;

BOOST_AUTO_TEST_SUITE(scheduler)

BOOST_FIXTURE_TEST_CASE(configure_loads_it, engine) { BOOST_TEST(libactor::scheduler::of(*system) != nullptr); }

BOOST_AUTO_TEST_CASE(a_stock_scheduler_is_none_of_ours) {
  caf::actor_system_config cfg;
  caf::actor_system system{cfg};
  BOOST_TEST(libactor::scheduler::of(system) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_system_starts_and_stops_a_thousand_times) {
  for (int i = 0; i != 1000; ++i)
    engine{1};
}

BOOST_AUTO_TEST_CASE(no_threads_and_no_messages_a_turn_are_one_of_each) {
  caf::actor_system_config cfg;
  libactor::configure(cfg);
  cfg.set("scheduler.max-threads", 0).set("scheduler.max-throughput", 0);
  caf::actor_system system{cfg};
  std::promise<void> served;
  caf::anon_send(system.spawn([&](event_based_actor*) -> caf::behavior { return {[&](int) { served.set_value(); }}; }),
                 1);
  BOOST_REQUIRE(arrives(served.get_future()));
  BOOST_TEST(libactor::scheduler::of(system)->threads().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(W046_the_order_of_messages_between_one_sender_and_one_receiver_is_kept, engine) {
  constexpr int senders = 4;
  constexpr int each = 20000;
  std::promise<int> done;
  auto receiver = system->spawn([&](event_based_actor*) -> caf::behavior {
    auto next = std::make_shared<std::array<int, senders>>();
    auto wrong = std::make_shared<int>(0);
    auto left = std::make_shared<int>(senders * each);
    return {[&done, next, wrong, left](int who, int number) {
      if ((*next)[static_cast<std::size_t>(who)]++ != number)
        ++*wrong;
      if (--*left == 0)
        done.set_value(*wrong);
    }};
  });
  // One message a turn from each sender, so that the senders and the receiver change threads all the time.
  for (int who = 0; who != senders; ++who) {
    system->spawn([=](event_based_actor* self) -> caf::behavior {
      self->send(self, 0);
      return {[=](int number) {
        self->send(receiver, who, number);
        if (number + 1 < each)
          self->send(self, number + 1);
      }};
    });
  }
  auto wrong = done.get_future();
  BOOST_REQUIRE(arrives(wrong));
  BOOST_TEST(wrong.get() == 0);
}

namespace {

// Whether one that comes now gets a turn.
bool serves_another(caf::actor_system& system) {
  auto served = std::make_shared<std::promise<void>>();
  const auto result = served->get_future();
  caf::anon_send(
      system.spawn([served](event_based_actor*) -> caf::behavior { return {[served](int) { served->set_value(); }}; }),
      1);
  return arrives(result);
}

}  // namespace

BOOST_AUTO_TEST_CASE(W040_a_self_sending_actor_does_not_starve_another) {
  std::atomic<bool> stop{false};  // outlives the actors
  engine one{1};
  auto& system = *one.system;
  auto selfish = system.spawn([&](event_based_actor* self) -> caf::behavior {
    self->send(self, 0);
    return {[&stop, self](int x) {
      if (!stop)
        self->send(self, x + 1);
    }};
  });
  BOOST_TEST(serves_another(system));
  stop = true;
}

// Two actors that wake each other always find the next one in the slot.
BOOST_AUTO_TEST_CASE(W040_a_pair_that_hands_the_thread_to_and_fro_does_not_starve_another) {
  std::atomic<bool> stop{false};  // outlives the actors
  engine one{1};
  auto& system = *one.system;
  auto body = [&](event_based_actor* self) -> caf::behavior {
    return {[&stop, self](const caf::actor& other) {
      if (!stop)
        self->send(other, caf::actor{self});
    }};
  };
  const auto a = system.spawn(body);
  const auto b = system.spawn(body);
  caf::anon_send(a, b);
  BOOST_TEST(serves_another(system));
  stop = true;
}

namespace {

/// A pool whose threads are held up until a long queue stands behind them; the queue's first job waits for all others.
struct long_queue {
  static constexpr int length = 500;

  explicit long_queue(std::size_t threads) : host{threads} {
    auto& system = *host.system;
    std::vector<std::promise<void>> held(threads);
    std::promise<void> open;
    const auto opened = open.get_future().share();
    for (auto& one : held)
      system.spawn([&one, opened](event_based_actor*) {
        one.set_value();
        opened.wait();
      });
    for (auto& one : held)
      BOOST_REQUIRE(arrives(one.get_future()));
    first = system.spawn([this](event_based_actor*) {
      entered.set_value();
      all.get_future().wait();
    });
    for (int i = 1; i != length; ++i)
      system.spawn([this](event_based_actor*) {
        if (--left == 0)
          all.set_value();
      });
    open.set_value();
  }

  std::promise<void> entered;
  std::promise<void> all;
  std::atomic<int> left{length - 1};
  caf::actor first;
  engine host;
};

}  // namespace

// The thread that takes the first job takes some of the others along.
BOOST_AUTO_TEST_CASE(jobs_do_not_wait_for_good_behind_one_that_waits_for_them) {
  for (int round = 0; round != 20; ++round) {
    long_queue jobs{2};
    BOOST_REQUIRE(becomes([&] { return jobs.left == 0; }));
  }
}

BOOST_AUTO_TEST_CASE(W045_what_a_lost_thread_had_taken_along_is_run_by_the_one_in_its_place) {
  long_queue jobs{1};
  BOOST_REQUIRE(arrives(jobs.entered.get_future()));
  const auto thread = jobs.host.scheduler().threads().at(0);
  BOOST_TEST(thread.actor == jobs.first.id());
  BOOST_REQUIRE(jobs.host.scheduler().abandon_thread(thread.thread, thread.sequence));
  BOOST_TEST(becomes([&] { return jobs.left == 0; }));
}

BOOST_AUTO_TEST_CASE(the_printer_prints_and_ends_with_the_system) {
  engine one{1};
  one.system->spawn([](event_based_actor* self) { caf::aout(self) << "" << std::endl; });
  BOOST_TEST(one.scheduler().num_utility_actors() == 1u);
  BOOST_TEST((one.scheduler().printer() != nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
