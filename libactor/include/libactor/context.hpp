// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/time.hpp"
#include "libactor/trace_id.hpp"

#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>

namespace libactor {

class context_runtime;
class scope;

namespace detail {
class context_node;
}

/// The reading side of a lifetime: whether it has ended, why, when it will at the latest, and what it carries.
/// A handle of one pointer; copies share the node. Only who derived the node, and so holds its `scope`, can cancel it.
///
/// Thread-safe: every member may be called from any thread at any time. A default-constructed or moved-from context is
/// *empty*: it may be assigned to, destroyed and tested, and everything else breaks a `Requires:`.
class context {
 public:
  context() noexcept = default;

  /// Whether the context has ended. One acquire load.
  bool done() const noexcept;

  /// No error while not done, then `errc::canceled` or `errc::deadline_exceeded`, for good.
  std::error_code error() const noexcept;

  /// Why the context is done; empty while it is not. The first cause wins, for good.
  libactor::cause cause() const;

  /// The earliest point in time that ends this context or, below a boundary, that ended an ancestor's (LIFETIMES: an
  /// inherited deadline is information there). Empty where there is none.
  std::optional<time_point> deadline() const noexcept;

  /// The nearest value bound to `Key` on the way to the root, or null. Complexity: O(depth).
  template <class Key>
  const typename Key::value_type* value() const noexcept;

  /// The trace id of the nearest ancestor that has one.
  trace_id trace() const noexcept;

  /// The runtime the context belongs to; null below the free `background()`, and once the runtime is gone.
  context_runtime* runtime() const noexcept;

  /// Blocks the calling thread until the context is done. Never call it in an actor.
  void wait() const;
  /// The same until `at` at the latest; whether the context is done. Requires: a runtime.
  bool wait_until(time_point at) const;
  /// The same for `limit` at the most.
  bool wait_for(duration limit) const;

  /// A token that is asked to stop when the context is done.
  std::stop_token stop_token() const;

  /// False for an empty context.
  explicit operator bool() const noexcept { return node_ != nullptr; }

  /// Prints the chain from the root, such as `background.cancel.deadline(+2s).value(tenant)`.
  friend std::ostream& operator<<(std::ostream& out, const context& ctx);

 private:
  friend class detail::context_node;
  detail::context_node* node_ = nullptr;
};

/// The root of contexts that need no runtime: never done, without deadline or values. Allocates nothing.
/// Deadlines, callbacks and shields need a runtime: below this root they break a `Requires:`; use
/// `context_runtime::background()`.
context background() noexcept;

}  // namespace libactor
