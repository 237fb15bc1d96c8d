// SPDX-License-Identifier: BSL-1.0
// A ledger of leaks; an embedder without the layer has no such program.
#include <supervisors/leak_event.hpp>
#include <supervisors/observe/leaks.hpp>
#include <supervisors/observe/ledger.hpp>

#include <filesystem>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  std::filesystem::remove(argv[1]);
  {
    const auto sink = *libactor::observe::ledger::open(argv[1]);
    libactor::leak_event leak;
    leak.record = 1;
    leak.path = "/shop/api";
    libactor::event what;
    what.kind = leak.kind;
    what.path = leak.path;
    what.leak = std::make_shared<const libactor::leak_event>(leak);
    sink->on_event(what);
  }
  const auto report = libactor::observe::read_leaks(argv[1]);
  std::cout << (report ? as_text(*report) : "can't be read");
  return report && report->records == 1 ? 0 : 1;
}
