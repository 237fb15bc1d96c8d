// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "libactor/context_snapshot.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(introspection)

struct tenant : context_key<std::string> {};

BOOST_FIXTURE_TEST_CASE(a_snapshot_shows_the_live_contexts_as_a_tree, world) {
  auto a = with_cancel(root);
  auto b = with_timeout(a.ctx(), 5s);
  const auto line = __LINE__ + 1;
  const auto c = with_value<tenant>(b.ctx(), "acme");
  auto gone = with_cancel(c);
  gone = scope{};
  auto leak = with_cancel(c);
  leak.cancel(cause{"over"});
  context_runtime other{context_runtime::driver::virtual_};
  auto elsewhere = with_cancel(other.background());
  advance(2s);
  const auto all = take_snapshot(runtime);
  BOOST_REQUIRE(all.nodes.size() == 5u);
  const auto& at_root = all.nodes[0];
  BOOST_TEST((at_root.kind == context_kind::root));
  BOOST_REQUIRE(at_root.children.size() == 1u);
  const auto& at_a = all.nodes[at_root.children[0]];
  BOOST_TEST((at_a.kind == context_kind::cancel));
  BOOST_TEST((at_a.age == 2s));
  const auto& at_b = all.nodes[at_a.children.at(0)];
  BOOST_TEST((at_b.due == now() + 3s));
  const auto& at_c = all.nodes[at_b.children.at(0)];
  BOOST_TEST(at_c.key.ends_with("tenant"));
  BOOST_TEST(at_c.where.line() == static_cast<unsigned>(line));
  BOOST_TEST(at_c.handles == 1u);
  BOOST_TEST(!at_c.done);
  const auto& at_leak = all.nodes[at_c.children.at(0)];
  BOOST_TEST(at_leak.done);  // done, and still held
  BOOST_TEST(at_leak.why.text() == "over");
  std::ostringstream out;
  out << all;
  BOOST_TEST(std::ranges::count(out.str(), '\n') == 5);
  BOOST_TEST(out.str().find("\n      value(") != std::string::npos);
  BOOST_TEST(out.str().find("due=3000ms") != std::string::npos);
  BOOST_TEST(out.str().find("done(explicit: over") != std::string::npos);
}

// So many that the runtime's thread publishes the time, and the clock is not read for each.
BOOST_AUTO_TEST_CASE(an_age_is_never_too_small_while_many_contexts_are_derived) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  const auto derive_for = [&](duration limit) {
    const auto end = runtime.now() + limit;
    while (runtime.now() < end) {
      for (int i = 0; i < 1000; ++i)
        static_cast<void>(with_cancel(parent.ctx()));
    }
  };
  derive_for(30ms);
  const auto child = with_cancel(parent.ctx());
  const auto derived = runtime.now();
  derive_for(30ms);
  const auto all = take_snapshot(runtime);
  BOOST_REQUIRE(all.nodes.size() == 3u);
  const auto& at_parent = all.nodes[all.nodes[0].children.at(0)];
  const auto& at_child = all.nodes[at_parent.children.at(0)];
  BOOST_TEST((at_child.age >= all.taken - derived - 1ms));
  BOOST_TEST((at_child.age <= at_parent.age));
  BOOST_TEST((at_parent.age < 1h));
}

BOOST_AUTO_TEST_CASE(a_snapshot_can_be_taken_while_the_tree_changes) {
  context_runtime runtime;
  auto top = with_cancel(runtime.background());
  race(
      3, 1, [](int) {},
      [&](int t, int) {
        if (t == 0) {
          for (int i = 0; i < rounds(50); ++i) {
            std::ostringstream out;
            out << take_snapshot(runtime);
            must(out.str().starts_with("background"), "the root comes first");
          }
          top.cancel();
          return;
        }
        while (!top.ctx().done()) {
          auto a = with_cancel(top.ctx());
          auto b = with_timeout(with_value<tenant>(a.ctx(), "x"), 1h);
          auto c = with_cancel(b.ctx());
          a.cancel();
        }
      },
      [](int) {});
}

// What visits all nodes and holds some of them for a moment, while they are released by threads that need not look.
BOOST_AUTO_TEST_CASE(a_context_that_is_released_while_all_are_visited_ends_once_and_nothing_keeps_it) {
  namespace pool = detail::node_pool;
  context_runtime runtime{context_runtime::driver::virtual_};
  const auto before = take_snapshot(runtime).nodes.size();
  std::atomic<bool> over{false};
  std::atomic<int> held{0};
  std::jthread visitor{[&] {
    while (!over) {
      pool::each_live(
          [](void* count, detail::node_head& head) {
            for (int i = 0; i < 100 && detail::try_pin(head); ++i) {
              for (int wait = 0; wait < i; ++wait)
                detail::pause_cpu();
              detail::unpin(static_cast<detail::context_node&>(head));
              ++*static_cast<std::atomic<int>*>(count);
            }
          },
          &held);
    }
  }};
  {
    auto parent = with_cancel(runtime.background());
    for (int i = 0; i < rounds(2'000'000) || held == 0; ++i) {
      auto child = with_cancel(parent.ctx());
      auto grandchild = with_cancel(child.ctx());
    }
    over = true;
    visitor.join();
    BOOST_TEST(registered(parent.ctx()) == 0u);
  }
  BOOST_TEST(take_snapshot(runtime).nodes.size() == before);
}

BOOST_AUTO_TEST_CASE(a_visit_of_all_contexts_begins_once_no_thread_ends_one_without_looking) {
  namespace pool = detail::node_pool;
  context_runtime runtime{context_runtime::driver::virtual_};
  const auto one = with_cancel(runtime.background());  // the pool knows this thread, and has something to visit
  std::atomic<bool> ends{true}, visited{false}, early{false};
  pool::cached.ends_one = true;
  const std::jthread visitor{[&] {
    auto visit = [&](detail::node_head&) { early = early || ends; };
    pool::each_live([](void* to, detail::node_head& head) { (*static_cast<decltype(visit)*>(to))(head); }, &visit);
    visited = true;
  }};
  while (pool::visitors == 0)
    std::this_thread::yield();
  for (int i = 0; i < 1000 && !visited; ++i)
    std::this_thread::yield();
  ends = false;
  pool::cached.ends_one = false;
  while (!visited)
    std::this_thread::yield();
  BOOST_TEST(!early);
  BOOST_TEST(pool::visitors == 0u);
}

BOOST_FIXTURE_TEST_CASE(lifecycle_events_reach_whoever_subscribes, world) {
  std::vector<std::string> seen;
  std::map<std::uint64_t, std::uint64_t> parent_of;
  auto listener = runtime.subscribe([&](const context_event& event) {
    seen.push_back(std::string{to_string(event.step)} + " " + to_string(event.kind) +
                   (event.why ? " " + std::string{event.why.text()} : ""));
    if (event.step == context_event::what::derived)
      parent_of[event.id] = event.parent;
    BOOST_TEST(event.where.line() != 0u);
  });
  {
    auto a = with_cancel(root);
    auto b = with_timeout(a.ctx(), 1s);
    const auto c = with_value<tenant>(b.ctx(), "x");
    BOOST_TEST(parent_of.size() == 3u);
    advance(1s);
    a.cancel(cause{"enough"});
  }
  const std::vector<std::string> expected{
      "derived cancel",         "derived deadline", "derived value",     "expired deadline deadline exceeded",
      "canceled cancel enough", "released value",   "released deadline", "released cancel"};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  listener = context_runtime::subscription{};
  auto silent = with_cancel(root);
  BOOST_TEST(seen.size() == expected.size());
}

BOOST_AUTO_TEST_CASE(a_cancel_that_meets_two_runtimes_tells_each_of_its_own_contexts) {
  context_runtime one{context_runtime::driver::virtual_};
  context_runtime two{context_runtime::driver::virtual_};
  auto a = with_cancel(one.background());
  auto b = with_cancel(two.background());
  auto both = merged(a.ctx(), b.ctx());
  std::vector<context_kind> told_one, told_two;
  const auto to_one = one.subscribe([&](const context_event& what) { told_one.push_back(what.kind); });
  const auto to_two = two.subscribe([&](const context_event& what) { told_two.push_back(what.kind); });
  b.cancel();
  BOOST_TEST((told_one == std::vector{context_kind::merged}));
  BOOST_TEST((told_two == std::vector{context_kind::cancel}));
}

BOOST_FIXTURE_TEST_CASE(a_scope_that_is_left_is_reported_as_canceled_and_released, world) {
  std::vector<context_event::what> seen;
  const auto first = runtime.subscribe([&](const context_event& event) { seen.push_back(event.step); });
  int others = 0;
  auto second = runtime.subscribe([&](const context_event&) { ++others; });
  { auto a = with_cancel(root); }
  using what = context_event::what;
  const std::vector<what> expected{what::derived, what::canceled, what::released};
  BOOST_TEST((seen == expected));
  BOOST_TEST(others == 3);
}

BOOST_AUTO_TEST_CASE(subscriptions_come_and_go_while_contexts_are_made) {
  context_runtime runtime;
  std::atomic<int> seen{0};
  race(
      2, 1, [](int) {},
      [&](int t, int) {
        for (int i = 0; i < rounds(20'000); ++i) {
          if (t == 0) {
            auto a = with_cancel(runtime.background());
            auto b = with_cancel(a.ctx());
          } else {
            const auto listener = runtime.subscribe([&](const context_event&) { ++seen; });
          }
        }
      },
      [](int) {});
}

BOOST_AUTO_TEST_SUITE_END()
