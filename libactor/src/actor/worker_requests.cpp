// SPDX-License-Identifier: BSL-1.0
// A worker's requests, as the one who asks and as the one who serves.
#include "actor/caf_seam.hpp"
#include "actor/request_element.hpp"
#include "actor/worker_extras.hpp"
#include "libactor/actor/worker.hpp"
#include "libactor/context_key.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/foreign.hpp"

#include <caf/sec.hpp>

#include <utility>

namespace libactor {

namespace {

// Below `own`, done with the requester too. What it derives is ended by those above it alone: whoever works for the
// request may do so after the handler has returned.
context derive_for(const context& own, const context& requester) {
  auto base = own;
  if (const auto trace = requester.trace(); trace && trace != own.trace())
    base = with_trace(base, trace);
  auto* here = own.runtime();
  auto* there = requester.runtime();
  if (here == there || here == nullptr || there == nullptr)
    return merged(base, requester).commit();
  // Of another runtime, whose clock is another: what remains of the requester's time counts.
  if (const auto due = requester.deadline())
    base = with_timeout(base, *due - there->now()).commit();
  return with_stop(base, requester.stop_token()).commit();
}

caf::error why_over(const context& ended) {
  return make_error(ended.error() == errc::deadline_exceeded ? errc::deadline_exceeded : errc::canceled);
}

}  // namespace

// -- serving ----------------------------------------------------------------------------------------------------------

libactor::context worker::request_ctx() {
  if (auto served = detail::served_by(*this))
    return served;
  return base_ctx();
}

const libactor::context& worker::base_ctx() {
  const bool drains = extras_ != nullptr && extras_->drain && phase_ != phase::signaled && phase_ != phase::finishing;
  if ((!drains && phase_ != phase::signaled) || ctx().runtime() == nullptr)
    return ctx();
  auto& shield = extras().shield;
  if (!shield) {
    if (drains) {
      shield = shielded(ctx(), *extras_->drain);
    } else {
      const auto until = line().stop_by();
      shield = shielded(ctx(), until ? *until - now() : infinite);
    }
  }
  return shield.ctx();
}

// -- asking -----------------------------------------------------------------------------------------------------------

caf::message_id worker::send_request(caf::abstract_actor* to, caf::message_priority priority, duration timeout,
                                     caf::message what) {
  const auto id = new_request_id(priority);
  const auto answer = id.response_id();
  if (ending())
    return answer;
  if (to == nullptr) {
    enqueue(ctrl(), answer, caf::make_message(caf::make_error(caf::sec::invalid_argument)), context());
    return answer;
  }
  auto with = request_ctx();
  scope own;
  if (timeout != infinite) {
    own = with_timeout(with, timeout);
    with = own.ctx();
  }
  // One that has the worker's own context ends with the worker's down-signal.
  if (with != ctx()) {
    const auto key = answer.integer_value();
    auto& open = extras().open[key];
    open.with = with;
    open.own = std::move(own);
    open.over = detail::when_done(
        with, detail::seam::posting_hook(caf::weak_actor_ptr{ctrl()}, {detail::envelope_kind::request_over, key, {}}));
  } else if (with.done()) {
    detail::seam::post_urgent(this, {detail::envelope_kind::request_over, answer.integer_value(), {}}, context());
  }
  if (with.done())
    return answer;
  to->enqueue(caf::mailbox_element_ptr{new detail::request_element(caf::strong_actor_ptr{ctrl()}, id, {},
                                                                   std::move(what), std::move(with))},
              context());
  return answer;
}

void worker::send_on(caf::abstract_actor* to, caf::message_priority priority, caf::message what) {
  auto* in_hand = current_mailbox_element();
  if (to == nullptr || in_hand == nullptr || in_hand->mid.is_answered())
    return;
  auto id = in_hand->mid;
  if (priority == caf::message_priority::high)
    id = id.with_high_priority();
  in_hand->mid.mark_as_answered();
  if (const auto* request = detail::request_in(in_hand)) {
    to->enqueue(caf::mailbox_element_ptr{new detail::request_element(
                    std::move(in_hand->sender), id, std::move(in_hand->stages), std::move(what), request->requester)},
                context());
    return;
  }
  to->enqueue(caf::make_mailbox_element(std::move(in_hand->sender), id, std::move(in_hand->stages), std::move(what)),
              context());
}

// The context of a request has ended before its answer came.
void worker::request_over(std::uint64_t answer) {
  auto why = why_over(ctx());
  if (extras_) {
    if (auto i = extras_->open.find(answer); i != extras_->open.end()) {
      why = why_over(i->second.with);
      extras_->open.erase(i);
    }
  }
  const caf::message_id id{answer};
  if (multiplexed_responses_.find(id) == multiplexed_responses_.end())
    return;  // nobody waits for it, or it came meanwhile
  auto failed = caf::make_mailbox_element(nullptr, id, {}, std::move(why));
  was_cut_ = extras_ && extras_->cut.erase(answer) != 0;
  caf::event_based_actor::consume(*failed);
  was_cut_ = false;
  current_mailbox_element(nullptr);
}

void worker::end_requests() {
  for (const auto& [answer, handler] : multiplexed_responses_) {
    extras().cut.insert(answer.integer_value());
    detail::seam::post_urgent(this, {detail::envelope_kind::request_over, answer.integer_value(), {}}, context());
  }
}

void worker::unclaimed(caf::mailbox_element& x) {
  if (x.mid.is_response())
    ++extras().late;
}

std::uint64_t worker::late_answers() const noexcept { return extras_ ? extras_->late : 0; }

// -- handling an answer -----------------------------------------------------------------------------------------------

namespace detail {

answer_guard::answer_guard(worker& self, caf::message_id answer, context served) : self_(self) {
  if (self.extras_)
    self.extras_->open.erase(answer.integer_value());
  if (served || self.extras_)
    before_ = std::exchange(self.extras().served, std::move(served));
}

answer_guard::~answer_guard() { restore(); }

void answer_guard::restore() {
  if (self_.extras_ && !std::exchange(restored_, true))
    self_.extras_->served = std::move(before_);
}

void answer_guard::done() {
  if (self_.phase_ != worker::phase::settling || self_.ending())
    return;
  restore();  // clean-up is for no request
  self_.drained();
}

bool takes_answers(const worker& self) noexcept { return !self.ending(); }

context served_by(worker& self) {
  if (self.extras_ && self.extras_->served)
    return self.extras_->served;
  auto* request = request_in(self.current_mailbox_element());
  if (request == nullptr)
    return {};
  if (!request->serving)
    request->serving = derive_for(self.base_ctx(), request->requester);
  return request->serving;
}

void answer_failed(worker& self, caf::error& why) {
  const auto code = errc_of(why);
  const bool over = code == errc::canceled || code == errc::deadline_exceeded;
  if (over && (self.was_cut_ || self.request_ctx().done()))
    return;
  self.call_error_handler(why);
}

}  // namespace detail

}  // namespace libactor
