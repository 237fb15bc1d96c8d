// SPDX-License-Identifier: BSL-1.0
#include "libactor/context.hpp"

#include "context_node.hpp"
#include "hook_node.hpp"
#include "libactor/error.hpp"
#include "libactor/violation.hpp"
#include "runtime_core.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <vector>

namespace libactor {

using namespace detail;

context background() noexcept { return access::share(free_root()); }

std::error_code context::error() const noexcept {
  const auto word = access::require(*this).lifeline()->word.load(std::memory_order_acquire);
  if ((word & node_head::done_bit) == 0)
    return {};
  return make_error_code((word & node_head::expired) != 0 ? errc::deadline_exceeded : errc::canceled);
}

libactor::cause context::cause() const {
  auto& node = *access::require(*this).lifeline();
  return node.is_done() ? cause_access::share(node.why) : libactor::cause{};
}

context_runtime* context::runtime() const noexcept {
  const auto* core = access::require(*this).core;
  return core != nullptr ? core->owner.load(std::memory_order_acquire) : nullptr;
}

// -- what a context inherits ------------------------------------------------------------------------------------------

const void* context::find(const value_key* key) const noexcept {
  auto* node = access::require(*this).env;
  while (node != nullptr) {
    if (node->what() == node_kind::value && payload_of(*node).type == key)
      return payload_of(*node).payload();
    node = node->parent->env;
  }
  return nullptr;
}

trace_id context::trace() const noexcept {
  for (auto* node = access::require(*this).env; node != nullptr; node = node->parent->env) {
    if (node->what() == node_kind::trace)
      return payload_as<trace_state>(*node).id;
  }
  return {};
}

std::optional<time_point> context::deadline() const noexcept {
  constexpr auto none = timer_link::no_time;
  auto earliest = none;
  std::int64_t held_off = 0;  // by the shields on the way up
  const auto consider = [&](std::int64_t due) {
    if (due < none - std::max<std::int64_t>(held_off, 0))
      earliest = std::min(earliest, due + held_off);
  };
  for (auto* node = access::require(*this).env; node != nullptr; node = node->parent->env) {
    if (node->what() == node_kind::deadline) {
      consider(node->due.load(std::memory_order_relaxed));
    } else if (node->what() == node_kind::merged) {
      consider(payload_as<merge_link>(*node).other_deadline);
    } else if (node->what() == node_kind::detached) {
      break;
    } else if (node->what() == node_kind::shield) {
      const auto budget = payload_as<shield_state>(*node).budget.count();
      if ((node->word.load(std::memory_order_acquire) & node_head::triggered) != 0) {
        consider(node->due.load(std::memory_order_relaxed));
        break;
      }
      if (budget >= none - held_off)
        break;
      held_off += budget;
    }
  }
  if (earliest == none)
    return std::nullopt;
  return time_point{duration{earliest}};
}

// -- waiting ----------------------------------------------------------------------------------------------------------

namespace {

// Counted by whoever waits and by each hook that may wake it.
struct waiter {
  std::atomic<int> refs{1};
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;

  static void wake(void* data) noexcept {
    auto& self = *static_cast<waiter*>(data);
    const std::lock_guard guard{self.mutex};
    self.woken = true;
    self.changed.notify_one();
  }
  static void drop(void* data) noexcept {
    auto* self = static_cast<waiter*>(data);
    if (self->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete self;
  }
  done_hook hook() noexcept {
    refs.fetch_add(1, std::memory_order_relaxed);
    return {&wake, &drop, this};
  }
  void sleep() {
    std::unique_lock guard{mutex};
    changed.wait(guard, [this] { return woken; });
  }
};

struct drop_waiter {
  void operator()(waiter* self) const noexcept { waiter::drop(self); }
};

}  // namespace

void context::wait() const {
  if (done())
    return;
  const std::unique_ptr<waiter, drop_waiter> self{new waiter};
  const auto registration = when_done(*this, self->hook());
  self->sleep();
}

bool context::wait_until(time_point at) const {
  if (done())
    return true;
  auto* home = runtime();
  if (home == nullptr)
    violated("a wait with a limit needs a context of a runtime");
  const std::unique_ptr<waiter, drop_waiter> self{new waiter};
  const auto on_done = when_done(*this, self->hook());
  const auto on_time = at_time(*home, at, self->hook());
  self->sleep();
  return done();
}

bool context::wait_for(duration limit) const {
  auto* home = runtime();
  if (home == nullptr) {
    if (done())
      return true;
    violated("a wait with a limit needs a context of a runtime");
  }
  const auto now = home->now();
  return wait_until(add_saturated(now, limit));
}

// -- stop tokens ------------------------------------------------------------------------------------------------------

std::stop_token context::stop_token() const {
  auto& node = *access::require(*this).lifeline();
  std::stop_source source;
  const auto token = source.get_token();
  if ((node.word.load(std::memory_order_relaxed) & node_head::immortal) != 0)
    return {};
  auto kept = std::make_unique<std::stop_source>(source);
  auto hook = std::make_unique<hook_node>(
      done_hook{[](void* data) noexcept { static_cast<std::stop_source*>(data)->request_stop(); },
                [](void* data) noexcept { delete static_cast<std::stop_source*>(data); }, kept.get()});
  hook->refs.store(1, std::memory_order_relaxed);
  const auto word = lock(node.word);
  if ((word & node_head::done_bit) != 0) {
    unlock(node.word, word);
    source.request_stop();
    return token;
  }
  if (node.settled_head != 0) {
    auto shared =
        static_cast<std::stop_source*>(reinterpret_cast<hook_node*>(node.settled_head)->hook.data)->get_token();
    unlock(node.word, word);
    return shared;
  }
  kept.release();
  node.settled_head = reinterpret_cast<std::uintptr_t>(hook.release());
  unlock(node.word, word | node_head::has_stop);
  return token;
}

// -- printing ---------------------------------------------------------------------------------------------------------

std::ostream& operator<<(std::ostream& out, const context& ctx) {
  std::vector<context_node*> chain;
  for (auto* node = access::get(ctx); node != nullptr; node = node->parent)
    chain.push_back(node);
  if (chain.empty())
    return out << "empty";
  for (auto i = chain.size(); i-- > 0;) {
    describe(out, *chain[i]);
    if (i != 0)
      out << '.';
  }
  return out;
}

}  // namespace libactor
