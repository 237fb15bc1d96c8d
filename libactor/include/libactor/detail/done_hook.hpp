// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/scope.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace libactor::detail {

/// What the library itself runs when a context is done or a time comes: inline, on the thread that cancels or drives
/// the deadlines, with no lock held. `fire` is called at most once and must not block; `drop` exactly once, when the
/// registration's memory goes, after any `fire`, on any thread. `data` is owned by the hook (for an actor: a weak
/// reference, so that a deadline an hour away keeps nothing alive).
struct done_hook {
  void (*fire)(void* data) noexcept = nullptr;
  void (*drop)(void* data) noexcept = nullptr;
  void* data = nullptr;
};

/// What a thread is in the middle of while it fires many hooks one after another.
struct bulk_delivery {
  unsigned depth = 0;                   ///< 0: it is not
  std::size_t expected = 0;             ///< how many there may be, if that is known
  void (*at_end)() noexcept = nullptr;  ///< called once after the last hook, if one of them has set it
};
extern thread_local constinit bulk_delivery bulk_here;

/// The thread is in the middle of it for as long as this lives. Guards may nest.
class bulk_guard {
 public:
  explicit bulk_guard(std::size_t expected = 0) noexcept {
    ++bulk_here.depth;
    bulk_here.expected = std::max(bulk_here.expected, expected);
  }
  ~bulk_guard() {
    if (--bulk_here.depth != 0)
      return;
    if (bulk_here.at_end != nullptr)
      std::exchange(bulk_here.at_end, nullptr)();
    bulk_here.expected = 0;
  }
  bulk_guard(const bulk_guard&) = delete;
  bulk_guard& operator=(const bulk_guard&) = delete;
};

class hook_node;

/// Ends the context that `own` holds with the error and the cause of `ended`, as `scope::cancel` would. Does nothing if
/// `ended` is not done.
void end_like(scope& own, const context& ended) noexcept;

/// Holds a hook in place. Destruction or `reset` takes it out; a `fire` that has already begun on another thread may
/// still be running then.
class [[nodiscard]] hook_registration {
 public:
  hook_registration() noexcept = default;
  hook_registration(hook_registration&& other) noexcept;
  hook_registration& operator=(hook_registration&& other) noexcept;
  ~hook_registration();
  /// Whether the hook was taken out before it fired.
  bool reset() noexcept;
  /// Lets the hook stand without this object, until it fires or its context's memory goes.
  void detach() && noexcept;

  /// Takes over one reference to `node`.
  explicit hook_registration(hook_node* node) noexcept : node_{node} {}

 private:
  hook_node* node_ = nullptr;
};

/// Fires `hook` once `ctx` is done; at once, in this call, if it is done already.
/// Under the free `background()` it never does.
/// Throws: std::bad_alloc, and then the hook's data has been dropped.
hook_registration when_done(const context& ctx, done_hook hook);

/// Fires `hook` once the runtime's clock reaches `at`, never early; one that is due already fires soon, not in this
/// call. Hooks of timers still pending when the runtime goes are dropped unfired. Throws as `when_done`.
hook_registration at_time(context_runtime& runtime, time_point at, done_hook hook);

}  // namespace libactor::detail
