// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/worker.hpp"

#include "actor/caf_seam.hpp"
#include "actor/worker_extras.hpp"
#include "libactor/actor/detail/group_core.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_type_erased_tuple_view.hpp>

namespace libactor {

using detail::worker_extras;

worker::worker(caf::actor_config& cfg, worker_options options) : context_actor(cfg, std::move(options)) {
  if (options.drain)  // which is still there
    extras().drain = options.drain;
}

worker::~worker() = default;

detail::worker_extras& worker::extras() {
  if (extras_ == nullptr)
    extras_ = std::make_unique<detail::worker_extras>();
  return *extras_;
}

caf::behavior worker::make_behavior() {
  // A worker whose context ended before it ran never runs its body.
  if (ctx().done()) {
    quit_for_context();
    return {};
  }
  auto behavior = context_actor::make_behavior();
  if (behavior && extras_)
    extras_->stand_in = {};
  if (!start_deferred_ && !ending())
    acknowledge_start();
  return behavior;
}

void worker::acknowledge_start() {
  if (started_)
    return;
  started_ = true;
  detail::seam::post_urgent(line().supervisor(), {detail::envelope_kind::started, line().key(), {}}, context());
}

void worker::ready() {
  acknowledge_start();
  if (ready_)
    return;
  ready_ = true;
  detail::seam::post_urgent(line().supervisor(), {detail::envelope_kind::ready, line().key(), {}}, context());
}

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

void worker::on_down_signal(std::function<void(const down_signal&)> handler) {
  extras().on_down_signal = std::move(handler);
}

void worker::on_deadline(std::function<void(const deadline_reached&)> handler) {
  extras().on_deadline = std::move(handler);
}

// -- its end ----------------------------------------------------------------------------------------------------------

void worker::context_done() {
  current_mailbox_element(nullptr);  // that of the message before is gone
  if (phase_ == phase::finishing)
    return;  // its tasks are done with it
  if (extras_ != nullptr && extras_->drain) {
    enter(phase::draining);
    detail::seam::post(this, {detail::envelope_kind::drain_marker, 0, {}}, context());
    after(*extras_->drain, [this] {
      if (phase_ == phase::draining || phase_ == phase::settling)
        signal_down();
    });
    return;
  }
  signal_down();
}

void worker::receive(detail::envelope& message, caf::mailbox_element&) {
  if (message.kind == detail::envelope_kind::request_over)
    request_over(message.key);
  else if (message.kind == detail::envelope_kind::tasks_down)
    tasks_down();
  else if (message.kind == detail::envelope_kind::drain_marker && phase_ == phase::draining)
    drained();
}

// What stood in the mailbox is served, as far as it is not waiting for answers.
void worker::drained() {
  enter(phase::settling);
  if (!multiplexed_responses_.empty())
    return;
  note("drained");
  signal_down();
}

bool worker::admits(caf::mailbox_element& x) {
  if (phase_ <= phase::draining && !ending())
    return true;
  // Replies belong to handlers that wait for them, and exits are CAF's business.
  if (x.mid.is_response() || detail::seam::is_system_message(x))
    return !ending();
  skip(x);
  return false;
}

void worker::skip(caf::mailbox_element& x) {
  if (!detail::seam::is_of_user(x))
    return;
  auto& end = extras();
  ++end.dropped;
  if (x.mid.is_request())
    end.held.push_back({x.sender, x.mid});
}

// Whether the behavior had a case for it.
template <class Signal>
bool worker::show(Signal& signal) {
  auto view = caf::make_type_erased_tuple_view(signal);  // no memory, for those many that have none
  return has_behavior() && current_behavior()(view);
}

void worker::signal_down() {
  enter(phase::signaled);
  // A handler may set another: it stays until it has returned.
  const auto call = [this](auto worker_extras::*which, const auto& signal) {
    auto handler = std::move(extras_.get()->*which);
    handler(signal);
    if (extras_ && !(extras_.get()->*which))
      extras_.get()->*which = std::move(handler);
  };
  if (extras_)
    extras_->shield = {};  // from here on, clean-up has one of its own
  end_requests();
  if (expired()) {
    deadline_reached signal{ctx().deadline().value_or(time_point{})};
    if (extras_ && extras_->on_deadline)
      call(&worker_extras::on_deadline, signal);
    else
      show(signal);
    if (ending() || phase_ == phase::finishing)
      return;
  }
  down_signal signal{expired() ? errc::deadline_exceeded : errc::canceled, ctx().cause(), line().stop_by()};
  if (extras_ && extras_->on_down_signal)
    return call(&worker_extras::on_down_signal, signal);
  if (show(signal))
    return;
  if (has_tasks())
    finish(reason_of_context());
  else
    quit_for_context();
}

void worker::answer_held() {
  for (auto& request : std::exchange(extras_->held, {})) {
    if (request.sender)
      request.sender->enqueue(nullptr, request.id.response_id(), caf::make_message(make_error(errc::dropped)),
                              context());
  }
}

void worker::finish(caf::error reason) {
  if (ending() || phase_ == phase::finishing)
    return;
  if (!has_tasks()) {
    quit(std::move(reason));
    return;
  }
  enter(phase::finishing);
  const bool failed = static_cast<bool>(reason);
  extras_->final_reason = std::move(reason);
  stay_for_tasks();
  for (const auto& group : extras_->groups) {
    group->close();
    if (failed)
      group->cancel(cause("the worker that it belongs to ends", cause_origin::parent_ended, line().path()));
  }
}

bool worker::cleanup(caf::error&& reason, caf::execution_unit* host) {
  if (getf(is_cleaned_up_flag))
    return context_actor::cleanup(std::move(reason), host);
  auto unread = detail::seam::drop_unread(
      *this, [] { return make_error(errc::dropped); }, host);
  if (extras_) {
    unread += extras_->dropped;
    answer_held();
    for (const auto& group : std::exchange(extras_->groups, {}))
      group->owner_gone();
    if (extras_->late != 0)
      emit(event_kind::dropped, "answers that came too late", extras_->late);
    extras_->on_down_signal = nullptr;
    extras_->on_deadline = nullptr;
    extras_->open.clear();
    extras_->served = {};
    extras_->shield = {};
  }
  if (unread != 0) {
    shared_line()->note_unread(unread);
    emit(event_kind::dropped, "messages unread at its end", unread);
  }
  return context_actor::cleanup(std::move(reason), host);
}

// -- its tasks --------------------------------------------------------------------------------------------------------

void worker::take_in(std::shared_ptr<detail::group_core> group) {
  std::erase_if(extras().groups, [](const auto& known) { return known->over(); });
  if (phase_ == phase::finishing)
    group->close();  // it waits for those that there are
  extras().groups.push_back(std::move(group));
  stay_for_tasks();
}

bool worker::has_tasks() const {
  return extras_ &&
         std::any_of(extras_->groups.begin(), extras_->groups.end(), [](const auto& group) { return !group->idle(); });
}

// CAF ends an actor that has no behavior and waits for no answer.
void worker::stay_for_tasks() {
  if (has_behavior() || ending())
    return;
  extras_->stand_in = caf::behavior{[](const detail::envelope&) {}};
  do_become(extras_->stand_in, true);
}

context_actor::timer_id worker::park_join(std::function<void()> action) {
  ++extras().joins;
  return park([this, action = std::move(action)] {
    --extras_->joins;
    action();
    if (!ending())
      tasks_down();
  });
}

void worker::tasks_down() {
  std::erase_if(extras().groups, [](const auto& known) { return known->over(); });
  if (has_tasks())
    return;
  if (phase_ == phase::finishing)
    quit(std::move(extras_->final_reason));
  else if (phase_ != phase::signaled && extras_->joins == 0 && extras_->stand_in && has_behavior() &&
           bhvr_stack().back().as_behavior_impl() == extras_->stand_in.as_behavior_impl())
    unbecome();
}

}  // namespace libactor
