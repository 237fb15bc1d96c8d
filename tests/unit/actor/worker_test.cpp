// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/worker.hpp"

#include "lab.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

struct counting {
  int handled = 0;
};

class counting_worker : public worker {
 public:
  counting_worker(caf::actor_config& cfg, worker_options options, int& handled)
      : worker(cfg, std::move(options)), handled_(handled) {}
  caf::behavior make_behavior() override {
    worker::make_behavior();
    return {[this](int) { ++handled_; }};
  }

 private:
  int& handled_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(workers)

BOOST_FIXTURE_TEST_CASE(W001_a_down_signal_overtakes_50000_queued_messages, lab) {
  int handled = 0;
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), [&handled](worker*) -> caf::behavior { return {[&handled](int) { ++handled; }}; });
  settle();
  for (int i = 0; i != 50000; ++i)
    caf::anon_send(handle, i);
  own.cancel();
  settle();
  BOOST_TEST(handled == 0);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(W001_an_idle_worker_is_woken_for_its_down_signal, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), [](worker*) -> caf::behavior { return {[](int) {}}; });
  settle();
  own.cancel();
  settle();
  BOOST_TEST(end.has_value());
}

BOOST_FIXTURE_TEST_CASE(W003_R11_deadline_reached_comes_before_down_signal_once_each, lab) {
  auto own = with_timeout(root(), 3s);
  auto handle = spawn(own.ctx(), [this](worker* self) -> caf::behavior {
    self->on_deadline([this](const deadline_reached&) { seen.push_back("deadline_reached"); });
    self->on_down_signal([this, self](const down_signal& signal) {
      seen.push_back("down_signal " + signal.error.message());
      self->finish(make_error(errc::deadline_exceeded));
    });
    return {[this](int) { seen.push_back("message"); }};
  });
  settle();
  advance(2999ms);
  caf::anon_send(handle, 1);
  settle();
  advance(1ms);
  BOOST_TEST(seen == (lines{"message", "deadline_reached", "down_signal deadline exceeded"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R11_the_signals_reach_a_behavior_that_has_cases_for_them, lab) {
  auto own = with_timeout(root(), 1s);
  auto handle = spawn(own.ctx(), [this](worker* self) -> caf::behavior {
    return {[this](const deadline_reached&) { seen.push_back("deadline_reached"); },
            [this, self](const down_signal&) {
              seen.push_back("down_signal");
              self->finish();
            }};
  });
  advance(1s);
  BOOST_TEST(seen == (lines{"deadline_reached", "down_signal"}), boost::test_tools::per_element());
  BOOST_REQUIRE(end);
  BOOST_TEST(!*end);
}

BOOST_FIXTURE_TEST_CASE(R12_without_a_handler_the_worker_ends_with_the_reason_of_the_table, lab) {
  auto own = with_timeout(root(), 1s);
  auto handle = spawn(own.ctx(), [](worker*) -> caf::behavior { return {[](int) {}}; });
  advance(1s);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "deadline_exceeded");
}

BOOST_FIXTURE_TEST_CASE(R12_a_down_signal_handler_may_take_its_time_and_wait_for_replies, lab) {
  auto own = with_cancel(root());
  auto peer = system().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int x) { return x + 1; }}; });
  auto handle = spawn(own.ctx(), [this, peer](worker* self) -> caf::behavior {
    self->on_down_signal([this, self, peer](const down_signal&) {
      self->request(peer, caf::infinite, 41).then([this, self](int x) {
        seen.push_back("reply " + std::to_string(x));
        self->after(2s, [self] { self->finish(); });
      });
    });
    return {[this](int) { seen.push_back("message"); }};
  });
  settle();
  own.cancel();
  caf::anon_send(handle, 1);
  settle();
  BOOST_TEST(!end);
  advance(2s);
  BOOST_TEST(end.has_value());
  BOOST_TEST(seen == lines{"reply 42"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W004_a_handler_that_polls_sees_a_cancel_made_while_it_runs, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), [this, &own](worker* self) -> caf::behavior {
    return {[this, self, &own](int) {
      seen.push_back(self->ctx().done() ? "done" : "live");
      own.cancel();
      seen.push_back(self->ctx().done() ? "done" : "live");
    }};
  });
  caf::anon_send(handle, 1);
  settle();
  BOOST_TEST(seen == (lines{"live", "done"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W005_requests_dropped_unread_are_answered_with_an_error, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), [](worker* self) -> caf::behavior {
    self->on_down_signal([self](const down_signal&) { self->after(1s, [self] { self->finish(); }); });
    return {[](int x) { return x; }};
  });
  settle();
  own.cancel();
  settle();
  system().spawn([this, handle](caf::event_based_actor* self) {
    self->request(handle, caf::infinite, 1)
        .then([this](int) { seen.push_back("answer"); }, [this](caf::error& e) { seen.push_back(describe(e)); });
  });
  settle();
  BOOST_TEST(seen.empty());
  advance(1s);
  BOOST_TEST(seen == lines{"dropped"}, boost::test_tools::per_element());
}

namespace {

// Unread when a worker ends: two requests and three other messages; and what is not counted.
template <class Spawn>
void leaves_mail_unread(lab& world, Spawn spawn) {
  auto own = with_cancel(world.root());
  caf::actor handle = spawn(own.ctx());
  world.settle();
  for (int i = 0; i != 2; ++i) {
    world.system().spawn([&world, handle](caf::event_based_actor* self) {
      self->request(handle, caf::infinite, 1)
          .then([&world](int) { world.seen.push_back("answer"); },
                [&world](caf::error& e) { world.seen.push_back(describe(e)); });
    });
  }
  for (int i = 0; i != 2; ++i)
    BOOST_TEST(world.step());
  for (int i = 0; i != 3; ++i)
    caf::anon_send(handle, i);
  caf::anon_send(handle, caf::down_msg{});
  caf::anon_send<caf::message_priority::high>(handle, "end"s);
  world.settle();
  BOOST_TEST(world.seen == (lines{"dropped", "dropped"}), boost::test_tools::per_element());
  BOOST_TEST(world.told_lines() == lines{"dropped: messages unread at its end, 5"}, boost::test_tools::per_element());
}

struct nothing {};

}  // namespace

BOOST_FIXTURE_TEST_CASE(W005_what_stands_unread_when_a_worker_ends_is_counted_and_answered, lab) {
  leaves_mail_unread(*this, [this](const context& ctx) {
    return spawn_worker(system(), options(ctx), [](worker* self) -> caf::behavior {
      return {[self](const std::string&) { self->finish(); }, [](int x) { return x; }};
    });
  });
}

BOOST_FIXTURE_TEST_CASE(W005_W007_and_so_for_a_worker_with_a_state, lab) {
  leaves_mail_unread(*this, [this](const context& ctx) {
    return spawn_worker(system(), options(ctx), [](stateful_worker<nothing>* self) -> caf::behavior {
      return {[self](const std::string&) { self->finish(); }, [](int x) { return x; }};
    });
  });
}

BOOST_FIXTURE_TEST_CASE(W005_and_so_for_one_that_is_killed_or_throws, lab) {
  leaves_mail_unread(*this, [this](const context& ctx) {
    return spawn_worker(system(), options(ctx), [](worker*) -> caf::behavior {
      return {[](const std::string&) { throw std::runtime_error("disk on fire"); }, [](int x) { return x; }};
    });
  });
}

BOOST_FIXTURE_TEST_CASE(W006_the_text_of_an_exception_is_in_the_reason, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(),
                      [](worker*) -> caf::behavior { return {[](int) { throw std::runtime_error("disk on fire"); }}; });
  caf::anon_send(handle, 1);
  settle();
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "runtime_error: std::runtime_error: disk on fire");
}

BOOST_FIXTURE_TEST_CASE(W007_stateful_and_class_based_workers_get_their_down_signal_too, lab) {
  auto own = with_cancel(root());
  auto stateful = spawn(own.ctx(), [](stateful_worker<counting>* self) -> caf::behavior {
    return {[self](int) { ++self->state.handled; }};
  });
  int handled = 0;
  worker_options options;
  options.ctx = own.ctx();
  options.line = std::make_shared<lifeline>();
  auto classy = spawn_worker_class<counting_worker>(system(), std::move(options), handled);
  settle();
  caf::anon_send(classy, 1);
  settle();
  BOOST_TEST(handled == 1);
  for (int i = 0; i != 1000; ++i)
    caf::anon_send(classy, i);
  own.cancel();
  settle();
  BOOST_TEST(handled == 1);
  BOOST_TEST(end.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_timer_after_infinite_never_fires_and_may_be_canceled, lab) {
  spawn(root(), [this](worker* self) -> caf::behavior {
    const auto never = self->after(infinite, [this] { seen.push_back("never"); });
    self->after(infinite - 1ns, [this] { seen.push_back("not now"); });
    self->after(1s, [this, self, never] { seen.push_back(self->cancel_timer(never) ? "canceled" : "gone"); });
    return {[](int) {}};
  });
  advance(24h);
  BOOST_TEST(seen == lines{"canceled"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W009_a_deadline_an_hour_away_keeps_no_ended_worker_alive, lab) {
  auto own = with_timeout(root(), 1h);
  auto alive = std::make_shared<int>(1);
  std::weak_ptr<int> observer = alive;
  {
    auto handle = spawn(own.ctx(), [alive = std::move(alive)](worker* self) -> caf::behavior {
      self->after(1h, [alive] {});
      return {[self, alive](int) { self->finish(); }};
    });
    caf::anon_send(handle, 1);
    settle();
  }
  BOOST_TEST(observer.expired());
}

BOOST_FIXTURE_TEST_CASE(W012_a_worker_spawned_under_a_context_that_is_done_never_runs_its_function, lab) {
  auto own = with_cancel(root());
  own.cancel();
  auto handle = spawn(own.ctx(), [this](worker*) -> caf::behavior {
    seen.push_back("ran");
    return {[](int) {}};
  });
  settle();
  BOOST_TEST(seen.empty());
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(R13_drain_serves_what_stood_before_the_down_signal_and_drops_what_came_after, lab) {
  auto own = with_cancel(root());
  worker_options options;
  options.ctx = own.ctx();
  options.line = std::make_shared<lifeline>();
  options.drain = 1s;
  int handled = 0;
  auto handle = spawn_worker(system(), std::move(options), [&handled](worker* self) -> caf::behavior {
    self->on_down_signal([self](const down_signal&) { self->after(1s, [self] { self->finish(); }); });
    return {[&handled](int) { ++handled; }};
  });
  watch_end(handle);
  settle();
  for (int i = 0; i != 100; ++i)
    caf::anon_send(handle, i);
  own.cancel();
  settle();
  BOOST_TEST(handled == 100);
  caf::anon_send(handle, 1);
  settle();
  BOOST_TEST(handled == 100);
  advance(1s);
  BOOST_TEST(end.has_value());
}

namespace {

worker_options draining(lab& world, const context& ctx, duration limit) {
  auto with = world.options(ctx);
  with.drain = limit;
  return with;
}

// Notes whether its requests' context is done, and asks `store` in each.
auto asks_a_store(lab& world, caf::actor store) {
  return [&world, store](worker* self) -> caf::behavior {
    return {[&world, self, store](int x) {
      world.seen.push_back(self->request_ctx().done() ? "done" : "live");
      auto promise = self->make_response_promise<int>();
      self->request(store, infinite, x)
          .then([promise](int y) mutable { promise.deliver(y); },
                [promise](caf::error& e) mutable { promise.deliver(e); });
      return promise;
    }};
  };
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(R13_what_is_drained_is_served_under_a_shield_until_its_answers_are_there, lab) {
  auto own = with_cancel(root());
  auto others = with_cancel(root());
  slow_server served;
  auto store = spawn_in(system(), others.ctx(), served.body());
  auto handle = spawn_worker(system(), draining(*this, own.ctx(), 5s), asks_a_store(*this, store));
  watch_end(handle);
  settle();
  auto client = [this, handle](worker* self) {
    self->request(handle, infinite, 1)
        .then([this](int y) { seen.push_back("answer " + std::to_string(y)); },
              [this](caf::error& e) { seen.push_back(describe(e)); });
  };
  spawn_in(system(), others.ctx(), client);
  settle();
  BOOST_TEST(seen == lines{"live"}, boost::test_tools::per_element());  // in hand when the down-signal comes
  spawn_in(system(), others.ctx(), client);
  BOOST_TEST(step());  // sent, and not yet read
  own.cancel();
  settle();
  BOOST_TEST(seen == (lines{"live", "live"}), boost::test_tools::per_element());
  BOOST_TEST(!end);
  spawn_in(system(), others.ctx(), client);
  settle();
  served.answer(0, 7);
  settle();
  BOOST_TEST(!end);
  served.answer(1, 8);
  settle();
  BOOST_TEST(end.has_value());
  BOOST_TEST(seen == (lines{"live", "live", "answer 7", "answer 8", "dropped"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R13_the_shield_of_a_drain_ends_with_its_time, lab) {
  auto own = with_cancel(root());
  auto others = with_cancel(root());
  slow_server served;
  auto store = spawn_in(system(), others.ctx(), served.body());
  auto handle = spawn_worker(system(), draining(*this, own.ctx(), 5s), asks_a_store(*this, store));
  watch_end(handle);
  caf::anon_send(handle, 1);
  settle();
  own.cancel();
  advance(4999ms);
  BOOST_TEST(!served.contexts.at(0).done());
  BOOST_TEST(!end);
  advance(1ms);
  BOOST_TEST(served.contexts.at(0).done());
  BOOST_TEST(end.has_value());
}

BOOST_FIXTURE_TEST_CASE(R12_requests_made_during_clean_up_work_until_stop_by_although_the_context_is_done, lab) {
  auto own = with_cancel(root());
  auto others = with_cancel(root());
  slow_server served;
  auto store = spawn_in(system(), others.ctx(), served.body());
  auto with = options(own.ctx());
  auto line = with.line;
  auto handle = spawn_worker(system(), std::move(with), [this, store](worker* self) -> caf::behavior {
    self->on_down_signal([this, self, store](const down_signal&) {
      seen.push_back(std::string(self->ctx().done() ? "done" : "live") + ", " +
                     (self->request_ctx().done() ? "done" : "live"));
      self->request(store, infinite, 1).then([](int) {}, [this](caf::error& e) { seen.push_back(describe(e)); });
    });
    return {[this, self, store](int) {
      self->request(store, infinite, 1)
          .then([](int) {}, [this](caf::error& e) { seen.push_back("before: " + describe(e)); });
    }};
  });
  caf::anon_send(handle, 1);
  settle();
  line->ask(now() + 3s);
  own.cancel();
  settle();
  // What it had asked before is canceled with it; what it asks to clean up is not.
  BOOST_TEST(seen == (lines{"done, live", "before: canceled"}), boost::test_tools::per_element());
  advance(2999ms);
  BOOST_TEST(seen.size() == 2u);
  advance(1ms);
  BOOST_TEST(seen.back() == "canceled");
}

BOOST_FIXTURE_TEST_CASE(a_timer_runs_once_in_its_worker_and_can_be_taken_back, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), [this](worker* self) -> caf::behavior {
    self->after(1s, [this] { seen.push_back("one"); });
    const auto two = self->after(2s, [this] { seen.push_back("two"); });
    self->after(1500ms, [this, self, two] { seen.push_back(self->cancel_timer(two) ? "taken back" : "too late"); });
    return {[](int) {}};
  });
  advance(10s);
  BOOST_TEST(seen == (lines{"one", "taken back"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
