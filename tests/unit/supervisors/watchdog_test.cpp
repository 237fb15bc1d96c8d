// SPDX-License-Identifier: BSL-1.0
#include "supervisors/watchdog.hpp"

#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

// A watchdog and a lifeline whose activity the test writes itself.
struct watched_line {
  std::shared_ptr<testkit::event_recorder> events = std::make_shared<testkit::event_recorder>();
  context_runtime contexts{context_runtime::driver::virtual_};
  watchdog dog{contexts, false};
  std::shared_ptr<lifeline> line =
      std::make_shared<lifeline>("/a", 1u, caf::weak_actor_ptr{}, std::uint64_t{1}, events);

  watched_line() { dog.add(7, line, watch_spec{.stuck_after = 5s}); }
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

BOOST_FIXTURE_TEST_CASE(L004_R24_overdue_counts_from_stop_by_only, watched_line) {
  line->ask(contexts.now() + 2s);
  look_after(2s);
  BOOST_TEST(kinds().empty());
  look_after(1ms);
  look_after(1s);
  BOOST_TEST((kinds() == std::vector{event_kind::overdue}));
  dog.remove(7);
  BOOST_TEST((kinds() == std::vector{event_kind::overdue, event_kind::recovered}));
}

BOOST_FIXTURE_TEST_CASE(L004_a_child_that_is_killed_at_its_stop_by_is_not_overdue, world) {
  start_ok(one_for_one().child("a", ignores_stop).shutdown(2s).kill_grace(1h).watch({.stuck_after = 5s}).tree());
  stop();
  advance(2s);  // it was killed at its stop-by, in time
  runtime().scan_watchdog();
  BOOST_TEST(log({event_kind::overdue}).empty());
  BOOST_TEST(log({event_kind::killed}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
