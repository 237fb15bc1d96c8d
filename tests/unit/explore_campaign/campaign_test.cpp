// SPDX-License-Identifier: BSL-1.0
// Our own supervisor: every strategy and restart type with one fault anywhere, and a stop at any time, in every order
// that makes a difference; where that is too much for the time there is, a sample by PCT beside. A cell is one
// strategy, one restart type, one fault and one shape of tree. What is taken of them, the environment says:
//
//   LIBACTOR_SLICE=seconds     as many cells as that time allows, in an order that LIBACTOR_SEED gives (a number; 1);
//                              without it, some seconds of them
//   LIBACTOR_CAMPAIGN=minutes  all, and more time for those that need it
//   LIBACTOR_CELLS=text        only cells whose name contains it
#include "../explore/bounds.hpp"
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

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

using real_clock = std::chrono::steady_clock;

long number_in(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == '\0' ? otherwise : std::atol(text);
}

/// What is done, and how long there is for it.
class campaign {
 public:
  explicit campaign(std::chrono::milliseconds limit) : ends_(real_clock::now() + limit) {}

  std::chrono::milliseconds left() const {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(ends_ - real_clock::now()), 1ms);
  }
  bool is_over() const { return real_clock::now() >= ends_; }

  /// Whether it needs no more time: every order was tried, or a fault was found.
  bool take(const cell& one, std::chrono::milliseconds limit) {
    explore_options options;
    options.threads = 2;
    options.max_time = std::min(limit, left());
    return note(one, explore_cell(one, options));
  }
  void sample(const cell& one, std::uint64_t runs, std::uint64_t seed) {
    explore_options options;
    options.threads = 2;
    options.mode = search_mode::pct;
    options.seed = seed;
    options.max_schedules = runs;
    options.max_time = left();
    note(one, explore_cell(one, options));
  }
  /// What came of it, in one line.
  std::string total(std::size_t of) const {
    return std::to_string(taken_.size()) + " of " + std::to_string(of) + " cells, " + std::to_string(exhausted_) +
           " of them exhausted, " + std::to_string(schedules_) + " schedules";
  }

 private:
  bool note(const cell& one, const exploration& result) {
    taken_.insert(one.name());
    schedules_ += result.schedules;
    exhausted_ += result.exhausted ? 1 : 0;
    BOOST_TEST(!result.failed, one.name() << ": " << result.to_text());
    std::cout << one.name() << ": " << result.to_text() << '\n';
    if (result.failed)
      std::cout << result.failed->token << '\n' << result.failed->text;
    std::cout << std::flush;
    return result.exhausted || result.failed;
  }

  const real_clock::time_point ends_;
  std::set<std::string> taken_;
  std::size_t exhausted_ = 0;
  std::uint64_t schedules_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(campaign_)

BOOST_AUTO_TEST_CASE(our_supervisor_keeps_the_default_properties_with_one_fault_anywhere) {
  auto cells = all_cells();
  BOOST_TEST(cells.size() == 2 * 4 * 3 * 12);
  if (const char* wanted = std::getenv("LIBACTOR_CELLS"))
    std::erase_if(cells, [&](const auto& one) { return one.name().find(wanted) == std::string::npos; });
  const auto minutes = number_in("LIBACTOR_CAMPAIGN", 0);
  const auto seed = static_cast<std::uint64_t>(number_in("LIBACTOR_SEED", 1));
  if (minutes == 0) {
    const std::chrono::seconds slice{number_in("LIBACTOR_SLICE", in_part ? 2 : 4)};
    std::cout << "a slice of " << slice.count() << " s, LIBACTOR_SEED=" << seed << '\n';
    // The standard's shuffle is not the same everywhere.
    std::mt19937_64 random{seed};
    for (auto i = cells.size(); i > 1; --i)
      std::swap(cells[i - 1], cells[random() % i]);
    campaign work{slice};
    for (const auto& one : cells) {
      if (work.is_over())
        break;
      if (!work.take(one, slice / 12) && !work.is_over())
        work.sample(one, 200, seed);
    }
    std::cout << work.total(cells.size()) << '\n';
    return;
  }
  // First what is exhausted soon; the others share the time that is left, and are sampled besides.
  campaign work{std::chrono::minutes(minutes)};
  std::vector<cell> large;
  for (const auto& one : cells) {
    if (!work.take(one, 4s))
      large.push_back(one);
  }
  std::cout << large.size() << " cells need more time\n";
  for (auto left = large.size(); left != 0; --left) {
    const auto& one = large[left - 1];
    if (!work.take(one, work.left() / static_cast<long>(left)))
      work.sample(one, 5000, seed);
  }
  std::cout << work.total(cells.size()) << '\n';
}

// Seven workers on three levels, up to two of which have a fault: more orders than anybody can try.
BOOST_AUTO_TEST_CASE(larger_trees_keep_the_default_properties_in_a_sample) {
  const bool all = number_in("LIBACTOR_CAMPAIGN", 0) != 0;
  const auto slice = number_in("LIBACTOR_SLICE", 0);
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
      options.seed = static_cast<std::uint64_t>(number_in("LIBACTOR_SEED", 1));
      options.max_schedules = all ? 20'000 : slice != 0 ? 10'000 : in_part ? 20 : 150;
      options.max_time = std::chrono::milliseconds(1000 * slice / 120);
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
