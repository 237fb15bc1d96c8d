// SPDX-License-Identifier: BSL-1.0
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

/// Messages that were handled from the start to where all children had started, and from there to the end.
struct cost {
  std::uint64_t start = 0;
  std::uint64_t stop = 0;
};

cost of_static(std::size_t n, start_mode mode) {
  world w;
  auto group = one_for_one("group");
  group.start_order(mode);
  for (std::size_t i = 0; i != n; ++i)
    group.child(std::to_string(i), ordinary);
  const auto began = w.steps();
  w.start_ok(one_for_one().child(group).tree());
  const auto started = w.steps();
  w.stop();
  BOOST_TEST(w.runtime().wait_ended(0s));
  return {started - began, w.steps() - started};
}

cost of_dynamic(std::size_t n) {
  world w;
  w.start_ok(one_for_one().dynamic("pool", worker_spec("w", ordinary)).tree());
  const auto pool = w.runtime().supervisor("/root/pool")->handle();
  const auto began = w.steps();
  for (std::size_t i = 0; i != n; ++i)
    caf::anon_send(pool, supervisor_verb::start_child());
  w.settle();
  BOOST_TEST(w.ask<child_counts>("/root/pool", supervisor_verb::count_children()).value()->active == n);
  const auto started = w.steps();
  w.stop();
  BOOST_TEST(w.runtime().wait_ended(0s));
  return {started - began, w.steps() - started};
}

void is_constant(const char* what, std::uint64_t at_1000, std::uint64_t at_10000) {
  const auto few = static_cast<double>(at_1000) / 1000;
  const auto many = static_cast<double>(at_10000) / 10000;
  BOOST_TEST_MESSAGE(what << ": " << few << " and " << many << " messages a child");
  BOOST_TEST(few >= 1, what << ": nothing was counted");
  // What does not depend on the number of children is a few messages in all.
  BOOST_TEST(std::abs(few - many) < 0.02, what << ": " << few << ", then " << many);
  BOOST_TEST(many < 4, what << ": " << many);
}

void compare(const std::string& what, const cost& few, const cost& many) {
  is_constant((what + " start").c_str(), few.start, many.start);
  is_constant((what + " stop").c_str(), few.stop, many.stop);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cost_of_children)

BOOST_AUTO_TEST_CASE(S113_messages_handled_per_child_are_constant_from_1000_to_10000_children) {
  compare("ordered", of_static(1000, start_mode::ordered), of_static(10000, start_mode::ordered));
  compare("graph", of_static(1000, start_mode::graph), of_static(10000, start_mode::graph));
  compare("dynamic", of_dynamic(1000), of_dynamic(10000));
}

BOOST_AUTO_TEST_SUITE_END()
