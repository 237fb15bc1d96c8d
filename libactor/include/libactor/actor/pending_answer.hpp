// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"

#include <caf/error.hpp>
#include <caf/message_id.hpp>
#include <caf/response_handle.hpp>

#include <type_traits>
#include <utility>

namespace caf {
class event_based_actor;
}

namespace libactor {

class worker;

namespace detail {

/// In a worker, while it handles the answer to a request: the request that was in hand when it asked is in hand again.
class answer_guard {
 public:
  answer_guard(worker& self, caf::message_id answer, context served);
  ~answer_guard();
  answer_guard(const answer_guard&) = delete;
  answer_guard& operator=(const answer_guard&) = delete;
  /// The handler has returned.
  void done();

 private:
  void restore();

  worker& self_;
  bool restored_ = false;
  context before_;
};

/// The context of the request in hand; empty where none is.
context served_by(worker& self);
/// Whether it will still be there: CAF keeps an actor that waits for an answer, even one that has quit.
bool takes_answers(const worker& self) noexcept;
/// What a worker does about an answer's error for which it has no handler.
void answer_failed(worker& self, caf::error& why);

/// `Fun` with a guard around each call; its parameters stay those of `Fun`.
template <class Fun, class... As>
struct guarded {
  void operator()(As... xs) {
    answer_guard guard{*self, answer, std::move(served)};
    fun(static_cast<As&&>(xs)...);
    guard.done();
  }
  worker* self;
  caf::message_id answer;
  context served;
  Fun fun;
};

template <class Fun, class Signature>
struct guarded_as;
template <class Fun, class C, class R, class... As>
struct guarded_as<Fun, R (C::*)(As...)> {
  using type = guarded<Fun, As...>;
};
template <class Fun, class C, class R, class... As>
struct guarded_as<Fun, R (C::*)(As...) const> {
  using type = guarded<Fun, As...>;
};
template <class Fun, class C, class R, class... As>
struct guarded_as<Fun, R (C::*)(As...) noexcept> {
  using type = guarded<Fun, As...>;
};
template <class Fun, class C, class R, class... As>
struct guarded_as<Fun, R (C::*)(As...) const noexcept> {
  using type = guarded<Fun, As...>;
};

template <class Fun>
struct guarded_call : guarded_as<Fun, decltype(&Fun::operator())> {};
template <class R, class... As>
struct guarded_call<R (*)(As...)> {
  using type = guarded<R (*)(As...), As...>;
};

}  // namespace detail

/// The answer to a worker's request, which comes later: to the handler given to `then`. In that handler the request
/// that was in hand when the worker asked is in hand again. There is no `await`: while a worker waited so, it would
/// read nothing, not even a kill.
template <class Output>
class pending_answer {
 public:
  pending_answer(worker& self, caf::event_based_actor& actor, caf::message_id answer)
      : self_(&self), handle_(answer, &actor) {}

  /// Calls `on_answer` with the answer, or `on_error` with a `caf::error`. If the context of the request ends first,
  /// the error is `errc::canceled` or `errc::deadline_exceeded`, and an answer that comes later is dropped and counted.
  /// Of a worker that has finished already neither is called, and nothing was asked.
  template <class F, class G>
  void then(F on_answer, G on_error) const {
    if (!detail::takes_answers(*self_))
      return;
    handle_.then(guard(std::move(on_answer)), guard(std::move(on_error)));
  }

  /// The same without a handler of errors. An error ends the worker with it as the reason, unless the request failed
  /// because the worker's own context or that of the request in hand ended: then nobody waits for what would follow.
  template <class F>
  void then(F on_answer) const {
    then(std::move(on_answer), [self = self_](caf::error& why) { detail::answer_failed(*self, why); });
  }

  template <class... Fs>
  void await(Fs&&...) const = delete;

  caf::message_id id() const noexcept { return handle_.id(); }

 private:
  template <class F>
  auto guard(F fun) const {
    return typename detail::guarded_call<F>::type{self_, id(), detail::served_by(*self_), std::move(fun)};
  }

  worker* self_;
  caf::response_handle<caf::event_based_actor, Output, false> handle_;
};

}  // namespace libactor
