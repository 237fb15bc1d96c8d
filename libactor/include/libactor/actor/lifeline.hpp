// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"
#include "libactor/time.hpp"

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace libactor {

namespace detail {
class task_list;
}

/// What one actor is doing, written by the thread that runs it and read without locks by the watchdog. Only watched
/// actors write it; a write costs a few stores and reads no clock.
struct activity_cell {
  std::atomic<std::uint64_t> sequence{0};                    ///< odd while a handler runs; each handler adds 2
  std::atomic<const std::type_info*> message_type{nullptr};  ///< null: none, or no message at hand
  std::atomic<int> thread{0};                                ///< the kernel's id of the thread
  /// Messages that stood unread when the handler in hand, or the last one, began, without its own. Those that were
  /// skipped count; those sent since the worker last took messages in, a few handlers ago, do not.
  std::atomic<std::uint64_t> backlog{0};
  const std::type_info* shape = nullptr;  ///< the actor's own: what `message_type` was last read off
};

/// What binds one incarnation to its supervisor and to those who watch it: who it is, when it must have ended, what it
/// is doing. Shared by the actor, its supervisor and the watchdog. Thread-safe.
class lifeline {
  // What the watchdog reads of each at every look stands in 16 bytes, together with the number of the handler.
  std::atomic<bool> asked_{false};
  mutable std::atomic<bool> abandoned_{false};
  std::atomic<std::uint8_t> stage_{0};
  std::atomic<bool> has_had_tasks_{false};

 public:
  /// Set before the actor is spawned; whether it writes its activity.
  bool watched = false;
  activity_cell activity;

  /// A task that an actor started, and that still lives.
  struct task {
    caf::actor handle;
    std::shared_ptr<const lifeline> line;
  };

  lifeline() = default;
  lifeline(std::string path, std::uint32_t incarnation, caf::weak_actor_ptr supervisor, std::uint64_t key,
           std::shared_ptr<event_sink> sink);
  /// What a path is made of, once somebody asks for it: `above/id`, or `above/id#number`.
  struct place {
    std::shared_ptr<const std::string> above;
    std::shared_ptr<const std::string> id;
    std::uint64_t number = 0;  ///< 0: none
    std::string path() const;
  };
  lifeline(place where, std::uint32_t incarnation, caf::weak_actor_ptr supervisor, std::uint64_t key,
           std::shared_ptr<event_sink> sink);
  ~lifeline();
  lifeline(const lifeline&) = delete;
  lifeline& operator=(const lifeline&) = delete;

  /// Of a task: its worker's path, and its own name. Empty for an actor that is neither a child nor a task. The first
  /// call makes it. Throws: std::bad_alloc.
  const std::string& path() const;
  /// Whether `path` is this one, or below it. Makes nothing.
  bool leads_to(std::string_view path) const noexcept;
  /// Counts from 1; 0 for an actor that is neither a child nor a task.
  std::uint32_t incarnation() const noexcept { return incarnation_; }
  const caf::weak_actor_ptr& supervisor() const noexcept { return supervisor_; }
  /// The supervisor's own name for this incarnation.
  std::uint64_t key() const noexcept { return key_; }

  /// Whether the supervisor asked this incarnation to end.
  bool asked() const noexcept { return asked_.load(std::memory_order_acquire); }
  /// When the supervisor kills it; empty while it has not been asked, and where it waits for ever.
  std::optional<time_point> stop_by() const noexcept;
  /// The supervisor's: sets both, before it cancels the context.
  void ask(std::optional<time_point> stop_by) noexcept;

  /// The supervisor's own word for how it stands with this incarnation. Sequentially consistent, for who writes it and
  /// then looks whether anybody wants to know (stable_address.hpp).
  std::uint8_t stage() const noexcept { return stage_.load(std::memory_order_seq_cst); }
  void note_stage(std::uint8_t word) noexcept { stage_.store(word, std::memory_order_seq_cst); }

  /// How many messages stood unread when the actor ended; 0 before.
  std::uint64_t unread() const noexcept { return unread_.load(std::memory_order_relaxed); }
  /// The actor's: once, before its end is told.
  void note_unread(std::uint64_t count) noexcept { unread_.store(count, std::memory_order_relaxed); }

  /// Whether this incarnation was given up, though it may still run: what it sends from then on is dropped on receipt.
  bool abandoned() const noexcept { return abandoned_.load(std::memory_order_acquire); }
  void abandon() const noexcept { abandoned_.store(true, std::memory_order_release); }
  /// How many messages were dropped because of that.
  std::uint32_t fenced() const noexcept { return fenced_.load(std::memory_order_relaxed); }
  void note_fenced() const noexcept { fenced_.fetch_add(1, std::memory_order_relaxed); }

  /// Notes a task that the actor started, so that whoever ends the actor can end it too.
  void add_task(task who);
  void remove_task(const lifeline& of) noexcept;
  /// Adds the tasks at every depth, each before its own.
  void collect_tasks(std::vector<task>& into) const;
  /// The same, of its own tasks only, and without holding up whoever starts or ends one for more than a few: those that
  /// live all the while are in it, once each.
  std::vector<task> peek_tasks() const;
  /// How many of its own tasks live. Reads no lock.
  std::size_t task_count() const noexcept;
  /// False as long as it has started none.
  bool has_had_tasks() const noexcept { return has_had_tasks_.load(std::memory_order_acquire); }

  /// The watchdog's.
  void note_handler_seen(std::uint64_t sequence, time_point at) const noexcept {
    seen_at_.store(at.time_since_epoch().count(), std::memory_order_release);
    seen_.store(sequence, std::memory_order_release);
  }
  /// When the watchdog first saw the handler that runs; empty if it has not, or none runs.
  std::optional<time_point> busy_since() const noexcept;

  /// Hands an event to the runtime's sinks; drops it where there is none.
  void emit(const event& what) const noexcept;
  const std::shared_ptr<event_sink>& sink() const noexcept { return sink_; }

 private:
  detail::task_list& tasks();

  static constexpr std::int64_t never = INT64_MAX;
  std::atomic<detail::task_list*> tasks_{nullptr};  // made for the first task; owned
  std::atomic<std::int64_t> stop_by_{never};
  mutable std::atomic<std::uint64_t> seen_{0};  // the last handler that the watchdog saw
  mutable std::atomic<std::int64_t> seen_at_{0};
  place place_;
  mutable std::atomic<const std::string*> path_{nullptr};  // owned
  std::shared_ptr<event_sink> sink_;
  caf::weak_actor_ptr supervisor_;
  std::uint64_t key_ = 0;
  std::atomic<std::uint64_t> unread_{0};
  mutable std::atomic<std::uint32_t> fenced_{0};
  std::uint32_t incarnation_ = 0;
};

}  // namespace libactor
