// SPDX-License-Identifier: BSL-1.0
// The defaults, and the three ways to write a tree down that lead to the same value.
#include "supervisors/tree_text.hpp"
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

BOOST_AUTO_TEST_SUITE(defaults)

BOOST_AUTO_TEST_CASE(S008_the_defaults_are_those_of_the_rules) {
  const child_spec worker = worker_spec("w", ordinary);
  BOOST_TEST((worker.effective_shutdown() == shutdown_limit(5s)));
  BOOST_TEST((worker.effective_start_timeout() == 5s));
  BOOST_TEST((worker.kill_grace == 1s));
  BOOST_TEST((worker.restart == restart_type::permanent));
  BOOST_TEST(!worker.drain);
  BOOST_TEST(!worker.watch);
  BOOST_TEST(!worker.backoff);
  BOOST_TEST(!worker.address_hold);
  BOOST_TEST(!worker.ready_timeout);
  BOOST_TEST(!worker.significant);
  BOOST_TEST((worker.isolation == isolation::shared));

  child_spec above;
  above.what = static_supervisor{};
  BOOST_TEST((above.effective_shutdown() == shutdown_limit::infinity()));
  BOOST_TEST((above.effective_start_timeout() == infinite));
  const auto& part = std::get<static_supervisor>(above.what);
  BOOST_TEST((part.strategy == strategy::one_for_one));
  BOOST_TEST(part.intensity == 1u);
  BOOST_TEST((part.period == 5s));
  BOOST_TEST((part.auto_shutdown == auto_shutdown::never));
  BOOST_TEST((part.on_giveup == giveup_action::escalate));
  BOOST_TEST((part.start == start_mode::ordered));
  BOOST_TEST(!dynamic_supervisor{}.max_children);

  const watch_spec watch;
  BOOST_TEST((watch.stuck_after == 5s && watch.grace == 2s && watch.action == watch_action::report));
  const backoff_spec delays;
  BOOST_TEST((delays.factor == 2 && delays.jitter == 0.2 && !delays.reset_after));
  const tree_spec tree;
  BOOST_TEST((tree.budget == infinite && tree.on_overrun == overrun_action::abandon));
}

BOOST_FIXTURE_TEST_CASE(S008_the_defaults_are_what_a_tree_does, world) {
  start_ok(one_for_one().child("a", ordinary).child("deaf", ignores_stop).tree());
  tell("/root/a", "error");
  BOOST_TEST(is_alive("/root/a"));
  advance(5s);
  tell("/root/a", "normal");  // the window of 5 s has passed: one more restart is allowed
  BOOST_TEST(is_alive("/root/a"));
  stop();
  advance(5s - 1ns);
  BOOST_TEST(is_alive("/root/deaf"));
  advance(1ns);
  BOOST_TEST(!is_alive("/root/deaf"));
}

BOOST_FIXTURE_TEST_CASE(S008_a_start_has_5_s_by_default, world) {
  BOOST_TEST(!start(one_for_one().child("a", never_starts).tree()));
  advance(5s - 1ns);
  BOOST_TEST(!start_result());
  advance(1ns);
  BOOST_REQUIRE(start_result());
  BOOST_TEST((errc_of(*start_result()) == errc::start_failed));
}

BOOST_FIXTURE_TEST_CASE(S008_backoff_starts_again_once_a_child_ran_for_half_of_min_and_max, world) {
  start_ok(one_for_one()
               .intensity(10, 1h)
               .child("a", ordinary)
               .delays({.min = 2s, .max = 10s, .factor = 2, .jitter = 0, .reset_after = {}})
               .tree());
  tell("/root/a", "error");
  advance(2s);
  BOOST_TEST(is_alive("/root/a"));
  advance(6s - 1ns);
  tell("/root/a", "error");  // ran for less than (2 s + 10 s) / 2: the delay doubles
  advance(4s - 1ns);
  BOOST_TEST(!is_alive("/root/a"));
  advance(1ns);
  BOOST_TEST(is_alive("/root/a"));
  advance(6s);
  tell("/root/a", "error");
  advance(2s);
  BOOST_TEST(is_alive("/root/a"));
}

BOOST_AUTO_TEST_SUITE_END()
