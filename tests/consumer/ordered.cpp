// SPDX-License-Identifier: BSL-1.0
// A test of order without any test framework: its result is the program's exit status.
#include <supervisors/builder.hpp>
#include <supervisors/testkit/doubles.hpp>
#include <supervisors/testkit/explore.hpp>
#include <supervisors/testkit/replay.hpp>

#include <chrono>
#include <iostream>

using namespace libactor;
using namespace libactor::testkit;

namespace {

auto body_of(start_mode order) {
  return [order](trial& t) {
    auto root = one_for_one().start_order(order);
    root.child_started_by("store", a_double()).child_started_by("api", a_double());
    t.must(happens_before({happening::stopped, "/root/api"}, {happening::stop_asked, "/root/store"}));
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(root.tree());
    t.run_until_ended(std::chrono::hours(1));
  };
}

}  // namespace

int main() {
  const auto right = explore({}, body_of(start_mode::ordered));
  const auto wrong = explore({}, body_of(start_mode::graph));
  std::cout << right.to_text() << '\n' << wrong.to_text() << '\n';
  return right.exhausted && wrong.failed && replay(wrong.failed->token, body_of(start_mode::graph)).failed ? 0 : 1;
}
