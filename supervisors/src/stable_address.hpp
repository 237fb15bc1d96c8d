// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context_runtime.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/event.hpp"
#include "libactor/time.hpp"

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/monitorable_actor.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace libactor {

/// What stands for a child across its incarnations: an actor without a mailbox, which hands each message on, in the
/// call that sends it, to the incarnation that is up. While none is, messages are held up to a bound, or refused: a
/// request is then answered with `errc::no_incarnation`, any other message dropped and counted. Thread-safe.
class stable_address final : public caf::monitorable_actor {
 public:
  stable_address(caf::actor_config& cfg, std::string path, std::optional<duration> hold,
                 std::shared_ptr<context_runtime> contexts, std::shared_ptr<event_sink> sink);

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override;
  const char* name() const override { return "libactor.address"; }

  /// An incarnation is up; what was held goes to it, in order.
  void bind(const caf::actor& current, std::optional<duration> hold);
  /// The same, if none was bound before.
  void bind_first(const caf::actor& current);
  /// It is down, or no longer waited for.
  void unbind();
  /// The tree has ended.
  void close();

 private:
  struct held_message {
    time_point until;
    caf::mailbox_element_ptr what;
  };

  void deliver_held(std::unique_lock<std::mutex>& held, const caf::actor& current);
  void let_go();
  void refuse(caf::mailbox_element& what, caf::execution_unit* host);
  void expire();
  void arm();
  void tell_dropped();

  const std::string path_;
  const std::shared_ptr<context_runtime> contexts_;
  const std::shared_ptr<event_sink> sink_;
  std::mutex mutex_;
  // Under the mutex:
  std::optional<duration> hold_;
  caf::weak_actor_ptr current_;  // weak: a detached actor that has ended and is held keeps its thread
  std::deque<held_message> held_;
  detail::hook_registration alarm_;  // for the first of them
  std::uint64_t dropped_ = 0;
  std::uint64_t binding_ = 0;  // counts who was bound, and who was let go
  bool delivers_ = false;      // what is held goes to `current_`, and all that comes waits behind it
  bool closed_ = false;
};

/// The addresses of a tree that somebody asked for. Thread-safe.
class address_book {
 public:
  /// Whether there are any: what supervisors ask first.
  bool any() const noexcept { return any_.load(std::memory_order_seq_cst); }

  /// The address of `path`, made at the first call.
  caf::actor at(caf::actor_system& system, const std::string& path, std::optional<duration> hold,
                std::shared_ptr<context_runtime> contexts, std::shared_ptr<event_sink> sink);
  void bind(const std::string& path, const caf::actor& current, std::optional<duration> hold);
  void unbind(const std::string& path);
  void close();

 private:
  caf::actor find(const std::string& path) const;

  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::unordered_map<std::string, caf::actor> known_;  // under the mutex
  bool closed_ = false;                                // under the mutex
};

}  // namespace libactor
