// SPDX-License-Identifier: BSL-1.0
// Faults on purpose: each worker of a tree may be well, end by itself, be slow to stop or ignore its stop, one at a
// time or together, and the tree must stop in order and in time, whatever they do.
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"

#include <iostream>
#include <map>
#include <string>

using namespace libactor;
using namespace libactor::testkit;
using namespace std::chrono_literals;

namespace {

tree_spec tree() {
  auto root = rest_for_one();
  root.child_started_by("store", a_double()).shutdown(2s);
  root.child_started_by("api", a_double()).shutdown(2s);
  return root.tree();
}

exploration explore_tree(duration limit, std::uint64_t faults) {
  explore_options options;
  options.max_faults = faults;
  return explore(options, [=](trial& t) {
    std::map<std::string, fault> like;
    for (const auto& path : workers_of(tree())) {
      for (const auto what : {fault::exits, fault::slow_to_stop, fault::ignores_down_signal}) {
        if (const auto chosen = maybe(t, what, path); chosen != fault::none) {
          like[path] = chosen;
          break;
        }
      }
    }
    t.must(no_leaks());
    t.must(within(limit, {happening::stop_asked, "/root"}, {happening::stopped, "/root"}));
    t.start(with_doubles(tree(), like));
    t.stop();
    t.run_until_ended(1h);
  });
}

}  // namespace

int main() {
  std::cout << "at most one fault, 2 s: " << explore_tree(2s, 1).to_text() << '\n';
  std::cout << "any faults, 4 s: " << explore_tree(4s, 2).to_text() << '\n';
  const auto late = explore_tree(3s, 2);
  std::cout << "any faults, 3 s: " << late.to_text() << '\n';
  if (late.failed)
    std::cout << late.failed->text;
  return 0;
}
