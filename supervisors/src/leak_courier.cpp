// SPDX-License-Identifier: BSL-1.0
#include "leak_courier.hpp"

#include "symbols.hpp"

#include <pthread.h>

#include <system_error>

namespace libactor::detail {

namespace {

event event_of(const std::shared_ptr<const leak_event>& leak) {
  event what;
  what.kind = leak->kind;
  what.at = leak->at;
  what.path = leak->path;
  what.actor = leak->actor;
  what.incarnation = leak->incarnation;
  what.text = leak->text;
  what.elapsed = leak->elapsed;
  what.trace = leak->trace;
  what.leak = leak;
  return what;
}

}  // namespace

leak_courier::~leak_courier() {
  {
    const std::lock_guard guard{mutex_};
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void leak_courier::post(leak_letter letter) {
  if (threaded_)
    push({std::move(letter), nullptr, {}});
  else
    deliver(letter);
}

void leak_courier::read(std::shared_ptr<pending_stack> stack) {
  if (threaded_) {
    push({{}, std::move(stack), {}});
    return;
  }
  stack->stack = resolve(stack->frames);
  stack->ready.store(true, std::memory_order_release);
}

void leak_courier::drop(std::vector<lifeline::task> actors) {
  if (threaded_)
    push({{}, nullptr, std::move(actors)});
}

void leak_courier::push(item what) {
  {
    const std::lock_guard guard{mutex_};
    if (items_.size() >= capacity_ && what.actors.empty()) {
      if (what.letter.leak)
        lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    items_.push_back(std::move(what));
    try {
      if (!thread_.joinable())
        thread_ = std::thread{[this] { run(); }};
    } catch (const std::system_error&) {
      // Too many threads: it stays here until the next one comes.
    }
  }
  changed_.notify_all();
}

bool leak_courier::flush(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock{mutex_};
  return changed_.wait_until(lock, until, [this] { return items_.empty() && !busy_; });
}

void leak_courier::run() {
  pthread_setname_np(pthread_self(), "libactor.leaks");
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !items_.empty(); });
    if (items_.empty())
      return;
    auto next = std::move(items_.front());
    items_.pop_front();
    busy_ = true;
    lock.unlock();
    if (next.stack) {
      next.stack->stack = resolve(next.stack->frames);
      next.stack->ready.store(true, std::memory_order_release);
    } else if (next.letter.leak) {
      deliver(next.letter);
    }
    next = {};
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void leak_courier::deliver(leak_letter& letter) {
  if (!letter.frames.empty())
    letter.leak->stack = resolve(letter.frames);
  if (!letter.to)
    return;
  letter.to->on_event(event_of(letter.leak));
  const auto lost = lost_.load(std::memory_order_relaxed);
  if (lost == told_)
    return;
  event what;
  what.kind = event_kind::dropped;
  what.at = letter.leak->at;
  what.text = "leak events that a slow sink had no room for";
  what.count = lost - told_;
  told_ = lost;
  letter.to->on_event(what);
}

}  // namespace libactor::detail
