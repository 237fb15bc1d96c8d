// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"
#include "libactor/time.hpp"

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>

namespace libactor {

/// What one actor is doing, written by the thread that runs it and read without locks by the watchdog. Only watched
/// actors write it; a write costs a few stores and reads no clock.
struct activity_cell {
  std::atomic<std::uint64_t> sequence{0};                    ///< odd while a handler runs; each handler adds 2
  std::atomic<const std::type_info*> message_type{nullptr};  ///< null: one of CAF's own types
  std::atomic<int> thread{0};                                ///< the kernel's id of the thread
};

/// What binds one incarnation to its supervisor and to those who watch it: who it is, when it must have ended, what it
/// is doing. Shared by the actor, its supervisor and the watchdog. Thread-safe.
class lifeline {
 public:
  lifeline() = default;
  lifeline(std::string path, std::uint32_t incarnation, caf::weak_actor_ptr supervisor, std::uint64_t key,
           std::shared_ptr<event_sink> sink)
      : path_(std::move(path)),
        sink_(std::move(sink)),
        supervisor_(std::move(supervisor)),
        key_(key),
        incarnation_(incarnation) {}

  /// Empty for an actor that has no supervisor.
  const std::string& path() const noexcept { return path_; }
  /// Counts from 1; 0 for an actor that has no supervisor.
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

  activity_cell activity;
  /// Set before the actor is spawned; whether it writes its activity.
  bool watched = false;

  /// Hands an event to the runtime's sinks; drops it where there is none.
  void emit(const event& what) const noexcept;

 private:
  static constexpr std::int64_t never = INT64_MAX;
  std::string path_;
  std::shared_ptr<event_sink> sink_;
  caf::weak_actor_ptr supervisor_;
  std::uint64_t key_ = 0;
  std::atomic<std::int64_t> stop_by_{never};
  std::uint32_t incarnation_ = 0;
  std::atomic<bool> asked_{false};
};

}  // namespace libactor
