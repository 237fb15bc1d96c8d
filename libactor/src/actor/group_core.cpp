// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. A task is spawned, and noted with the worker that owns the group, under the mutex, and only while the group's
//     context is live: so whoever ends that worker finds all tasks that may run, or their context done.
//  2. Contexts are canceled, actors told and closures dropped with the mutex free.
//  3. One thread at a time starts tasks. Others, and ends that come while it starts one, leave it to that one.
#include "libactor/actor/detail/group_core.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/actor/worker.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/violation.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <utility>

namespace libactor::detail {

namespace {

scope derive(const context& ctx, duration timeout) {
  return timeout == infinite ? with_cancel(ctx) : with_timeout(ctx, timeout);
}

// The default of a child's `kill_grace`.
constexpr auto orphan_grace = std::chrono::seconds(1);

caf::error error_of(const context& ended) {
  const auto code = ended.error() == errc::deadline_exceeded ? errc::deadline_exceeded : errc::canceled;
  return make_error(code, std::string(ended.cause().text()));
}

}  // namespace

group_core::group_core(caf::actor_system& system, const context& ctx, duration timeout)
    : system_(system), own_(derive(ctx, timeout)), owner_line_(std::make_shared<lifeline>()) {}

std::shared_ptr<group_core> group_core::make(worker& owner, duration timeout) {
  auto group = std::make_shared<group_core>(owner.system(), owner.request_ctx(), timeout);
  group->owner_line_ = owner.shared_line();
  group->owner_ = caf::weak_actor_ptr{owner.ctrl()};
  owner.take_in(group);
  return group;
}

void group_core::limit(std::size_t at_once) {
  if (at_once == 0)
    violated("a group must let at least one task run");
  lock held{mutex_};
  limit_ = at_once;
  pump(held);
}

void group_core::on_threads() {
  const lock held{mutex_};
  detached_ = true;
}

// -- work comes -------------------------------------------------------------------------------------------------------

caf::error group_core::refusal() const {
  if (closed_)
    return make_error(errc::closed);
  return ctx().done() ? error_of(ctx()) : caf::error{};
}

caf::error group_core::add(std::string name, launch how, std::shared_ptr<void> value) {
  lock held{mutex_};
  if (auto why = refusal())
    return why;
  const auto place = results_.size();
  results_.push_back({name.empty() ? "task#" + std::to_string(place + 1) : std::move(name), {}, std::move(value)});
  waiting_.push_back({place, std::move(how)});
  pump(held);
  return {};
}

void group_core::pump(lock& held) {
  if (std::exchange(pumping_, true))
    return;
  std::deque<waiting_task> never;
  while (!waiting_.empty()) {
    if (ctx().done()) {
      for (const auto& task : waiting_)
        results_[task.place].error = error_of(ctx());
      if (!first_failed_)
        first_failed_ = waiting_.front().place;
      never.swap(waiting_);
      break;
    }
    if (running_ >= limit_)
      break;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next), held);
  }
  pumping_ = false;
  settle(held);
  held.unlock();
  never.clear();
  held.lock();
}

void group_core::start(waiting_task next, lock& held) {
  ++running_;
  auto line = std::make_shared<lifeline>(owner_line_->path() + "/" + results_[next.place].name, 1,
                                         caf::weak_actor_ptr{}, next.place, owner_line_->sink());
  line->watched = owner_line_->watched;
  worker_options options;
  options.ctx = ctx();
  options.line = line;
  options.detached = detached_;
  caf::actor handle;
  caf::error failed;
  try {
    handle = next.how(std::move(options));
    owner_line_->add_task({handle, line});
  } catch (...) {
    failed = make_error(std::current_exception());
  }
  held.unlock();
  next.how = nullptr;
  if (handle) {
    seam::when_ended(handle, [self = shared_from_this(), place = next.place, line](
                                 const caf::error& reason, caf::execution_unit*) { self->ended(place, line, reason); });
  } else {
    ended(next.place, line, failed);
  }
  handle = nullptr;
  held.lock();
}

// -- work ends --------------------------------------------------------------------------------------------------------

void group_core::ended(std::size_t place, const std::shared_ptr<lifeline>& line, caf::error reason) {
  adopt(line);
  owner_line_->remove_task(*line);
  if (reason == caf::exit_reason::user_shutdown && ctx().done())
    reason = error_of(ctx());
  bool first = false;
  {
    lock held{mutex_};
    results_[place].error = reason;
    if (reason && !first_failed_) {
      first_failed_ = place;
      first = true;
    }
  }
  if (first)
    own_.cancel(
        cause("a task of its group failed: " + libactor::describe(reason), cause_origin::explicit_, line->path()));
  lock held{mutex_};
  --running_;
  pump(held);
}

// What a task leaves behind, because it was killed or threw: its groups have been canceled. The group waits for it, and
// kills what is still there after a while; whoever ends its owner finds it there.
void group_core::adopt(const std::shared_ptr<lifeline>& of) {
  std::vector<lifeline::task> left;
  of->collect_tasks(left);
  std::erase_if(left, [](const auto& who) { return seam::has_ended(who.handle); });
  for (auto& who : left) {
    {
      lock held{mutex_};
      ++orphans_;
    }
    owner_line_->add_task(who);
    if (auto* runtime = ctx().runtime())
      at_time(*runtime, runtime->now() + orphan_grace, seam::killing_hook(who.handle)).detach();
    seam::when_ended(who.handle, [self = shared_from_this(), line = who.line](const caf::error&, caf::execution_unit*) {
      self->orphan_ended(*line);
    });
  }
}

void group_core::orphan_ended(const lifeline& line) {
  owner_line_->remove_task(line);
  lock held{mutex_};
  --orphans_;
  settle(held);
}

// -- its end ----------------------------------------------------------------------------------------------------------

void group_core::close() {
  lock held{mutex_};
  closed_ = true;
  settle(held);
}

void group_core::leave() {
  bool abandoned = false;
  {
    lock held{mutex_};
    closed_ = true;
    abandoned = !kept_ && !is_over();
    settle(held);
  }
  if (abandoned)
    own_.cancel(cause("its group was left"));
}

void group_core::owner_gone() {
  own_.cancel_now(cause("the worker that it belonged to ended", cause_origin::parent_ended, owner_line_->path()));
  lock held{mutex_};
  closed_ = true;
  pump(held);
}

void group_core::settle(lock& held) {
  if (!is_over() || std::exchange(told_, true))
    return;
  changed_.notify_all();
  const auto waiters = std::exchange(waiters_, {});
  held.unlock();
  for (const auto& whom : waiters)
    tell(whom);
  seam::post_urgent(owner_, {envelope_kind::tasks_down, 0, {}});
  held.lock();
}

void group_core::tell(const waiter& whom) const noexcept {
  seam::post_urgent(whom.who, {envelope_kind::timer, whom.key, {}});
}

bool group_core::over() const {
  lock held{mutex_};
  return is_over();
}

bool group_core::idle() const {
  lock held{mutex_};
  return running_ == 0 && waiting_.empty() && orphans_ == 0;
}

void group_core::wait() const {
  lock held{mutex_};
  changed_.wait(held, [this] { return is_over(); });
}

void group_core::when_over(worker& self, std::function<void()> action) {
  const waiter whom{caf::weak_actor_ptr{self.ctrl()}, self.park_join(std::move(action))};
  {
    lock held{mutex_};
    kept_ = true;
    if (!is_over()) {
      waiters_.push_back(whom);
      return;
    }
  }
  tell(whom);
}

std::vector<group_core::result> group_core::results() const {
  lock held{mutex_};
  return results_;
}

std::optional<std::size_t> group_core::first_failed() const {
  lock held{mutex_};
  return first_failed_;
}

}  // namespace libactor::detail
