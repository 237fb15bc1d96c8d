// SPDX-License-Identifier: BSL-1.0
// A bug that a test finds only by luck, and how it looks when every order is tried: a cache writes what it holds to the
// store when it is stopped, but nothing says that it needs the store. With that edge, the store is still asked to end
// when the last write stands unread in its mailbox: it has to drain. With both, every order is right.
#include "supervisors/builder.hpp"
#include "supervisors/testkit/explore.hpp"
#include "supervisors/testkit/replay.hpp"

#include <iostream>

using namespace libactor;
using namespace libactor::testkit;

namespace {

/// Keeps what it is sent.
caf::behavior store(worker*, shared<int> kept) {
  return {[kept](int value) { kept.write(value); }};
}

/// Sends what it holds to the store, and ends.
caf::behavior cache(worker* self, caf::actor to) {
  self->on_down_signal([self, to](const down_signal&) {
    self->send(to, 42);
    self->finish();
  });
  return {[](double) {}};
}

tree_spec tree_of(const shared<int>& kept, bool with_edge, bool with_drain) {
  auto root = one_for_one().start_order(start_mode::graph);
  root.child("store", store, kept);
  if (with_drain)
    root.drain(std::chrono::seconds(1));
  root.child_started_by("cache", [](child_start& start) -> caf::expected<started_child> {
    auto to = start.ref("/root/store");
    if (!to)
      return to.error();
    return start.spawn(cache, *to);
  });
  if (with_edge)
    root.after("store");
  return root.tree();
}

auto body_of(bool with_edge, bool with_drain) {
  return [=](trial& t) {
    const shared<int> kept{t, 0};
    t.start(tree_of(kept, with_edge, with_drain));
    t.stop();
    t.run_until_ended(std::chrono::hours(1));
    t.expect(kept.read() == 42, "what the cache held is in the store");
  };
}

}  // namespace

int main() {
  explore_options options;
  options.name = "the cache is written back";
  options.default_properties = false;
  const auto broken = explore(options, body_of(false, false));
  std::cout << "as it was: " << broken.to_text() << '\n';
  if (!broken.failed)
    return 1;
  std::cout << broken.failed->text;
  const auto again = replay(broken.failed->token, body_of(false, false), options);
  std::cout << "its token again: " << (again.failed ? again.failed->what : "holds") << '\n';
  std::cout << "with `after: store`: " << explore(options, body_of(true, false)).to_text() << '\n';
  const auto mended = explore(options, body_of(true, true));
  std::cout << "with `drain: 1s`, too: " << mended.to_text() << '\n';
  return mended ? 0 : 1;
}
