// SPDX-License-Identifier: BSL-1.0
#include "../violation.hpp"
#include "supervisors/builder.hpp"
#include "trees.hpp"

#include <boost/test/unit_test.hpp>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

child_spec changed(void (*change)(child_spec&)) {
  auto spec = leaf("a");
  change(spec);
  return supervisor("top", {std::move(spec)});
}

std::vector<dependency> after(std::string id, dependency_state when = dependency_state::started) {
  return {{std::move(id), when}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(specs)

BOOST_AUTO_TEST_CASE(S064_a_sound_tree_has_no_faults) {
  BOOST_TEST(faults_of(supervisor(
                 "top", {leaf("a"), supervisor("b", {leaf("a")}), dynamic("c", child_spec(leaf("")))})) == "");
}

BOOST_AUTO_TEST_CASE(S060_each_fault_of_one_child_has_its_own_error_with_the_value) {
  BOOST_TEST(faults_of(supervisor("top", {leaf("")})) == "Y22 /top/* id: a child needs an `id`\n");
  BOOST_TEST(faults_of(supervisor("top", {leaf("x/y")})) ==
             "Y26 /top/x/y id: id `x/y`: an id can't contain `/`, which separates the ids of a path\n");
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.what = {}; })) ==
             "Y34 /top/a kind: a child needs exactly one of `kind`, `children` and `child`\n");
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.what = function_child{}; })) ==
             "Y34 /top/a : the start function is empty\n");
  BOOST_TEST(faults_of(supervisor("top", {leaf("a"), leaf("a")})) ==
             "Y31 /top/a id: duplicate id `a`: ids must differ among siblings\n");
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.restart = static_cast<restart_type>(9); })) ==
             "Y24 /top/a restart: 9 is not a value of `restart`\n");
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.shutdown = shutdown_limit(-5ms); })) ==
             "Y25 /top/a shutdown: `shutdown` is negative: -5ms\n");
  auto top = supervisor("top", {});
  children_of(top).strategy = static_cast<strategy>(7);
  children_of(top).period = 0s;
  BOOST_TEST(faults_of(top) ==
             "Y24 /top strategy: 7 is not a value of `strategy`\nY26 /top period: `period` must be longer than 0\n");
}

// More, added to a clock's time, would be a time in the past.
BOOST_AUTO_TEST_CASE(S060_no_time_is_longer_than_100_years_but_infinity) {
  constexpr duration most = std::chrono::hours(876'600);
  const auto with = [](duration time) {
    auto child = leaf("a");
    child.shutdown = shutdown_limit(time);
    child.start_timeout = time;
    return faults_of(supervisor("top", {child}));
  };
  BOOST_TEST(with(most) == "");
  BOOST_TEST(with(infinite) == "");
  BOOST_TEST(with(most + 1ns) ==
             "Y25 /top/a shutdown: `shutdown` is too long: at most 100 years\n"
             "Y25 /top/a start_timeout: `start_timeout` is too long: at most 100 years\n");
  const auto faults = check({supervisor("top", {}), infinite - 1ns}, {});
  BOOST_REQUIRE(faults.size() == 1U);
  BOOST_TEST(faults[0].text == "`shutdown.budget` is too long: at most 100 years");
}

BOOST_AUTO_TEST_CASE(S060_the_second_of_two_equal_ids_names_the_first) {
  const auto faults = check({supervisor("top", {leaf("a"), supervisor("b", {leaf("x")}), leaf("a")})}, {});
  BOOST_REQUIRE(faults.size() == 1U);
  BOOST_TEST(faults[0].node == 4U);
  BOOST_CHECK(faults[0].notes == (std::vector<spec_note>{{{1, "id"}, "`a` is first used here"}}));
}

BOOST_AUTO_TEST_CASE(S061_a_significant_child_is_not_permanent) {
  auto top = changed([](child_spec& s) { s.significant = true; });
  children_of(top).auto_shutdown = auto_shutdown::any_significant;
  BOOST_TEST(faults_of(top) ==
             "Y39 /top/a significant: a significant child must be transient or temporary: a permanent one never ends "
             "for good\n");
  children_of(top).children[0].restart = restart_type::transient;
  BOOST_TEST(faults_of(top) == "");
}

BOOST_AUTO_TEST_CASE(S062_a_significant_child_needs_auto_shutdown) {
  auto top = changed([](child_spec& s) { s.significant = true, s.restart = restart_type::temporary; });
  BOOST_TEST(
      faults_of(top) ==
      "Y39 /top/a significant: significant children need a supervisor whose `auto_shutdown` is any_significant or "
      "all_significant\n");
}

BOOST_AUTO_TEST_CASE(S063_a_dynamic_supervisor_has_neither_significant_children_nor_auto_shutdown) {
  auto model = leaf("w");
  model.significant = true;
  auto top = dynamic("top", model);
  std::get<dynamic_supervisor>(top.what).auto_shutdown = auto_shutdown::all_significant;
  BOOST_TEST(
      faults_of(top) ==
      "Y40 /top auto_shutdown: a dynamic supervisor has no significant children, so `auto_shutdown` can't be set\n"
      "Y40 /top/w significant: children of a dynamic supervisor can't be significant\n");
}

BOOST_AUTO_TEST_CASE(S065_all_valid_cells_are_accepted_and_no_other) {
  const std::vector<std::optional<shutdown_limit>> limits = {shutdown_limit(0ms), shutdown_limit(1000ms),
                                                             shutdown_limit::infinity(), shutdown_limit::brutal_kill(),
                                                             std::nullopt};
  std::size_t accepted = 0;
  for (auto restart : {restart_type::permanent, restart_type::transient, restart_type::temporary}) {
    for (const auto& limit : limits) {
      for (bool is_supervisor : {false, true}) {
        for (bool significant : {false, true}) {
          for (auto mode : {auto_shutdown::never, auto_shutdown::any_significant, auto_shutdown::all_significant}) {
            auto child = is_supervisor ? supervisor("a", {}) : leaf("a");
            child.restart = restart;
            child.shutdown = limit;
            child.significant = significant;
            auto top = supervisor("top", {child});
            children_of(top).auto_shutdown = mode;
            const bool is_valid = !significant || (restart != restart_type::permanent && mode != auto_shutdown::never);
            const auto faults = faults_of(top);
            BOOST_TEST(faults.empty() == is_valid,
                       to_string(restart) << " " << significant << " " << to_string(mode) << ": " << faults);
            accepted += faults.empty() ? 1 : 0;
          }
        }
      }
    }
  }
  BOOST_TEST(accepted == 130U);  // 90 that are not significant, and 2 · 5 · 2 · 2 that are
}

BOOST_AUTO_TEST_CASE(S122_a_cycle_is_reported_with_its_full_path) {
  auto top = supervisor("top", {leaf_after("a", after("b")), leaf_after("b", after("c")), leaf_after("c", after("a")),
                                leaf_after("d", after("a"))});
  children_of(top).start = start_mode::graph;
  BOOST_TEST(faults_of(top) == "Y35 /top/a after[0].id: dependency cycle: a -> b -> c -> a\n");
}

BOOST_AUTO_TEST_CASE(S123_a_dependency_on_an_unknown_a_disabled_or_a_foreign_child_is_reported) {
  auto off = leaf("off");
  off.enabled = false;
  BOOST_TEST(faults_of(supervisor("top", {leaf("store"), off, supervisor("b", {leaf("inner")}),
                                          leaf_after("x", {{"stor"}, {"off"}, {"inner"}})})) ==
             "Y32 /top/x after[0].id: unknown dependency `stor`; did you mean `store`?\n"
             "Y36 /top/x after[1].id: `off` is disabled, so nothing can start after it\n"
             "Y36 /top/x after[2].id: `inner` is not a sibling: `after` names children of the same supervisor\n");
}

BOOST_AUTO_TEST_CASE(Y21_neither_a_root_nor_a_template_can_be_disabled) {
  auto off = leaf("off");
  off.enabled = false;
  BOOST_TEST(faults_of(supervisor("top", {off})).empty());
  BOOST_TEST(faults_of(off) == "Y21 /off enabled: the root can't be disabled: disable what is below it\n");
  off.id.clear();
  child_spec pool;
  pool.id = "pool";
  dynamic_supervisor any;
  any.child = std::make_shared<const child_spec>(off);
  pool.what = any;
  BOOST_TEST(faults_of(pool) ==
             "Y21 /pool/* enabled: the template of a dynamic supervisor can't be disabled: disable the supervisor\n");
}

BOOST_AUTO_TEST_CASE(R22_ordered_children_wait_for_earlier_ones_only) {
  auto top = supervisor("top", {leaf_after("a", after("b")), leaf("b")});
  BOOST_TEST(
      faults_of(top) ==
      "Y37 /top/a after[0].id: `b` comes later, and `start: ordered` follows the order of the file: move it up, or use "
      "`start: graph`\n");
  children_of(top).start = start_mode::graph;
  BOOST_TEST(faults_of(top) == "");
  children_of(top).strategy = strategy::rest_for_one;
  BOOST_TEST(faults_of(top) ==
             "Y37 /top strategy: under `start: graph` there is no order of which a rest could be restarted\n");
}

BOOST_AUTO_TEST_CASE(R23_nobody_waits_for_the_completion_of_a_permanent_child) {
  auto top = supervisor("top", {leaf("a"), leaf_after("b", after("a", dependency_state::completed))});
  BOOST_TEST(faults_of(top) ==
             "Y38 /top/b after[0].when: `a` is permanent and never completes: make it transient or temporary\n");
  children_of(top).children[0].restart = restart_type::transient;
  BOOST_TEST(faults_of(top) == "");
}

BOOST_AUTO_TEST_CASE(R13_a_drain_lies_inside_the_shutdown) {
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.drain = 5s; })) == "");
  BOOST_TEST(faults_of(changed([](child_spec& s) { s.drain = 5001ms; })) ==
             "Y42 /top/a drain: `drain` (5001ms) is longer than `shutdown` (5s), in which it must end\n");
}

BOOST_AUTO_TEST_CASE(R21_the_budget_covers_the_worst_stop_path_to_the_nanosecond) {
  const auto tree = [](bool is_graph) {
    auto top = supervisor("top", {leaf("a"), leaf_after("b", after("a")), leaf("c")});
    children_of(top).start = is_graph ? start_mode::graph : start_mode::ordered;
    return top;
  };
  BOOST_TEST(faults_of(tree(false), {}, 16s) == "");
  BOOST_TEST(
      faults_of(tree(false), {}, 16s - 1ns) ==
      "Y41  shutdown.budget: the shutdown budget (15999999999ns) is shorter than the worst stop path: /top/c 5s + "
      "/top/b 5s + /top/a 5s + kill_grace 1s = 16s\n");
  BOOST_TEST(faults_of(tree(true), {}, 11s) == "");
  BOOST_TEST(
      faults_of(tree(true), {}, 10s) ==
      "Y41  shutdown.budget: the shutdown budget (10s) is shorter than the worst stop path: /top/b 5s + /top/a 5s + "
      "kill_grace 1s = 11s\n");
}

BOOST_AUTO_TEST_CASE(arguments_are_checked_by_their_kind) {
  child_catalog catalog;
  child_kind kind;
  kind.name = "demo";
  kind.args = {{"port", arg_type::integer, true, {}, {}}, {"rate", arg_type::real, false, 1.5, {}}};
  kind.start = no_start();
  catalog.add(kind);
  BOOST_CHECK_THROW(catalog.add(kind), std::invalid_argument);
  const auto with = [](arg_map args, std::string name = "demo") {
    child_spec spec;
    spec.id = "a";
    spec.what = kind_child{std::move(name), std::move(args)};
    return supervisor("top", {spec});
  };
  BOOST_TEST(faults_of(with({{"port", 1}}), catalog) == "");
  BOOST_TEST(faults_of(with({{"prt", 1}}), catalog) ==
             "Y33 /top/a args.port: `demo` needs the argument `port`, a whole number\n"
             "Y33 /top/a args.prt: `demo` has no argument `prt`; did you mean `port`?\n");
  BOOST_TEST(faults_of(with({{"port", "x"}}), catalog) == "Y33 /top/a args.port: `port` must be a whole number\n");
  BOOST_TEST(faults_of(with({}, "dmeo"), catalog) == "Y32 /top/a kind: unknown kind `dmeo`; did you mean `demo`?\n");
  std::vector<arg_fault> faults;
  const auto args = check_args(*catalog.find("demo"), {{"port", 1}, {"rate", 2}}, faults);
  BOOST_TEST(args.get<double>("rate") == 2.0);
  BOOST_TEST(check_args(*catalog.find("demo"), {{"port", 1}}, faults).get<double>("rate") == 1.5);
}

BOOST_AUTO_TEST_CASE(durations_are_spelt_in_the_largest_unit_that_leaves_a_whole_number) {
  BOOST_TEST(to_string(duration(0)) == "0s");
  BOOST_TEST(to_string(duration(1500ms)) == "1500ms");
  BOOST_TEST(to_string(duration(90s)) == "90s");
  BOOST_TEST(to_string(duration(2h)) == "2h");
  BOOST_TEST(to_string(duration(1001ns)) == "1001ns");
  BOOST_TEST(to_string(infinite) == "infinity");
  BOOST_TEST(to_string(shutdown_limit::brutal_kill()) == "brutal_kill");
}

BOOST_AUTO_TEST_CASE(arguments_keep_to_the_ranges_and_words_that_their_kind_declares) {
  child_kind kind;
  kind.name = "k";
  kind.args = {{.name = "port", .type = arg_type::integer, .least = 1, .most = 9},
               {.name = "depth", .type = arg_type::integer, .least = 0},
               {.name = "level", .type = arg_type::string, .words = {"info", "debug"}},
               {.name = "limits", .type = arg_type::integer_map, .most = 5, .words = {"files", "threads"}}};
  bool asked = false;
  kind.check = [&](const child_args&) {
    asked = true;
    return std::vector<arg_fault>{};
  };
  const auto faults_of = [&](const arg_map& given) {
    std::vector<arg_fault> faults;
    check_args(kind, given, faults);
    std::vector<std::string> all;
    for (const auto& fault : faults)
      all.push_back(fault.name + ": " + fault.text);
    return all;
  };
  using texts = std::vector<std::string>;
  BOOST_TEST(faults_of({{"port", 10}, {"depth", -1}, {"level", "inf"}}) ==
                 (texts{"port: `port` must be 1 to 9, not 10", "depth: `depth` must be 0 or more, not -1",
                        "level: `level` can't be `inf`; did you mean `info`?"}),
             boost::test_tools::per_element());
  BOOST_TEST(faults_of({{"limits", arg_map{{"file", 1}, {"threads", 6}}}}) ==
                 (texts{"limits: `limits` has no `file`; did you mean `files`?",
                        "limits: `threads` must be 5 or less, not 6"}),
             boost::test_tools::per_element());
  BOOST_TEST(!asked);  // the kind's own rules read only what has passed
  BOOST_TEST(faults_of({{"port", 9}, {"depth", 0}, {"level", "debug"}, {"limits", arg_map{{"files", 5}}}}).empty());
  BOOST_TEST(asked);
}

BOOST_AUTO_TEST_CASE(what_is_said_of_a_child_before_there_is_one_calls_the_handler) {
  BOOST_TEST(test::is_violation([] { one_for_one().shutdown(1s); }));
  BOOST_TEST(!test::is_violation([] { one_for_one().child_started_by("a", no_start()).shutdown(1s); }));
}

BOOST_AUTO_TEST_CASE(an_argument_that_is_not_there_calls_the_handler_where_it_must_be_there) {
  const child_args args{{{"port", std::int64_t{80}}}};
  BOOST_TEST(args.get<std::int64_t>("port") == 80);
  BOOST_TEST((args.find<std::int64_t>("host") == nullptr));
  BOOST_TEST(test::is_violation([&] { static_cast<void>(args.get<std::int64_t>("host")); }));
}

BOOST_AUTO_TEST_SUITE_END()
