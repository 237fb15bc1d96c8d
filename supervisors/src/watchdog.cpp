// SPDX-License-Identifier: BSL-1.0
#include "supervisors/watchdog.hpp"

#include "actor/caf_seam.hpp"
#include "actor/type_name.hpp"

#include <algorithm>

namespace libactor {

namespace {

using namespace std::chrono_literals;

event describe_watched(event_kind kind, std::uint64_t actor, const lifeline& line, time_point now, duration elapsed) {
  event what;
  what.kind = kind;
  what.at = now;
  what.path = line.path();
  what.actor = actor;
  what.incarnation = line.incarnation();
  what.elapsed = elapsed;
  return what;
}

std::string message_of(const activity_cell& cell) {
  const auto* type = cell.message_type.load(std::memory_order_relaxed);
  if (type == nullptr)
    return "a message";
  return *type == typeid(detail::envelope) ? "a timer or signal" : detail::type_name(*type);
}

}  // namespace

watchdog::watchdog(context_runtime& contexts, bool threaded) : contexts_(contexts) {
  if (threaded)
    thread_ = std::thread([this] { run(); });
}

watchdog::~watchdog() {
  {
    std::lock_guard guard{mutex_};
    stop_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void watchdog::add(std::uint64_t actor, std::shared_ptr<const lifeline> line, const watch_spec& spec) {
  std::lock_guard guard{mutex_};
  watched_.insert_or_assign(actor, watched{std::move(line), spec});
  // Four looks within the shortest limit: a report is at most a quarter of it late.
  const auto wanted = std::clamp<duration>(spec.stuck_after / 4, 1ms, 1s);
  if (wanted < period_) {
    period_ = wanted;
    changed_.notify_one();
  }
}

void watchdog::remove(std::uint64_t actor) {
  std::lock_guard guard{mutex_};
  auto i = watched_.find(actor);
  if (i == watched_.end())
    return;
  const auto now = contexts_.now();
  if (i->second.stuck || i->second.overdue) {
    auto what = describe_watched(event_kind::recovered, actor, *i->second.line, now, now - i->second.since);
    what.text = "ended";
    i->second.line->emit(what);
  }
  watched_.erase(i);
}

void watchdog::scan(time_point now) {
  std::lock_guard guard{mutex_};
  for (auto& [actor, w] : watched_)
    look(actor, w, now);
}

void watchdog::look(std::uint64_t actor, watched& w, time_point now) {
  const auto& cell = w.line->activity;
  const auto sequence = cell.sequence.load(std::memory_order_acquire);
  const bool busy = sequence % 2 == 1;
  if (sequence != w.sequence) {
    if (std::exchange(w.stuck, false)) {
      auto what = describe_watched(event_kind::recovered, actor, *w.line, now, now - w.since);
      what.text = "the handler returned";
      w.line->emit(what);
    }
    w.sequence = sequence;
    w.since = now;
  }
  const auto elapsed = now - w.since;
  if (busy && !w.stuck && elapsed >= w.spec.stuck_after) {
    w.stuck = true;
    auto what = describe_watched(event_kind::stuck, actor, *w.line, now, elapsed);
    what.text = "in the handler of " + message_of(cell) + ", on thread " +
                std::to_string(cell.thread.load(std::memory_order_relaxed));
    w.line->emit(what);
  }
  const auto stop_by = w.line->stop_by();
  if (!w.overdue && w.line->asked() && stop_by && now > *stop_by) {
    w.overdue = true;
    auto what = describe_watched(event_kind::overdue, actor, *w.line, now, now - *stop_by);
    what.text = busy ? "in the handler of " + message_of(cell) : "idle";
    w.line->emit(what);
  }
}

void watchdog::run() {
  std::unique_lock lock{mutex_};
  while (!stop_) {
    if (period_ == infinite) {
      changed_.wait(lock);
      continue;
    }
    if (changed_.wait_for(lock, period_) == std::cv_status::timeout) {
      const auto now = contexts_.now();
      for (auto& [actor, w] : watched_)
        look(actor, w, now);
    }
  }
}

}  // namespace libactor
