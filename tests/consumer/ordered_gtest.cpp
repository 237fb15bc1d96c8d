// SPDX-License-Identifier: BSL-1.0
// The same kit under GoogleTest.
#include <supervisors/builder.hpp>
#include <supervisors/testkit/doubles.hpp>
#include <supervisors/testkit/explore.hpp>

#include <gtest/gtest.h>

#include <chrono>

using namespace libactor;
using namespace libactor::testkit;

namespace {

tree_spec tree() {
  return one_for_one().child_started_by("store", a_double()).child_started_by("api", a_double()).tree();
}

TEST(order, api_has_ended_before_store_is_asked_to) {
  const auto result = explore({}, [](trial& t) {
    t.must(happens_before({happening::stopped, "/root/api"}, {happening::stop_asked, "/root/store"}));
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(tree());
    t.run_until_ended(std::chrono::hours(1));
  });
  EXPECT_TRUE(result.exhausted) << result.to_text();
}

TEST(order, a_failure_prints_what_happened) {
  const auto result = explore({}, [](trial& t) {
    t.must(never({happening::stopped, "/root/api"}));
    t.start(tree());
    t.stop();
  });
  ASSERT_TRUE(result.failed);
  EXPECT_NE(result.failed->text.find(">>"), std::string::npos) << result.failed->text;
}

}  // namespace
