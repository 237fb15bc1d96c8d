// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/explore.hpp"

#include <unistd.h>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace actortree {

namespace {

using namespace libactor;
using namespace libactor::testkit;

// What one of the workers may be like, with all others well.
constexpr fault faults[] = {fault::none, fault::exits, fault::throws_in_handler, fault::slow_to_stop,
                            fault::ignores_down_signal};

std::string words_of(fault what) {
  switch (what) {
    case fault::none:
      return "all are well";
    case fault::exits:
      return "one ends by itself";
    case fault::throws_in_handler:
      return "one fails";
    case fault::slow_to_stop:
      return "one is slow to stop";
    case fault::ignores_down_signal:
      return "one ignores its stop";
    default:
      return to_string(what);
  }
}

exploration explore_with(const explore_options& how, const tree_spec& tree, const child_catalog& catalog, fault what) {
  const auto workers = workers_of(tree);
  return explore(how, [&, what](trial& t) {
    std::map<std::string, fault> faults;
    if (what != fault::none && !workers.empty())
      faults.emplace(workers[t.choose(workers.size(), "which worker")], what);
    t.must(everything_stopped());
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(with_doubles(tree, faults), catalog);
    t.run_until_ended(std::chrono::hours(1000));
  });
}

}  // namespace

int explore(const explore_tree_options& options) {
  const auto catalog = built_in_kinds();
  const auto tree = load(options.file, catalog);
  if (!tree)
    return bad_file;
  explore_options how;
  how.seed = options.seed;
  how.threads = 2;
  const auto end = std::chrono::steady_clock::now() + std::min<duration>(options.max_time, std::chrono::hours(10'000));
  // Of what is left, one part in so many; what one does not use goes to the later ones.
  const auto share = [&end](std::size_t parts) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    return std::max(left / static_cast<long>(parts), std::chrono::milliseconds(1));
  };
  if (::isatty(STDERR_FILENO) == 1)
    how.progress = &std::cerr;
  std::cout << options.file << ": " << workers_of(*tree).size() << " workers, stopped at any time\n";
  for (auto left = std::size(faults); left != 0; --left) {
    const auto what = faults[std::size(faults) - left];
    const auto slice = share(left);
    how.mode = search_mode::exhaustive;
    how.max_schedules = 0;
    how.max_time = slice / 4 * 3 + std::chrono::milliseconds(1);
    auto result = explore_with(how, *tree, catalog, what);
    std::string text = result.failed ? std::string() : result.to_text();
    if (!result.failed && !result.exhausted) {
      how.mode = search_mode::pct;
      how.max_schedules = 1000;
      how.max_time = slice / 4 + std::chrono::milliseconds(1);
      result = explore_with(how, *tree, catalog, what);
      text += "; " + result.to_text();
    }
    if (!result.failed) {
      std::cout << "  " << words_of(what) << ": " << text << "\n";
      continue;
    }
    const auto& why = *result.failed;
    std::cout << "  " << words_of(what) << ": an order in which this does not hold: " << why.property << "\n"
              << "    " << why.what << "\n\n"
              << why.text;
    return found;
  }
  std::cout << "no order was found in which it stops wrongly, or not at all\n";
  return ok;
}

}  // namespace actortree
