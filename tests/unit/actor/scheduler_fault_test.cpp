// SPDX-License-Identifier: BSL-1.0
// What CAF's own schedulers do wrong, against ours: each case made one of them hang, starve or leak.
#include "engine.hpp"

#include "actor/scheduler_clock.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/actor_proxy.hpp>
#include <caf/after.hpp>
#include <caf/make_actor.hpp>
#include <caf/send.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace libactor::tests;
using namespace std::chrono_literals;
using caf::event_based_actor;

namespace {

using token = std::shared_ptr<int>;

caf::behavior holder(event_based_actor*) {
  return {[](const token&) {}, [](int) {}};
}

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(token)

BOOST_AUTO_TEST_SUITE(scheduler_faults)

BOOST_AUTO_TEST_CASE(W041_ten_thousand_actors_that_end_at_once_do_not_hang_the_destructor) {
  BOOST_REQUIRE(returns([] {
    engine host;
    std::vector<caf::actor> all;
    for (int i = 0; i != 9700; ++i)
      all.push_back(host.system->spawn(idle));
    for (int i = 0; i != 300; ++i)
      all.push_back(host.system->spawn<caf::detached>(idle));
    for (const auto& one : all)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    all.clear();
  }));
}

BOOST_AUTO_TEST_CASE(W041_a_message_due_in_an_hour_does_not_keep_an_ended_detached_actor_and_the_destructor) {
  BOOST_REQUIRE(returns([] {
    engine host;
    for (int i = 0; i != 20; ++i) {
      auto one = host.system->spawn<caf::detached>(idle);
      caf::delayed_anon_send(one, 1h, 1);
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    }
  }));
}

// Messages to an actor that has ended are dropped by the clock's thread, and with them the last handles to others,
// which then cancel their timers there.
BOOST_AUTO_TEST_CASE(W042_dropping_last_references_from_the_clocks_thread_does_not_deadlock) {
  BOOST_REQUIRE(returns([] {
    engine host;
    auto& system = *host.system;
    auto gone = system.spawn([](event_based_actor*) {});
    becomes([&] { return system.registry().running() == 0; });
    auto& clock = system.scheduler().clock();
    const auto due = clock.now() + 20ms;
    for (int i = 0; i != 2000; ++i) {
      auto last = system.spawn(idle);
      clock.schedule_message(due, caf::actor_cast<caf::strong_actor_ptr>(gone),
                             caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(last)));
    }
    // All of them end, each destroyed where the message was.
    becomes([&] { return system.registry().running() == 0; });
  }));
}

BOOST_AUTO_TEST_CASE(W043_an_actor_that_ends_takes_its_timers_and_their_memory_with_it) {
  engine host;
  auto content = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = content;
  auto one = host.system->spawn(holder);
  for (int i = 0; i != 100; ++i)
    caf::delayed_anon_send(one, 1h, content);
  content.reset();
  BOOST_TEST(host.scheduler().timers() == 100u);
  BOOST_TEST(!seen.expired());
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  BOOST_TEST(becomes([&] { return seen.expired(); }));
  BOOST_TEST(host.scheduler().timers() == 0u);
}

namespace {

/// Stands for an actor of another node, where ids are counted, too.
class elsewhere final : public caf::actor_proxy {
 public:
  using receiver = std::function<void(caf::strong_actor_ptr, caf::mailbox_element_ptr)>;
  elsewhere(caf::actor_config& cfg, receiver receive) : caf::actor_proxy(cfg), receive_(std::move(receive)) {}
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override { receive_({ctrl()}, std::move(what)); }
  void kill_proxy(caf::execution_unit*, caf::error) override {}

  static caf::actor make(caf::actor_system& system, caf::actor_id id, receiver receive) {
    caf::actor_config cfg;
    return caf::make_actor<elsewhere, caf::actor>(id, caf::make_node_id(1, {1}), &system, cfg, std::move(receive));
  }

 private:
  receiver receive_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(W043_an_actor_that_ends_leaves_the_timers_of_others_with_its_id) {
  engine host;
  const auto one = host.system->spawn(idle);
  const auto other = elsewhere::make(*host.system, one.id(), [](const auto&, const auto&) {});
  caf::delayed_anon_send(one, 1h, 1);
  caf::delayed_anon_send(other, 1h, 1);
  BOOST_TEST(host.scheduler().timers() == 2u);
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  host.system->await_all_actors_done();
  BOOST_TEST(becomes([&] { return host.scheduler().timers() < 2; }));
  BOOST_TEST(host.scheduler().timers() == 1u);
}

BOOST_AUTO_TEST_CASE(W043_a_canceled_timeout_is_gone_when_the_call_returns) {
  engine host;
  auto one = host.system->spawn(idle);
  auto* self = caf::actor_cast<caf::abstract_actor*>(one);
  auto& clock = host.system->scheduler().clock();
  const auto far = clock.now() + 1h;
  const auto references = self->ctrl()->strong_refs.load();
  for (std::uint64_t i = 1; i != 1000; ++i)
    clock.set_request_timeout(far, self, caf::make_message_id(i));
  clock.set_ordinary_timeout(far, self, caf::atom("receive"), 1);
  clock.set_ordinary_timeout(far, self, caf::atom("receive"), 2);  // in place of the first
  BOOST_TEST(host.scheduler().timers() == 1000u);
  for (std::uint64_t i = 1; i != 1000; ++i)
    clock.cancel_request_timeout(self, caf::make_message_id(i));
  BOOST_TEST(host.scheduler().timers() == 1u);
  clock.cancel_ordinary_timeout(self, caf::atom("receive"));
  BOOST_TEST(host.scheduler().timers() == 0u);
  BOOST_TEST(self->ctrl()->strong_refs.load() <= references);
}

BOOST_AUTO_TEST_CASE(W043_cancelling_all_leaves_a_clock_that_keeps_time) {
  engine host;
  auto one = host.system->spawn(idle);
  auto& clock = host.system->scheduler().clock();
  clock.schedule_message(clock.now() + 1h, caf::actor_cast<caf::strong_actor_ptr>(one),
                         caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, 1));
  clock.cancel_all();
  BOOST_TEST(host.scheduler().timers() == 0u);
  clock.set_request_timeout(clock.now() + 1h, caf::actor_cast<caf::abstract_actor*>(one), caf::make_message_id(7));
  std::promise<void> ticked;
  host.system->spawn([&](event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 5ms, 1);
    return {[&](int) { ticked.set_value(); }};
  });
  BOOST_TEST(arrives(ticked.get_future()));
  BOOST_TEST(host.scheduler().timers() == 1u);  // not early
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(W044_timers_are_never_early) {
  engine host;
  constexpr int timers = 2000;
  std::promise<int> done;
  host.system->spawn([&](event_based_actor* self) -> caf::behavior {
    std::mt19937 random{4711};
    std::uniform_int_distribution<std::int64_t> delay{0, 40'000'000};
    for (int i = 0; i != timers; ++i) {
      const std::chrono::nanoseconds after{delay(random)};
      const auto due = std::chrono::steady_clock::now() + after;
      self->delayed_send(self, after, static_cast<std::int64_t>(due.time_since_epoch().count()));
    }
    auto left = std::make_shared<int>(timers);
    auto early = std::make_shared<int>(0);
    return {[&done, left, early](std::int64_t due) {
      if (std::chrono::steady_clock::now().time_since_epoch().count() < due)
        ++*early;
      if (--*left == 0)
        done.set_value(*early);
    }};
  });
  auto early = done.get_future();
  BOOST_REQUIRE(arrives(early));
  BOOST_TEST(early.get() == 0);
}

// Each message has another one sent, which is due already.
BOOST_AUTO_TEST_CASE(slots_are_looked_after_however_many_timers_are_due) {
  engine host;
  std::atomic<int> looks{0};
  libactor::detail::scheduler_clock clock{[&] { return ++looks != 0; }};
  const auto restless = elsewhere::make(
      *host.system, 1, [&](auto self, auto what) { clock.schedule_message({}, std::move(self), std::move(what)); });
  caf::anon_send(restless, 1);
  clock.start(*host.system);
  clock.watch();
  BOOST_TEST(becomes([&] { return looks >= 3; }));
  clock.stop();
}

BOOST_AUTO_TEST_CASE(a_receive_timeout_fires_and_a_request_times_out) {
  engine host;
  auto silent = host.system->spawn([](event_based_actor* self) -> caf::behavior {
    auto kept = std::make_shared<std::vector<caf::response_promise>>();
    return {[self, kept](int) {
      kept->push_back(self->make_response_promise());
      return kept->back();
    }};
  });
  std::promise<caf::error> answer;
  std::promise<void> waited;
  host.system->spawn([&](event_based_actor* self) -> caf::behavior {
    self->request(silent, 10ms, 1).then([](int) {}, [&](const caf::error& e) { answer.set_value(e); });
    return {[](int) {}, caf::after(30ms) >>
                            [self, &waited] {
                              waited.set_value();
                              self->quit();
                            }};
  });
  auto error = answer.get_future();
  BOOST_REQUIRE(arrives(error));
  BOOST_TEST((error.get() == caf::sec::request_timeout));
  BOOST_TEST(arrives(waited.get_future()));
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);  // its promise holds itself
}

// From outside and from an actor; on the stealing scheduler the second took longer than 30 s for 100,000.
BOOST_AUTO_TEST_CASE(a_burst_of_two_hundred_thousand_actors_costs_a_turn_each) {
  engine host;
  std::atomic<int> ended{0};
  auto one_message = [&](event_based_actor*) { ++ended; };
  for (int i = 0; i != 100'000; ++i)
    host.system->spawn(one_message);
  host.system->spawn([&](event_based_actor* self) {
    for (int i = 0; i != 100'000; ++i)
      self->spawn(one_message);
  });
  BOOST_REQUIRE(becomes([&] { return ended == 200'000; }));
  host.system->await_all_actors_done();
  std::uint64_t turns = 0;
  for (const auto& thread : host.scheduler().threads())
    turns += thread.sequence / 2;
  // One turn for each, the parent's, and those of CAF's own few actors.
  BOOST_TEST(turns >= 200'001u - host.scheduler().threads().size());
  BOOST_TEST(turns <= 200'100u);
}

// -- a thread that a handler does not give back -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(W045_what_stands_in_the_slot_behind_a_stuck_handler_is_rescued) {
  engine host;
  std::promise<void> served;
  auto result = served.get_future().share();
  auto other =
      host.system->spawn([&](event_based_actor*) -> caf::behavior { return {[&](int) { served.set_value(); }}; });
  std::promise<bool> in_time;
  auto stuck = host.system->spawn([&, other](event_based_actor* self) -> caf::behavior {
    return {[&, self, other](int) {
      self->send(other, 1);  // it stands in the slot of this thread, which does not return before it was served
      in_time.set_value(result.wait_for(generous) == std::future_status::ready);
    }};
  });
  caf::anon_send(stuck, 1);
  auto good = in_time.get_future();
  BOOST_REQUIRE(arrives(good));
  BOOST_TEST(good.get());
}

namespace {

bool all_sleep(const libactor::scheduler& scheduler) {
  const auto threads = scheduler.threads();
  return std::all_of(threads.begin(), threads.end(), [](const auto& one) { return sleeps(one.thread); });
}

}  // namespace

// Of two, one stands in the slot and one alone in the queue: nobody is woken for it at first.
BOOST_AUTO_TEST_CASE(W045_the_job_that_is_left_to_a_stuck_handlers_thread_is_rescued_though_all_others_sleep) {
  engine host;
  std::atomic<int> left{2};
  std::promise<void> served;
  auto result = served.get_future().share();
  auto idle = [&](event_based_actor*) -> caf::behavior {
    return {[&](int) {
      if (--left == 0)
        served.set_value();
    }};
  };
  const auto one = host.system->spawn(idle);
  const auto two = host.system->spawn(idle);
  std::promise<bool> in_time;
  auto stuck = host.system->spawn([&](event_based_actor* self) -> caf::behavior {
    return {[&, self](int) {
      self->send(one, 1);
      self->send(two, 1);
      in_time.set_value(result.wait_for(generous) == std::future_status::ready);
    }};
  });
  BOOST_REQUIRE(becomes([&] { return all_sleep(host.scheduler()); }));
  caf::anon_send(stuck, 1);
  auto good = in_time.get_future();
  BOOST_REQUIRE(arrives(good));
  BOOST_TEST(good.get());
}

BOOST_AUTO_TEST_CASE(W045_a_thread_lost_to_a_stuck_handler_is_made_up_for_and_the_extra_one_retires) {
  engine host{1};
  auto& scheduler = host.scheduler();
  std::promise<void> entered;
  std::promise<void> let_go;
  auto go = let_go.get_future().share();
  auto other = host.system->spawn([](event_based_actor*) -> caf::behavior { return {[](int x) { return x; }}; });
  auto stuck = host.system->spawn([&, go, other](event_based_actor*) -> caf::behavior {
    return {[&, go, other](int) {
      caf::anon_send(other, 1);  // goes to this thread's slot
      entered.set_value();
      go.wait();
    }};
  });
  caf::anon_send(stuck, 1);
  BOOST_REQUIRE(arrives(entered.get_future()));
  const auto before = scheduler.threads();
  BOOST_REQUIRE(before.size() == 1u);
  BOOST_TEST(before[0].actor == stuck.id());
  BOOST_TEST(before[0].sequence % 2 == 1u);
  BOOST_TEST(!scheduler.abandon_thread(before[0].thread, before[0].sequence + 2));
  BOOST_TEST(!scheduler.abandon_thread(before[0].thread + 1, before[0].sequence));
  BOOST_REQUIRE(scheduler.abandon_thread(before[0].thread, before[0].sequence));
  BOOST_TEST(!scheduler.abandon_thread(before[0].thread, before[0].sequence));
  // The pool, which has lost its only thread, answers.
  std::promise<void> answered;
  host.system->spawn([&](event_based_actor* self) {
    self->request(other, caf::infinite, 2).then([&](int) { answered.set_value(); });
  });
  BOOST_REQUIRE(arrives(answered.get_future()));
  BOOST_TEST(scheduler.threads().size() == 2u);
  let_go.set_value();
  BOOST_TEST(becomes([&] { return scheduler.threads().size() == 1; }));
  BOOST_TEST(!scheduler.threads()[0].abandoned);
  std::promise<void> still;
  host.system->spawn([&](event_based_actor*) { still.set_value(); });
  BOOST_TEST(arrives(still.get_future()));
}

BOOST_AUTO_TEST_CASE(W045_threads_are_lost_and_come_back_a_hundred_times) {
  engine host{2};
  auto& scheduler = host.scheduler();
  for (int round = 0; round != 100; ++round) {
    std::promise<void> entered;
    std::promise<void> let_go;
    auto stuck = host.system->spawn([&](event_based_actor*) {
      entered.set_value();
      let_go.get_future().wait();
    });
    BOOST_REQUIRE(arrives(entered.get_future()));
    for (const auto& thread : scheduler.threads()) {
      if (thread.actor == stuck.id() && thread.sequence % 2 == 1)
        BOOST_TEST(scheduler.abandon_thread(thread.thread, thread.sequence));
    }
    let_go.set_value();
    host.system->await_all_actors_done();
  }
  BOOST_TEST(becomes([&] { return scheduler.threads().size() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_thread_can_be_added) {
  std::promise<void> entered;
  std::promise<void> let_go;  // outlives the actor that waits for it
  engine host{1};
  host.system->spawn([&](event_based_actor*) {
    entered.set_value();
    let_go.get_future().wait();
  });
  BOOST_REQUIRE(arrives(entered.get_future()));
  host.scheduler().add_thread();
  std::promise<void> served;
  host.system->spawn([&](event_based_actor*) { served.set_value(); });
  BOOST_TEST(arrives(served.get_future()));
  let_go.set_value();
  BOOST_TEST(host.scheduler().threads().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
