// SPDX-License-Identifier: BSL-1.0
#include "supervisors/child_spec.hpp"

#include "supervisors/tree_spec.hpp"

namespace libactor {

const char* to_string(strategy x) noexcept {
  switch (x) {
    case strategy::one_for_one:
      return "one_for_one";
    case strategy::one_for_all:
      return "one_for_all";
    case strategy::rest_for_one:
      return "rest_for_one";
    case strategy::one_for_dependents:
      return "one_for_dependents";
  }
  return "?";
}

const char* to_string(restart_type x) noexcept {
  switch (x) {
    case restart_type::permanent:
      return "permanent";
    case restart_type::transient:
      return "transient";
    case restart_type::temporary:
      return "temporary";
  }
  return "?";
}

const char* to_string(auto_shutdown x) noexcept {
  switch (x) {
    case auto_shutdown::never:
      return "never";
    case auto_shutdown::any_significant:
      return "any_significant";
    case auto_shutdown::all_significant:
      return "all_significant";
  }
  return "?";
}

const char* to_string(start_mode x) noexcept {
  switch (x) {
    case start_mode::ordered:
      return "ordered";
    case start_mode::graph:
      return "graph";
  }
  return "?";
}

const char* to_string(giveup_action x) noexcept {
  switch (x) {
    case giveup_action::escalate:
      return "escalate";
    case giveup_action::suspend:
      return "suspend";
  }
  return "?";
}

const char* to_string(dependency_state x) noexcept {
  switch (x) {
    case dependency_state::started:
      return "started";
    case dependency_state::ready:
      return "ready";
    case dependency_state::completed:
      return "completed";
  }
  return "?";
}

const char* to_string(watch_action x) noexcept {
  switch (x) {
    case watch_action::report:
      return "report";
    case watch_action::cancel:
      return "cancel";
    case watch_action::replace:
      return "replace";
  }
  return "?";
}

const char* to_string(isolation x) noexcept {
  switch (x) {
    case isolation::shared:
      return "shared";
    case isolation::thread:
      return "thread";
    case isolation::process:
      return "process";
  }
  return "?";
}

const char* to_string(overrun_action x) noexcept {
  switch (x) {
    case overrun_action::abandon:
      return "abandon";
    case overrun_action::wait:
      return "wait";
  }
  return "?";
}

std::string to_string(duration d) {
  if (d == infinite)
    return "infinity";
  struct unit {
    const char* name;
    std::int64_t ns;
  };
  constexpr unit units[] = {{"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000},
                            {"ms", 1'000'000},        {"us", 1'000},         {"ns", 1}};
  const auto count = d.count();
  if (count == 0)
    return "0s";
  for (const auto& u : units) {
    if (count % u.ns == 0)
      return std::to_string(count / u.ns) + u.name;
  }
  return std::to_string(count) + "ns";
}

std::string to_string(const shutdown_limit& limit) {
  return limit.is_brutal() ? "brutal_kill" : to_string(limit.limit());
}

shutdown_limit child_spec::effective_shutdown() const {
  if (shutdown)
    return *shutdown;
  return is_supervisor() ? shutdown_limit::infinity() : shutdown_limit(std::chrono::seconds(5));
}

duration child_spec::effective_start_timeout() const {
  if (start_timeout)
    return *start_timeout;
  return is_supervisor() ? infinite : duration(std::chrono::seconds(5));
}

bool operator==(const static_supervisor& a, const static_supervisor& b) {
  return static_cast<const supervisor_spec&>(a) == static_cast<const supervisor_spec&>(b) && a.start == b.start &&
         a.children == b.children;
}

bool operator==(const dynamic_supervisor& a, const dynamic_supervisor& b) {
  if (static_cast<const supervisor_spec&>(a) != static_cast<const supervisor_spec&>(b) ||
      a.max_children != b.max_children)
    return false;
  return a.child == nullptr || b.child == nullptr ? a.child == b.child : *a.child == *b.child;
}

}  // namespace libactor
