// SPDX-License-Identifier: BSL-1.0
// The pure parts against naive models that were written from the rules, not from the code: 100,000 random trees and
// sequences of events each. A failure prints the seed; LIBACTOR_SEED repeats it.
#include "spec_walk.hpp"
#include "supervisors/backoff.hpp"
#include "supervisors/restart_intensity.hpp"
#include "supervisors/restart_plan.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 100000;

std::uint64_t first_seed() {
  const char* given = std::getenv("LIBACTOR_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// Calls `round(random)` with a seed of its own each, which is printed when the round fails.
template <class Round>
void each_round(Round round) {
  const auto first = first_seed();
  BOOST_TEST_MESSAGE("first seed " << first);
  for (int i = 0; i != rounds; ++i) {
    std::mt19937_64 random{first + static_cast<std::uint64_t>(i)};
    BOOST_TEST_INFO("LIBACTOR_SEED=" << first + static_cast<std::uint64_t>(i));
    if (!round(random)) {
      BOOST_ERROR("LIBACTOR_SEED=" << first + static_cast<std::uint64_t>(i) << " repeats the failure");
      return;
    }
  }
}

struct edge {
  std::size_t from, to;  // `to` depends on `from`
};

// Edges lead from earlier to later places only, as `check` demands in order; in any direction where `cycles`.
std::vector<edge> random_edges(std::mt19937_64& random, std::size_t n, bool any_direction) {
  std::vector<edge> edges;
  if (n < 2)
    return edges;
  for (std::size_t i = random() % (2 * n); i-- > 0;) {
    auto from = random() % n;
    auto to = random() % n;
    if (from == to)
      continue;
    if (!any_direction && from > to)
      std::swap(from, to);
    edges.push_back({from, to});
  }
  return edges;
}

// Who depends on `from`, over any number of edges: by Warshall's closure of the whole relation.
std::vector<std::vector<bool>> closure(std::size_t n, const std::vector<edge>& edges) {
  std::vector<std::vector<bool>> reaches(n, std::vector<bool>(n));
  for (const auto& e : edges)
    reaches[e.from][e.to] = true;
  for (std::size_t via = 0; via != n; ++via) {
    for (std::size_t i = 0; i != n; ++i) {
      for (std::size_t j = 0; j != n; ++j) {
        if (reaches[i][via] && reaches[via][j])
          reaches[i][j] = true;
      }
    }
  }
  return reaches;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(property)

// OTP's words, one by one: one_for_one: "only that process"; one_for_all: "all"; rest_for_one: "the rest of the child
// processes (that is, the child processes after the terminated one in start order)"; one_for_dependents: it and those
// that depend on it, transitively.
BOOST_AUTO_TEST_CASE(S080_S081_S082_S124_the_plan_of_a_restart_agrees_with_a_naive_model) {
  each_round([](std::mt19937_64& random) {
    const std::size_t n = 1 + random() % 8;
    const auto edges = random_edges(random, n, true);
    const auto depends = closure(n, edges);
    const auto how = static_cast<strategy>(random() % 4);
    const std::size_t failed = random() % n;
    std::vector<plan_sibling> siblings(n);
    for (auto& sibling : siblings) {
      sibling.alive = random() % 2 == 0;
      sibling.restarting = !sibling.alive && random() % 2 == 0;
      sibling.returns = random() % 4 != 0;
    }
    siblings[failed].alive = false;
    for (const auto& e : edges)
      siblings[e.from].needed_by.push_back(e.to);

    std::vector<std::size_t> stops;
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i != n; ++i) {
      const bool rest = how == strategy::rest_for_one && i > failed;
      const bool all = how == strategy::one_for_all;
      const bool dependent = how == strategy::one_for_dependents && depends[failed][i];
      if (i == failed) {
        starts.push_back(i);
      } else if (rest || all || dependent) {
        if (siblings[i].alive)
          stops.push_back(i);
        if (siblings[i].returns && (siblings[i].alive || siblings[i].restarting))
          starts.push_back(i);
      }
    }
    const restart_plan expected{stops, starts};
    const auto plan = plan_restart(how, failed, siblings);
    BOOST_TEST((plan == expected));
    return plan == expected;
  });
}

// "More than `intensity` restarts within `period`": the naive model keeps every restart there ever was.
BOOST_AUTO_TEST_CASE(S084_the_window_of_restarts_agrees_with_a_naive_count) {
  each_round([](std::mt19937_64& random) {
    const auto intensity = static_cast<std::uint32_t>(random() % 6);
    const duration period{1 + static_cast<std::int64_t>(random() % 1000)};
    restart_intensity window{intensity, period};
    std::vector<time_point> counted;
    time_point now{};
    for (int i = 0; i != 40; ++i) {
      now += duration{static_cast<std::int64_t>(random() % 3 == 0 ? 0 : random() % 400)};
      if (random() % 50 == 0) {
        window.clear();
        counted.clear();
      }
      const auto recent =
          std::count_if(counted.begin(), counted.end(), [&](time_point at) { return now - at < period; });
      const bool expected = recent < static_cast<std::ptrdiff_t>(intensity);
      if (window.admit(now) != expected) {
        BOOST_ERROR("restart " << i << " was " << (expected ? "refused" : "admitted"));
        return false;
      }
      if (expected)
        counted.push_back(now);
    }
    return true;
  });
}

BOOST_AUTO_TEST_CASE(S093_a_million_restarts_within_one_period_are_counted_one_by_one) {
  restart_intensity window{1000000, 1h};
  time_point now{};
  for (int i = 0; i != 1000000; ++i) {
    if (!window.admit(now += 1us)) {
      BOOST_ERROR("restart " << i << " was refused");
      break;
    }
  }
  BOOST_TEST(!window.admit(now));
}

// min · factorⁿ⁻¹ for the n-th in a row, at most max, ± jitter; after a run of `reset_after` the row begins anew.
BOOST_AUTO_TEST_CASE(S095_backoff_agrees_with_its_formula) {
  each_round([](std::mt19937_64& random) {
    std::uniform_real_distribution<double> unit(0, 1);
    backoff_spec spec;
    spec.min = duration{1 + static_cast<std::int64_t>(random() % 1000000000)};
    spec.max = spec.min + duration{static_cast<std::int64_t>(random() % 100000000000)};
    spec.factor = 1 + unit(random) * 9;
    spec.jitter = random() % 3 == 0 ? 0 : unit(random);
    if (random() % 2 == 0)
      spec.reset_after = duration{1 + static_cast<std::int64_t>(random() % 1000000000)};
    const auto reset_after = spec.reset_after.value_or((spec.min + spec.max) / 2);
    backoff delays{spec, random()};
    int in_a_row = 0;
    for (int i = 0; i != 20; ++i) {
      const duration ran{
          static_cast<std::int64_t>(random() % (2 * static_cast<std::uint64_t>(reset_after.count()) + 2))};
      in_a_row = ran >= reset_after + 1ns ? 1 : (ran < reset_after - 1ns ? in_a_row + 1 : 0);
      const auto delay = static_cast<double>(delays.next(in_a_row == 0 ? reset_after * 2 : ran).count());
      in_a_row = std::max(in_a_row, 1);
      const auto base = std::min(static_cast<double>(spec.min.count()) * std::pow(spec.factor, in_a_row - 1),
                                 static_cast<double>(spec.max.count()));
      const auto slack = 2 + base * 1e-9;  // ns: rounding
      if (delay < base * (1 - spec.jitter) - slack || delay > base * (1 + spec.jitter) + slack) {
        BOOST_ERROR("delay " << delay << " ns for the " << in_a_row << ". in a row, expected " << base << " ns ± "
                             << spec.jitter);
        return false;
      }
    }
    return true;
  });
}

BOOST_AUTO_TEST_CASE(S095_the_longest_backoff_fits_a_duration) {
  backoff delays{{.min = infinite - 1ns, .max = infinite - 1ns, .factor = 1, .jitter = 1, .reset_after = {}}, 1};
  for (int i = 0; i != 1000; ++i)
    BOOST_REQUIRE((delays.next(0s) >= 0s));
}

// A graph starts whoever has nothing left to wait for, the earliest in the file first; what is in a cycle, or waits
// for one, never starts.
BOOST_AUTO_TEST_CASE(S121_S122_the_order_of_a_graph_agrees_with_a_naive_model) {
  each_round([](std::mt19937_64& random) {
    const std::size_t n = 1 + random() % 9;
    const auto edges = random_edges(random, n, random() % 2 == 0);
    std::vector<child_spec> children(n);
    for (std::size_t i = 0; i != n; ++i)
      children[i].id = "c" + std::to_string(i);
    for (const auto& e : edges)
      children[e.to].after.push_back({children[e.from].id});

    const auto depends = closure(n, edges);
    std::vector<std::size_t> expected;
    std::set<std::size_t> begun;
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i != n && !more; ++i) {
        const bool free = std::all_of(edges.begin(), edges.end(),
                                      [&](const edge& e) { return e.to != i || begun.count(e.from) != 0; });
        if (free && begun.insert(i).second) {
          expected.push_back(i);
          more = true;
        }
      }
    }
    // The model itself: exactly those are left out that are in a cycle or come after one.
    for (std::size_t i = 0; i != n; ++i) {
      bool stuck = depends[i][i];
      for (std::size_t j = 0; j != n; ++j)
        stuck = stuck || (depends[j][j] && depends[j][i]);
      if (stuck == (begun.count(i) != 0)) {
        BOOST_ERROR("the model is wrong about " << i);
        return false;
      }
    }
    const auto order = graph_order(children);
    BOOST_TEST(order == expected, boost::test_tools::per_element());
    return order == expected;
  });
}

BOOST_AUTO_TEST_SUITE_END()
