// SPDX-License-Identifier: BSL-1.0
// What a child costs, counted in messages: the same, however many siblings it has.
#include "libactor/actor/worker.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/testkit/world.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>

#include <cmath>

using namespace libactor;

namespace {

caf::behavior idle(worker*) {
  return {[](int) {}};
}

struct steps {
  double start = 0;
  double stop = 0;
};

// Messages that all actors together handle, by child.
steps of_static(std::uint64_t n) {
  testkit::world w;
  auto tree = one_for_one();
  for (std::uint64_t i = 0; i != n; ++i)
    tree.child(std::to_string(i), idle);
  steps taken;
  auto before = w.scheduler().steps();
  BOOST_REQUIRE(!*w.start(tree.tree()));
  taken.start = static_cast<double>(w.scheduler().steps() - before) / static_cast<double>(n);
  before = w.scheduler().steps();
  w.stop();
  BOOST_REQUIRE(w.runtime().wait_ended(duration{}));
  taken.stop = static_cast<double>(w.scheduler().steps() - before) / static_cast<double>(n);
  return taken;
}

steps of_dynamic(std::uint64_t n) {
  testkit::world w;
  BOOST_REQUIRE(!*w.start(one_for_one().dynamic("pool", worker_spec("w", idle)).tree()));
  const auto pool = w.runtime().supervisor("/root/pool")->handle();
  steps taken;
  auto before = w.scheduler().steps();
  for (std::uint64_t i = 0; i != n; ++i)
    caf::anon_send(pool, supervisor_verb::start_child());
  w.settle();
  taken.start = static_cast<double>(w.scheduler().steps() - before) / static_cast<double>(n);
  before = w.scheduler().steps();
  w.stop();
  BOOST_REQUIRE(w.runtime().wait_ended(duration{}));
  taken.stop = static_cast<double>(w.scheduler().steps() - before) / static_cast<double>(n);
  return taken;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cost)

BOOST_AUTO_TEST_CASE(S113_messages_a_child_are_constant_from_1000_to_10000_children) {
  for (const auto& count : {of_static, of_dynamic}) {
    const auto few = count(1000);
    const auto many = count(10000);
    BOOST_TEST_MESSAGE("messages a child: start " << few.start << " and " << many.start << ", stop " << few.stop
                                                  << " and " << many.stop);
    // The tree's own few messages are spread over more children.
    BOOST_TEST(std::abs(few.start - many.start) < 0.05);
    BOOST_TEST(std::abs(few.stop - many.stop) < 0.05);
    BOOST_TEST(many.start < 4.1);
    BOOST_TEST(many.stop < 4.1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
