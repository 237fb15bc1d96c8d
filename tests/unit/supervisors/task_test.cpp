// SPDX-License-Identifier: BSL-1.0
// What becomes of a worker's tasks when the worker is gone before them.
#include "libactor/actor/task_group.hpp"
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

// A task that takes `delay` to end once it is canceled.
void slow_task(task<int>* self, duration delay) {
  self->on_down_signal([self, delay](const down_signal&) {
    self->after(delay, [self] { self->finish(caf::exit_reason::user_shutdown); });
  });
  self->become([](int) {});
}

// An ordinary worker with two tasks, the second of which has one of its own.
caf::behavior with_tasks(worker* self, duration delay) {
  auto group = std::make_shared<task_group<int>>(self);
  group->spawn(slow_task, delay);
  group->spawn([delay](task<int>* task) {
    auto below = std::make_shared<task_group<int>>(task);
    below->spawn_named("below", slow_task, delay);
    slow_task(task, duration{});
    below->join(task, [below](const group_outcome<int>&) {});
  });
  group->join(self, [group](const group_outcome<int>&) {});
  return ordinary(self);
}

const auto end_words = {event_kind::started, event_kind::stopped, event_kind::crashed,
                        event_kind::ended,   event_kind::killed,  event_kind::abandoned};

}  // namespace

BOOST_AUTO_TEST_SUITE(tasks_of_workers)

BOOST_FIXTURE_TEST_CASE(W026_R15_the_successor_of_a_killed_worker_starts_once_its_tasks_have_ended, world) {
  start_ok(one_for_one().child("w", with_tasks, 700ms).kill_grace(1s).tree());
  BOOST_TEST(
      runtime().alive() == (lines{"/root", "/root/w", "/root/w/task#1", "/root/w/task#2", "/root/w/task#2/below"}),
      boost::test_tools::per_element());
  forget_events();
  caf::anon_send_exit(at("/root/w"), caf::exit_reason::kill);
  advance(699ms);
  BOOST_TEST(log(end_words).empty());
  BOOST_TEST(!is_alive("/root/w"));
  BOOST_TEST(is_alive("/root/w/task#1"));
  advance(1ms);
  BOOST_TEST(log(end_words) == (lines{"crashed /root/w kill", "started /root/w"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W026_tasks_that_do_not_end_are_killed_after_the_workers_kill_grace, world) {
  start_ok(one_for_one().child("w", with_tasks, 1h).kill_grace(2s).tree());
  forget_events();
  tell("/root/w", "throw");
  advance(1999ms);
  BOOST_TEST(log(end_words).empty());
  advance(1ms);
  const auto all = log(end_words);
  BOOST_REQUIRE(all.size() == 5u);
  BOOST_TEST((lines{all.begin(), all.begin() + 3}) ==
                 (lines{"killed /root/w/task#1", "killed /root/w/task#2", "killed /root/w/task#2/below"}),
             boost::test_tools::per_element());
  BOOST_TEST(all[3] == "crashed /root/w runtime_error: std::logic_error: boom");
  BOOST_TEST(all[4] == "started /root/w");
}

BOOST_FIXTURE_TEST_CASE(R15_R20_a_stop_waits_for_the_tasks_and_kills_them_with_their_worker, world) {
  start_ok(one_for_one().child("before", ordinary).child("w", with_tasks, 1h).shutdown(3s).tree());
  forget_events();
  stop();
  advance(2999ms);
  BOOST_TEST(is_alive("/root/w/task#1"));
  BOOST_TEST(is_alive("/root/before"));
  BOOST_TEST(log(end_words).empty());
  advance(1ms);
  BOOST_TEST(runtime().wait_ended(0s));
  const auto text = to_string(runtime().report());
  BOOST_TEST(text.find("/root/w/task#1") != std::string::npos);
  BOOST_TEST(
      ends() == (lines{"stopped /root/w kill", "stopped /root/before user_shutdown", "stopped /root user_shutdown"}),
      boost::test_tools::per_element());
  BOOST_TEST(runtime().report().others == 0u);
}

BOOST_FIXTURE_TEST_CASE(R15_an_orderly_stop_takes_tasks_along, world) {
  start_ok(one_for_one().child("w", with_tasks, 1s).tree());
  forget_events();
  stop();
  advance(1s);
  BOOST_TEST(ends() == (lines{"stopped /root/w user_shutdown", "stopped /root user_shutdown"}),
             boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::killed}).empty());
}

BOOST_FIXTURE_TEST_CASE(W005_the_end_event_says_how_many_messages_stood_unread, world) {
  start_ok(one_for_one().child("w", ordinary).tree());
  const auto handle = at("/root/w");
  for (int i = 0; i != 3; ++i)
    caf::anon_send(handle, "error"s);
  settle();
  for (const auto& what : events()) {
    if (what.kind == event_kind::crashed)
      BOOST_TEST(what.count == 2u);
    else
      BOOST_TEST((what.count == 0u || what.kind == event_kind::dropped));
  }
  BOOST_TEST(log({event_kind::crashed}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
