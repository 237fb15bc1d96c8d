// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "counter_clock.hpp"

#include <random>

using namespace libactor;
using namespace libactor::test;
using detail::counter_clock;

BOOST_AUTO_TEST_SUITE(counter_clocks)

// A processor whose counter runs at `hz`, and a kernel that slews its clock against it by up to 500 ppm.
struct machine {
  explicit machine(double hz, std::uint64_t seed) : ticks_a_ns(hz / 1e9), random(seed) {}
  void pass(double ns) {
    ticks += ns * ticks_a_ns;
    time += ns * (1 + slew);
  }
  void slew_anew() { slew = std::uniform_real_distribution{-5e-4, 5e-4}(random); }
  std::uint64_t counter() const { return static_cast<std::uint64_t>(ticks); }
  std::int64_t clock() const { return static_cast<std::int64_t>(time); }

  double ticks_a_ns;
  std::mt19937_64 random;
  double slew = 0;
  double ticks = 1e15;
  double time = 5e12;
};

BOOST_AUTO_TEST_CASE(C048_a_time_from_the_counter_is_never_before_the_clocks_and_at_most_23_us_after) {
  for (const double hz : {6e8, 2.45e9, 5.7e9}) {
    machine m{hz, 42};
    counter_clock clock;
    std::int64_t worst = 0;
    std::size_t answers = 0;
    for (int i = 0; i != 100'000; ++i) {
      if (i % 500 == 0)
        m.slew_anew();
      // The reading is up to half a microsecond early, and sometimes much too late.
      const auto counter = m.counter();
      m.pass(static_cast<double>(m.random() % 490));
      clock.publish(counter, m.clock());
      m.pass(m.random() % 100 == 0 ? 5e7 : 1e6 + static_cast<double>(m.random() % 7'000'000));
      if (const auto at = clock.at(m.counter()); at != counter_clock::unknown) {
        ++answers;
        BOOST_REQUIRE_GE(at, m.clock());
        worst = std::max(worst, at - m.clock());
      }
    }
    BOOST_TEST(answers > 50'000u);
    BOOST_TEST(worst <= 23'000);
    BOOST_TEST(worst > 5'000);
  }
}

BOOST_AUTO_TEST_CASE(C048_a_counter_that_was_not_read_of_late_or_jumps_is_not_believed) {
  machine m{2.45e9, 1};
  counter_clock clock;
  BOOST_TEST(clock.at(m.counter()) == counter_clock::unknown);
  clock.publish(m.counter(), m.clock());
  BOOST_TEST(clock.at(m.counter()) == counter_clock::unknown);  // one reading says no rate
  m.pass(2e6);
  clock.publish(m.counter(), m.clock());
  BOOST_TEST(clock.at(m.counter()) != counter_clock::unknown);
  BOOST_TEST(clock.at(m.counter() - 1) == counter_clock::unknown);  // another machine's, after a move
  BOOST_TEST(clock.at(m.counter() + (1ULL << 40)) == counter_clock::unknown);
  m.pass(8e6 + 100);
  BOOST_TEST(clock.at(m.counter()) == counter_clock::unknown);
  m.ticks += 1e12;  // suspended: the counter went on, the clock did not
  BOOST_TEST(clock.at(m.counter()) == counter_clock::unknown);
  clock.publish(m.counter(), m.clock());
  BOOST_TEST(clock.at(m.counter()) == counter_clock::unknown);
  m.pass(2e6);
  clock.publish(m.counter(), m.clock());
  BOOST_TEST(clock.at(m.counter()) != counter_clock::unknown);
}

BOOST_AUTO_TEST_CASE(C048_a_rate_that_changed_at_once_is_not_believed_until_it_holds) {
  for (const double jump : {-2e4, 2e4}) {  // ticks, of 4.9 million between two readings
    machine m{2.45e9, 2};
    counter_clock clock;
    const auto believed_after_reading = [&] {
      m.pass(2e6);
      clock.publish(m.counter(), m.clock());
      return clock.at(m.counter()) != counter_clock::unknown;
    };
    clock.publish(m.counter(), m.clock());
    BOOST_TEST(believed_after_reading());
    BOOST_TEST(believed_after_reading());
    m.ticks += jump;  // the reader has moved to a processor that counts from elsewhere
    BOOST_TEST(!believed_after_reading());
    BOOST_TEST(!believed_after_reading());  // this rate is right, but not that before
    BOOST_TEST(believed_after_reading());
  }
}

// Derives so fast that the runtime's thread publishes the time, and so that the counter is used where it can be
// trusted.
BOOST_AUTO_TEST_CASE(C048_timeouts_set_in_a_rush_are_not_early_on_the_steady_clock) {
  context_runtime runtime;
  const auto until = runtime.now() + 30ms;
  for (;;) {
    const auto before = runtime.now();
    auto one = with_timeout(runtime.background(), 1h);
    const auto after = runtime.now();
    BOOST_REQUIRE((*one.ctx().deadline() >= before + 1h));
    BOOST_REQUIRE((*one.ctx().deadline() <= after + 1h + 23us));
    if (after > until)
      break;
  }
}

BOOST_AUTO_TEST_SUITE_END()
