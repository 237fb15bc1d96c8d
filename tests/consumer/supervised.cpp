// SPDX-License-Identifier: BSL-1.0
// A tree, and a second one that never meets it.
#include <libactor/actor/scheduler.hpp>
#include <supervisors/builder.hpp>
#include <supervisors/runtime.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <iostream>

namespace {

using namespace std::chrono_literals;

caf::behavior echo(libactor::worker*) {
  return {[](int x) { return x; }};
}

}  // namespace

int main() {
  caf::actor_system_config config;
  libactor::configure(config);
  caf::actor_system system{config};
  libactor::runtime one{system};
  libactor::runtime two{system};
  const auto tree = libactor::one_for_one().child("echo", echo).tree(30s);
  if (one.start(tree) || two.start(tree))
    return 1;
  const auto report = one.stop();
  std::cout << to_string(report);
  return report.clean() && two.find("/root/echo") && two.stop().clean() ? 0 : 1;
}
