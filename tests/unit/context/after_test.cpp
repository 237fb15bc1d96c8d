// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "../no_threads.hpp"
#include "libactor/after_cancel.hpp"

#include <condition_variable>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <optional>

#include <sys/socket.h>
#include <unistd.h>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(after_callbacks)

constexpr auto generous = 60s;

BOOST_FIXTURE_TEST_CASE(C138_C139_called_after_cancel_and_not_before, world) {
  auto a = with_cancel(root);
  int called = 0;
  const auto callback = after_cancel(a.ctx(), [&] { ++called; });
  advance(1h);
  BOOST_TEST(called == 0);
  a.cancel();
  BOOST_TEST(called == 0);  // never on the canceller's stack
  BOOST_TEST(runtime.run_callbacks());
  BOOST_TEST(called == 1);
  BOOST_TEST(!runtime.run_callbacks());
}

BOOST_AUTO_TEST_CASE(C140_C175_stop_of_one_that_has_started_is_false_and_does_not_wait) {
  std::promise<void> started, may_end;
  context_runtime runtime;  // last: its end waits for the callbacks
  auto a = with_cancel(runtime.background());
  auto callback = after_cancel(a.ctx(), [&] {
    started.set_value();
    may_end.get_future().wait();
  });
  a.cancel();
  started.get_future().wait();
  BOOST_TEST(!callback.stop());  // while it blocks
  may_end.set_value();
}

BOOST_FIXTURE_TEST_CASE(C141_called_after_a_deadline_within_the_same_advance, world) {
  auto a = with_timeout(root, 1s);
  std::optional<duration> at;
  const auto callback = after_cancel(a.ctx(), [&] { at = now().time_since_epoch(); });
  advance(2s);
  BOOST_TEST((at == 1s));
}

BOOST_FIXTURE_TEST_CASE(C142_called_at_once_if_done_already_but_never_inside_the_registering_call, world) {
  auto a = with_cancel(root);
  a.cancel();
  int called = 0;
  const auto callback = after_cancel(a.ctx(), [&] { ++called; });
  BOOST_TEST(called == 0);
  advance(0s);
  BOOST_TEST(called == 1);
}

BOOST_FIXTURE_TEST_CASE(C143_C144_C145_stop_before_done_is_true_once_and_it_is_never_called, world) {
  auto a = with_cancel(root);
  int called = 0;
  auto callback = after_cancel(a.ctx(), [&] { ++called; });
  auto queued = after_cancel(a.ctx(), [&] { ++called; });
  BOOST_TEST(registered(a.ctx()) == 2u);
  BOOST_TEST(callback.stop());
  BOOST_TEST(registered(a.ctx()) == 1u);
  BOOST_TEST(!callback.stop());
  a.cancel();
  BOOST_TEST(queued.stop());  // done, but not begun
  runtime.run_callbacks();
  BOOST_TEST(called == 0);
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_registration_stops_its_callback_unless_detached, world) {
  auto a = with_cancel(root);
  int called = 0;
  {
    const auto gone = after_cancel(a.ctx(), [&] { called += 100; });
  }
  {
    after_cancel(a.ctx(), [&] { ++called; }).detach();
  }
  a.cancel();
  runtime.run_callbacks();
  BOOST_TEST(called == 1);
}

BOOST_AUTO_TEST_CASE(C146_C174_cancel_does_not_wait_for_one_that_blocks_and_it_delays_no_other) {
  std::promise<void> may_end;
  const auto gate = may_end.get_future().share();
  std::atomic<int> called{0};
  std::promise<void> all;
  context_runtime runtime;
  auto a = with_cancel(runtime.background());
  std::vector<after_registration> callbacks;
  for (int i = 0; i < 5; ++i)
    callbacks.push_back(after_cancel(a.ctx(), [gate] { gate.wait(); }));
  for (int i = 0; i < 20; ++i)
    callbacks.push_back(after_cancel(a.ctx(), [&] {
      if (++called == 20)
        all.set_value();
    }));
  a.cancel();  // returns, though five of them wait for what comes below
  BOOST_TEST((all.get_future().wait_for(generous) == std::future_status::ready));
  may_end.set_value();
}

namespace {

thread_local last_words words;

}  // namespace

// Of six threads two are too many, and more where it took long to begin six. While they are about to end, five
// callbacks wait for each other, and need a new one.
BOOST_AUTO_TEST_CASE(C174_a_thread_that_is_long_in_ending_delays_no_callback) {
  constexpr int threads = 6, stay = 4;
  std::promise<void> may_end;
  const auto gate = may_end.get_future().share();
  std::atomic<int> ending{0};
  std::latch first{threads};
  std::latch second{stay + 1};
  std::promise<void> all;
  std::atomic<int> called{0};
  context_runtime runtime;
  auto a = with_cancel(runtime.background());
  for (int i = 0; i != threads; ++i)
    after_cancel(a.ctx(), [&] {
      words.say = [&ending, gate] {
        ++ending;
        gate.wait();
      };
      first.arrive_and_wait();
    }).detach();
  a.cancel();
  while (ending < threads - stay)
    std::this_thread::sleep_for(1ms);
  auto b = with_cancel(runtime.background());
  for (int i = 0; i != stay + 1; ++i)
    after_cancel(b.ctx(), [&] {
      second.arrive_and_wait();
      if (++called == stay + 1)
        all.set_value();
    }).detach();
  b.cancel();
  BOOST_TEST((all.get_future().wait_for(generous) == std::future_status::ready));
  may_end.set_value();
}

#ifdef __GLIBC__
BOOST_AUTO_TEST_CASE(R05_a_callback_for_which_there_is_no_thread_yet_runs_once_there_can_be_one) {
  std::promise<void> called;
  context_runtime runtime;
  auto a = with_cancel(runtime.background());
  after_cancel(a.ctx(), [&] { called.set_value(); }).detach();
  {
    const tests::no_threads now;
    a.cancel();
  }
  BOOST_TEST((called.get_future().wait_for(generous) == std::future_status::ready));
}
#endif

BOOST_AUTO_TEST_CASE(R05_callbacks_run_on_the_executor_and_at_most_once) {
  std::promise<std::thread::id> ran;
  context_runtime runtime;
  auto a = with_cancel(runtime.background());
  const auto callback = after_cancel(a.ctx(), [&] { ran.set_value(std::this_thread::get_id()); });
  a.cancel();
  a.cancel_now();
  auto where = ran.get_future();
  BOOST_TEST((where.wait_for(generous) == std::future_status::ready));
  BOOST_TEST((where.get() != std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(R05_a_callback_may_derive_cancel_stop_and_destroy_its_own_registration, world) {
  auto a = with_cancel(root);
  auto b = with_cancel(root);
  std::optional<after_registration> self;
  std::optional<scope> own = with_cancel(root);
  int steps = 0;
  const auto first = after_cancel(a.ctx(), [&] {
    auto derived = with_cancel(a.ctx());
    BOOST_TEST(derived.ctx().done());
    b.cancel();
    ++steps;
  });
  self = after_cancel(b.ctx(), [&] {
    BOOST_TEST(!self->stop());
    self.reset();
    ++steps;
  });
  const auto of_own = after_cancel(own->ctx(), [&] {  // a scope destroyed in its own callback
    own.reset();
    ++steps;
  });
  a.cancel();
  own->cancel();
  runtime.run_callbacks();
  BOOST_TEST(steps == 3);
}

BOOST_AUTO_TEST_CASE(C147_example_wake_a_condition_wait) {
  std::mutex mutex;
  std::condition_variable changed;
  context_runtime runtime;
  auto a = with_timeout(runtime.background(), 5ms);
  const auto callback = after_cancel(a.ctx(), [&] {
    const std::lock_guard guard{mutex};
    changed.notify_all();
  });
  std::unique_lock guard{mutex};
  BOOST_TEST(changed.wait_for(guard, generous, [&] { return a.ctx().done(); }));
}

BOOST_AUTO_TEST_CASE(C148_example_unblock_a_socket_read) {
  context_runtime runtime;
  int ends[2];
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  {
    auto a = with_timeout(runtime.background(), 5ms);
    auto callback = after_cancel(a.ctx(), [&] { ::shutdown(ends[0], SHUT_RD); });
    char byte;
    BOOST_TEST(::read(ends[0], &byte, 1) == 0);
    BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

BOOST_FIXTURE_TEST_CASE(C149_example_merge_two_contexts_by_callback_and_carry_the_seconds_cause, world) {
  auto first = with_cancel(root);
  auto second = with_cancel(root);
  auto both = with_cancel(first.ctx());
  const auto link = after_cancel(second.ctx(), [&] { both.cancel(second.ctx().cause()); });
  second.cancel(cause{"second"});
  runtime.run_callbacks();
  BOOST_TEST(both.ctx().cause().text() == "second");
}

BOOST_AUTO_TEST_CASE(the_runtimes_end_runs_what_is_due_and_waits_for_it) {
  std::atomic<int> called{0};
  {
    context_runtime runtime;
    auto a = with_cancel(runtime.background());
    for (int i = 0; i < 100; ++i)
      after_cancel(a.ctx(), [&] { ++called; }).detach();
    a.disarm();
  }
  BOOST_TEST(called == 100);
}

BOOST_AUTO_TEST_CASE(C174_at_the_runtimes_end_too_one_that_blocks_delays_no_other) {
  constexpr int callbacks = 6;
  std::atomic<int> called{0};
  std::latch all{callbacks};
  {
    context_runtime runtime;
    auto a = with_cancel(runtime.background());
    for (int i = 0; i < callbacks; ++i) {
      after_cancel(a.ctx(), [&] {
        all.arrive_and_wait();
        ++called;
      }).detach();
    }
    a.disarm();
  }
  BOOST_TEST(called == callbacks);
}

BOOST_AUTO_TEST_CASE(at_the_runtimes_end_a_callback_may_register_another) {
  constexpr int callbacks = 10'000;
  int called = 0;
  context ended;
  std::function<void()> again = [&] {
    if (++called < callbacks)
      after_cancel(ended, [&] { again(); }).detach();
  };
  {
    context_runtime runtime;
    auto a = with_cancel(runtime.background());
    a.cancel();
    ended = a.ctx();
    after_cancel(ended, [&] { again(); }).detach();
  }
  BOOST_TEST(called == callbacks);
}

BOOST_AUTO_TEST_CASE(waits_end_by_cancel_or_by_time) {
  context_runtime runtime;
  auto a = with_cancel(runtime.background());
  BOOST_TEST(!a.ctx().wait_for(1ms));
  BOOST_TEST(!a.ctx().wait_until(runtime.now()));
  auto waiter = std::async(std::launch::async, [&] { return a.ctx().wait_for(1h); });
  auto endless = std::async(std::launch::async, [&] { return a.ctx().wait_for(duration::max()); });
  a.cancel();
  BOOST_TEST(waiter.get());
  BOOST_TEST(endless.get());
  BOOST_TEST(a.ctx().wait_for(-1s));
}

BOOST_FIXTURE_TEST_CASE(a_wait_on_the_virtual_clock_ends_when_it_is_moved, world) {
  auto a = with_cancel(root);
  auto waiter = std::async(std::launch::async, [&] { return a.ctx().wait_until(time_point{5s}); });
  while (!runtime.next_due())
    std::this_thread::yield();
  advance(5s);
  BOOST_TEST(!waiter.get());
}

BOOST_AUTO_TEST_SUITE_END()
