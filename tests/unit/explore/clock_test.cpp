// SPDX-License-Identifier: BSL-1.0
// Time in an exploration: timers that are due together race, what one of them led to is known, the watchdog looks, and
// a worker that drains says when it has.
#include "bounds.hpp"
#include "faulty_trees.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/actor/task_group.hpp"
#include "libactor/scope.hpp"

#include <caf/after.hpp>
#include <caf/event_based_actor.hpp>

#include <array>
#include <random>
#include <set>

using namespace libactor;
using namespace libactor::tests;

namespace {

using outcomes = std::set<std::string>;
constexpr std::array modes{search_mode::exhaustive, search_mode::random, search_mode::pct};

/// Every outcome of the body, by one mode of search.
outcomes outcomes_of(search_mode mode, const std::function<std::string(trial&)>& body) {
  outcomes seen;
  explore_options options;
  options.mode = mode;
  options.max_schedules = mode == search_mode::exhaustive ? 0 : 500;
  const auto result = explore(options, [&](trial& t) { seen.insert(body(t)); });
  BOOST_TEST(!result.failed, result.to_text());
  BOOST_TEST(result.exhausted == (mode == search_mode::exhaustive), result.to_text());
  return seen;
}

/// Two workers, of which each tells `log` its letter after a second.
std::string two_alarms(trial& t) {
  auto log = std::make_shared<std::string>();
  const auto writer = t.system().spawn(
      [log](caf::event_based_actor*) -> caf::behavior { return {[log](const std::string& what) { *log += what; }}; });
  auto says = [writer](const char* what) {
    return [writer, what](worker* self) -> caf::behavior {
      self->after(1s, [self, writer, what] { self->send(writer, std::string(what)); });
      return {[](int) {}};
    };
  };
  t.start(one_for_one().child("a", says("a")).child("b", says("b")).tree());
  t.advance(1s);
  return *log;
}

/// CAF's own: two messages that are due together, and a timeout that only silence brings.
std::string two_delayed_messages(trial& t) {
  auto log = std::make_shared<std::string>();
  const auto writer = t.system().spawn([log](caf::event_based_actor*) -> caf::behavior {
    return {[log](const std::string& what) { *log += what; }, caf::after(1s) >> [log] { *log += "."; }};
  });
  for (const auto* what : {"a", "b"})
    t.system().spawn([=](caf::event_based_actor* self) { self->delayed_send(writer, 1s, std::string(what)); });
  t.advance(1s);
  return *log;
}

/// A timer that is due may still be taken back by what another led to.
std::string alarm_taken_back(trial& t) {
  auto log = std::make_shared<std::string>("silent");
  const auto b = std::make_shared<worker*>();
  auto sleeper = [log, b](worker* self) -> caf::behavior {
    *b = self;
    const auto alarm = self->after(1s, [log] { *log = "rang"; });
    return {[self, alarm](int) { self->cancel_timer(alarm); }};
  };
  auto waker = [b](worker* self) -> caf::behavior {
    self->after(1s, [self, b] { self->send(caf::actor_cast<caf::actor>(*b), 1); });
    return {[](int) {}};
  };
  t.start(one_for_one().child("b", sleeper).child("a", waker).tree());
  t.advance(1s);
  return *log;
}

/// A deadline and a cancel at the same time: whichever is first is the cause.
std::string deadline_or_cancel(trial& t) {
  auto own = std::make_shared<scope>(with_timeout(t.runtime().contexts().background(), 1s));
  const auto canceller = t.system().spawn([own](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 1s, 1);
    return {[own](int) { own->cancel(); }};
  });
  t.advance(1s);
  return own->ctx().error() == errc::deadline_exceeded ? "deadline" : "cancel";
}

/// Three actors whose timers, all due together, send, cancel, end and read what the others write. What each saw.
std::string random_alarms(trial& t, unsigned seed) {
  std::mt19937 random{seed};
  const shared<int> cell{t, 0};
  auto log = std::make_shared<std::array<std::string, 3>>();
  auto all = std::make_shared<std::array<caf::weak_actor_ptr, 3>>();
  auto root = one_for_one();
  for (std::size_t me = 0; me != 3; ++me) {
    std::array<std::pair<unsigned, std::size_t>, 2> ops;
    for (auto& op : ops)
      op = {random() % 6, (me + 1 + random() % 2) % 3};
    const auto body = [=](worker* self) -> caf::behavior {
      (*all)[me] = caf::weak_actor_ptr{self->ctrl()};
      self->set_default_handler(caf::drop);
      auto alarms = std::make_shared<std::vector<worker::timer_id>>();
      for (const auto& [what, whom] : ops)
        alarms->push_back(self->after(1s, [=, what = what, whom = whom] {
          (*log)[me] += " t" + std::to_string(what);
          if (what == 0)
            cell.write(cell.read() * 10 + static_cast<int>(me) + 1);
          else if (what == 1)
            (*log)[me] += "=" + std::to_string(cell.read());
          else if (what == 4)
            self->finish();
          else if (what == 5)
            self->cancel_timer(alarms->back());
          else if (const auto to = caf::actor_cast<caf::actor>((*all)[whom]); to && what == 2)
            self->send(to, std::to_string(me));
          else if (to)
            self->send<caf::message_priority::high>(to, 1);
        }));
      return {[=](const std::string& from) { (*log)[me] += " " + from; },
              [=](int) {
                (*log)[me] += " c";
                self->cancel_timer(alarms->front());
              }};
    };
    root.child("w" + std::to_string(me), body).restart(restart_type::temporary);
  }
  t.start(root.tree());
  t.advance(1s);
  return (*log)[0] + "|" + (*log)[1] + "|" + (*log)[2] + "|" + std::to_string(cell.read());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_)

BOOST_AUTO_TEST_CASE(timers_that_are_due_together_fire_in_either_order) {
  for (const auto mode : modes) {
    BOOST_TEST(outcomes_of(mode, two_alarms) == (outcomes{"ab", "ba"}));
    BOOST_TEST(outcomes_of(mode, deadline_or_cancel) == (outcomes{"deadline", "cancel"}));
    BOOST_TEST(outcomes_of(mode, alarm_taken_back) == (outcomes{"rang", "silent"}));
  }
  BOOST_TEST(outcomes_of(search_mode::exhaustive, two_delayed_messages) == (outcomes{"ab", "ba", ".ab", ".ba"}));
}

BOOST_AUTO_TEST_CASE(timers_that_are_due_one_after_another_do_not_race) {
  const auto seen = outcomes_of(search_mode::exhaustive, [](trial& t) {
    auto log = std::make_shared<std::string>();
    for (const auto& [what, when] : {std::pair{"a", 1000ms}, std::pair{"b", 1001ms}})
      t.system().spawn([=, what = what, when = when](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, when, 1);
        return {[=](int) { *log += what; }};
      });
    t.advance(2s);
    return *log;
  });
  BOOST_TEST(seen == outcomes{"ab"});
}

BOOST_AUTO_TEST_CASE(no_reduction_leaves_out_an_outcome_of_timers) {
  for (unsigned seed = 0; seed != (in_part ? 2 : 12); ++seed) {
    const auto body = [seed](trial& t) { return random_alarms(t, seed); };
    const auto all = outcomes_of(search_mode::exhaustive, body);
    outcomes by_sleep_sets;
    explore_options options;
    options.reduce = reduction::sleep_sets;
    BOOST_TEST(explore(options, [&](trial& t) { by_sleep_sets.insert(body(t)); }).exhausted);
    BOOST_TEST(by_sleep_sets == all, "seed " << seed);
    const auto some = outcomes_of(search_mode::random, body);
    BOOST_TEST(std::includes(all.begin(), all.end(), some.begin(), some.end()), "seed " << seed);
    BOOST_TEST_MESSAGE("seed " << seed << ": " << some.size() << " of " << all.size() << " outcomes");
  }
}

BOOST_AUTO_TEST_CASE(a_timer_leads_to_what_its_own_actor_does_and_to_nothing_else) {
  auto ends = [](duration when) {
    return [when](worker* self) -> caf::behavior {
      self->after(when, [self] { self->finish(); });
      return {[](int) {}};
    };
  };
  const auto tree = one_for_one()
                        .start_order(start_mode::graph)
                        .child("a", ends(1s))
                        .restart(restart_type::temporary)
                        .child("b", ends(1s))
                        .restart(restart_type::temporary)
                        .child("c", ends(2s))
                        .restart(restart_type::temporary)
                        .tree();
  // At random: in some of these orders each ends before the timer of the other fires.
  explore_options options;
  options.mode = search_mode::random;
  options.max_schedules = 100;
  std::set<std::string> orders;
  const auto result = explore(options, [&](trial& t) {
    t.start(tree);
    t.advance(3s);
    const auto seen = t.so_far();
    std::map<std::string, std::size_t> begun, ended;
    std::string order;
    for (std::size_t i = 0; i != seen.all.size(); ++i) {
      if (seen.all[i].what == happening::start_asked)
        begun[seen.all[i].path] = i;
      if (seen.all[i].what == happening::stopped) {
        ended[seen.all[i].path] = i;
        order += seen.all[i].path.back();
      }
    }
    orders.insert(order);
    for (const auto* one : {"/root/a", "/root/b", "/root/c"}) {
      t.expect(seen.leads_to(begun.at(one), ended.at(one)), "its own start leads to it");
      for (const auto* other : {"/root/a", "/root/b", "/root/c"})
        t.expect(one == other || !seen.leads_to(ended.at(other), ended.at(one)), "no other's end does");
    }
  });
  BOOST_TEST(!result.failed, result.to_text());
  BOOST_TEST((orders == std::set<std::string>{"abc", "bac"}));
}

BOOST_AUTO_TEST_CASE(a_worker_of_the_program_that_drains_is_seen_to) {
  const auto events = [](std::optional<duration> drain, bool is_killed) {
    std::vector<std::string> seen;
    explore_options options;
    options.minimise = false;  // what follows needs the child
    const auto result = explore(options, [&](trial& t) {
      auto root = one_for_one().child("a", ordinary).shutdown(1s);
      if (drain)
        root.drain(*drain);
      t.start(root.tree());
      const auto a = *t.runtime().find("/root/a");
      for (int i = 0; i != 3; ++i)
        caf::anon_send(a, "work"s);
      if (is_killed)
        caf::anon_send_exit(a, caf::exit_reason::kill);
      t.runtime().request_stop({});
      t.run_until_ended(1h);
      seen.clear();
      for (const auto& one : t.so_far().all) {
        if (one.path == "/root/a" && one.what >= happening::stop_asked)
          seen.push_back(std::string(to_string(one.what)) + "#" + std::to_string(one.incarnation));
      }
      if (drain && !is_killed) {
        t.must(chain({{happening::stop_asked, "/root/a"}, {happening::drained, "/root/a"}}));
        t.must(exactly(1, {happening::drained, "/root/a"}));
        t.must(seen_before({happening::drained, "/root/a"}, {happening::stopped, "/root/a"}));
      }
    });
    BOOST_TEST(result.exhausted, result.to_text());
    return seen;
  };
  BOOST_TEST(events(500ms, false) == (lines{"stop_asked#1", "drained#1", "stopped#1"}),
             boost::test_tools::per_element());
  BOOST_TEST(events({}, false) == (lines{"stop_asked#1", "stopped#1"}), boost::test_tools::per_element());
  const auto killed = events(500ms, true);
  BOOST_TEST(std::count(killed.begin(), killed.end(), "drained#1") == 0);
  // A double is a worker like any other.
  const auto double_ = explore({}, [](trial& t) {
    t.must(exactly(1, {happening::drained, "/root/a"}));
    t.start(one_for_one().child_started_by("a", a_double()).drain(1s).tree());
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_TEST(double_.exhausted, double_.to_text());
}

BOOST_AUTO_TEST_CASE(the_watchdog_looks_on_the_virtual_clock) {
  // A worker with more tasks than it may have.
  const auto crowd = [](worker* self) -> caf::behavior {
    auto group = std::make_shared<task_group<int>>(self);
    return {[group](int) {
      for (int i = 0; i != 3; ++i)
        group->spawn([](task<int>*) -> caf::behavior { return {[](int) {}}; });
    }};
  };
  const auto tree = one_for_one()
                        .child("a", crowd)
                        .watch({.stuck_after = 2s, .grace = 2s, .action = watch_action::cancel, .max_children = 2})
                        .restart(restart_type::temporary)
                        .tree();
  tests::world w;
  w.start_ok(tree);
  w.advance(10s);
  BOOST_TEST(w.log({event_kind::runaway}).empty());
  caf::anon_send(w.at("/root/a"), 1);
  w.advance(1s);
  BOOST_TEST(w.log({event_kind::runaway}) == lines{"runaway /root/a"}, boost::test_tools::per_element());
  w.advance(1h);
  BOOST_TEST(!w.is_alive("/root/a"));
  BOOST_TEST(w.log({event_kind::recovered}) == lines{"recovered /root/a"}, boost::test_tools::per_element());
  // In an exploration it is a leak.
  explore_options options;
  options.minimise = false;
  const auto result = explore(options, [&](trial& t) {
    t.must(no_leaks());
    t.start(tree);
    caf::anon_send(*t.runtime().find("/root/a"), 1);
    t.advance(10s);
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_REQUIRE(result.failed);
  BOOST_TEST(result.failed->what.starts_with("leaked /root/a at "), result.failed->what);
}

BOOST_AUTO_TEST_SUITE_END()
