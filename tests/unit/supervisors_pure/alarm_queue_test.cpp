// SPDX-License-Identifier: BSL-1.0
#include "alarm_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <set>
#include <utility>

using namespace libactor;

BOOST_AUTO_TEST_SUITE(alarm_queues)

// Mostly later than those before, as a supervisor's are, and now and then earlier, or at the same time.
BOOST_AUTO_TEST_CASE(alarms_come_by_time_and_of_those_due_together_in_the_order_in_which_they_were_set) {
  std::mt19937_64 random{7};
  alarm_queue alarms;
  std::set<std::pair<time_point, std::uint64_t>> model;
  std::int64_t latest = 0;
  for (int step = 0; step != 200'000; ++step) {
    // Long stretches that grow are followed by ones that shrink, down to nothing.
    if (model.empty() || random() % 100 < (step / 1000 % 2 == 0 ? 60U : 40U)) {
      latest += static_cast<std::int64_t>(random() % 3);
      const auto back = random() % 8 == 0 ? static_cast<std::int64_t>(random() % 50) : 0;
      const time_point at{duration{latest - back}};
      const auto number = alarms.add(at, 1, alarm_action::kill);
      BOOST_REQUIRE(model.emplace(at, number).second);
    } else {
      BOOST_REQUIRE(!alarms.empty());
      const auto& first = alarms.earliest();
      BOOST_REQUIRE(std::pair(first.at, first.number) == *model.begin());
      alarms.pop();
      model.erase(model.begin());
    }
    BOOST_REQUIRE(alarms.empty() == model.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
