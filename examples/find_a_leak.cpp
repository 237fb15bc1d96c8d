// SPDX-License-Identifier: BSL-1.0
// Two workers wait for a printer that is off. The watchdog names them, the ledger keeps what it says, and the report
// says that it is one and the same fault.
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/worker.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/observe/leaks.hpp"
#include "supervisors/observe/ledger.hpp"
#include "supervisors/runtime.hpp"

#include <unistd.h>
#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <filesystem>
#include <iostream>
#include <thread>

struct print_order {
  int number = 0;
};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(print_order)

namespace {

using namespace libactor;
using namespace std::chrono_literals;

// Returns once the printer says something, which it does not while it is off.
[[gnu::noinline]] bool wait_for_the_printer(int printer) {
  char answer = 0;
  return ::read(printer, &answer, 1) == 1;
}

caf::behavior clerk(worker*, int printer) {
  return {[printer](const print_order&) { wait_for_the_printer(printer); }};
}

// Reads the ledger until `is_there` of what it holds.
template <class Condition>
observe::leak_report wait_for_leaks(const std::string& file, Condition is_there) {
  for (;;) {
    if (auto report = observe::read_leaks(file); report && is_there(*report))
      return *report;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

int main() {
  const auto file = (std::filesystem::temp_directory_path() / ("find_a_leak-" + std::to_string(::getpid()))).string();
  int printer[2];
  if (::pipe(printer) != 0)
    return 1;
  {
    const auto ledger = *observe::ledger::open(file);
    caf::actor_system_config cfg;
    configure(cfg);
    caf::actor_system system{cfg};
    runtime tree{system, {.sinks = {ledger}}};
    if (auto error = tree.start(one_for_one("shop")
                                    .watch_all({.stuck_after = 100ms})
                                    .child("till", clerk, printer[0])
                                    .child("office", clerk, printer[0])
                                    .tree(30s))) {
      std::cerr << "did not start: " << describe(error) << '\n';
      return 1;
    }
    for (const auto* path : {"/shop/till", "/shop/office"})
      caf::anon_send(*tree.find(path), print_order{7});
    wait_for_leaks(file, [](const auto& all) { return all.records == 2; });
    std::cout << "two handlers are stuck; the printer is switched on\n";
    if (::write(printer[1], "ok", 2) != 2)
      return 1;
    wait_for_leaks(file, [](const auto& all) { return all.groups.size() == 1 && all.groups[0].open == 0; });
    std::cout << (tree.stop().clean() ? "the tree has stopped in order\n" : "the tree did not stop in order\n");
  }
  // Later, in another program, on another day: `actortree leaks FILE` prints all of it.
  const auto report = *observe::read_leaks(file);
  for (const auto& culprit : report.groups) {
    std::cout << culprit.records << " x " << culprit.kind << ", " << culprit.doing.at(0).first << ", at a "
              << culprit.messages.at(0).first << '\n';
    for (const auto& frame : culprit.stack) {
      if (frame.find("wait_for_the_printer") != std::string::npos)
        std::cout << "  in " << frame.substr(frame.find("wait_for_the_printer"), 20) << '\n';
    }
    std::vector<std::string> paths;
    for (const auto& [path, records] : culprit.paths)
      paths.push_back(path);
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths)
      std::cout << "  " << path << '\n';
    std::cout << "  outcome: " << culprit.outcomes.at(0).first << '\n';
  }
  for (const auto* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(file + suffix);
}
