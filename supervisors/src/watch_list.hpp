// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "leak_courier.hpp"
#include "supervisors/watchdog.hpp"
#include "thread_look.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace libactor::detail {

/// Everything that is watched, and what is known of it: the watchdog without its thread. Not thread-safe.
///
/// Invariants
///  1. `clock_` is the time in which the watchdog looked: it stands still while it could not. Limits count by it.
///  2. An entry has at most one open record, whatever else befalls it: the first kind opens it, and the others continue
///     it. All of a record's events carry its number; the last is `recovered`.
///  3. An entry that is blocked behind another has a record that was never told.
class watch_list {
 public:
  watch_list(context_runtime& contexts, leak_courier& courier, const thread_looker& looker,
             const std::function<void(int, std::uint64_t)>& make_up)
      : contexts_(contexts), courier_(courier), looker_(looker), make_up_(make_up) {}

  void add(watched_child who);
  void remove(std::uint64_t actor, const std::string& reason, bool for_good);
  void gone(const std::string& path);
  void late(watched_child who, time_point stop_by, bool killed);
  void orphaned(watched_child who, time_point since);
  void left_alone(std::uint64_t actor, std::shared_ptr<const std::atomic<bool>> over);
  void abandoned(watched_child who);

  /// `credit`: how much time counts since the last look.
  void scan(time_point now, duration credit);
  /// How long until the next look; `infinite` while nothing is watched.
  duration period() const noexcept { return period_; }
  /// How often somebody with these limits is looked at, at the least.
  static duration period_for(const watch_spec& spec) noexcept;
  /// When another look may see something new though nobody does anything meanwhile: a handler runs, or has just run, or
  /// a time will be up. Empty: never.
  const std::optional<time_point>& next_look() const noexcept { return next_look_; }

 private:
  enum class role : std::uint8_t { child, orphan, undead };

  struct record {
    leak_event leak;
    std::vector<std::uintptr_t> frames;
    duration next_rung = infinite;  // by `clock_`
    int mutex_holder = 0;
    bool blocked = false;
    bool climbing = true;                // false: the last rung that this one may take was taken
    std::optional<duration> returned{};  // when the handler came back, after it was told to end
  };
  // What is read at each look stands in the vector itself.
  struct details {
    watched_child who;
    std::shared_ptr<const lifeline> owner;  // of a task: its worker, which it is a part of
    role as = role::child;
    std::unique_ptr<record> open;
  };
  struct entry {
    const lifeline* line;  // that of `more->who`
    std::uint64_t sequence = 0;
    duration since{};  // by `clock_`: when this sequence was first seen
    duration stuck_after{};
    bool looks_closer = false;  // it has limits, a record or an end of its own
    std::unique_ptr<details> more;
  };

  // -- watch_list.cpp
  entry& entry_of(watched_child who);
  void erase(std::size_t place);
  void moved(entry& e, std::uint64_t sequence);
  bool is_over(entry& e);
  void add_tasks(std::size_t place);
  void check_limits(entry& e);
  void check_stop_by(entry& e);
  static bool is_climbing(const entry& e) noexcept;
  void look_at_latest(time_point when) noexcept;
  void update_closer(entry& e) const noexcept;
  std::uint64_t children_of(const entry& e) const;
  // -- stuck_handlers.cpp
  struct finding;
  void notice(const std::vector<std::size_t>& places);
  void look_at(entry& e, thread_look& seen) const;
  std::size_t culprit_of(std::size_t at, const std::vector<finding>& all) const;
  const finding* holder_of(const finding& of, const std::vector<finding>& all) const;
  void list_behind(entry& culprit, const entry& blocked);
  // -- watch_records.cpp
  record& open(entry& e, event_kind kind, time_point since);
  void take_look(entry& e, thread_look seen);
  void tell(entry& e, event_kind kind, std::string text);
  void close(entry& e, leak_outcome how, std::string text);
  void post(const entry& e, record& r, std::string text);
  void step(record& r, leak_rung rung) const;
  void begin_ladder(entry& e);
  void climb(entry& e);
  static void leave_to_supervisor(const entry& e);
  void take_rung(entry& e, leak_rung rung);
  void replaced(const watched_child& by);
  void check_restarts(const watched_child& who);
  void close_storm(const std::string& path, const std::string& why);

  context_runtime& contexts_;
  leak_courier& courier_;
  const thread_looker& looker_;
  const std::function<void(int, std::uint64_t)>& make_up_;
  std::vector<entry> entries_;
  std::unordered_map<std::uint64_t, std::size_t> places_;             // by the actor's id
  std::vector<std::uint64_t> busy_at_first_;                          // that came since the last look; by the same
  std::unordered_map<std::string, std::unique_ptr<details>> storms_;  // by path: too many restarts
  std::size_t undead_ = 0;                                            // how many
  std::uint64_t last_record_ = 0;
  duration clock_{};
  time_point now_{};
  duration period_ = infinite;
  bool period_is_stale_ = false;  // one that it was made for is gone
  std::optional<time_point> next_look_{};
};

/// What it is busy with, for people: `in the handler of int, on thread 7, waiting in read`; `idle`.
std::string doing(const leak_event& leak);
/// The type of the message in hand; empty where none is.
std::string message_of(const activity_cell& cell);

}  // namespace libactor::detail
