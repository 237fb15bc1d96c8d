// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "libactor/budget.hpp"
#include "timing_wheel.hpp"

#include <map>
#include <random>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(deadlines)

BOOST_FIXTURE_TEST_CASE(C048_an_absolute_deadline_fires_never_early, world) {
  auto a = with_deadline(root, now() + 10s);
  advance(10s - 1ns);
  BOOST_TEST(!a.ctx().done());
  advance(1ns);
  BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
}

BOOST_AUTO_TEST_CASE(C048_on_the_steady_clock_too) {
  context_runtime runtime;
  for (const auto limit : {0us, 1us, 70us, 500us, 20000us}) {
    const auto at = runtime.now() + limit;
    auto a = with_deadline(runtime.background(), at);
    a.ctx().wait();
    BOOST_TEST((runtime.now() >= at));
    BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
  }
}

BOOST_FIXTURE_TEST_CASE(C050_C055_the_shorter_of_nested_deadlines_binds, world) {
  auto parent = with_timeout(root, 1s);
  auto child = with_timeout(parent.ctx(), 1h);
  BOOST_TEST((child.ctx().deadline() == now() + 1s));
  advance(1s);
  BOOST_TEST(child.ctx().error() == errc::deadline_exceeded);
}

BOOST_FIXTURE_TEST_CASE(C051_C052_a_deadline_that_is_past_or_now_is_done_at_construction, world) {
  advance(1h);
  for (const auto at : {now() - 1s, now(), time_point::min()}) {
    auto a = with_deadline(root, at);
    BOOST_TEST(a.ctx().done());
    BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
  }
  BOOST_TEST(!runtime.next_due().has_value());
}

BOOST_FIXTURE_TEST_CASE(C053_C058_a_timeout_fires_unless_canceled_before, world) {
  auto fires = with_timeout(root, 5ms);
  auto canceled = with_timeout(root, 5ms);
  canceled.cancel();
  advance(5ms);
  BOOST_TEST(fires.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(canceled.ctx().error() == errc::canceled);
}

BOOST_FIXTURE_TEST_CASE(C059_the_deadline_error_is_equivalent_to_timed_out, world) {
  auto a = with_timeout(root, 0s);
  BOOST_TEST((a.ctx().error() == std::errc::timed_out));
}

BOOST_FIXTURE_TEST_CASE(C172_deadline_answers_the_earlier_of_own_and_parents, world) {
  auto far = with_timeout(root, 10s);
  auto near = with_timeout(far.ctx(), 5s);
  auto farther = with_timeout(near.ctx(), 7s);
  BOOST_TEST((far.ctx().deadline() == now() + 10s));
  BOOST_TEST((near.ctx().deadline() == now() + 5s));
  BOOST_TEST((farther.ctx().deadline() == now() + 5s));
  BOOST_TEST(!root.deadline().has_value());
  auto both = merged(far.ctx(), near.ctx());
  BOOST_TEST((both.ctx().deadline() == now() + 5s));
  auto shield = shielded(near.ctx(), 2s);
  BOOST_TEST((shield.ctx().deadline() == now() + 7s));
  BOOST_TEST(!shielded(near.ctx(), infinite).ctx().deadline().has_value());
}

BOOST_FIXTURE_TEST_CASE(C307_a_deadline_can_be_moved_earlier_or_later, world) {
  auto a = with_timeout(root, 10s);
  auto b = with_timeout(root, 10s);
  BOOST_TEST(a.move_deadline(now() + 20s));
  BOOST_TEST(b.move_deadline(now() + 3s));
  BOOST_TEST((a.ctx().deadline() == now() + 20s));
  advance(3s);
  BOOST_TEST(b.ctx().error() == errc::deadline_exceeded);
  advance(7s);
  BOOST_TEST(!a.ctx().done());
  advance(10s);
  BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
}

BOOST_FIXTURE_TEST_CASE(C307_moved_into_the_past_it_is_done_at_once, world) {
  advance(1h);
  auto a = with_timeout(root, 10s);
  BOOST_TEST(a.move_deadline(now() - 1s));
  BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
}

BOOST_FIXTURE_TEST_CASE(C307_a_parents_deadline_moved_later_lets_the_child_have_its_own, world) {
  auto parent = with_timeout(root, 1s);
  auto child = with_timeout(parent.ctx(), 5s);
  BOOST_TEST(parent.move_deadline(now() + 10s));
  BOOST_TEST((child.ctx().deadline() == now() + 5s));
  advance(5s);
  BOOST_TEST(child.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(!parent.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(C308_moving_it_never_un_cancels, world) {
  auto a = with_timeout(root, 1s);
  advance(1s);
  BOOST_TEST(!a.move_deadline(now() + 1h));
  BOOST_TEST(a.ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(!runtime.next_due().has_value());
}

BOOST_FIXTURE_TEST_CASE(C309_one_that_passes_after_the_scope_ended_is_ignored, world) {
  context kept;
  {
    auto a = with_timeout(root, 1s);
    kept = a.ctx();
  }
  BOOST_TEST(kept.error() == errc::canceled);
  advance(2s);
  BOOST_TEST(kept.error() == errc::canceled);
}

BOOST_FIXTURE_TEST_CASE(C316_a_reserve_and_a_share_never_exceed_the_parents, world) {
  auto parent = with_timeout(root, 12s);
  auto work = with_reserve(parent.ctx(), 2s);
  BOOST_TEST((work.ctx().deadline() == now() + 10s));
  BOOST_TEST(with_reserve(parent.ctx(), 13s).ctx().error() == errc::deadline_exceeded);
  auto first = with_share(parent.ctx(), 3);
  BOOST_TEST((first.ctx().deadline() == now() + 4s));
  advance(2s);  // it saved two seconds, which the others share
  BOOST_TEST((with_share(parent.ctx(), 2).ctx().deadline() == now() + 5s));
  BOOST_TEST((with_share(parent.ctx(), 1).ctx().deadline() == now() + 10s));
  BOOST_TEST(!with_share(root, 2).ctx().deadline().has_value());
  BOOST_TEST(!with_reserve(root, 2s).ctx().deadline().has_value());
  advance(8s);
  BOOST_TEST(work.ctx().done());
  BOOST_TEST(!parent.ctx().done());
  advance(2s);
  BOOST_TEST(with_share(parent.ctx(), 2).ctx().done());
}

BOOST_FIXTURE_TEST_CASE(negative_and_extreme_limits_are_clipped, world) {
  advance(1s);
  BOOST_TEST(with_timeout(root, -1s).ctx().error() == errc::deadline_exceeded);
  BOOST_TEST(with_timeout(root, duration::min()).ctx().error() == errc::deadline_exceeded);
  auto never = with_timeout(root, duration::max());
  auto last = with_deadline(root, time_point::max() - 1ns);
  BOOST_TEST(!never.ctx().done());
  advance(24h * 365 * 100);
  BOOST_TEST(!never.ctx().done());
  BOOST_TEST(!last.ctx().done());
  BOOST_TEST(never.move_deadline(now() + 1s));
  advance(1s);
  BOOST_TEST(never.ctx().done());
}

BOOST_AUTO_TEST_CASE(extreme_limits_on_the_steady_clock) {
  context_runtime runtime;
  auto never = with_timeout(runtime.background(), duration::max());
  auto last = with_deadline(runtime.background(), time_point::max());
  BOOST_TEST(!never.ctx().done());
  BOOST_TEST(!last.ctx().done());
  BOOST_TEST(with_deadline(runtime.background(), time_point::min()).ctx().done());
  BOOST_TEST(with_timeout(runtime.background(), duration::min()).ctx().done());
}

BOOST_AUTO_TEST_CASE(a_timer_at_the_end_of_the_clocks_range_does_not_keep_the_driver_awake) {
  detail::timing_wheel wheel;
  detail::timer_link last;
  wheel.insert(last, detail::timer_kind::hook, INT64_MAX);
  BOOST_REQUIRE(wheel.next_wake().has_value());
  BOOST_TEST(*wheel.next_wake() > 0);
  BOOST_TEST(wheel.pop(*wheel.next_wake() - 1) == 0U);
  BOOST_TEST(wheel.pop(INT64_MAX) != 0U);
}

BOOST_AUTO_TEST_CASE(a_hook_that_waits_for_ever_is_dropped_with_its_runtime) {
  int dropped = 0;
  {
    context_runtime runtime;
    detail::at_time(runtime, time_point::max(),
                    {nullptr, [](void* data) noexcept { ++*static_cast<int*>(data); }, &dropped})
        .detach();
  }
  BOOST_TEST(dropped == 1);
}

// -- the virtual clock ------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(timers_fire_in_order_of_time_and_the_clock_stands_at_each, world) {
  struct entry {
    world* at;
    std::vector<duration>* seen;
  };
  std::vector<duration> seen;
  entry self{this, &seen};
  const detail::done_hook hook{[](void* data) noexcept {
                                 auto& e = *static_cast<entry*>(data);
                                 e.seen->push_back(e.at->now().time_since_epoch());
                               },
                               nullptr, &self};
  std::vector<detail::hook_registration> all;
  for (const auto at : {5s, 1s, 3s, 3s, 9s})
    all.push_back(detail::at_time(runtime, time_point{at}, hook));
  BOOST_TEST((runtime.next_due() == time_point{1s}));
  advance(5s);
  const std::vector<duration> expected{1s, 3s, 3s, 5s};
  BOOST_TEST((seen == expected));
  BOOST_TEST((now() == time_point{5s}));
  BOOST_TEST(all.back().reset());
  BOOST_TEST(!all.front().reset());
  BOOST_TEST(!runtime.next_due().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_timer_armed_or_taken_out_by_another_that_fires_counts, world) {
  struct chain {
    world* at;
    int fired = 0;
    detail::hook_registration next{};
    detail::hook_registration victim{};
  } links{.at = this};
  links.victim =
      detail::at_time(runtime, time_point{2s}, {[](void*) noexcept { BOOST_ERROR("taken out"); }, nullptr, nullptr});
  const auto first =
      detail::at_time(runtime, time_point{1s},
                      {[](void* data) noexcept {
                         auto& self = *static_cast<chain*>(data);
                         ++self.fired;
                         BOOST_TEST(self.victim.reset());
                         self.next = detail::at_time(
                             self.at->runtime, self.at->now(),
                             {[](void* again) noexcept { ++static_cast<chain*>(again)->fired; }, nullptr, data});
                       },
                       nullptr, &links});
  advance(2s);
  BOOST_TEST(links.fired == 2);
}

BOOST_FIXTURE_TEST_CASE(a_hooks_data_is_dropped_exactly_once, world) {
  struct counts {
    int fired = 0;
    int dropped = 0;
  };
  const auto hook = [](counts& n) {
    return detail::done_hook{[](void* d) noexcept { ++static_cast<counts*>(d)->fired; },
                             [](void* d) noexcept { ++static_cast<counts*>(d)->dropped; }, &n};
  };
  counts fired, reset, left, after_end, pending;
  auto a = with_cancel(root);
  auto on_fired = detail::when_done(a.ctx(), hook(fired));
  BOOST_TEST(detail::when_done(a.ctx(), hook(reset)).reset());
  a.cancel();
  { const auto done_already = detail::when_done(a.ctx(), hook(left)); }
  on_fired.reset();
  BOOST_TEST((fired.fired == 1 && fired.dropped == 1));
  BOOST_TEST((reset.fired == 0 && reset.dropped == 1));
  BOOST_TEST((left.fired == 1 && left.dropped == 1));
  {
    context_runtime other{context_runtime::driver::virtual_};
    auto b = with_cancel(other.background());
    detail::when_done(b.ctx(), hook(after_end)).detach();
    detail::at_time(other, time_point{1h}, hook(pending)).detach();
  }
  BOOST_TEST((after_end.fired == 1 && after_end.dropped == 1));
  BOOST_TEST((pending.fired == 0 && pending.dropped == 1));
}

BOOST_FIXTURE_TEST_CASE(a_hook_that_many_were_fired_with_holds_nothing_of_its_context, world) {
  struct token : context_key<std::shared_ptr<int>> {};
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> left = value;
  std::vector<detail::hook_registration> fired;
  {
    auto a = with_cancel(with_value<token>(root, std::move(value)));
    auto b = with_cancel(a.ctx());
    for (int i = 0; i != 3; ++i)
      fired.push_back(detail::when_done(a.ctx(), {}));
    fired.push_back(detail::when_done(b.ctx(), {}));
    auto one_out = detail::when_done(a.ctx(), {});
    BOOST_TEST(one_out.reset());
    a.cancel();
    BOOST_TEST(!fired[0].reset());
  }
  fired.pop_back();  // the only one of its context keeps that, whose parent is held by it
  BOOST_TEST(left.expired());
  for (auto& hook : fired)
    BOOST_TEST(!hook.reset());
}

// -- the wheel --------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_wheel_agrees_with_a_sorted_map_to_within_a_tick_and_is_never_early) {
  constexpr std::int64_t tick = 1 << detail::timing_wheel::tick_shift;
  std::mt19937_64 random{99};
  struct timer : detail::timer_link {};
  std::vector<timer> timers(2000);
  auto wheel = std::make_unique<detail::timing_wheel>();
  std::multimap<std::int64_t, timer*> model;
  std::map<timer*, std::int64_t> in;
  std::int64_t now = 0;
  const auto span = [&] {  // from nanoseconds to centuries
    return static_cast<std::int64_t>(random() >> (1 + random() % 62));
  };
  for (int step = 0; step < rounds(300'000); ++step) {
    auto& one = timers[random() % timers.size()];
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (!in.contains(&one)) {
          const auto wait = span();
          const auto due = wait > INT64_MAX - now ? INT64_MAX : now + wait;
          wheel->insert(one, detail::timer_kind::hook, due);
          in[&one] = due;
          model.emplace(due, &one);
        }
        break;
      case 4:
      case 5: {
        const bool was_in = in.contains(&one);
        BOOST_REQUIRE(wheel->erase(one) == was_in);
        if (was_in) {
          for (auto [it, end] = model.equal_range(in[&one]); it != end; ++it) {
            if (it->second == &one) {
              model.erase(it);
              break;
            }
          }
          in.erase(&one);
        }
        break;
      }
      default: {
        const auto wait = span() >> 20;
        now = wait > INT64_MAX - now ? now : now + wait;
        if (const auto wake = wheel->next_wake())
          BOOST_REQUIRE(*wake <= model.begin()->first + tick || *wake < 0);
        while (const auto cell = wheel->pop(now)) {
          auto* popped = static_cast<timer*>(static_cast<detail::timer_link*>(detail::untagged(cell)));
          BOOST_REQUIRE((cell & detail::tag_mask) == 1u);
          BOOST_REQUIRE(in.contains(popped));
          BOOST_REQUIRE(in[popped] <= now);
          for (auto [it, end] = model.equal_range(in[popped]); it != end; ++it) {
            if (it->second == popped) {
              model.erase(it);
              break;
            }
          }
          in.erase(popped);
        }
        if (!model.empty())
          BOOST_REQUIRE(model.begin()->first > now - tick);
      }
    }
    if (step % 1000 == 0)
      BOOST_REQUIRE(wheel->size() == in.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()
