// SPDX-License-Identifier: BSL-1.0
// What a tree says about itself, and what it keeps.
#include "libactor/context_key.hpp"
#include "workers.hpp"

#include <map>

using namespace libactor;
using namespace libactor::tests;

namespace {

const trace_id trace_of_tree{0x11, 0x22};

child_catalog with_trace_key() {
  child_catalog catalog;
  catalog.add_context_key({"traced", arg_type::boolean, "gives the tree a trace id",
                           [](const context& parent, const arg_value&) { return with_trace(parent, trace_of_tree); }});
  return catalog;
}

// `kind path#incarnation reason @time`, the time since `began`.
std::string line_of(const event& what, time_point began) {
  return std::string(to_string(what.kind)) + " " + what.path + "#" + std::to_string(what.incarnation) +
         (what.reason.empty() ? "" : " " + what.reason) + " @" + to_string(duration{what.at - began});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reports)

BOOST_FIXTURE_TEST_CASE(S130_everything_that_happens_is_one_event_with_path_incarnation_reason_and_time, world) {
  auto inner = one_for_one("b").intensity(1, 10s);
  inner.child("w", ordinary).child("deaf", ignores_stop).shutdown(2s);
  auto tree = one_for_one().intensity(1, 10s).child(inner).tree();
  tree.root.context.values["traced"] = true;
  const auto began = now();
  BOOST_REQUIRE(!*start(tree, with_trace_key()));
  advance(1s);
  const auto first = at("/root/b/w").id();
  tell("/root/b/w", "error");
  const auto second = at("/root/b/w").id();
  advance(1s);
  tell("/root/b/w", "throw");
  advance(2s);
  stop();
  advance(2s);
  BOOST_REQUIRE(runtime().wait_ended(0s));

  lines seen;
  for (const auto& what : events())
    seen.push_back(line_of(what, began));
  const lines expected{
      "start_asked /root#1 @0s",
      "start_asked /root/b#1 @0s",
      "start_asked /root/b/w#1 @0s",
      "started /root/b/w#1 @0s",
      "start_asked /root/b/deaf#1 @0s",
      "started /root/b/deaf#1 @0s",
      "started /root/b#1 @0s",
      "started /root#1 @0s",
      "crashed /root/b/w#1 invalid_argument @1s",
      "restarting /root/b/w#1 @1s",
      "start_asked /root/b/w#2 @1s",
      "started /root/b/w#2 @1s",
      "crashed /root/b/w#2 runtime_error: std::logic_error: boom @2s",
      "gave_up /root/b#1 @2s",
      "stop_asked /root/b/deaf#1 @2s",
      "killed /root/b/deaf#1 @4s",
      "stopped /root/b/deaf#1 kill @4s",
      "crashed /root/b#1 gave_up: more than 1 restarts in 10s @4s",
      "restarting /root/b#1 @4s",
      "start_asked /root/b#2 @4s",
      "start_asked /root/b/w#1 @4s",
      "started /root/b/w#1 @4s",
      "start_asked /root/b/deaf#1 @4s",
      "started /root/b/deaf#1 @4s",
      "started /root/b#2 @4s",
      "stop_asked /root#1 @4s",
      "stop_asked /root/b#2 @4s",
      "stop_asked /root/b/deaf#1 @4s",
      "killed /root/b/deaf#1 @6s",
      "stopped /root/b/deaf#1 kill @6s",
      "stop_asked /root/b/w#1 @6s",
      "stopped /root/b/w#1 user_shutdown @6s",
      "stopped /root/b#2 user_shutdown @6s",
      "stopped /root#1 user_shutdown @6s",
  };
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  // Once the context of the tree is derived, each event carries its trace; ids are those of the actors.
  std::map<std::string, int> without_trace;
  for (const auto& what : events()) {
    if (!(what.trace == trace_of_tree))
      ++without_trace[to_string(what.kind) + " "s + what.path];
    if (what.kind == event_kind::crashed && what.path == "/root/b/w")
      BOOST_TEST(what.actor == (what.at - began == 1s ? first : second));
  }
  BOOST_TEST(without_trace.empty());
}

BOOST_FIXTURE_TEST_CASE(S130_escalation_suspension_and_resumption_are_events, world) {
  start_ok(one_for_one().intensity(0, 10s).on_giveup(giveup_action::suspend).child("a", ordinary).tree());
  forget_events();
  tell("/root/a", "error");
  ask<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  const lines expected{"crashed /root/a invalid_argument", "suspended /root", "resumed /root", "restarting /root/a"};
  BOOST_TEST(log({event_kind::crashed, event_kind::suspended, event_kind::resumed, event_kind::restarting}) == expected,
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(S115_temporary_children_keep_nothing_of_what_only_a_start_needs, world) {
  start_ok(one_for_one().tree());
  auto takes = [](worker* self, const std::shared_ptr<std::string>&) { return ordinary(self); };
  std::map<restart_type, long> kept;
  for (const auto type : {restart_type::temporary, restart_type::permanent}) {
    const auto argument = std::make_shared<std::string>(10000, 'x');
    for (int i = 0; i != 100; ++i) {
      auto spec = worker_spec(std::string(to_string(type)) + std::to_string(i), takes, argument);
      spec.restart = type;
      BOOST_REQUIRE(ask<caf::actor>("/root", supervisor_verb::start_child(std::move(spec)))->operator bool());
    }
    kept[type] = argument.use_count() - 1;
  }
  BOOST_TEST(kept[restart_type::temporary] == 0);
  BOOST_TEST(kept[restart_type::permanent] >= 100);
  const auto spec = **ask<std::shared_ptr<const child_spec>>("/root", supervisor_verb::get_child_spec("temporary7"));
  BOOST_TEST((spec->restart == restart_type::temporary));
}

BOOST_AUTO_TEST_SUITE_END()
