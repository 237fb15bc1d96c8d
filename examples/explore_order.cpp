// SPDX-License-Identifier: BSL-1.0
// A first test of order: does the store always outlive those that use it, whenever the tree is stopped?
#include "supervisors/builder.hpp"
#include "supervisors/testkit/explore.hpp"

#include <iostream>

using namespace libactor;
using namespace libactor::testkit;

namespace {

caf::behavior store(worker*) {
  return {[](int key) { return key * 10; }};
}

/// Takes a moment to end.
caf::behavior api(worker* self) {
  self->on_down_signal(
      [self](const down_signal&) { self->after(std::chrono::milliseconds(200), [self] { self->finish(); }); });
  return {[](int) {}};
}

}  // namespace

int main() {
  const auto tree = one_for_one().child("store", store).child("api", api).tree();
  const auto result = explore({}, [&](trial& t) {
    t.must(happens_before({happening::started, "/root/store"}, {happening::start_asked, "/root/api"}));
    t.must(happens_before({happening::stopped, "/root/api"}, {happening::stop_asked, "/root/store"}));
    t.must(never({happening::killed, "*"}));
    t.must(everything_stopped());
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(tree);
    t.run_until_ended(std::chrono::hours(1));
  });
  std::cout << result.to_text() << '\n';
  return result ? 0 : 1;
}
