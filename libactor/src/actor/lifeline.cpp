// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/lifeline.hpp"

namespace libactor {

std::optional<time_point> lifeline::stop_by() const noexcept {
  const auto ns = stop_by_.load(std::memory_order_acquire);
  if (ns == never)
    return std::nullopt;
  return time_point{duration{ns}};
}

void lifeline::ask(std::optional<time_point> stop_by) noexcept {
  stop_by_.store(stop_by ? stop_by->time_since_epoch().count() : never, std::memory_order_release);
  asked_.store(true, std::memory_order_release);
}

void lifeline::emit(const event& what) const noexcept {
  if (sink_)
    sink_->on_event(what);
}

const char* to_string(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::start_asked:
      return "start_asked";
    case event_kind::started:
      return "started";
    case event_kind::ready:
      return "ready";
    case event_kind::start_failed:
      return "start_failed";
    case event_kind::declined:
      return "declined";
    case event_kind::stop_asked:
      return "stop_asked";
    case event_kind::deadline:
      return "deadline";
    case event_kind::stopped:
      return "stopped";
    case event_kind::ended:
      return "ended";
    case event_kind::crashed:
      return "crashed";
    case event_kind::killed:
      return "killed";
    case event_kind::abandoned:
      return "abandoned";
    case event_kind::restarting:
      return "restarting";
    case event_kind::gave_up:
      return "gave_up";
    case event_kind::suspended:
      return "suspended";
    case event_kind::resumed:
      return "resumed";
    case event_kind::stuck:
      return "stuck";
    case event_kind::overdue:
      return "overdue";
    case event_kind::recovered:
      return "recovered";
    case event_kind::dropped:
      return "dropped";
    case event_kind::output:
      return "output";
    case event_kind::note:
      return "note";
  }
  return "unknown";
}

}  // namespace libactor
