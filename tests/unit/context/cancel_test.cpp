// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include <future>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(cancel)

struct number : context_key<int> {};

BOOST_AUTO_TEST_CASE(C001_background_needs_no_runtime_for_cancel_and_values) {
  const auto root = background();
  BOOST_TEST(static_cast<bool>(root));
  BOOST_TEST(root.runtime() == nullptr);
  auto child = with_cancel(with_value<number>(root, 7));
  BOOST_TEST(*child.ctx().value<number>() == 7);
  child.cancel();
  BOOST_TEST(child.ctx().done());
}

BOOST_AUTO_TEST_CASE(C002_C004_background_is_never_done_and_has_no_error_or_cause) {
  BOOST_TEST(!background().done());
  BOOST_TEST(!background().error());
  BOOST_TEST(!background().cause());
  BOOST_TEST(!background().deadline().has_value());
}

BOOST_AUTO_TEST_CASE(C003_background_prints_as_background) { BOOST_TEST(printed(background()) == "background"); }

BOOST_AUTO_TEST_CASE(C009_C010_C011_a_fresh_context_is_not_done_has_no_error_and_can_be_waited_on) {
  auto child = with_cancel(background());
  BOOST_TEST(!child.ctx().done());
  BOOST_TEST(!child.ctx().error());
  auto waiter = std::async(std::launch::async, [ctx = child.ctx()] { ctx.wait(); });
  BOOST_TEST((waiter.wait_for(0s) == std::future_status::timeout));
  child.cancel();
  BOOST_TEST((waiter.wait_for(60s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(C014_cancel_is_synchronous) {
  auto child = with_cancel(background());
  child.cancel();
  BOOST_TEST(child.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(C016_C017_every_descendant_is_done_except_below_shields_and_without_cancel, world) {
  auto top = with_cancel(root);
  auto a = with_cancel(top.ctx());
  auto b = with_deadline(a.ctx(), now() + 1h);
  const auto c = with_value<number>(b.ctx(), 1);
  auto d = with_cancel(c);
  auto other = with_cancel(root);
  auto by_first = merged(d.ctx(), other.ctx());
  auto by_second = merged(other.ctx(), d.ctx());
  auto below_merge = with_cancel(by_second.ctx());
  auto shield = shielded(d.ctx(), infinite);
  auto below_shield = with_cancel(shield.ctx());
  const auto free = without_cancel(d.ctx());
  auto below_free = with_cancel(free);
  top.cancel();
  for (const auto& ctx :
       {top.ctx(), a.ctx(), b.ctx(), c, d.ctx(), by_first.ctx(), by_second.ctx(), below_merge.ctx()}) {
    BOOST_TEST(ctx.done());
    BOOST_TEST(ctx.error() == errc::canceled);
  }
  for (const auto& ctx : {shield.ctx(), below_shield.ctx(), free, below_free.ctx(), other.ctx()}) {
    BOOST_TEST(!ctx.done());
    BOOST_TEST(!ctx.error());
  }
}

BOOST_FIXTURE_TEST_CASE(C166_the_error_never_changes_once_set, world) {
  auto child = with_timeout(root, 1s);
  child.cancel();
  advance(2s);
  BOOST_TEST(child.ctx().error() == errc::canceled);
  auto late = with_timeout(root, 1s);
  advance(1s);
  late.cancel();
  BOOST_TEST(late.ctx().error() == errc::deadline_exceeded);
}

BOOST_AUTO_TEST_CASE(C167_a_second_cancel_does_nothing) {
  auto child = with_cancel(background());
  const cause first{"first"};
  child.cancel(first);
  child.cancel(cause{"second"});
  BOOST_TEST(child.ctx().cause() == first);
}

BOOST_AUTO_TEST_CASE(C168_cancel_may_be_called_from_any_thread) {
  auto parent = with_cancel(background());
  auto child = with_cancel(parent.ctx());
  std::thread{[&] { parent.cancel(); }}.join();
  BOOST_TEST(child.ctx().done());
}

BOOST_AUTO_TEST_CASE(C169_cancel_does_not_wait_for_the_work_to_stop) {
  auto child = with_cancel(background());
  std::promise<void> may_end;
  std::atomic<bool> ended{false};
  auto work = std::async(std::launch::async, [&, ctx = child.ctx()] {
    ctx.wait();
    may_end.get_future().wait();
    ended = true;
  });
  child.cancel();
  BOOST_TEST(!ended);  // it ends only when told, below
  may_end.set_value();
  work.get();
  BOOST_TEST(ended);
}

BOOST_FIXTURE_TEST_CASE(C170_cancel_releases_the_registry_slot_and_the_timer_at_once, world) {
  auto parent = with_cancel(root);
  auto child = with_timeout(parent.ctx(), 1h);
  BOOST_TEST(registered(parent.ctx()) == 1u);
  BOOST_TEST(runtime.next_due().has_value());
  child.cancel();
  BOOST_TEST(registered(parent.ctx()) == 0u);
  BOOST_TEST(!runtime.next_due().has_value());
}

BOOST_AUTO_TEST_CASE(C177_a_cancel_before_anyone_waits_is_seen_by_a_later_waiter) {
  auto child = with_cancel(background());
  child.cancel();
  child.ctx().wait();
  BOOST_TEST(child.ctx().stop_token().stop_requested());
}

// -- linkage: parent → cancel child; parent → value node → deadline child; parent → after-callback
// -------------------------

struct linkage : world {
  scope parent = with_cancel(root);
  scope child = with_cancel(parent.ctx());
  context valued = with_value<number>(parent.ctx(), 1);
  scope timed = with_timeout(valued, 1h);
  bool fired = false;
  detail::hook_registration after =
      detail::when_done(parent.ctx(), {[](void* flag) noexcept { *static_cast<bool*>(flag) = true; }, nullptr, &fired});
};

BOOST_FIXTURE_TEST_CASE(C019_nothing_is_done_at_first, linkage) {
  for (const auto& ctx : {parent.ctx(), child.ctx(), valued, timed.ctx()})
    BOOST_TEST(!ctx.done());
}

BOOST_FIXTURE_TEST_CASE(C020_C021_C023_the_registry_holds_exactly_the_three_and_not_the_value, linkage) {
  BOOST_TEST(registered(parent.ctx()) == 3u);
  BOOST_TEST(detail::access::get(timed.ctx())->registered());  // with `parent`, through `valued`
  BOOST_TEST(!detail::access::get(valued)->registered());
}

BOOST_FIXTURE_TEST_CASE(C025_C028_C029_cancelling_the_parent_ends_all_with_canceled_and_empties_its_registry, linkage) {
  parent.cancel();
  BOOST_TEST(registered(parent.ctx()) == 0u);
  BOOST_TEST(fired);
  for (const auto& ctx : {child.ctx(), valued, timed.ctx()}) {
    BOOST_TEST(ctx.done());
    BOOST_TEST(ctx.error() == errc::canceled);
  }
}

BOOST_FIXTURE_TEST_CASE(C030_a_value_node_of_a_canceled_parent_is_done_at_once, world) {
  auto parent = with_cancel(root);
  parent.cancel();
  const auto late = with_value<number>(parent.ctx(), 1);
  BOOST_TEST(late.done());
  BOOST_TEST(late.error() == errc::canceled);
}

BOOST_FIXTURE_TEST_CASE(C032_C176_children_of_the_never_cancellable_register_nowhere, world) {
  auto a = with_cancel(background());
  auto b = with_cancel(root);
  const auto free = without_cancel(b.ctx());
  auto c = with_cancel(free);
  auto d = with_cancel(with_value<number>(free, 1));
  for (const auto& ctx : {a.ctx(), b.ctx(), c.ctx(), d.ctx()})
    BOOST_TEST(!detail::access::get(ctx)->registered());
  BOOST_TEST(registered(root) == 0u);
  BOOST_TEST(registered(free) == 0u);
}

BOOST_FIXTURE_TEST_CASE(C036_C039_C040_C041_the_parent_stays_and_its_registry_goes_to_1_and_back, world) {
  auto parent = with_cancel(root);
  for (const auto& derive : std::vector<std::function<scope()>>{[&] { return with_cancel(parent.ctx()); },
                                                                [&] { return with_timeout(parent.ctx(), 1h); }}) {
    BOOST_TEST(registered(parent.ctx()) == 0u);
    auto child = derive();
    BOOST_TEST(registered(parent.ctx()) == 1u);
    child.cancel();
    BOOST_TEST(registered(parent.ctx()) == 0u);
  }
  auto hook = detail::when_done(parent.ctx(), {});
  BOOST_TEST(registered(parent.ctx()) == 1u);
  BOOST_TEST(hook.reset());
  BOOST_TEST(registered(parent.ctx()) == 0u);
  BOOST_TEST(!parent.ctx().done());
  BOOST_TEST(!parent.ctx().error());
}

BOOST_AUTO_TEST_CASE(C042_C043_C044_a_child_of_a_canceled_parent_is_done_with_its_error_and_cause) {
  auto parent = with_cancel(background());
  const cause why{"gone"};
  parent.cancel(why);
  auto child = with_cancel(parent.ctx());
  BOOST_TEST(child.ctx().done());
  BOOST_TEST(child.ctx().error() == errc::canceled);
  BOOST_TEST(child.ctx().cause() == why);
}

// -- rules ------------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(R01_below_a_plain_node_the_whole_subtree_is_done_before_cancel_returns, world) {
  auto top = with_cancel(root);
  std::vector<scope> all;
  for (std::size_t i = 0; i < 500; ++i)
    all.push_back(with_cancel(i < 4 ? top.ctx() : all[i / 4 - 1].ctx()));
  top.cancel();
  for (const auto& one : all)
    BOOST_TEST(one.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(R02_a_boundary_is_done_with_its_parent_and_what_is_below_is_not, world) {
  auto top = with_deadline(root, now() + 1s);
  auto middle = with_cancel(top.ctx());
  auto boundary = with_boundary(middle.ctx());
  const auto valued = with_value<number>(boundary.ctx(), 5);
  auto child = with_cancel(valued);
  auto own = with_timeout(child.ctx(), 3s);
  int told = 0;
  const auto hook =
      detail::when_done(boundary.ctx(), {[](void* n) noexcept { ++*static_cast<int*>(n); }, nullptr, &told});
  BOOST_TEST(*child.ctx().value<number>() == 5);
  BOOST_TEST((child.ctx().deadline() == now() + 1s));  // the value of an inherited deadline passes
  advance(1s);
  BOOST_TEST(boundary.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(told == 1);
  BOOST_TEST(!child.ctx().done());
  // It does not count as past when deriving, and a deadline of its own fires by itself.
  auto later = with_timeout(child.ctx(), 5s);
  BOOST_TEST(!later.ctx().done());
  advance(2s);
  BOOST_TEST(own.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(!child.ctx().done());
  BOOST_TEST(with_cancel(boundary.ctx()).ctx().done());
  child.cancel();
  BOOST_TEST(later.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(R03_cancel_now_passes_boundaries_and_shields_but_not_without_cancel, world) {
  auto top = with_cancel(root);
  auto boundary = with_boundary(top.ctx());
  auto child = with_cancel(boundary.ctx());
  auto inner = with_boundary(child.ctx());
  auto grandchild = with_cancel(inner.ctx());
  auto shield = shielded(grandchild.ctx(), infinite);
  auto cleanup = with_cancel(shield.ctx());
  const auto free = without_cancel(cleanup.ctx());
  auto kept = with_cancel(free);
  // Also after an ordinary cancel, which has gone as far as it goes.
  top.cancel(cause{"first"});
  BOOST_TEST(boundary.ctx().done());
  BOOST_TEST(!child.ctx().done());
  top.cancel_now(cause{"second"});
  for (const auto& ctx : {child.ctx(), inner.ctx(), grandchild.ctx(), shield.ctx(), cleanup.ctx()}) {
    BOOST_TEST(ctx.done());
    BOOST_TEST(ctx.cause().text() == "first");  // what ended the nearest ancestor (R06)
  }
  BOOST_TEST(!free.done());
  BOOST_TEST(!kept.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(R03_cancel_now_reaches_a_shield_that_was_derived_below_what_had_ended, world) {
  auto top = with_cancel(root);
  auto middle = with_cancel(top.ctx());
  auto low = with_cancel(middle.ctx());
  top.cancel();
  BOOST_TEST(registered(top.ctx()) == 0u);
  auto shield = shielded(low.ctx(), 10s);
  auto cleanup = with_cancel(shield.ctx());
  BOOST_TEST(!cleanup.ctx().done());
  top.cancel_now();
  BOOST_TEST(cleanup.ctx().done());
  BOOST_TEST(shielded(low.ctx(), 10s).ctx().done());  // and nothing lives on below it later
}

BOOST_FIXTURE_TEST_CASE(R03_a_boundary_canceled_by_itself_stays_within_reach_of_cancel_now, world) {
  auto top = with_cancel(root);
  auto middle = with_cancel(top.ctx());
  auto boundary = with_boundary(middle.ctx());
  auto child = with_cancel(boundary.ctx());
  boundary.cancel();
  middle.cancel();
  BOOST_TEST(!child.ctx().done());
  top.cancel_now();
  BOOST_TEST(child.ctx().done());
}

BOOST_AUTO_TEST_CASE(R04_depth_is_unlimited_in_cancel_and_in_release) {
  constexpr int depth = 1'000'000;
  auto top = with_cancel(background());
  context leaf = top.ctx();
  for (int i = 0; i < depth; ++i)
    leaf = with_cancel(leaf).commit();
  BOOST_TEST(!leaf.done());
  top.cancel();
  BOOST_TEST(leaf.done());
  top = scope{};
  leaf = context{};  // the whole chain goes here
}

struct held_context : context_key<context> {};

BOOST_AUTO_TEST_CASE(R04_values_that_hold_contexts_are_released_without_recursion) {
  context last = background();
  for (int i = 0; i < 200'000; ++i)
    last = with_value<held_context>(background(), std::move(last));
  last = context{};
}

BOOST_AUTO_TEST_CASE(R04_merges_chained_by_their_second_parents_are_canceled_and_released_without_recursion) {
  auto top = with_cancel(background());
  context last = top.ctx();
  for (int i = 0; i < 100'000; ++i)
    last = merged(background(), last).commit();
  top.cancel(cause{"top"});
  BOOST_TEST(last.done());
  BOOST_TEST(last.cause().text() == "top");
  top = scope{};
  last = context{};
}

BOOST_FIXTURE_TEST_CASE(R06_an_inherited_cancel_carries_the_ancestors_cause, world) {
  auto top = with_cancel(root);
  auto leaf = with_cancel(with_value<number>(with_cancel(top.ctx()).commit(), 1));
  const cause why{"stop", cause_origin::shutdown, "/shop"};
  top.cancel(why);
  BOOST_TEST(leaf.ctx().cause() == why);
  BOOST_TEST(leaf.ctx().cause().path() == "/shop");
  BOOST_TEST((leaf.ctx().cause().origin() == cause_origin::shutdown));
}

BOOST_AUTO_TEST_CASE(a_parent_that_is_split_for_contention_is_canceled_and_released_whole) {
  auto parent = with_cancel(background());
  // Split it by force of contention, and fill every part from other threads.
  std::vector<std::vector<scope>> kept(8);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    race(
        8, 1, [](int) {},
        [&](int t, int) {
          for (int i = 0; i < 200; ++i)
            kept[static_cast<std::size_t>(t)].push_back(with_cancel(parent.ctx()));
        },
        [](int) {});
    if ((detail::access::get(parent.ctx())->word.load() & detail::node_head::sharded) != 0)
      break;
    for (auto& some : kept)
      some.clear();
  }
  BOOST_TEST(registered(parent.ctx()) == 8u * 200u);
  kept[3].clear();
  parent.cancel();
  for (const auto& some : kept) {
    for (const auto& one : some)
      BOOST_REQUIRE(one.ctx().done());
  }
  BOOST_TEST(registered(parent.ctx()) == 0u);
  parent = scope{};
}

// That nothing is left is what the leak checker of a sanitizer build says.
BOOST_AUTO_TEST_CASE(a_runtime_whose_root_was_split_for_contention_gives_its_memory_back) {
  context_runtime runtime{context_runtime::driver::virtual_};
  const auto root = runtime.background();
  const auto split = [&] { return (detail::access::get(root)->word.load() & detail::node_head::sharded) != 0; };
  std::vector<std::vector<scope>> kept(8);
  for (int attempt = 0; attempt < 1000 && !split(); ++attempt) {
    race(
        8, 1, [](int) {},
        [&](int t, int) {
          for (int i = 0; i < 200; ++i)
            kept[static_cast<std::size_t>(t)].push_back(with_cancel(root));
        },
        [](int) {});
  }
  BOOST_TEST(split());
}

BOOST_AUTO_TEST_SUITE_END()
