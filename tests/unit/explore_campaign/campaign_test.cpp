// SPDX-License-Identifier: BSL-1.0
// Our own supervisor: every strategy and restart type with one fault anywhere, and a stop at any time, in every order
// that makes a difference; where that is too much for the time it has, a sample by PCT beside. A cell is one strategy,
// one restart type, one fault and one shape of tree. CI takes some of the cells, and little time for each;
// LIBACTOR_CAMPAIGN=minutes takes all of them, and that many minutes. LIBACTOR_CELLS=text only those that contain it.
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

using namespace libactor;
using namespace libactor::tests;
using namespace libactor::testkit;

namespace {

enum class shape { one_level, two_levels };

struct cell {
  strategy how;
  restart_type restart;
  fault what;
  shape form;

  std::string name() const {
    return std::string(to_string(how)) + " " + to_string(restart) + " " + to_string(what) +
           (form == shape::one_level ? " one level" : " two levels");
  }
};

std::vector<cell> all_cells() {
  std::vector<cell> all;
  for (const auto form : {shape::one_level, shape::two_levels}) {
    for (const auto how :
         {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one, strategy::one_for_dependents}) {
      for (const auto restart : {restart_type::permanent, restart_type::transient, restart_type::temporary}) {
        for (auto what = 1; what <= static_cast<int>(fault::fails_after_first_start); ++what)
          all.push_back({how, restart, static_cast<fault>(what), form});
      }
    }
  }
  return all;
}

/// Three workers: below the root, or one there and two below a supervisor beside it.
tree_spec tree_of(const cell& of) {
  auto worker = [&](supervisor_builder& in, const char* id) {
    in.child(id, ordinary).restart(of.restart).shutdown(2s).start_timeout(3s);
  };
  auto root = supervisor_builder(of.how);
  root.intensity(1, 5s);
  worker(root, "a");
  if (of.form == shape::one_level) {
    worker(root, "b");
    root.after("a");
    worker(root, "c");
    if (of.what == fault::never_ready)
      root.awaits_ready();
  } else {
    auto group = supervisor_builder(of.how, "group");
    group.intensity(1, 5s);
    worker(group, "b");
    worker(group, "c");
    group.after("b");
    root.child(group).restart(of.restart);
  }
  return root.tree();
}

property everything_stopped_or_abandoned(const std::map<std::string, fault>& like) {
  const bool stuck = std::any_of(like.begin(), like.end(), [](const auto& one) { return one.second == fault::stuck; });
  if (!stuck)
    return everything_stopped();
  return {"everything_stopped, save what is stuck", [like](const history& of) -> std::optional<finding> {
            if (!of.tree_ended)
              return finding{"the tree has not ended", {}, {}};
            for (std::size_t i = 0; i != of.all.size(); ++i) {
              const auto who = like.find(of.all[i].path);
              if (of.all[i].what == happening::leaked && (who == like.end() || who->second != fault::stuck))
                return finding{of.all[i].path + " lives", {}, i};
            }
            return std::nullopt;
          }};
}

exploration explore_cell(const cell& of, explore_options options) {
  options.name = of.name();
  const auto tree = tree_of(of);
  const auto workers = workers_of(tree);
  return explore(options, [&, of](trial& t) {
    const auto where = workers[t.choose(workers.size(), "where")];
    t.must(everything_stopped_or_abandoned({{where, of.what}}));
    if (of.what != fault::stuck)
      t.must(never({happening::abandoned, "*"}));
    if (of.what != fault::stuck && of.what != fault::ignores_down_signal && of.what != fault::never_ready)
      t.must(never({happening::killed, "*"}));
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(with_doubles(tree, {{where, of.what}}));
    t.run_until_ended(1h);
    // A tree that gave up, or never came up, has ended before it was asked to.
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(campaign)

BOOST_AUTO_TEST_CASE(T040_our_supervisor_keeps_the_default_properties_with_one_fault_anywhere) {
  const char* minutes = std::getenv("LIBACTOR_CAMPAIGN");
  const char* wanted = std::getenv("LIBACTOR_CELLS");
  auto cells = all_cells();
  BOOST_TEST(cells.size() == 2 * 4 * 3 * 12);
  explore_options options;
  options.threads = 2;
  if (minutes != nullptr) {
    // Half of it for what is exhausted fast is never used; the rest has three times its share.
    options.max_time = std::chrono::milliseconds(std::atol(minutes) * 60'000L / static_cast<long>(cells.size()));
  } else {
    // A slice that is the same each time: every other cell.
    std::size_t number = 0;
    std::erase_if(cells, [&](const auto&) { return number++ % 2 != 0; });
    options.max_time = 400ms;
  }
  if (wanted != nullptr)
    std::erase_if(cells, [&](const auto& one) { return one.name().find(wanted) == std::string::npos; });
  std::size_t exhausted = 0;
  std::uint64_t schedules = 0;
  for (const auto& one : cells) {
    auto result = explore_cell(one, options);
    std::string beside;
    if (!result.exhausted && !result.failed) {
      auto sample = options;
      sample.mode = search_mode::pct;
      sample.max_schedules = minutes != nullptr ? 5000 : 200;
      auto sampled = explore_cell(one, sample);
      beside = "; " + sampled.to_text();
      schedules += sampled.schedules;
      if (sampled.failed)
        result = std::move(sampled);
    }
    exhausted += result.exhausted ? 1 : 0;
    schedules += result.schedules;
    BOOST_TEST(!result.failed, one.name() << ": " << result.to_text());
    if (result.failed)
      std::cout << result.failed->token << '\n' << result.failed->text;
    if (minutes != nullptr || result.failed)
      std::cout << one.name() << ": " << result.to_text() << beside << std::endl;
  }
  std::cout << cells.size() << " cells, " << exhausted << " of them exhausted, " << schedules << " schedules\n";
}

// Seven workers on three levels, up to two of which have a fault: more orders than anybody can try.
BOOST_AUTO_TEST_CASE(T041_larger_trees_keep_the_default_properties_in_a_sample) {
  const bool all = std::getenv("LIBACTOR_CAMPAIGN") != nullptr;
  for (const auto how :
       {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one, strategy::one_for_dependents}) {
    for (const auto restart : {restart_type::permanent, restart_type::transient, restart_type::temporary}) {
      auto inner = supervisor_builder(how, "inner");
      inner.intensity(1, 5s).child("e", ordinary).restart(restart).shutdown(2s);
      inner.child("f", ordinary).restart(restart).shutdown(2s).after("e");
      auto outer = supervisor_builder(how, "outer");
      outer.intensity(1, 5s)
          .child("c", ordinary)
          .restart(restart)
          .shutdown(2s)
          .child(inner)
          .restart(restart)
          .after("c");
      outer.child("d", ordinary).restart(restart).shutdown(2s);
      auto root = supervisor_builder(how);
      root.intensity(2, 5s).child("a", ordinary).restart(restart).shutdown(2s).start_timeout(3s);
      root.child("b", ordinary).restart(restart).shutdown(2s).start_timeout(3s).after("a");
      root.child(outer).restart(restart).child("g", ordinary).restart(restart).shutdown(2s);
      const auto tree = root.tree();
      explore_options options;
      options.name = std::string(to_string(how)) + " " + to_string(restart);
      options.mode = search_mode::pct;
      options.pct_depth = 4;
      options.threads = 2;
      options.max_schedules = all ? 20'000 : 150;
      const auto result = explore(options, [&](trial& t) {
        std::map<std::string, fault> like;
        const auto workers = workers_of(tree);
        for (int i = 0; i != 2; ++i)
          like[workers[t.choose(workers.size(), "where")]] =
              static_cast<fault>(t.choose(static_cast<std::size_t>(fault::fails_after_first_start) + 1, "what"));
        t.must(everything_stopped_or_abandoned(like));
        t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
        t.start(with_doubles(tree, like));
        t.run_until_ended(1h);
      });
      BOOST_TEST(!result.failed, options.name << ": " << result.to_text());
      if (result.failed)
        std::cout << result.failed->token << '\n' << result.failed->text;
      if (all)
        std::cout << options.name << ", seven workers: " << result.to_text() << std::endl;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
