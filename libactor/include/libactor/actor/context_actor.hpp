// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/lifeline.hpp"
#include "libactor/actor/reason.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/scope.hpp"

#include <caf/event_based_actor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace libactor {

namespace detail {
struct envelope;
}

/// What an actor that lives in a context is made with.
struct worker_options {
  context ctx;                          ///< the actor's own; ended by whoever holds its scope
  std::shared_ptr<lifeline> line;       ///< never null
  std::optional<duration> drain;        ///< how long the backlog is served after the down-signal
  bool detached = false;                ///< whether it runs on a thread of its own
  bool tells_end = false;               ///< whether it tells its end to the supervisor of its `line`
  caf::execution_unit* host = nullptr;  ///< the spawning actor's, if it is an actor that spawns
};

/// An actor that lives in a context: the base of workers and supervisors. It sees that its context is done before the
/// next message of its mailbox, however long its backlog, and is woken for it when idle.
class context_actor : public caf::event_based_actor {
 public:
  context_actor(caf::actor_config& cfg, worker_options options);
  ~context_actor() override;

  /// The context this actor lives in. (CAF has a member named `context` already.)
  const libactor::context& ctx() const noexcept { return ctx_; }
  const lifeline& line() const noexcept { return *line_; }

  /// By the clock of the context's runtime. Requires: `ctx()` has a runtime that still lives.
  time_point now() const noexcept;

  /// Names a timer of this actor.
  using timer_id = std::uint64_t;

  /// Calls `action` in this actor once `delay` has passed on the runtime's clock; after `infinite`, never. Ends with
  /// the actor; keeps nothing alive. Requires: `ctx()` has a runtime.
  timer_id after(duration delay, std::function<void()> action);
  /// The same at a point in time.
  timer_id at(time_point when, std::function<void()> action);
  /// Whether the timer was taken back before it ran.
  bool cancel_timer(timer_id id) noexcept;

  void launch(caf::execution_unit* host, bool lazy, bool hide) override;
  caf::resumable::resume_result resume(caf::execution_unit* host, std::size_t most_messages) override;
  caf::invoke_message_result consume(caf::mailbox_element& x) override;
  caf::behavior make_behavior() override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;
  void attach(caf::attachable_ptr whom) override;
  void add_link(caf::abstract_actor* other) override;
  bool add_backlink(caf::abstract_actor* other) override;

 protected:
  void on_cleanup(const caf::error& reason) override;
  /// Called once, in this actor, before any further message, when the context is done.
  virtual void context_done() = 0;
  /// A message of the library's own, which no behavior sees.
  virtual void receive(detail::envelope& message, caf::mailbox_element& x) = 0;
  /// Whether a message from the backlog is for the behavior now; if not, this has dealt with it. Asked of each message
  /// after `admit_all(false)`, and of an actor that ends.
  virtual bool admits(caf::mailbox_element& x) = 0;
  /// Whether every message is for the behavior, as it is at first.
  void admit_all(bool yes) noexcept { admits_all_ = yes; }
  /// A message that nobody was left to take: an answer to a request that is over.
  virtual void unclaimed(caf::mailbox_element&) {}
  /// Is told of a message that is not read after all: the actor failed before.
  virtual void skip(caf::mailbox_element&) {}

  const std::shared_ptr<lifeline>& shared_line() const noexcept { return line_; }
  /// Whether a deadline ended the context.
  bool expired() const noexcept;
  /// The reason that the table of endings gives an actor whose context is done and that ends for it.
  caf::error reason_of_context() const;
  /// As `quit(reason_of_context())`, without making a reason that nobody may ask for.
  void quit_for_context();
  /// Keeps `action` until an envelope of kind `timer` with the returned key arrives; it ends with the actor.
  timer_id park(std::function<void()> action);
  bool ending() const noexcept { return getf(is_shutting_down_flag | is_terminated_flag); }

 private:
  struct timer {
    std::function<void()> action;
    detail::hook_registration registration;
  };
  struct timers {
    std::unordered_map<timer_id, timer> waiting;
    timer_id last = 0;
  };

  caf::invoke_message_result consume_in_context(caf::mailbox_element& x);
  caf::invoke_message_result consume_watched(caf::mailbox_element& x);
  void note_type(const caf::mailbox_element& x) noexcept;
  caf::resumable::resume_result look_again(caf::execution_unit* host, std::size_t most_messages);
  bool fenced_off(caf::mailbox_element& x);
  void see_done(caf::mailbox_element& x);
  void take(detail::envelope& message, caf::mailbox_element& x);
  timer_id add_timer(std::function<void()> action);
  void run_timer(timer_id id);
  detail::done_hook waking_hook();
  std::optional<errc> code_of_context() const;
  void be_followed();
  void say_reason();

  // In this order they take no more than the next smaller size of a block.
  const libactor::context ctx_;
  const std::shared_ptr<lifeline> line_;
  const std::atomic<std::uint64_t>* context_word_;  // of the node that `ctx()` is done with
  const std::atomic<bool>* fence_;                  // whether some actor of its runtime was abandoned
  detail::hook_registration wake_;
  std::unique_ptr<timers> timers_;  // null: it has never had one
  bool admits_all_ = true;
  std::atomic<bool> seen_done_{false};  // written by the actor; read, too, by a thread that has just let it go
  bool has_followers_ = false;          // whether anybody has asked to be told of its end; under the actor's lock
  bool unsaid_ = false;                 // whether it ends by `user_shutdown`, of which no error was made yet
  const bool is_watched_ : 1;
  const bool tells_end_ : 1;
  const bool logs_ : 1;  // whether CAF's log is on
};

}  // namespace libactor
