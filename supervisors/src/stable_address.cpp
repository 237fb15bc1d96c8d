// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. Messages keep their order: while what is held goes to an incarnation, whatever comes is held, too.
//  2. No message is handed on, refused or destroyed under the mutex: whoever made it may hold a lock of its own when it
//     uses the address, and a message may use it in its destructor.
#include "stable_address.hpp"

#include "libactor/actor/reason.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_actor.hpp>
#include <utility>
#include <vector>

namespace libactor {

stable_address::stable_address(caf::actor_config& cfg, std::string path, std::optional<duration> hold,
                               std::shared_ptr<context_runtime> contexts, std::shared_ptr<event_sink> sink)
    : caf::monitorable_actor(cfg),
      path_(std::move(path)),
      contexts_(std::move(contexts)),
      sink_(std::move(sink)),
      hold_(hold) {}

void stable_address::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) {
  caf::strong_actor_ptr to, gone;
  {
    std::lock_guard guard{mutex_};
    to = caf::actor_cast<caf::strong_actor_ptr>(current_);
    if (to && to->get()->getf(is_terminated_flag))
      gone = std::move(to);
    if ((!to || delivers_) && hold_ && !closed_) {
      held_.push_back({contexts_->now() + *hold_, std::move(what)});
      if (held_.size() == 1 && !delivers_)
        arm();
      return;
    }
  }
  if (to)
    to->enqueue(std::move(what), host);
  else
    refuse(*what, host);
}

void stable_address::refuse(caf::mailbox_element& what, caf::execution_unit* host) {
  if (what.mid.is_request() && what.sender) {
    what.sender->enqueue(nullptr, what.mid.response_id(), caf::make_message(make_error(errc::no_incarnation, path_)),
                         host);
    return;
  }
  std::lock_guard guard{mutex_};
  ++dropped_;
}

void stable_address::bind(const caf::actor& current, std::optional<duration> hold) {
  {
    std::unique_lock held{mutex_};
    hold_ = hold;
    deliver_held(held, current);
  }
  tell_dropped();
}

void stable_address::bind_first(const caf::actor& current) {
  std::unique_lock held{mutex_};
  if (!current_ && !closed_)
    deliver_held(held, current);
}

// One by one: the incarnation may end meanwhile, and then the rest waits for the next.
void stable_address::deliver_held(std::unique_lock<std::mutex>& held, const caf::actor& current) {
  auto* to = caf::actor_cast<caf::abstract_actor*>(current);
  current_ = caf::weak_actor_ptr{caf::actor_cast<caf::actor_control_block*>(current)};
  alarm_.reset();
  delivers_ = true;
  const auto mine = ++binding_;
  while (!held_.empty() && !to->getf(is_terminated_flag)) {
    auto next = std::move(held_.front().what);
    held_.pop_front();
    held.unlock();
    to->enqueue(std::move(next), nullptr);
    held.lock();
    if (mine != binding_)
      return;  // whoever came between sees to the rest
  }
  let_go();
}

// Under the mutex: nothing is delivered any more.
void stable_address::let_go() {
  delivers_ = false;
  if (!held_.empty())
    arm();
}

void stable_address::unbind() {
  std::lock_guard guard{mutex_};
  ++binding_;
  current_ = nullptr;
  let_go();
}

void stable_address::close() {
  std::deque<held_message> left;
  {
    std::lock_guard guard{mutex_};
    closed_ = true;
    ++binding_;
    current_ = nullptr;
    delivers_ = false;
    alarm_.reset();
    left.swap(held_);
  }
  for (auto& message : left)
    refuse(*message.what, nullptr);
  tell_dropped();
  cleanup(caf::exit_reason::user_shutdown, nullptr);
}

// What is dropped is told once the child is up again, not one by one.
void stable_address::tell_dropped() {
  event what;
  {
    std::lock_guard guard{mutex_};
    what.count = std::exchange(dropped_, 0);
  }
  if (what.count == 0 || sink_ == nullptr)
    return;
  what.kind = event_kind::dropped;
  what.at = contexts_->now();
  what.path = path_;
  what.text = "messages to its address while it had no incarnation";
  sink_->on_event(what);
}

// -- the bound --------------------------------------------------------------------------------------------------------

// Under the mutex.
void stable_address::arm() {
  auto weak = std::make_unique<caf::weak_actor_ptr>(ctrl());
  alarm_ = detail::at_time(
      *contexts_, held_.front().until,
      {[](void* data) noexcept {
         const auto strong = caf::actor_cast<caf::strong_actor_ptr>(*static_cast<const caf::weak_actor_ptr*>(data));
         if (strong)
           static_cast<stable_address*>(strong->get())->expire();
       },
       [](void* data) noexcept { delete static_cast<caf::weak_actor_ptr*>(data); }, weak.release()});
}

void stable_address::expire() {
  std::vector<caf::mailbox_element_ptr> late;
  {
    std::lock_guard guard{mutex_};
    const auto now = contexts_->now();
    while (!held_.empty() && held_.front().until <= now) {
      late.push_back(std::move(held_.front().what));
      held_.pop_front();
    }
    if (!held_.empty())
      arm();
  }
  for (auto& what : late)
    refuse(*what, nullptr);
}

// -- the book ---------------------------------------------------------------------------------------------------------

caf::actor address_book::at(caf::actor_system& system, const std::string& path, std::optional<duration> hold,
                            std::shared_ptr<context_runtime> contexts, std::shared_ptr<event_sink> sink) {
  std::lock_guard guard{mutex_};
  if (auto i = known_.find(path); i != known_.end())
    return i->second;
  caf::actor_config cfg;
  auto made = caf::make_actor<stable_address, caf::actor>(system.next_actor_id(), system.node(), &system, cfg, path,
                                                          hold, std::move(contexts), std::move(sink));
  if (closed_) {
    static_cast<stable_address*>(caf::actor_cast<caf::abstract_actor*>(made))->close();
    return made;
  }
  known_.emplace(path, made);
  any_.store(true, std::memory_order_seq_cst);
  return made;
}

caf::actor address_book::find(const std::string& path) const {
  std::lock_guard guard{mutex_};
  const auto i = known_.find(path);
  return i == known_.end() ? caf::actor{} : i->second;
}

void address_book::bind(const std::string& path, const caf::actor& current, std::optional<duration> hold) {
  if (const auto known = find(path))
    static_cast<stable_address*>(caf::actor_cast<caf::abstract_actor*>(known))->bind(current, hold);
}

void address_book::unbind(const std::string& path) {
  if (const auto known = find(path))
    static_cast<stable_address*>(caf::actor_cast<caf::abstract_actor*>(known))->unbind();
}

void address_book::close() {
  std::unordered_map<std::string, caf::actor> all;
  {
    std::lock_guard guard{mutex_};
    closed_ = true;
    all.swap(known_);
  }
  for (const auto& [path, known] : all)
    static_cast<stable_address*>(caf::actor_cast<caf::abstract_actor*>(known))->close();
}

}  // namespace libactor
