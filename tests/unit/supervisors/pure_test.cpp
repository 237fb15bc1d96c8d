// SPDX-License-Identifier: BSL-1.0
#include "supervisors/backoff.hpp"
#include "supervisors/restart_intensity.hpp"
#include "supervisors/restart_plan.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

using namespace libactor;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(pure)

// The naive model keeps every restart there ever was.
BOOST_AUTO_TEST_CASE(S084_the_sliding_window_agrees_with_a_naive_count) {
  std::mt19937 random{20260101};
  for (int round = 0; round != 200; ++round) {
    const std::uint32_t intensity = random() % 5;
    const duration period{1 + random() % 1000};
    restart_intensity window{intensity, period};
    std::vector<time_point> admitted;
    time_point now{};
    for (int i = 0; i != 200; ++i) {
      now += duration{random() % 400};
      std::uint32_t recent = 0;
      for (const auto at : admitted)
        recent += now - at < period ? 1 : 0;
      const bool expected = recent < intensity;
      BOOST_REQUIRE(window.admit(now) == expected);
      if (expected)
        admitted.push_back(now);
    }
  }
}

BOOST_AUTO_TEST_CASE(S095_backoff_grows_by_its_factor_up_to_max_and_resets) {
  backoff delays{{.min = 100ms, .max = 1s, .factor = 2, .jitter = 0, .reset_after = 5s}, 1};
  const std::vector<duration> expected{100ms, 200ms, 400ms, 800ms, 1s, 1s};
  for (const auto delay : expected)
    BOOST_TEST((delays.next(0s) == delay));
  BOOST_TEST((delays.next(5s - 1ns) == 1s));
  BOOST_TEST((delays.next(5s) == 100ms));
}

BOOST_AUTO_TEST_CASE(S095_jitter_stays_within_its_fraction_and_uses_it) {
  duration least = 1h;
  duration most{};
  backoff delays{{.min = 1s, .max = 1s, .factor = 1, .jitter = 0.2, .reset_after = 1h}, 7};
  for (int i = 0; i != 10000; ++i) {
    const auto delay = delays.next(0s);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  BOOST_TEST((least >= 800ms && least < 810ms));
  BOOST_TEST((most <= 1200ms && most > 1190ms));
}

BOOST_AUTO_TEST_CASE(S080_S081_S082_each_strategy_names_who_is_affected) {
  for (std::size_t other = 0; other != 5; ++other) {
    BOOST_TEST(restart_affects(strategy::one_for_one, 2, other) == (other == 2));
    BOOST_TEST(restart_affects(strategy::one_for_all, 2, other));
    BOOST_TEST(restart_affects(strategy::rest_for_one, 2, other) == (other >= 2));
  }
}

BOOST_AUTO_TEST_SUITE_END()
