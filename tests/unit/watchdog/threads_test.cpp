// SPDX-License-Identifier: BSL-1.0
// The watchdog's own thread, and stuck handlers on real ones. What is waited for is bound to come; limits are generous.
#include "stuck.hpp"
#include "supervisors/snapshot.hpp"
#include "supervisors/watchdog.hpp"

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

// A mutex, and who holds it until the gate opens.
struct held_mutex {
  auto holder() {
    return stuck_by([this](worker*) {
      const std::lock_guard guard{mutex};
      locked.set_value();
      closed.wait_through();
    });
  }
  gate closed;
  std::mutex mutex;
  std::promise<void> locked;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(on_threads)

BOOST_DATA_TEST_CASE(L002_a_handler_in_a_system_call_is_named_with_call_stack_and_thread,
                     boost::unit_test::data::make(both), kind) {
  host h{kind};
  gate closed;
  h.start(one_for_one().child("a", stuck_by([&](worker*) { closed.wait_through(); })).watch(reports).tree(30s));
  caf::anon_send(h.at("/root/a"), 1);
  const auto what = h.seen->await(event_kind::stuck, "/root/a");
  BOOST_REQUIRE(what);
  BOOST_TEST(what->leak->system_call == "read");
  BOOST_TEST((what->leak->activity == thread_activity::waiting));
  BOOST_TEST(what->leak->message_type == "int");
  BOOST_TEST((what->leak->elapsed >= 100ms));
  const bool named = std::any_of(what->leak->stack.begin(), what->leak->stack.end(),
                                 [](const auto& x) { return x.function.find("wait_through") != std::string::npos; });
  BOOST_TEST((named || !stacks_are_seen));
  closed.open();
  BOOST_TEST(h.seen->await(event_kind::recovered, "/root/a").has_value());
  BOOST_TEST(h.works("/root/a"));
}

BOOST_DATA_TEST_CASE(L010_a_blocking_read_ends_at_the_interrupt_rung, boost::unit_test::data::make(both), kind) {
  host h{kind};
  gate closed;
  h.start(one_for_one().child("a", stuck_by([&](worker*) { closed.wait(); })).watch(replaces).tree(30s));
  caf::anon_send(h.at("/root/a"), 1);
  const auto what = h.seen->await(event_kind::recovered, "/root/a");
  BOOST_REQUIRE(what);
  BOOST_TEST(
      (rungs(*what->leak) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel, leak_rung::interrupt}));
  BOOST_TEST((what->leak->outcome == leak_outcome::ended));
  const auto end = h.seen->await(event_kind::crashed, "/root/a");
  BOOST_REQUIRE(end);
  BOOST_TEST(end->reason == "canceled");
}

BOOST_DATA_TEST_CASE(L007_L008_R26_a_stuck_one_is_replaced_and_what_it_sends_later_reaches_nobody,
                     boost::unit_test::data::make(both), kind) {
  host h{kind};
  gate closed;
  std::atomic<int> received{0};
  std::promise<void> last_came;
  auto counter = [&](worker*) -> caf::behavior {
    return {[&](int x) {
      if (x < 0)
        last_came.set_value();
      else
        ++received;
    }};
  };
  std::atomic<int> stuck{0};
  caf::actor to;
  auto body = stuck_by([&](worker* self) {
    const bool is_first = stuck++ == 0;
    if (is_first)
      closed.wait_through();
    self->send(to, 1);
    // Until that was dropped, so that the record's end can tell of it.
    const auto end = std::chrono::steady_clock::now() + generous;
    while (is_first && self->line().fenced() == 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  });
  h.start(one_for_one().child("to", counter).child("a", body).watch(replaces).tree(30s));
  to = h.at("/root/to");
  caf::anon_send(h.at("/root/a"), 1);
  const auto undead = h.seen->await(event_kind::undead, "/root/a");
  BOOST_REQUIRE(undead);
  BOOST_TEST((undead->leak->opened_as == event_kind::stuck));
  BOOST_REQUIRE(h.seen->await([](const event& x) { return x.kind == event_kind::started && x.incarnation == 2; }));
  BOOST_TEST(h.works("/root/a"));
  closed.open();
  const auto back = h.seen->await(event_kind::recovered, "/root/a");
  BOOST_REQUIRE(back);
  BOOST_TEST((back->leak->elapsed >= undead->leak->elapsed));
  BOOST_TEST(
      (rungs(*back->leak) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel, leak_rung::interrupt,
                                         leak_rung::kill, leak_rung::abandon, leak_rung::replace}));
  BOOST_TEST(back->text == "its handler returned; 1 message that it sent meanwhile was dropped");
  caf::anon_send(h.at("/root/a"), 1);  // the successor is heard
  while (received == 0)
    std::this_thread::yield();
  caf::anon_send(to, -1);
  last_came.get_future().wait();
  BOOST_TEST(received == 1);
}

BOOST_DATA_TEST_CASE(L002_a_child_with_a_thread_of_its_own_is_named_with_that_one_and_holds_none_of_the_others,
                     boost::unit_test::data::make(both), kind) {
  host h{kind};
  gate closed;
  std::atomic<int> where{0}, shared{0};
  auto apart = stuck_by([&](worker*) {
    where = ::gettid();
    closed.wait_through();
  });
  auto among = stuck_by([&](worker*) { shared = ::gettid(); });
  h.start(
      one_for_one().child("apart", apart).isolation(isolation::thread).watch(reports).child("among", among).tree(30s));
  const auto* pool = scheduler::of(h.system);
  caf::anon_send(h.at("/root/apart"), 1);
  const auto what = h.seen->await(event_kind::stuck, "/root/apart");
  BOOST_REQUIRE(what);
  BOOST_TEST(what->leak->thread == where);
  caf::anon_send(h.at("/root/among"), 1);
  BOOST_TEST(h.works("/root/among"));
  BOOST_TEST(shared != where);
  if (pool != nullptr) {
    const auto all = pool->threads();
    BOOST_TEST(all.size() <= std::max(2U, std::thread::hardware_concurrency()));  // there is nothing to make up for
    BOOST_TEST(std::none_of(all.begin(), all.end(), [&](const auto& one) { return one.thread == where; }));
  }
  closed.open();
  BOOST_TEST(h.seen->await(event_kind::recovered, "/root/apart").has_value());
  BOOST_TEST(h.works("/root/apart"));
}

BOOST_AUTO_TEST_CASE(L012_L013_with_more_stuck_handlers_than_threads_the_tree_works_on_and_threads_retire) {
  host h{scheduler_kind::own};
  const auto& pool = *scheduler::of(h.system);
  const std::size_t threads = std::max(2U, std::thread::hardware_concurrency());
  const auto stuck = 3 * threads;
  gate closed;
  auto tree = one_for_one();
  for (std::size_t i = 0; i != stuck; ++i)
    tree.child("s" + std::to_string(i), stuck_by([&](worker*) { closed.wait_through(); })).watch(reports);
  tree.child("works", stuck_by({}));
  h.start(tree.tree());
  for (std::size_t i = 0; i != stuck; ++i)
    caf::anon_send(h.at("/root/s" + std::to_string(i)), 1);
  for (std::size_t i = 0; i != stuck; ++i)
    BOOST_REQUIRE(h.seen->await(event_kind::stuck, "/root/s" + std::to_string(i)));
  BOOST_TEST(h.works("/root/works"));
  BOOST_TEST(pool.threads().size() > threads);
  closed.open();
  for (std::size_t i = 0; i != stuck; ++i)
    BOOST_REQUIRE(h.seen->await(event_kind::recovered, "/root/s" + std::to_string(i)));
  const auto end = std::chrono::steady_clock::now() + generous;
  while (pool.threads().size() != threads && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  BOOST_TEST(pool.threads().size() == threads);
  BOOST_TEST(h.works("/root/works"));
}

BOOST_AUTO_TEST_CASE(R24_who_waits_for_the_mutex_of_a_stuck_one_is_listed_behind_it) {
  host h{scheduler_kind::own};
  held_mutex held;
  auto waits = stuck_by([&](worker*) { const std::lock_guard guard{held.mutex}; });
  h.start(one_for_one().child("waits", waits).watch(reports).child("holds", held.holder()).watch(reports).tree(30s));
  caf::anon_send(h.at("/root/holds"), 1);
  held.locked.get_future().wait();
  caf::anon_send(h.at("/root/waits"), 1);
  const auto what = h.seen->await([](const event& x) { return x.leak && !x.leak->blocked_behind.empty(); });
  BOOST_REQUIRE(what);
  BOOST_TEST(what->path == "/root/holds");
  BOOST_TEST(what->leak->blocked_behind == std::vector<std::string>{"/root/waits"}, boost::test_tools::per_element());
  held.closed.open();
  BOOST_REQUIRE(h.seen->await(event_kind::recovered, "/root/holds"));
  BOOST_TEST(h.works("/root/waits"));
  for (const auto& leak : h.seen->leaks())
    BOOST_TEST(leak->path == "/root/holds");
}

BOOST_AUTO_TEST_CASE(R24_who_waited_behind_another_and_ends_at_once_has_no_record_of_its_own) {
  host h{scheduler_kind::own};
  held_mutex held;
  auto waits = stuck_by([&](worker* self) {
    const std::lock_guard guard{held.mutex};
    self->finish(caf::make_error(caf::sec::invalid_argument));
  });
  h.start(one_for_one()
              .child("waits", waits)
              .restart(restart_type::temporary)
              .watch(reports)
              .child("holds", held.holder())
              .watch(reports)
              .tree(30s));
  caf::anon_send(h.at("/root/holds"), 1);
  held.locked.get_future().wait();
  caf::anon_send(h.at("/root/waits"), 1);
  BOOST_REQUIRE(h.seen->await([](const event& x) { return x.leak && !x.leak->blocked_behind.empty(); }));
  held.closed.open();
  BOOST_REQUIRE(h.seen->await(event_kind::crashed, "/root/waits"));
  BOOST_TEST(h.tree->flush(generous));
  for (const auto& leak : h.seen->leaks())
    BOOST_TEST(leak->path == "/root/holds");
}

BOOST_AUTO_TEST_CASE(R24_who_was_blocked_and_does_not_go_on_then_is_named_itself) {
  host h{scheduler_kind::own};
  held_mutex held;
  gate another;
  auto waits = stuck_by([&](worker*) {
    const std::lock_guard guard{held.mutex};
    another.wait_through();
  });
  h.start(one_for_one().child("waits", waits).watch(reports).child("holds", held.holder()).watch(reports).tree(30s));
  caf::anon_send(h.at("/root/holds"), 1);
  held.locked.get_future().wait();
  caf::anon_send(h.at("/root/waits"), 1);
  BOOST_REQUIRE(h.seen->await([](const event& x) { return x.leak && !x.leak->blocked_behind.empty(); }));
  held.closed.open();
  const auto what = h.seen->await(event_kind::stuck, "/root/waits");
  BOOST_REQUIRE(what);
  BOOST_TEST(what->leak->system_call == "read");
  another.open();
  BOOST_TEST(h.seen->await(event_kind::recovered, "/root/waits").has_value());
}

// Which began first is known to the watchdog as far as it looked between the two. The first gives up after a while that
// is long for the watchdog.
BOOST_AUTO_TEST_CASE(R24_of_two_that_wait_for_each_other_the_one_whose_handler_began_first_is_named) {
  host h{scheduler_kind::own};
  std::timed_mutex of_first, of_second;
  std::promise<void> second_began;
  auto first = stuck_by([&](worker*) {
    const std::lock_guard guard{of_first};
    second_began.get_future().wait();
    if (of_second.try_lock_for(5s))
      of_second.unlock();
  });
  auto second = stuck_by([&](worker*) {
    const std::lock_guard guard{of_second};
    second_began.set_value();
    const std::lock_guard other{of_first};
  });
  constexpr watch_spec patient{.stuck_after = 1s, .grace = 50ms};
  h.start(one_for_one().child("second", second).watch(patient).child("first", first).watch(patient).tree(30s));
  caf::anon_send(h.at("/root/first"), 1);
  const auto seen = [&] {
    const auto all = running_handlers(*h.tree);
    return std::any_of(all.begin(), all.end(),
                       [](const auto& x) { return x.path == "/root/first" && x.busy_for.has_value(); });
  };
  while (!seen())
    std::this_thread::yield();
  caf::anon_send(h.at("/root/second"), 1);
  const auto what = h.seen->await([](const event& x) { return x.leak && !x.leak->blocked_behind.empty(); });
  BOOST_REQUIRE(what);
  BOOST_TEST(what->path == "/root/first");
  BOOST_TEST(what->leak->blocked_behind == std::vector<std::string>{"/root/second"}, boost::test_tools::per_element());
  BOOST_REQUIRE(h.seen->await(event_kind::recovered, "/root/first"));
  BOOST_TEST(h.works("/root/second"));
  for (const auto& leak : h.seen->leaks())
    BOOST_TEST(leak->path == "/root/first");
}

// All of it on the watchdog's thread, between its looks: a handler begins, is seen, goes on for a second in which there
// are no looks, is seen again, and ends.
BOOST_AUTO_TEST_CASE(L014_time_in_which_the_watchdogs_thread_was_held_up_does_not_count) {
  const auto seen = std::make_shared<watcher>();
  context_runtime contexts;
  watchdog dog{contexts};
  auto line = std::make_shared<lifeline>("/a", 1U, caf::weak_actor_ptr{}, 1U, seen);
  line->watched = true;
  watched_child who;
  who.actor = 1;
  who.spec.stuck_after = 400ms;  // a look counts for 200 ms at most
  who.line = line;
  dog.add(who);
  int calls = 0;
  std::promise<void> over;
  dog.hurry([&] {
    ++calls;
    if (calls == 1 || calls == 3)
      line->activity.sequence.fetch_add(1);
    else if (calls == 2)
      std::this_thread::sleep_for(1s);
    else if (calls == 4)
      over.set_value();
  });
  over.get_future().wait();
  dog.calm();
  BOOST_TEST(dog.flush(generous));
  BOOST_TEST(seen->leaks().empty());
}

BOOST_AUTO_TEST_CASE(a_flush_may_have_no_limit) {
  context_runtime contexts;
  watchdog dog{contexts};
  BOOST_TEST(dog.flush(infinite));
}

BOOST_AUTO_TEST_CASE(L016_a_sink_that_blocks_costs_only_leak_events_and_they_are_counted) {
  struct slow_sink final : event_sink {
    void on_event(const event& what) noexcept override {
      if (what.leak) {
        entered.store(true);
        while (!go_on.load())
          std::this_thread::yield();
      }
      if (what.kind == event_kind::dropped)
        lost += what.count;
    }
    std::atomic<bool> entered{false}, go_on{false};
    std::atomic<std::uint64_t> lost{0};
  };
  const auto slow = std::make_shared<slow_sink>();
  context_runtime contexts;
  {
    watchdog_options with;
    with.most_letters = 4;
    watchdog dog{contexts, std::move(with)};
    std::vector<watched_child> all;
    for (std::uint64_t i = 1; i != 101; ++i) {
      auto line = std::make_shared<lifeline>("/" + std::to_string(i), 1U, caf::weak_actor_ptr{}, i, slow);
      line->watched = true;
      watched_child who;
      who.actor = i;
      who.spec.stuck_after = 4ms;
      who.spec.max_mailbox = 1;
      line->activity.backlog = 2;
      who.line = std::move(line);
      all.push_back(who);
      dog.add(std::move(who));
    }
    while (!slow->entered || dog.lost() < 90)
      std::this_thread::yield();
    // It still looks.
    const auto lost = dog.lost();
    for (auto& who : all)
      dog.remove(who.actor, "test", true);
    while (dog.lost() < lost + 90)
      std::this_thread::yield();
    BOOST_TEST(!dog.flush(1ms));
    slow->go_on = true;
    BOOST_TEST(dog.flush(generous));
    BOOST_TEST(slow->lost == dog.lost());
  }
}

BOOST_AUTO_TEST_CASE(R25_a_stop_ends_within_its_budget_with_any_number_of_stuck_children_and_shows_their_stacks) {
  gate closed;  // outlives those that wait for it
  host h{scheduler_kind::own};
  auto tree = one_for_one();
  constexpr int stuck = 40;
  for (int i = 0; i != stuck; ++i)
    tree.child("s" + std::to_string(i), stuck_by([&](worker*) { closed.wait_through(); }))
        .watch({.stuck_after = 20ms, .grace = 20ms});
  auto spec = tree.child("well", stuck_by({})).tree();
  spec.root.kill_grace = 1s;
  h.start(spec);
  for (int i = 0; i != stuck; ++i)
    caf::anon_send(h.at("/root/s" + std::to_string(i)), 1);
  for (int i = 0; i != stuck; ++i)
    BOOST_REQUIRE(h.seen->await(event_kind::stuck, "/root/s" + std::to_string(i)));
  constexpr auto budget = 3s;
  const auto began = std::chrono::steady_clock::now();
  const auto report = h.tree->stop(budget);
  const auto took = std::chrono::steady_clock::now() - began;
  BOOST_TEST((took < budget + 1s));  // what a busy machine takes besides
  BOOST_TEST(report.abandoned() != 0u);
  for (const auto& entry : report.children) {
    if (!entry.abandoned || entry.path == "/root")
      continue;
    BOOST_TEST_CONTEXT(to_string(report)) {
      const bool named = std::any_of(entry.stack.begin(), entry.stack.end(), [](const auto& x) {
        return x.function.find("wait_through") != std::string::npos;
      });
      BOOST_TEST((named || !stacks_are_seen));
    }
  }
  BOOST_TEST((to_string(report).find("    in ") != std::string::npos || !stacks_are_seen));
  closed.open();
  BOOST_TEST(h.tree->wait_ended(generous));
}

BOOST_AUTO_TEST_SUITE_END()
