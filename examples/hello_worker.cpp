// SPDX-License-Identifier: BSL-1.0
// A program of its own that embeds the library: a tree of one worker, which crashes and comes back.
#include <libactor/actor/scheduler.hpp>
#include <supervisors/builder.hpp>
#include <supervisors/runtime.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace libactor;
using namespace std::chrono_literals;

// A worker's body looks like that of any CAF actor. Its context ends when the supervisor asks it to stop.
caf::behavior greeter(worker* self, const std::string& greeting) {
  self->on_down_signal([self](const down_signal& signal) {
    std::cout << "greeter stops: " << signal.cause.text() << '\n';
    self->finish(caf::exit_reason::user_shutdown);
  });
  return {[greeting](const std::string& name) {
    if (name.empty())
      throw std::invalid_argument("nobody to greet");
    return greeting + ", " + name + "!";
  }};
}

int main() {
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system system{cfg};
  runtime tree{system};
  if (auto error = tree.start(one_for_one("hello").child("greeter", greeter, std::string("Hello")).tree(10s))) {
    std::cerr << "did not start: " << describe(error) << '\n';
    return 1;
  }
  caf::scoped_actor self{system};
  auto greet = [&](const std::string& name) {
    self->request(*tree.find("/hello/greeter"), 5s, name)
        .receive([](const std::string& words) { std::cout << words << '\n'; },
                 [](const caf::error& e) { std::cout << "no greeting: " << describe(e) << '\n'; });
  };
  greet("world");
  greet("");  // the worker crashes, and its supervisor starts it again
  const auto hello = *tree.supervisor("/hello");
  while (hello.which_children()->front().incarnation < 2)
    continue;  // each question waits for the supervisor's answer
  greet("again");
  const auto report = tree.stop({}, cause("the show is over"));
  for (const auto& child : report.children)
    std::cout << child.path << ": " << child.reason << '\n';
  return report.clean() ? 0 : 1;
}
