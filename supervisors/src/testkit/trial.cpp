// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/trial.hpp"

#include "testkit/run_control.hpp"
#include "testkit/step_watch.hpp"
#include "testkit/world_scheduler.hpp"

namespace libactor::testkit {

trial::trial(run_control& by) : world(by), by_(by) {}

trial::~trial() = default;

std::size_t trial::choose(std::size_t alternatives, std::string_view what) {
  return by_.choose_for_body(alternatives, what);
}

bool trial::maybe(std::string_view fault) { return by_.maybe(fault); }

void trial::at_any_time(std::string name, std::function<void()> act) {
  by_.mention(name);
  const auto who = steps_by().add_act(std::move(act));
  seen().name(who, std::move(name));
}

void trial::expect(bool holds, std::string_view what) {
  if (!holds)
    by_.fail("expect", std::string(what));
}

void trial::touch(step_watch& seen, std::uint64_t variable, bool writes) {
  seen.touch(variable, writes ? deed::write : deed::read);
}

}  // namespace libactor::testkit
