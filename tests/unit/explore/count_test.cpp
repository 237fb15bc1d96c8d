// SPDX-License-Identifier: BSL-1.0
// What the engine counts: programs whose number of different orders is known.
#include "bounds.hpp"
#include "programs.hpp"

#include <map>
#include <set>

using namespace libactor;
using namespace libactor::tests;

namespace {

constexpr std::array reductions{reduction::none, reduction::sleep_sets, reduction::source_dpor};

}  // namespace

BOOST_AUTO_TEST_SUITE(counts)

BOOST_AUTO_TEST_CASE(n_children_that_quit_under_one_monitor_have_n_factorial_orders_none_twice) {
  for (const auto& [n, orders] : std::map<int, std::uint64_t>{{3, 6}, {5, 120}, {7, 5040}}) {
    if (in_part && n == 7)
      continue;
    std::map<std::vector<caf::actor_id>, int> seen;
    const auto result = explore({}, [&, n = n](trial& t) { ++seen[ends_under_a_monitor(t, n)]; });
    BOOST_TEST(result.exhausted, result.to_text());
    BOOST_TEST(result.schedules == orders, n << ": " << result.to_text());
    BOOST_TEST(seen.size() == orders);
    BOOST_TEST(std::all_of(seen.begin(), seen.end(), [](const auto& one) { return one.second == 1; }));
    BOOST_TEST_MESSAGE(n << ": " << result.to_text() << ", " << result.given_up << " given up");
  }
}

BOOST_AUTO_TEST_CASE(readers_have_two_to_the_n_orders) {
  for (const int n : {1, 2, 5, 8}) {
    const auto result = explore({}, [&](trial& t) { readers(t, n); });
    BOOST_TEST(result.exhausted);
    BOOST_TEST(result.schedules == (1U << n), n << ": " << result.to_text());
  }
}

BOOST_AUTO_TEST_CASE(lastzero_has_its_published_number_of_orders) {
  for (const auto& [n, orders] : std::map<int, std::uint64_t>{{5, 64}, {10, 3328}}) {
    if (in_part && n == 10)
      continue;
    const auto result = explore({}, [n = n](trial& t) { lastzero(t, n); });
    BOOST_TEST(result.exhausted);
    BOOST_TEST(result.schedules == orders, n << ": " << result.to_text() << " " << result.given_up);
    BOOST_TEST_MESSAGE(n << ": " << result.to_text() << ", " << result.given_up << " given up");
  }
}

BOOST_AUTO_TEST_CASE(indexer_has_its_published_number_of_orders) {
  for (const auto& [n, orders] : std::map<int, std::uint64_t>{{11, 1}, {12, 8}, {13, 64}}) {
    const auto result = explore({}, [n = n](trial& t) { indexer(t, n); });
    BOOST_TEST(result.exhausted);
    BOOST_TEST(result.schedules == orders, n << ": " << result.to_text() << " " << result.given_up);
  }
}

BOOST_AUTO_TEST_CASE(file_system_has_its_published_number_of_orders) {
  for (const auto& [n, orders] : std::map<int, std::uint64_t>{{13, 1}, {14, 2}, {16, 8}, {18, 32}}) {
    const auto result = explore({}, [n = n](trial& t) { file_system(t, n); });
    BOOST_TEST(result.exhausted);
    BOOST_TEST(result.schedules == orders, n << ": " << result.to_text() << " " << result.given_up);
  }
}

// A random program of three threads over two variables, and every outcome that any order of its steps has.
BOOST_AUTO_TEST_CASE(what_a_reduction_leaves_out_has_no_outcome_of_its_own) {
  for (unsigned seed = 0; seed != (in_part ? 4 : 25); ++seed) {
    std::array<std::set<lines>, reductions.size()> outcomes;
    std::array<std::uint64_t, reductions.size()> schedules{};
    for (std::size_t i = 0; i != reductions.size(); ++i) {
      explore_options options;
      options.reduce = reductions[i];
      const auto result = explore(options, [&](trial& t) { outcomes[i].insert(random_program(t, seed)); });
      BOOST_TEST(result.exhausted, result.to_text());
      schedules[i] = result.schedules;
    }
    BOOST_TEST(outcomes[0] == outcomes[1]);
    BOOST_TEST(outcomes[0] == outcomes[2]);
    BOOST_TEST(schedules[1] == schedules[2], "seed " << seed << ": " << schedules[1] << " and " << schedules[2]);
    BOOST_TEST(schedules[0] >= schedules[1]);
  }
}

BOOST_AUTO_TEST_SUITE_END()
