// SPDX-License-Identifier: BSL-1.0
// The ladder on the virtual clock: a handler that lets time pass, and has the watchdog look, is a stuck one.
#include "libactor/actor/task_group.hpp"
#include "supervisors/leak_event.hpp"
#include "workers.hpp"

#include <unistd.h>

#include <algorithm>

using namespace libactor;
using namespace libactor::tests;

namespace {

struct ladder_world : world {
  using world::world;

  caf::actor anyone;

  // In a handler.
  void sit_for(duration d, duration step = 500ms) {
    for (auto left = d; left > duration{}; left -= step) {
      runtime().contexts().advance_to(runtime().contexts().now() + step);
      runtime().scan_watchdog();
    }
  }
  // Sits in the handler of an `int` for so many seconds; polls, if told to.
  auto sitter(bool polls = false) {
    return [this, polls](worker* self) -> caf::behavior {
      return {[this, polls, self](int seconds) {
                for (int i = 0; i != 2 * seconds && !(polls && self->ctx().done()); ++i)
                  sit_for(500ms);
              },
              [](const std::string& text) { return text; }};
    };
  }
  void sit(std::string_view path, int seconds) {
    runtime().scan_watchdog();
    caf::anon_send(at(path), seconds);
    settle();
    runtime().scan_watchdog();
  }
  std::vector<std::shared_ptr<const leak_event>> leaks() const {
    std::vector<std::shared_ptr<const leak_event>> all;
    for (const auto& what : events()) {
      if (what.leak)
        all.push_back(what.leak);
    }
    return all;
  }
  std::vector<event_kind> kinds() const {
    std::vector<event_kind> all;
    for (const auto& leak : leaks())
      all.push_back(leak->kind);
    return all;
  }
  static std::vector<leak_rung> rungs(const leak_event& leak) {
    std::vector<leak_rung> all;
    for (const auto& step : leak.steps)
      all.push_back(step.rung);
    return all;
  }
};

constexpr watch_spec replaces{.stuck_after = 2s, .grace = 1s, .action = watch_action::replace};

}  // namespace

BOOST_AUTO_TEST_SUITE(ladder)

BOOST_FIXTURE_TEST_CASE(R29_report_ends_at_the_look, ladder_world) {
  start_ok(one_for_one().child("a", sitter()).watch({.stuck_after = 2s, .grace = 1s}).tree());
  sit("/root/a", 60);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck, event_kind::recovered}));
  BOOST_TEST((rungs(*leaks().back()) == std::vector{leak_rung::notice, leak_rung::look}));
  BOOST_TEST((leaks().back()->outcome == leak_outcome::returned));
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(L001_the_record_holds_all_that_is_known, ladder_world) {
  start_ok(one_for_one().child("a", sitter()).timeout(1h).watch({.stuck_after = 2s}).tree());
  caf::anon_send(at("/root/a"), 9);
  caf::anon_send(at("/root/a"), std::string("next"));
  settle();
  runtime().scan_watchdog();
  const auto leak = leaks().front();
  BOOST_TEST(leak->path == "/root/a");
  BOOST_TEST(leak->incarnation == 1u);
  BOOST_TEST(leak->message_type == "int");
  BOOST_TEST(leak->thread == ::gettid());
  BOOST_TEST((leak->activity == thread_activity::running));
  BOOST_TEST((leak->mailbox == 1u));
  BOOST_TEST((leak->elapsed >= 2s));
  BOOST_TEST((leak->at - leak->since == leak->elapsed));
  BOOST_TEST(leak->deadline.has_value());
  BOOST_REQUIRE(leak->chain.size() >= 3u);
  BOOST_TEST((leak->chain.front().kind == context_kind::deadline));
  BOOST_TEST((leak->chain.front().due == leak->deadline));
  BOOST_TEST((leak->chain.back().kind == context_kind::root));
  BOOST_TEST(std::string(leak->chain.front().where.file_name()).find("supervisor_start") != std::string::npos);
  const bool named = std::any_of(leak->stack.begin(), leak->stack.end(), [](const auto& frame) {
    return frame.function.find("sit_for") != std::string::npos && frame.file.ends_with("ladder_test.cpp") &&
           frame.line != 0;
  });
  BOOST_TEST(named);
}

BOOST_FIXTURE_TEST_CASE(L009_a_handler_that_polls_ends_at_the_cancel_rung, ladder_world) {
  start_ok(one_for_one().child("a", sitter(true)).restart(restart_type::temporary).watch(replaces).tree());
  sit("/root/a", 60);
  BOOST_TEST((kinds() == std::vector{event_kind::stuck, event_kind::recovered}));
  BOOST_TEST((rungs(*leaks().back()) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel}));
  BOOST_TEST((leaks().back()->outcome == leak_outcome::ended));
  BOOST_TEST(ends() == (lines{"crashed /root/a canceled"}), boost::test_tools::per_element());
  BOOST_TEST(!is_alive("/root/a"));
}

BOOST_FIXTURE_TEST_CASE(L008_L011_R29_each_rung_waits_grace_and_a_finite_hog_ends_at_the_kill, ladder_world) {
  start_ok(one_for_one().child("a", sitter()).watch(replaces).tree());
  sit("/root/a", 5);  // 2 s, then the kill 2 s after the cancel
  const auto last = leaks().back();
  BOOST_TEST((rungs(*last) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel, leak_rung::interrupt,
                                          leak_rung::kill}));
  BOOST_TEST((last->steps[3].at - last->steps[2].at == 1s));
  BOOST_TEST((last->steps[4].at - last->steps[3].at == 1s));
  BOOST_TEST((last->kind == event_kind::recovered));
  BOOST_TEST((last->outcome == leak_outcome::ended));
  BOOST_TEST(is_alive("/root/a"));  // its successor
  BOOST_TEST(log({event_kind::restarting}).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(R29_cancel_ends_at_the_interrupt_and_the_supervisor_goes_on_from_wait, ladder_world) {
  start_ok(one_for_one()
               .child("a", sitter())
               .shutdown(10s)
               .watch({.stuck_after = 2s, .grace = 1s, .action = watch_action::cancel})
               .tree());
  sit("/root/a", 9);
  const auto last = leaks().back();
  BOOST_TEST(
      (rungs(*last) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel, leak_rung::interrupt}));
  BOOST_TEST((last->kind == event_kind::recovered));
  BOOST_TEST(log({event_kind::killed, event_kind::abandoned}).empty());
}

BOOST_FIXTURE_TEST_CASE(L004_a_child_that_must_be_killed_at_its_stop_by_is_overdue, world) {
  start_ok(one_for_one().child("a", ignores_stop).shutdown(2s).watch({.stuck_after = 5s}).tree());
  stop();
  advance(1999ms);
  BOOST_TEST(log({event_kind::overdue}).empty());
  advance(1ms);
  BOOST_TEST((log({event_kind::overdue, event_kind::recovered}) == lines{"overdue /root/a", "recovered /root/a"}));
}

BOOST_FIXTURE_TEST_CASE(R24_who_waits_for_its_child_is_not_overdue, world) {
  start_ok(one_for_one()
               .child(one_for_one("sub").child("first", ordinary).child("slow", ignores_stop).shutdown(1h))
               .shutdown(2s)
               .watch_all({.stuck_after = 5s})
               .tree());
  stop();
  advance(3s);
  BOOST_TEST((log({event_kind::overdue}) == lines{"overdue /root/sub/slow"}));
}

BOOST_FIXTURE_TEST_CASE(R24_a_task_that_waits_for_its_own_tasks_is_not_overdue, world) {
  auto parent = [](worker* self) -> caf::behavior {
    auto group = std::make_shared<task_group<int>>(self);
    group->spawn_named("middle", [](task<int>* middle) {
      auto below = std::make_shared<task_group<int>>(middle);
      below->spawn_named("last", [](task<int>* last) {
        last->on_down_signal([](const down_signal&) {});
        last->become([](int) {});
      });
      middle->become([below](int) {});
    });
    return {[group](int) {}};
  };
  start_ok(one_for_one().child("a", parent).shutdown(2s).watch({.stuck_after = 5s}).tree());
  stop();
  advance(2s);
  BOOST_TEST(log({event_kind::overdue}) == (lines{"overdue /root/a/middle/last"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(L005_a_task_that_outlives_its_worker_is_an_orphan, world) {
  auto parent = [](worker* self) -> caf::behavior {
    auto group = std::make_shared<task_group<int>>(self);
    group->spawn_named("stays", [](task<int>* stays) {
      stays->on_down_signal([](const down_signal&) {});
      stays->become([](int) {});
    });
    return {[group](int) { throw std::logic_error("boom"); }};
  };
  start_ok(one_for_one().child("a", parent).watch({.stuck_after = 5s}).tree());
  caf::anon_send(at("/root/a"), 1);
  settle();
  BOOST_TEST(log({event_kind::orphan}).empty());
  advance(1s);
  BOOST_TEST(log({event_kind::orphan}) == (lines{"orphan /root/a/stays"}), boost::test_tools::per_element());
  BOOST_TEST(log({event_kind::killed}) == (lines{"killed /root/a/stays"}), boost::test_tools::per_element());
  advance(1s);
  runtime().scan_watchdog();
  BOOST_TEST(log({event_kind::recovered}) == (lines{"recovered /root/a/stays"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(L001_a_stuck_task_is_named_and_its_worker_is_ended_with_it, ladder_world) {
  auto with_task = [this](worker* self) -> caf::behavior {
    auto group = std::make_shared<task_group<int>>(self);
    group->spawn_named("t", [this](task<int>* t) {
      t->become([this](int seconds) { sit_for(std::chrono::seconds(seconds)); });
      anyone = t;
    });
    return {[group](int) {}};
  };
  start_ok(one_for_one().child("a", with_task).shutdown(1s).watch(replaces).tree());
  runtime().scan_watchdog();
  caf::anon_send(anyone, 60);
  settle();
  runtime().scan_watchdog();
  BOOST_TEST(leaks().front()->path == "/root/a/t");
  BOOST_TEST((leaks().front()->kind == event_kind::stuck));
  BOOST_TEST(leaks().front()->message_type == "int");
  BOOST_TEST((rungs(*leaks().back()) == std::vector{leak_rung::notice, leak_rung::look, leak_rung::cancel,
                                                    leak_rung::interrupt, leak_rung::kill}));
  advance(5s);
  BOOST_TEST(log({event_kind::crashed}) == (lines{"crashed /root/a canceled"}), boost::test_tools::per_element());
}

namespace {

// A child that has come back more often than it should, and is to come back in an hour.
struct restless : ladder_world {
  restless() {
    start_ok(one_for_one()
                 .child(one_for_one("group")
                            .intensity(9, 1h)
                            .child("a", ordinary)
                            .delays({.min = 1h, .max = 1h, .factor = 1, .jitter = 0, .reset_after = {}})
                            .watch({.max_restarts = 1}))
                 .tree());
    crash_three_times();
    BOOST_REQUIRE((kinds() == std::vector{event_kind::runaway}));
  }
  void crash_three_times() {
    for (int i = 0; i != 3; ++i) {
      tell("/root/group/a", "error");
      if (i != 2)
        advance(1h);
      runtime().scan_watchdog();
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(L006_restarts_beyond_their_limit_are_over_when_the_tree_stops_before_the_next, restless) {
  stop();
  runtime().scan_watchdog();
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
}

BOOST_FIXTURE_TEST_CASE(L006_and_when_the_child_is_terminated_before_the_next, restless) {
  BOOST_TEST(bool(*ask<caf::unit_t>("/root/group", supervisor_verb::terminate_child("a"))));
  runtime().scan_watchdog();
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
}

BOOST_FIXTURE_TEST_CASE(L006_and_when_its_supervisor_is_another_whose_count_begins_anew, restless) {
  caf::anon_send_exit(at("/root/group"), caf::exit_reason::kill);
  settle();
  runtime().scan_watchdog();
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered}));
  crash_three_times();
  BOOST_TEST((kinds() == std::vector{event_kind::runaway, event_kind::recovered, event_kind::runaway}));
}

BOOST_FIXTURE_TEST_CASE(what_is_above_says_whether_a_child_is_watched, ladder_world) {
  start_ok(one_for_one()
               .child(one_for_one("sub")
                          .child("inherits", sitter())
                          .child("own", sitter())
                          .watch({.stuck_after = 1h})
                          .child("off", sitter())
                          .unwatched())
               .watch_all({.stuck_after = 2s})
               .tree());
  sit("/root/sub/off", 4);
  sit("/root/sub/own", 4);
  BOOST_TEST(leaks().empty());
  sit("/root/sub/inherits", 4);
  BOOST_TEST((log({event_kind::stuck}) == lines{"stuck /root/sub/inherits"}));
}

BOOST_AUTO_TEST_SUITE_END()
