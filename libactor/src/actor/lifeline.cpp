// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/lifeline.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace libactor {

namespace detail {

class task_list {
 public:
  void add(lifeline::task who) {
    std::lock_guard guard{mutex_};
    tasks_.push_back(std::move(who));
    count_.store(tasks_.size(), std::memory_order_relaxed);
  }
  void remove(const lifeline& of) noexcept {
    lifeline::task last;  // dropped after the lock
    std::lock_guard guard{mutex_};
    const auto i = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& who) { return who.line.get() == &of; });
    if (i == tasks_.end())
      return;
    last = std::exchange(*i, std::move(tasks_.back()));
    tasks_.pop_back();
    count_.store(tasks_.size(), std::memory_order_relaxed);
  }
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::vector<lifeline::task> all() const {
    std::lock_guard guard{mutex_};
    return tasks_;
  }

  // From the back: what is removed meanwhile moves the last one, which was seen, and never one that was not.
  std::vector<lifeline::task> peek() const {
    constexpr std::size_t at_once = 64;
    std::vector<lifeline::task> all;
    std::unordered_set<const lifeline*> seen;
    for (std::size_t end = SIZE_MAX; end != 0;) {
      all.reserve(all.size() + at_once);
      std::lock_guard guard{mutex_};
      end = std::min(end, tasks_.size());
      const auto begin = end - std::min(end, at_once);
      all.insert(all.end(), tasks_.begin() + static_cast<std::ptrdiff_t>(begin),
                 tasks_.begin() + static_cast<std::ptrdiff_t>(end));
      end = begin;
    }
    std::erase_if(all, [&](const auto& who) { return !seen.insert(who.line.get()).second; });
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<lifeline::task> tasks_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace detail

lifeline::lifeline(std::string path, std::uint32_t incarnation, caf::weak_actor_ptr supervisor, std::uint64_t key,
                   std::shared_ptr<event_sink> sink)
    : lifeline(place{}, incarnation, std::move(supervisor), key, std::move(sink)) {
  path_.store(new std::string(std::move(path)), std::memory_order_relaxed);
}

lifeline::lifeline(place where, std::uint32_t incarnation, caf::weak_actor_ptr supervisor, std::uint64_t key,
                   std::shared_ptr<event_sink> sink)
    : place_(std::move(where)),
      sink_(std::move(sink)),
      supervisor_(std::move(supervisor)),
      key_(key),
      incarnation_(incarnation) {}

lifeline::~lifeline() {
  delete path_.load(std::memory_order_acquire);
  delete tasks_.load(std::memory_order_acquire);
}

std::string lifeline::place::path() const {
  std::string path;
  if (id == nullptr)
    return path;
  const auto count = number != 0 ? std::to_string(number) : std::string();
  path.reserve(above->size() + 2 + id->size() + count.size());
  path.append(*above).append(1, '/').append(*id);
  if (number != 0)
    path.append(1, '#').append(count);
  return path;
}

const std::string& lifeline::path() const {
  if (const auto* known = path_.load(std::memory_order_acquire))
    return *known;
  auto mine = std::make_unique<const std::string>(place_.path());
  const std::string* known = nullptr;
  if (path_.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel))
    return *mine.release();
  return *known;
}

bool lifeline::leads_to(std::string_view path) const noexcept {
  auto take = [&](std::string_view part) {
    const bool fits = path.starts_with(part);
    path.remove_prefix(fits ? part.size() : 0);
    return fits;
  };
  const auto* known = path_.load(std::memory_order_acquire);
  if (known != nullptr || place_.id == nullptr) {
    if (known != nullptr && !take(*known))
      return false;
  } else {
    if (!take(*place_.above) || !take("/") || !take(*place_.id))
      return false;
    if (place_.number != 0) {
      std::array<char, 21> digits{'#'};
      const auto end = std::to_chars(digits.data() + 1, digits.data() + digits.size(), place_.number).ptr;
      if (!take({digits.data(), static_cast<std::size_t>(end - digits.data())}))
        return false;
    }
  }
  return path.empty() || path.front() == '/';
}

detail::task_list& lifeline::tasks() {
  if (auto* known = tasks_.load(std::memory_order_acquire))
    return *known;
  auto mine = std::make_unique<detail::task_list>();
  detail::task_list* known = nullptr;
  if (tasks_.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel))
    return *mine.release();
  return *known;
}

void lifeline::add_task(task who) {
  tasks().add(std::move(who));
  has_had_tasks_.store(true, std::memory_order_release);
}

void lifeline::remove_task(const lifeline& of) noexcept {
  if (auto* known = tasks_.load(std::memory_order_acquire))
    known->remove(of);
}

void lifeline::collect_tasks(std::vector<task>& into) const {
  const auto* known = tasks_.load(std::memory_order_acquire);
  if (known == nullptr)
    return;
  for (auto& who : known->all()) {
    const auto line = who.line;
    into.push_back(std::move(who));
    line->collect_tasks(into);
  }
}

std::vector<lifeline::task> lifeline::peek_tasks() const {
  const auto* known = tasks_.load(std::memory_order_acquire);
  return known != nullptr ? known->peek() : std::vector<task>();
}

std::size_t lifeline::task_count() const noexcept {
  const auto* known = tasks_.load(std::memory_order_acquire);
  return known != nullptr ? known->count() : 0;
}

std::optional<time_point> lifeline::busy_since() const noexcept {
  const auto handler = activity.sequence.load(std::memory_order_acquire);
  if (handler % 2 == 0 || seen_.load(std::memory_order_acquire) != handler)
    return std::nullopt;
  const auto at = seen_at_.load(std::memory_order_acquire);
  // Who sees the time of a later handler sees that handler, too.
  if (activity.sequence.load(std::memory_order_relaxed) != handler)
    return std::nullopt;
  return time_point{duration{at}};
}

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
    case event_kind::orphan:
      return "orphan";
    case event_kind::runaway:
      return "runaway";
    case event_kind::undead:
      return "undead";
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
