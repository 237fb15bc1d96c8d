// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/context_actor.hpp"
#include "libactor/actor/messages.hpp"

#include <caf/stateful_actor.hpp>

#include <string>
#include <vector>

namespace libactor {

/// An actor that holds a scoped context. Its body looks like that of any CAF actor: a function that takes `worker*` and
/// its arguments, and returns a `caf::behavior`.
///
/// When the context is done, the worker gets `deadline_reached` (only if a deadline did it) and then `down_signal`,
/// before any further message. Both go to the handlers given here or else to the behavior, if it has a case for them.
/// Without either, the worker ends at once. A handler of the down-signal may take its time, send, and wait for replies
/// with `.then`; it ends the worker with `finish`. Ordinary messages are held back meanwhile; when the worker ends they
/// are dropped, and requests among them answered with `errc::dropped`.
///
/// All members are for the worker's own handlers.
class worker : public context_actor {
 public:
  worker(caf::actor_config& cfg, worker_options options);

  /// What to do when the context is done, before the worker ends. Replaces an earlier handler.
  void on_down_signal(std::function<void(const down_signal&)> handler) { on_down_signal_ = std::move(handler); }
  /// What to do when a deadline ended the context; the down-signal follows.
  void on_deadline(std::function<void(const deadline_reached&)> handler) { on_deadline_ = std::move(handler); }

  /// Ends the worker: without error, or with `reason`.
  void finish(caf::error reason = {});

  /// The start is acknowledged by `acknowledge_start`, not when the body returns. Only in the body.
  void defer_start() noexcept { start_deferred_ = true; }
  /// Tells the supervisor that the worker has started. Once; later calls do nothing.
  void acknowledge_start();
  /// Tells the supervisor that the worker is ready for those who depend on it. Once; implies `acknowledge_start`.
  void ready();

  /// Hands words to the runtime's sinks, under the worker's path.
  void note(std::string text);
  /// Hands an event of `kind` to the runtime's sinks, with the worker's path, id, incarnation and trace id filled in.
  void emit(event_kind kind, std::string text = {}, std::uint64_t count = 0);

  const char* name() const override { return "libactor.worker"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

 protected:
  void context_done() override;
  void receive(detail::envelope& message, caf::mailbox_element& x) override;
  bool admits(caf::mailbox_element& x) override;

 private:
  enum class phase : unsigned char { serving, draining, signaled };

  struct held {
    caf::strong_actor_ptr sender;
    caf::message_id id;
  };

  void signal_down();
  void answer_held();

  std::function<void(const down_signal&)> on_down_signal_;
  std::function<void(const deadline_reached&)> on_deadline_;
  std::vector<held> held_requests_;
  std::uint64_t dropped_ = 0;
  phase phase_ = phase::serving;
  bool start_deferred_ = false;
  bool started_ = false;
  bool ready_ = false;
};

/// A worker with a state of its own, `self->state`.
template <class State>
using stateful_worker = caf::stateful_actor<State, worker>;

}  // namespace libactor
