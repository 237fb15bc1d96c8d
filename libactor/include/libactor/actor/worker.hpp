// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/context_actor.hpp"
#include "libactor/actor/messages.hpp"
#include "libactor/actor/pending_answer.hpp"

#include <caf/delegated.hpp>
#include <caf/duration.hpp>
#include <caf/message_priority.hpp>
#include <caf/response_type.hpp>
#include <caf/stateful_actor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace libactor {

namespace detail {

class group_core;
struct worker_extras;

/// What a request with the content `Ts` to a `Handle` is answered with, in CAF's terms.
template <class Handle, class... Ts>
using answer_of =
    caf::response_type<typename Handle::signatures, caf::detail::implicit_conversions_t<std::decay_t<Ts>>...>;

}  // namespace detail

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
  ~worker() override;

  // -- its end
  /// What to do when the context is done, before the worker ends. Replaces an earlier handler.
  void on_down_signal(std::function<void(const down_signal&)> handler);
  /// What to do when a deadline ended the context; the down-signal follows.
  void on_deadline(std::function<void(const deadline_reached&)> handler);

  /// Ends the worker: without error, or with `reason`. Where it has tasks that still run, it ends when they are down:
  /// without error it waits for them, else it cancels them first. Nothing else reaches its behavior meanwhile. Later
  /// calls do nothing. (CAF's `quit` does not wait.)
  void finish(caf::error reason = {});

  // -- requests
  /// The context of the work in hand. In a handler that serves a worker's request: derived from this worker's own, done
  /// too when the requester's is, with the earlier deadline of both and the requester's trace id. It may be kept for
  /// work that goes on after the handler; `request(…).then` does so by itself. In any other handler: the worker's own,
  /// except while it ends, when it holds for as long as the drain may last, and during clean-up until stop-by.
  /// Costs nothing in handlers that do not call it; the first call for a request derives it.
  libactor::context request_ctx();

  /// Sends a request that carries `request_ctx()`: its trace id, what remains of its time, and its cancellation. It
  /// fails when that context ends or once `timeout` has passed, whichever is first; then the receiver's `request_ctx()`
  /// is done too. Sends nothing, and fails, if the context has ended already. A receiver that is no worker serves it
  /// like any request. Requires: a runtime, where `timeout` is finite. Throws: std::bad_alloc.
  template <caf::message_priority P = caf::message_priority::normal, class Handle = caf::actor, class... Ts>
  auto request(const Handle& to, duration timeout, Ts&&... xs) {
    static_assert(sizeof...(Ts) > 0, "no message to send");
    using answer = detail::answer_of<Handle, Ts...>;
    static_assert(answer::valid, "the receiver does not accept this message");
    const auto id =
        send_request(caf::actor_cast<caf::abstract_actor*>(to), P, timeout, caf::make_message(std::forward<Ts>(xs)...));
    return pending_answer<typename answer::type>{*this, *this, id};
  }
  template <caf::message_priority P = caf::message_priority::normal, class Handle = caf::actor, class Rep, class Period,
            class... Ts>
  auto request(const Handle& to, std::chrono::duration<Rep, Period> timeout, Ts&&... xs) {
    return request<P>(to, std::chrono::duration_cast<duration>(timeout), std::forward<Ts>(xs)...);
  }
  template <caf::message_priority P = caf::message_priority::normal, class Handle = caf::actor, class... Ts>
  auto request(const Handle& to, caf::infinite_t, Ts&&... xs) {
    return request<P>(to, infinite, std::forward<Ts>(xs)...);
  }

  /// Hands the message in hand on to `to`, which answers it in this worker's place; a request keeps its requester's
  /// context.
  template <caf::message_priority P = caf::message_priority::normal, class Handle = caf::actor, class... Ts>
  typename detail::answer_of<Handle, Ts...>::delegated_type delegate(const Handle& to, Ts&&... xs) {
    static_assert(sizeof...(Ts) > 0, "nothing to delegate");
    static_assert(detail::answer_of<Handle, Ts...>::valid, "the receiver does not accept this message");
    send_on(caf::actor_cast<caf::abstract_actor*>(to), P, caf::make_message(std::forward<Ts>(xs)...));
    return {};
  }

  /// How many answers came after the context of their request had ended, and were dropped. At the worker's end they are
  /// reported as an event of kind `dropped`.
  std::uint64_t late_answers() const noexcept;

  // -- its start
  /// The start is acknowledged by `acknowledge_start`, not when the body returns. Only in the body.
  void defer_start() noexcept { start_deferred_ = true; }
  /// Tells the supervisor that the worker has started. Once; later calls do nothing.
  void acknowledge_start();
  /// Tells the supervisor that the worker is ready for those who depend on it. Once; implies `acknowledge_start`.
  void ready();

  // -- words
  /// Hands words to the runtime's sinks, under the worker's path.
  void note(std::string text);
  /// Hands an event of `kind` to the runtime's sinks, with the worker's path, id, incarnation and trace id filled in.
  void emit(event_kind kind, std::string text = {}, std::uint64_t count = 0);

  const char* name() const override { return "libactor.worker"; }
  caf::behavior make_behavior() override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

 protected:
  void context_done() override;
  void receive(detail::envelope& message, caf::mailbox_element& x) override;
  bool admits(caf::mailbox_element& x) override;
  void unclaimed(caf::mailbox_element& x) override;
  void skip(caf::mailbox_element& x) override;

 private:
  friend class detail::answer_guard;
  friend class detail::group_core;
  friend libactor::context detail::served_by(worker&);
  friend void detail::answer_failed(worker&, caf::error&);
  friend bool detail::takes_answers(const worker&) noexcept;

  enum class phase : unsigned char {
    serving,
    draining,   // what stood in the mailbox at the down-signal is served
    settling,   // that is done, save for answers that its handlers wait for
    signaled,   // cleans up
    finishing,  // waits for its tasks
  };

  caf::message_id send_request(caf::abstract_actor* to, caf::message_priority priority, duration timeout,
                               caf::message what);
  void send_on(caf::abstract_actor* to, caf::message_priority priority, caf::message what);
  const libactor::context& base_ctx();
  void request_over(std::uint64_t answer);
  void end_requests();

  void enter(phase now) noexcept {
    phase_ = now;
    admit_all(now <= phase::draining);
  }
  void signal_down();
  template <class Signal>
  bool show(Signal& signal);
  void answer_held();
  void drained();

  // Groups of tasks: see task_group.
  void take_in(std::shared_ptr<detail::group_core> group);
  void tasks_down();
  timer_id park_join(std::function<void()> action);
  bool has_tasks() const;
  void stay_for_tasks();

  detail::worker_extras& extras();

  // In bits: with what its base ends with, a word.
  phase phase_ = phase::serving;
  bool start_deferred_ : 1 = false;
  bool started_ : 1 = false;
  bool ready_ : 1 = false;
  bool was_cut_ : 1 = false;                       // the error in hand is that of a request that the down-signal ended
  std::unique_ptr<detail::worker_extras> extras_;  // what few workers have; null: nothing of it
};

/// A worker with a state of its own, `self->state`.
template <class State>
using stateful_worker = caf::stateful_actor<State, worker>;

}  // namespace libactor
