// SPDX-License-Identifier: BSL-1.0
#include "testkit/run_control.hpp"

#include <stdexcept>
#include <utility>

namespace libactor::testkit {

std::size_t run_control::choose(std::span<const process> enabled, bool idle) {
  if (steps_ == options_.max_steps)
    throw run_is_over{run_is_over::why::too_long};
  const auto index = by_.choose(enabled, idle);
  if (enabled.size() > 1) {
    if (index != 0)
      taken_.steps.push_back({decisions_, static_cast<std::uint32_t>(index)});
    ++decisions_;
  }
  return index;
}

std::size_t run_control::pick(std::size_t alternatives) {
  const auto index = by_.pick(alternatives);
  taken_.choices.push_back(static_cast<std::uint32_t>(index));
  return index;
}

void run_control::stepped(const step_record& step) {
  ++steps_;
  by_.stepped(step);
}

std::size_t run_control::choose_for_body(std::size_t alternatives, std::string_view what) {
  if (alternatives == 0)
    throw std::logic_error("a choice needs an alternative");
  mention(what);
  mention(std::to_string(alternatives));
  return alternatives == 1 ? 0 : pick(alternatives);
}

bool run_control::maybe(std::string_view fault) {
  mention(fault);
  if (faults_ == options_.max_faults) {
    ++faults_left_out_;
    return false;
  }
  const bool yes = pick(2) == 1;
  faults_ += yes ? 1 : 0;
  return yes;
}

void run_control::fail(std::string property, std::string what) {
  failed_ = failure{std::move(property), std::move(what), {}, steps_};
  throw run_is_over{run_is_over::why::failed};
}

// FNV-1a, 64 bits.
void run_control::mention(std::string_view words) {
  auto add = [this](unsigned char one) {
    fingerprint_ ^= one;
    fingerprint_ *= 0x100000001b3;
  };
  for (const char one : words)
    add(static_cast<unsigned char>(one));
  add(0);
}

}  // namespace libactor::testkit
