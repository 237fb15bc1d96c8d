// SPDX-License-Identifier: BSL-1.0
// The watchdog without actors: the test writes activities itself.
#include "supervisors/watchdog.hpp"

#include "tree_core.hpp"
#include "watch_list.hpp"
#include "workers.hpp"

#include <pthread.h>

using namespace libactor;
using namespace libactor::tests;

namespace {

watchdog_options by_hand() {
  watchdog_options with;
  with.threaded = false;
  return with;
}

struct watched_line {
  std::shared_ptr<testkit::event_recorder> events = std::make_shared<testkit::event_recorder>();
  context_runtime contexts{context_runtime::driver::virtual_};
  watchdog dog{contexts, by_hand()};
  std::shared_ptr<lifeline> line = make_line("/a", 1);

  std::shared_ptr<lifeline> make_line(const std::string& path, std::uint32_t incarnation) const {
    auto made = std::make_shared<lifeline>(path, incarnation, caf::weak_actor_ptr{}, std::uint64_t{1}, events);
    made->watched = true;
    return made;
  }
  static watched_child child(std::uint64_t actor, std::shared_ptr<lifeline> of, watch_spec spec) {
    watched_child who;
    who.actor = actor;
    who.line = std::move(of);
    who.spec = spec;
    return who;
  }
  void watch(watch_spec spec) { dog.add(child(7, line, spec)); }
  // With this grace it looks by itself each second after a look.
  watched_line() { watch({.stuck_after = 5s, .grace = 4s}); }
  void begin_handler() { line->activity.sequence.fetch_add(1); }
  void end_handler() { line->activity.sequence.fetch_add(1); }
  void look_after(duration d) {
    contexts.advance_to(contexts.now() + d);
    dog.scan(contexts.now());
  }
  std::vector<event_kind> kinds() const {
    std::vector<event_kind> all;
    for (const auto& what : events->events())
      all.push_back(what.kind);
    return all;
  }
  std::shared_ptr<const leak_event> last() const { return events->events().back().leak; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(watching)

BOOST_FIXTURE_TEST_CASE(L001_a_handler_that_runs_too_long_is_reported_once_and_closed_when_it_returns, watched_line) {
  begin_handler();
  look_after(1s);
  look_after(4999ms);
  BOOST_TEST(kinds().empty());
  look_after(1ms);
  look_after(10s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
  BOOST_TEST((events->events().front().elapsed == 5s));
  end_handler();
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck, event_kind::recovered}));
  BOOST_TEST((last()->outcome == leak_outcome::returned));
  BOOST_TEST((last()->opened_as == event_kind::stuck));
  BOOST_TEST(last()->record == events->events().front().leak->record);
  BOOST_TEST((last()->elapsed == 16s));
}

BOOST_FIXTURE_TEST_CASE(L014_a_healthy_actor_is_never_reported_busy_or_idle, watched_line) {
  for (int i = 0; i != 1000; ++i) {
    begin_handler();
    look_after(3s);
    end_handler();
    if (i % 3 == 0)
      look_after(1h);
  }
  BOOST_TEST(kinds().empty());
}

BOOST_FIXTURE_TEST_CASE(L014_time_in_which_the_watchdog_did_not_look_does_not_count, watched_line) {
  detail::leak_courier courier{false, 1};
  const detail::thread_looker looker{0, 0};
  const std::function<void(int, std::uint64_t)> nothing;
  detail::watch_list list{contexts, courier, looker, nothing};
  list.add(child(8, line, {.stuck_after = 5s}));
  begin_handler();
  const auto look = [&](duration passed, duration counted) {
    contexts.advance_to(contexts.now() + passed);
    list.scan(contexts.now(), counted);
  };
  look(1s, 1s);
  look(1h, 2s);  // the machine slept
  look(2s, 2s);
  BOOST_TEST(kinds().empty());
  look(1s, 1s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
}

BOOST_FIXTURE_TEST_CASE(L014_a_handler_that_ran_when_its_child_came_counts_from_the_first_look_too, watched_line) {
  const auto other = make_line("/b", 1);
  look_after(1h);
  contexts.advance_to(contexts.now() + 10s);
  other->activity.sequence.fetch_add(1);
  dog.add(child(8, other, {.stuck_after = 5s, .grace = 4s}));
  look_after(1ms);
  look_after(4999ms);
  BOOST_TEST(kinds().empty());
  look_after(1ms);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
  BOOST_TEST((last()->elapsed == 5s));
}

BOOST_FIXTURE_TEST_CASE(L014_a_handler_that_ends_while_it_is_looked_at_is_not_reported, watched_line) {
  detail::leak_courier courier{false, 1};
  const detail::thread_looker looker{0, 0};
  bool ends = true;
  const std::function<void(int, std::uint64_t)> make_up = [&](int, std::uint64_t) {
    if (ends)
      end_handler();
  };
  detail::watch_list list{contexts, courier, looker, make_up};
  list.add(child(8, line, {.stuck_after = 5s}));
  const auto look = [&](duration passed) {
    contexts.advance_to(contexts.now() + passed);
    list.scan(contexts.now(), passed);
  };
  begin_handler();
  look(1s);
  look(5s);
  BOOST_TEST(kinds().empty());
  ends = false;
  begin_handler();
  look(1s);
  look(5s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
}

BOOST_AUTO_TEST_CASE(L016_without_a_thread_to_be_had_an_event_goes_with_the_next) {
  const auto events = std::make_shared<testkit::event_recorder>();
  detail::leak_courier courier{true, 4};
  const auto post = [&] { courier.post({events, std::make_shared<leak_event>(), {}}); };
  pthread_attr_t usual, too_large;
  ::pthread_getattr_default_np(&usual);
  ::pthread_getattr_default_np(&too_large);
  ::pthread_attr_setstacksize(&too_large, std::size_t{1} << 50);  // no room for that
  ::pthread_setattr_default_np(&too_large);
  BOOST_CHECK_NO_THROW(post());
  ::pthread_setattr_default_np(&usual);
  post();
  BOOST_TEST(courier.flush(std::chrono::steady_clock::now() + 30s));
  BOOST_TEST(events->events().size() == 2U);
  ::pthread_attr_destroy(&usual);
  ::pthread_attr_destroy(&too_large);
}

BOOST_FIXTURE_TEST_CASE(how_often_the_watchdog_looks_follows_what_is_watched, watched_line) {
  detail::leak_courier courier{false, 1};
  const detail::thread_looker looker{0, 0};
  const std::function<void(int, std::uint64_t)> nothing;
  detail::watch_list list{contexts, courier, looker, nothing};
  const auto look = [&] { list.scan(contexts.now(), {}); };
  BOOST_TEST((list.period() == infinite));
  list.add(child(8, line, {.stuck_after = 400ms, .grace = 1h}));
  list.add(child(9, line, {.stuck_after = 40ms, .grace = 1h}));
  BOOST_TEST((list.period() == 10ms));
  list.remove(9, "", true);
  BOOST_TEST((list.period() == 10ms));  // until the next look: it may be restarting
  look();
  BOOST_TEST((list.period() == 100ms));
  list.remove(8, "", true);
  look();
  BOOST_TEST((list.period() == infinite));
}

BOOST_FIXTURE_TEST_CASE(L004_R24_overdue_counts_from_stop_by_only, watched_line) {
  line->ask(contexts.now() + 2s);
  look_after(2s);
  BOOST_TEST(kinds().empty());
  look_after(1ms);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::overdue}));
  BOOST_TEST((last()->since == contexts.now() - 1001ms));
  dog.remove(7, "killed", true);
  BOOST_TEST((kinds() == std::vector{event_kind::overdue, event_kind::recovered}));
  BOOST_TEST((last()->outcome == leak_outcome::ended));
}

BOOST_FIXTURE_TEST_CASE(R24_who_waits_for_a_child_is_overdue_only_once_that_is_gone, watched_line) {
  dog.remove(7, "", true);
  const auto below = std::make_shared<family>();
  below->add(0, {{}, std::make_shared<lifeline>("/a/b", 1, caf::weak_actor_ptr{}, 0, events), nullptr});
  auto supervisor = child(7, line, {});
  supervisor.below = below;
  dog.add(supervisor);
  line->ask(contexts.now() + 1s);
  look_after(3s);
  BOOST_TEST(kinds().empty());
  below->remove(0);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::overdue}));
}

BOOST_FIXTURE_TEST_CASE(R24_the_ladder_stops_where_it_stands_once_the_supervisor_asks_for_the_end, watched_line) {
  dog.remove(7, "", true);
  watch({.stuck_after = 5s, .grace = 1s, .action = watch_action::replace});
  begin_handler();
  look_after(1s);
  look_after(5s);
  BOOST_TEST((last()->steps.back().rung == leak_rung::cancel));
  line->ask(contexts.now() + 1h);
  look_after(1s);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
  end_handler();
  begin_handler();
  end_handler();
  look_after(1s);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck, event_kind::recovered}));
  BOOST_TEST((last()->steps.back().rung == leak_rung::cancel));
}

BOOST_FIXTURE_TEST_CASE(L006_a_mailbox_beyond_its_limit_is_told_once_and_closed_when_half_of_it_is_left, watched_line) {
  dog.remove(7, "", true);
  watch({.max_mailbox = 10});
  line->activity.backlog = 10;
  look_after(1s);
  BOOST_TEST(kinds().empty());
  line->activity.backlog = 11;
  look_after(1s);
  line->activity.backlog = 8;  // it swings around the limit
  look_after(1s);
  line->activity.backlog = 17;
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::runaway}));
  BOOST_TEST((last()->mailbox == 11u));
  line->activity.backlog = 5;
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
}

BOOST_FIXTURE_TEST_CASE(L006_children_beyond_their_limit_are_told_once_and_closed_when_half_are_left, watched_line) {
  dog.remove(7, "", true);
  const auto below = std::make_shared<family>();
  auto supervisor = child(7, line, {.max_children = 2});
  supervisor.below = below;
  dog.add(supervisor);
  const auto add = [&](std::uint64_t key) {
    below->add(key, {{}, std::make_shared<lifeline>("/a/b", 1, caf::weak_actor_ptr{}, key, events), nullptr});
  };
  add(0);
  add(1);
  look_after(1s);
  BOOST_TEST(kinds().empty());
  add(2);
  look_after(1s);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::runaway}));
  BOOST_TEST((last()->children == 3u));
  below->remove(1);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::runaway}));
  below->remove(2);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
  BOOST_TEST((last()->outcome == leak_outcome::returned));
}

BOOST_FIXTURE_TEST_CASE(L006_what_piles_up_behind_a_stuck_handler_is_not_another_leak, watched_line) {
  dog.remove(7, "", true);
  watch({.stuck_after = 5s, .max_mailbox = 10});
  begin_handler();
  look_after(1s);
  line->activity.backlog = 100;
  look_after(1s);
  BOOST_TEST(kinds().empty());
  look_after(4s);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck}));
  BOOST_TEST((last()->mailbox == 100u));
}

BOOST_FIXTURE_TEST_CASE(L006_restarts_beyond_their_limit_are_told_once_for_all_incarnations, watched_line) {
  dog.remove(7, "", false);
  for (std::uint32_t i = 1; i != 6; ++i) {
    auto who = child(7 + i, make_line("/a", i), {.max_restarts = 2});
    who.restarts = i - 1;
    dog.add(who);
    look_after(1ms);
    dog.remove(7 + i, "boom", i == 5);
  }
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
  BOOST_TEST((events->events().front().leak->restarts == 3u));
}

BOOST_FIXTURE_TEST_CASE(L007_an_abandoned_one_is_undead_then_replaced_and_recovered_with_the_whole_time, watched_line) {
  begin_handler();
  look_after(1s);
  look_after(5s);
  auto lost = child(7, line, {.stuck_after = 5s, .grace = 4s});
  lost.over = std::make_shared<const std::atomic<bool>>(false);
  dog.abandoned(lost);
  dog.remove(7, "abandoned", false);
  look_after(1s);
  dog.add(child(8, make_line("/a", 2), {.stuck_after = 5s, .grace = 4s}));
  look_after(1h);
  end_handler();
  look_after(1s);
  look_after(1s);
  BOOST_TEST(
      (kinds() == std::vector{event_kind::stuck, event_kind::undead, event_kind::undead, event_kind::recovered}));
  BOOST_TEST((last()->outcome == leak_outcome::returned));
  BOOST_TEST((last()->elapsed == 5s + 1s + 1h + 1s));
  BOOST_TEST((last()->steps.back().rung == leak_rung::replace));
  BOOST_TEST(last()->incarnation == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
