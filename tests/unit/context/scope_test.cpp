// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include <optional>
#include <stdexcept>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(scopes)

struct number : context_key<int> {};

BOOST_AUTO_TEST_CASE(C301_leaving_a_scope_cancels_it) {
  context kept;
  {
    auto a = with_cancel(background());
    kept = a.ctx();
    BOOST_TEST(!kept.done());
  }
  BOOST_TEST(kept.error() == errc::canceled);
}

BOOST_AUTO_TEST_CASE(C302_also_by_exception_through_nested_scopes) {
  context outer, inner;
  try {
    auto a = with_cancel(background());
    outer = a.ctx();
    auto b = with_cancel(a.ctx());
    inner = b.ctx();
    throw std::runtime_error{"failed"};
  } catch (const std::runtime_error&) {
  }
  BOOST_TEST(outer.done());
  BOOST_TEST(inner.done());
}

BOOST_AUTO_TEST_CASE(C303_a_committed_or_disarmed_scope_does_not_cancel) {
  auto parent = with_cancel(background());
  context committed, disarmed;
  {
    auto a = with_cancel(parent.ctx());
    committed = a.commit();
    BOOST_TEST(!static_cast<bool>(a));
    auto b = with_cancel(parent.ctx());
    disarmed = b.ctx();
    b.disarm();
  }
  BOOST_TEST(!committed.done());
  BOOST_TEST(!disarmed.done());
  parent.cancel();  // its ancestors still reach it
  BOOST_TEST(committed.done());
  BOOST_TEST(disarmed.done());
}

BOOST_AUTO_TEST_CASE(C303_cancel_only_if_it_failed_and_cancel_early_in_the_middle) {
  const auto work = [](bool fails, bool early) {
    context seen;
    try {
      auto a = with_cancel(background());
      seen = a.ctx();
      if (early)
        a.cancel(cause{"early"});
      if (fails)
        throw std::runtime_error{"failed"};
      a.disarm();
    } catch (const std::runtime_error&) {
    }
    return seen;
  };
  BOOST_TEST(!work(false, false).done());
  BOOST_TEST(work(true, false).done());
  BOOST_TEST(work(false, true).cause().text() == "early");
  BOOST_TEST(work(true, true).cause().text() == "early");
  context again;
  {
    auto a = with_cancel(background());
    again = a.ctx();
    a.disarm();
    a.arm();
  }
  BOOST_TEST(again.done());
}

BOOST_AUTO_TEST_CASE(C304_a_moved_from_scope_does_nothing) {
  auto a = with_cancel(background());
  auto b = std::move(a);
  a.cancel();
  a.cancel_now();
  a = scope{};
  BOOST_TEST(!b.ctx().done());
  auto other = with_cancel(background());
  const auto replaced = b.ctx();
  b = std::move(other);  // assigning over a scope leaves it
  BOOST_TEST(replaced.done());
  BOOST_TEST(!b.ctx().done());
  auto& same = b;
  b = std::move(same);  // assigning a scope to itself changes nothing
  BOOST_TEST(!b.ctx().done());
  b.disarm();
  const auto kept = b.ctx();
  { auto moved = std::move(b); }  // being disarmed moves along
  BOOST_TEST(!kept.done());
}

BOOST_FIXTURE_TEST_CASE(C305_a_shield_ignores_its_ancestors_cancel_but_not_its_own_nor_one_inside, world) {
  auto top = with_cancel(root);
  auto a = shielded(top.ctx(), infinite);
  auto b = shielded(top.ctx(), infinite);
  auto inside_a = with_cancel(a.ctx());
  auto inside_b = with_cancel(b.ctx());
  top.cancel();
  BOOST_TEST(!inside_a.ctx().done());
  BOOST_TEST(!inside_b.ctx().done());
  a.cancel();
  BOOST_TEST(inside_a.ctx().done());
  inside_b.cancel();
  BOOST_TEST(inside_b.ctx().done());
  BOOST_TEST(!b.ctx().done());
  BOOST_TEST(!with_cancel(b.ctx()).ctx().done());  // new work can still be derived below it
}

BOOST_FIXTURE_TEST_CASE(C306_R28_a_shields_budget_begins_when_the_cancel_arrives, world) {
  auto top = with_cancel(root);
  auto shield = shielded(top.ctx(), 5s);
  auto work = with_cancel(shield.ctx());
  advance(1h);
  const cause why{"over"};
  top.cancel(why);
  BOOST_TEST((shield.ctx().deadline() == now() + 5s));
  advance(5s - 1ns);
  BOOST_TEST(!work.ctx().done());
  advance(1ns);
  BOOST_TEST(work.ctx().error() == errc::canceled);  // what was held off, not a deadline
  BOOST_TEST(work.ctx().cause() == why);
}

BOOST_FIXTURE_TEST_CASE(R28_an_expiry_is_held_off_too_and_keeps_its_error, world) {
  auto top = with_timeout(root, 1s, cause{"slow"});
  auto shield = shielded(top.ctx(), 2s);
  auto nested = shielded(shield.ctx(), 3s);
  BOOST_TEST((nested.ctx().deadline() == now() + 6s));
  advance(3s - 1ns);
  BOOST_TEST(!shield.ctx().done());
  advance(1ns);
  BOOST_TEST(shield.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(shield.ctx().cause().text() == "slow");
  BOOST_TEST(!nested.ctx().done());
  advance(3s);
  BOOST_TEST(nested.ctx().error() == errc::deadline_exceeded);
}

BOOST_FIXTURE_TEST_CASE(R28_of_a_dead_parent_the_budget_begins_at_once_and_zero_or_less_holds_off_nothing, world) {
  auto top = with_cancel(root);
  top.cancel(cause{"gone"});
  auto late = shielded(top.ctx(), 1s);
  BOOST_TEST(!late.ctx().done());
  advance(1s);
  BOOST_TEST(late.ctx().cause().text() == "gone");
  auto none = shielded(top.ctx(), 0s);
  auto negative = shielded(top.ctx(), -1s);
  advance(0s);
  BOOST_TEST(none.ctx().done());
  BOOST_TEST(negative.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(R28_a_second_cancel_does_not_begin_the_budget_anew, world) {
  auto top = with_cancel(root);
  auto middle = with_cancel(top.ctx());
  auto shield = shielded(middle.ctx(), 4s);
  middle.cancel(cause{"first"});
  advance(3s);
  top.cancel(cause{"second"});
  advance(1s);
  BOOST_TEST(shield.ctx().cause().text() == "first");
}

BOOST_AUTO_TEST_CASE(C310_dropping_a_middle_node_does_not_cut_its_descendants) {
  auto top = with_cancel(background());
  context middle = with_cancel(top.ctx()).commit();
  auto leaf = with_cancel(middle);
  middle = context{};
  top.cancel();
  BOOST_TEST(leaf.ctx().done());
}

BOOST_AUTO_TEST_CASE(C311_dropping_the_parents_handle_first_is_safe) {
  context leaf;
  {
    context parent = with_value<number>(with_cancel(background()).commit(), 9);
    leaf = with_cancel(parent).commit();
  }
  BOOST_TEST(!leaf.done());
  BOOST_TEST(*leaf.value<number>() == 9);
}

BOOST_FIXTURE_TEST_CASE(C315_a_merged_context_is_done_when_either_parent_is_with_the_cause_of_the_first, world) {
  const cause first{"first"}, second{"second"};
  for (const bool swap : {false, true}) {
    auto a = with_cancel(root);
    auto b = with_timeout(root, 1s);
    auto both = swap ? merged(b.ctx(), a.ctx()) : merged(a.ctx(), b.ctx());
    auto below = with_cancel(both.ctx());
    a.cancel(first);
    b.cancel(second);
    BOOST_TEST(below.ctx().cause() == first);
    auto c = with_cancel(root);
    auto d = with_timeout(root, 1s);
    auto other = swap ? merged(d.ctx(), c.ctx()) : merged(c.ctx(), d.ctx());
    advance(1s);
    c.cancel(second);
    BOOST_TEST(other.ctx().error() == errc::deadline_exceeded);
    BOOST_TEST(merged(root, d.ctx()).ctx().error() == errc::deadline_exceeded);
    BOOST_TEST(merged(c.ctx(), root).ctx().cause() == second);
  }
}

BOOST_FIXTURE_TEST_CASE(C315_a_merged_context_leaves_both_registries, world) {
  auto a = with_cancel(root);
  auto b = with_cancel(root);
  {
    auto both = merged(with_value<number>(a.ctx(), 1), b.ctx());
    BOOST_TEST(*both.ctx().value<number>() == 1);
    BOOST_TEST(registered(a.ctx()) == 1u);
    BOOST_TEST(registered(b.ctx()) == 1u);
    both.cancel();
    BOOST_TEST(registered(a.ctx()) == 0u);
    BOOST_TEST(registered(b.ctx()) == 0u);
  }
  { auto both = merged(a.ctx(), b.ctx()); }
  BOOST_TEST(registered(a.ctx()) + registered(b.ctx()) == 0u);
  auto both = merged(a.ctx(), b.ctx());
  a.cancel();
  BOOST_TEST(registered(b.ctx()) == 0u);
  auto twice = merged(b.ctx(), b.ctx());
  b.cancel();
  BOOST_TEST(twice.ctx().done());
  BOOST_TEST(merged(background(), background()).ctx().done() == false);
}

BOOST_FIXTURE_TEST_CASE(C315_a_second_parent_may_go_first, world) {
  std::optional<scope> b = with_cancel(root);
  auto both = merged(root, b->ctx());
  b->disarm();
  b.reset();
  BOOST_TEST(!both.ctx().done());
}

// -- runtimes ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(R30_background_belongs_to_its_runtime_and_two_runtimes_never_meet) {
  context_runtime one{context_runtime::driver::virtual_};
  context_runtime two{context_runtime::driver::virtual_};
  BOOST_TEST(one.background().runtime() == &one);
  BOOST_TEST(with_cancel(two.background()).ctx().runtime() == &two);
  auto a = with_timeout(one.background(), 1s);
  two.advance_to(two.now() + 1h);
  BOOST_TEST(!a.ctx().done());
}

BOOST_AUTO_TEST_CASE(a_context_that_outlives_its_runtime_is_done_with_the_cause_shutdown) {
  for (const auto driver : {context_runtime::driver::virtual_, context_runtime::driver::thread}) {
    std::optional<context_runtime> runtime{std::in_place, driver};
    const auto root = runtime->background();
    auto a = with_cancel(root);
    auto b = with_timeout(with_value<number>(root, 4), 1h);
    auto c = with_cancel(b.ctx());
    const auto free = without_cancel(a.ctx());
    auto shield = shielded(a.ctx(), infinite);
    auto child_of_free = with_cancel(free);
    auto boundary = with_boundary(a.ctx());
    auto ended = with_cancel(root);
    ended.cancel(cause{"before"});
    runtime.reset();
    for (const auto& ctx : {root, a.ctx(), b.ctx(), c.ctx(), free, shield.ctx(), child_of_free.ctx(), boundary.ctx()}) {
      BOOST_TEST(ctx.done());
      BOOST_TEST((ctx.cause().origin() == cause_origin::shutdown));
      BOOST_TEST(ctx.runtime() == nullptr);
      BOOST_TEST(with_cancel(ctx).ctx().done());
      BOOST_TEST(with_timeout(ctx, 1h).ctx().done());
      BOOST_TEST(without_cancel(ctx).done());
    }
    BOOST_TEST(ended.ctx().cause().text() == "before");
    BOOST_TEST(*c.ctx().value<number>() == 4);
    a.cancel();
    BOOST_TEST(!printed(c.ctx()).empty());
  }
}

BOOST_AUTO_TEST_CASE(what_is_derived_while_its_runtime_ends_is_done_too) {
  context_runtime runtime;
  std::vector<scope> places(64), children(64);
  for (auto& place : places)
    place = with_cancel(runtime.background());
  const auto one = without_cancel(runtime.background());
  const auto two = without_cancel(runtime.background());
  // Contexts are ended in the order of their memory: of so many children, some take a place that was passed.
  places.clear();
  const auto derive_below = [&](const context& other) {
    if (other.done())
      return;
    for (auto& child : children)
      child = with_cancel(other);
  };
  std::stop_callback at_one{one.stop_token(), [&] { derive_below(two); }};
  std::stop_callback at_two{two.stop_token(), [&] { derive_below(one); }};
  runtime.shut_down();
  for (const auto& child : children) {
    BOOST_REQUIRE(static_cast<bool>(child));
    BOOST_TEST(child.ctx().done());
  }
}

BOOST_AUTO_TEST_CASE(a_runtime_may_be_shut_down_by_several_threads_at_once) {
  std::optional<context_runtime> runtime;
  scope a;
  test::race(
      2, test::rounds(200),
      [&](int) {
        runtime.emplace();
        a = with_cancel(runtime->background());
      },
      [&](int, int) {
        runtime->shut_down();
        test::must(a.ctx().done(), "alive after the end");
      },
      [](int) {});
}

BOOST_AUTO_TEST_SUITE_END()
