// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. `context_done` runs once, in the actor, and before any message that is read after the context was done.
//  2. An actor that waits is resumed when its context ends. Unless it is detached, nothing is sent: the one who ends
//     it marks the context and then looks whether the actor waits; the actor marks that it waits and then looks
//     whether the context is done. Both orders are sequentially consistent, so that one of them sees the other.
//  3. What hooks and timers hold of the actor is weak; none of them keeps it alive.
//  4. An actor that ends by `user_shutdown` makes no error of it, an allocation for each of many that end at once,
//     unless somebody follows it by then; whoever follows it later has the error made. Both happen under CAF's lock of
//     the actor, in which CAF marks its end, too.
#include "libactor/actor/context_actor.hpp"

#include "actor/caf_seam.hpp"
#include "actor/fence.hpp"
#include "actor/system_thread.hpp"
#include "actor/turn.hpp"
#include "context_node.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/violation.hpp"

#include <unistd.h>
#include <caf/exit_reason.hpp>
#include <system_error>

namespace libactor {

namespace {

int this_thread() noexcept {
  thread_local const int id = ::gettid();
  return id;
}

// Marks the activity cell for as long as a handler runs. Only the actor's own thread writes it.
class watched_handler {
 public:
  explicit watched_handler(activity_cell& cell) noexcept : cell_(cell) {
    cell_.thread.store(this_thread(), std::memory_order_relaxed);
    step();
  }
  ~watched_handler() { step(); }
  watched_handler(const watched_handler&) = delete;
  watched_handler& operator=(const watched_handler&) = delete;

 private:
  void step() noexcept {
    cell_.sequence.store(cell_.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  activity_cell& cell_;
};

}  // namespace

context_actor::context_actor(caf::actor_config& cfg, worker_options options)
    : caf::event_based_actor(cfg),
      ctx_(std::move(options.ctx)),
      line_(std::move(options.line)),
      context_word_(&detail::access::require(ctx_).lifeline()->word),
      fence_(&detail::fence_of(ctx_)),
      is_watched_(line_->watched),
      tells_end_(options.tells_end),
      logs_(detail::logs(home_system())) {
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& thrown) { return make_error(thrown); });
}

// Not before the constructors are through: one that throws takes the memory away under whoever ends the context.
void context_actor::launch(caf::execution_unit* host, bool lazy, bool hide) {
  wake_ = detail::when_done(ctx_, waking_hook());
  if (!getf(is_detached_flag))
    return caf::event_based_actor::launch(host, lazy, hide);
  try {
    caf::event_based_actor::launch(host, lazy, hide);
  } catch (const std::system_error&) {
    detail::seam::forget_thread(*this, private_thread_);
    throw;
  }
}

detail::done_hook context_actor::waking_hook() {
  if (!getf(is_detached_flag))
    return detail::seam::resuming_hook(*this);
  return detail::seam::posting_hook(caf::weak_actor_ptr{ctrl()}, {detail::envelope_kind::wake, 0, {}});
}

context_actor::~context_actor() = default;

time_point context_actor::now() const noexcept {
  if (auto* runtime = ctx().runtime())
    return runtime->now();
  return std::chrono::steady_clock::now();
}

context_actor::timer_id context_actor::after(duration delay, std::function<void()> action) {
  return at(add_saturated(now(), delay), std::move(action));
}

context_actor::timer_id context_actor::at(time_point when, std::function<void()> action) {
  auto* runtime = ctx().runtime();
  if (runtime == nullptr)
    violated("a timer needs a context of a runtime");
  const auto id = add_timer(std::move(action));
  if (when == time_point::max())
    return id;  // never
  timers_->waiting[id].registration = detail::at_time(
      *runtime, when, detail::seam::posting_hook(caf::weak_actor_ptr{ctrl()}, {detail::envelope_kind::timer, id, {}}));
  return id;
}

context_actor::timer_id context_actor::park(std::function<void()> action) { return add_timer(std::move(action)); }

context_actor::timer_id context_actor::add_timer(std::function<void()> action) {
  if (timers_ == nullptr)
    timers_ = std::make_unique<timers>();
  timers_->waiting[++timers_->last].action = std::move(action);
  return timers_->last;
}

bool context_actor::cancel_timer(timer_id id) noexcept { return timers_ != nullptr && timers_->waiting.erase(id) != 0; }

void context_actor::run_timer(timer_id id) {
  if (timers_ == nullptr)
    return;
  auto i = timers_->waiting.find(id);
  if (i == timers_->waiting.end())
    return;
  auto action = std::move(i->second.action);
  timers_->waiting.erase(i);
  action();
}

caf::resumable::resume_result context_actor::resume(caf::execution_unit* host, std::size_t most_messages) {
  const auto result = logs_ || detail::seam::has_streams(*this) ? caf::event_based_actor::resume(host, most_messages)
                                                                : detail::seam::take_turn(*this, host, most_messages);
  if (result != caf::resumable::awaiting_message || seen_done_.load(std::memory_order_relaxed) ||
      (context_word_->load(std::memory_order_seq_cst) & detail::node_head::done_bit) == 0) [[likely]]
    return result;
  return look_again(host, most_messages);
}

// The context ended while the actor was about to wait.
caf::resumable::resume_result context_actor::look_again(caf::execution_unit* host, std::size_t most_messages) {
  if (!mailbox().try_unblock())
    return caf::resumable::awaiting_message;  // somebody else has woken it, and handed it to the scheduler
  context(host);                              // another thread may have had a turn meanwhile
  if (reactivate(detail::seam::wake_element()) == activation_result::terminated)
    return caf::resumable::done;
  return resume(host, most_messages);  // which has seen the end now
}

// For every message: what most of them need, and no more.
inline caf::invoke_message_result context_actor::consume_in_context(caf::mailbox_element& x) {
  if ((context_word_->load(std::memory_order_acquire) & detail::node_head::done_bit) != 0 &&
      !seen_done_.load(std::memory_order_relaxed)) [[unlikely]]
    see_done(x);
  if (auto* message = detail::seam::open(x)) [[unlikely]] {
    take(*message, x);
    return caf::invoke_message_result::consumed;
  }
  if (fence_->load(std::memory_order_relaxed) && fenced_off(x)) [[unlikely]]
    return caf::invoke_message_result::consumed;
  if ((!admits_all_ || ending()) && !admits(x)) [[unlikely]]
    return caf::invoke_message_result::consumed;
  const auto result = caf::event_based_actor::consume(x);
  if (result == caf::invoke_message_result::dropped) [[unlikely]]
    unclaimed(x);
  return result;
}

caf::invoke_message_result context_actor::consume(caf::mailbox_element& x) {
  return is_watched_ ? consume_watched(x) : consume_in_context(x);
}

caf::invoke_message_result context_actor::consume_watched(caf::mailbox_element& x) {
  auto& cell = line_->activity;
  if (!detail::seam::has_shape(x, cell.shape)) [[unlikely]]
    note_type(x);
  cell.backlog.store(detail::seam::backlog_of(*this), std::memory_order_relaxed);
  const watched_handler guard{cell};
  return consume_in_context(x);
}

// Of most messages the one before was of the same type.
void context_actor::note_type(const caf::mailbox_element& x) noexcept {
  const auto [shape, type] = detail::seam::shape_of(x);
  line_->activity.shape = shape;
  line_->activity.message_type.store(type, std::memory_order_relaxed);
}

// Whether the sender was abandoned. Who waits for an answer of it gets an error in its stead.
bool context_actor::fenced_off(caf::mailbox_element& x) {
  if (x.sender == nullptr || detail::seam::is_system_message(x))
    return false;
  const auto* sender = dynamic_cast<const context_actor*>(x.sender->get());
  if (sender == nullptr || !sender->line().abandoned())
    return false;
  sender->line().note_fenced();
  if (x.mid.is_response()) {
    auto failed = caf::make_mailbox_element(nullptr, x.mid, {}, make_error(errc::abandoned));
    caf::event_based_actor::consume(*failed);
    current_mailbox_element(nullptr);
  }
  return true;
}

caf::behavior context_actor::make_behavior() {
  if (!is_watched_)
    return caf::event_based_actor::make_behavior();
  line_->activity.message_type.store(&typeid(*this), std::memory_order_relaxed);
  const watched_handler guard{line_->activity};
  return caf::event_based_actor::make_behavior();
}

void context_actor::see_done(caf::mailbox_element& x) {
  if (detail::seam::open(x) == nullptr && detail::seam::is_kill(x))
    return;
  seen_done_.store(true, std::memory_order_relaxed);
  try {
    context_done();
  } catch (...) {
    skip(x);
    throw;
  }
}

void context_actor::take(detail::envelope& message, caf::mailbox_element& x) {
  current_mailbox_element(&x);
  if (ending() || message.kind == detail::envelope_kind::wake)
    return;
  if (message.kind == detail::envelope_kind::timer)
    run_timer(message.key);
  else
    receive(message, x);
}

// Not in `on_exit`: actors with a state of their own do not call that of their base.
bool context_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  timers_ = nullptr;
  wake_.reset();
  if (reason && !getf(is_cleaned_up_flag))
    unsaid_ = false;
  if (!tells_end_)
    return caf::event_based_actor::cleanup(std::move(reason), host);
  auto why = unsaid_ ? detail::end_reason{caf::exit_reason::user_shutdown} : detail::end_reason{reason};
  if (!caf::event_based_actor::cleanup(std::move(reason), host))
    return false;
  detail::seam::post_urgent(line_->supervisor(), {detail::envelope_kind::child_down, line_->key(), std::move(why)},
                            host);
  return true;
}

void context_actor::on_cleanup(const caf::error&) {
  if (has_followers_)
    say_reason();
}

void context_actor::say_reason() {
  if (std::exchange(unsaid_, false))
    fail_state_ = caf::exit_reason::user_shutdown;
}

void context_actor::be_followed() {
  has_followers_ = true;
  if (getf(is_terminated_flag))
    say_reason();
}

void context_actor::attach(caf::attachable_ptr whom) {
  exclusive_critical_section([this] { be_followed(); });
  caf::event_based_actor::attach(std::move(whom));
}

void context_actor::add_link(caf::abstract_actor* other) {
  exclusive_critical_section([this] { be_followed(); });
  caf::event_based_actor::add_link(other);
}

bool context_actor::add_backlink(caf::abstract_actor* other) {
  be_followed();  // the caller holds the lock
  return caf::event_based_actor::add_backlink(other);
}

// None: `user_shutdown`.
std::optional<errc> context_actor::code_of_context() const {
  if (line_->asked())
    return std::nullopt;
  if (expired())
    return errc::deadline_exceeded;
  const auto* why = detail::access::get(ctx_)->lifeline()->why;
  if (why != nullptr && why->origin == cause_origin::watchdog)
    return errc::canceled;
  return std::nullopt;
}

caf::error context_actor::reason_of_context() const {
  const auto code = code_of_context();
  return code ? make_error(*code) : caf::exit_reason::user_shutdown;
}

void context_actor::quit_for_context() {
  // CAF's log names the reason, and streams are told it.
  if (code_of_context() || logs_ || detail::seam::has_streams(*this))
    return quit(reason_of_context());
  if (!ending())
    unsaid_ = true;
  quit();
}

bool context_actor::expired() const noexcept {
  return (context_word_->load(std::memory_order_acquire) & detail::node_head::expired) != 0;
}

}  // namespace libactor
