// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/worker.hpp"

#include "actor/caf_seam.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

namespace libactor {

namespace {

bool is_system_message(const caf::mailbox_element& x) {
  const auto& content = x.content();
  return content.match_elements<caf::exit_msg>() || content.match_elements<caf::down_msg>() ||
         content.match_elements<caf::error>();
}

}  // namespace

worker::worker(caf::actor_config& cfg, worker_options options) : context_actor(cfg, std::move(options)) {}

caf::behavior worker::make_behavior() {
  // A worker whose context ended before it ran never runs its body.
  if (ctx().done()) {
    quit(reason_of_context());
    return {};
  }
  auto behavior = context_actor::make_behavior();
  if (!start_deferred_ && !ending())
    acknowledge_start();
  return behavior;
}

void worker::acknowledge_start() {
  if (std::exchange(started_, true))
    return;
  detail::seam::post_urgent(line().supervisor(), {detail::envelope_kind::started, line().key(), {}}, context());
}

void worker::ready() {
  acknowledge_start();
  if (std::exchange(ready_, true))
    return;
  detail::seam::post_urgent(line().supervisor(), {detail::envelope_kind::ready, line().key(), {}}, context());
}

void worker::finish(caf::error reason) { quit(std::move(reason)); }

void worker::note(std::string text) { emit(event_kind::note, std::move(text)); }

void worker::emit(event_kind kind, std::string text, std::uint64_t count) {
  event what;
  what.kind = kind;
  what.at = ctx().runtime() != nullptr ? now() : time_point{};
  what.path = line().path();
  what.actor = id();
  what.incarnation = line().incarnation();
  what.text = std::move(text);
  what.count = count;
  what.trace = ctx().trace();
  line().emit(what);
}

void worker::context_done() {
  if (options().drain) {
    phase_ = phase::draining;
    detail::seam::post(this, {detail::envelope_kind::drain_marker, 0, {}}, context());
    after(*options().drain, [this] {
      if (phase_ == phase::draining)
        signal_down();
    });
    return;
  }
  signal_down();
}

void worker::receive(detail::envelope& message, caf::mailbox_element&) {
  if (message.kind == detail::envelope_kind::drain_marker && phase_ == phase::draining)
    signal_down();
}

bool worker::admits(caf::mailbox_element& x) {
  if (phase_ != phase::signaled && !ending())
    return true;
  // Replies belong to handlers that wait for them, and exits are CAF's business.
  if (!ending() && (x.mid.is_response() || is_system_message(x)))
    return true;
  if (x.mid.is_response() || is_system_message(x))
    return false;
  ++dropped_;
  if (x.mid.is_request())
    held_requests_.push_back({x.sender, x.mid});
  return false;
}

void worker::signal_down() {
  phase_ = phase::signaled;
  const auto deadline = ctx().error() == errc::deadline_exceeded;
  if (deadline) {
    const deadline_reached signal{ctx().deadline().value_or(time_point{})};
    if (on_deadline_) {
      on_deadline_(signal);
    } else if (has_behavior()) {
      auto message = caf::make_message(signal);
      current_behavior()(message);
    }
    if (ending())
      return;
  }
  const down_signal signal{ctx().error(), ctx().cause(), line().stop_by()};
  if (on_down_signal_) {
    on_down_signal_(signal);
    return;
  }
  if (has_behavior()) {
    auto message = caf::make_message(signal);
    if (current_behavior()(message))
      return;
  }
  quit(reason_of_context());
}

void worker::answer_held() {
  for (auto& request : held_requests_) {
    if (auto sender = caf::actor_cast<caf::strong_actor_ptr>(request.sender))
      sender->enqueue(nullptr, request.id.response_id(), caf::make_message(make_error(errc::dropped)), context());
  }
  held_requests_.clear();
}

void worker::on_exit() {
  answer_held();
  if (dropped_ != 0)
    emit(event_kind::dropped, "messages unread at its end", std::exchange(dropped_, 0));
  on_down_signal_ = nullptr;
  on_deadline_ = nullptr;
  context_actor::on_exit();
}

}  // namespace libactor
