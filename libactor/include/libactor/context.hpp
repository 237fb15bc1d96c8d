// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/detail/node_head.hpp"
#include "libactor/time.hpp"
#include "libactor/trace_id.hpp"

#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>

namespace libactor {

class context_runtime;
class scope;

namespace detail {
class context_node;
struct access;
struct value_key;
}  // namespace detail

/// The reading side of a lifetime: whether it has ended, why, when it will at the latest, and what it carries.
/// A handle of one pointer; copies share the node. Only who derived the node, and so holds its `scope`, can cancel it.
///
/// Thread-safe: every member may be called from any thread at any time. A default-constructed or moved-from context is
/// *empty*: it may be assigned to, destroyed and tested, and everything else breaks a `Requires:`.
class context {
 public:
  context() noexcept = default;
  context(const context& other) noexcept : node_{other.node_} {
    if (node_ != nullptr)
      detail::retain(*node_);
  }
  context(context&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}
  context& operator=(context other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~context() {
    if (node_ != nullptr)
      detail::release(*node_);
  }

  /// Whether the context has ended. One acquire load; two where the context only carries a value or a trace id.
  bool done() const noexcept {
    if (node_ == nullptr) [[unlikely]]
      detail::broken_empty_context();
    const auto word = node_->word.load(std::memory_order_acquire);
    if ((word & (detail::node_head::passes | detail::node_head::done_bit)) == 0) [[likely]]
      return false;
    return (word & detail::node_head::done_bit) != 0 || detail::done_by_lifeline(*node_);
  }

  /// No error while not done, then `errc::canceled` or `errc::deadline_exceeded`, for good.
  std::error_code error() const noexcept;

  /// Why the context is done; empty while it is not. The first cause wins, for good.
  libactor::cause cause() const;

  /// The earliest point in time that ends this context or, below a boundary, that ended an ancestor's (where an
  /// inherited deadline is information). Empty where there is none.
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

  /// A token that is asked to stop when the context is done, before the canceller's call returns: as everywhere with
  /// stop tokens, callbacks registered with it run on the canceller's thread; with no lock held. Use `after_cancel` for
  /// work that blocks.
  std::stop_token stop_token() const;

  /// False for an empty context.
  explicit operator bool() const noexcept { return node_ != nullptr; }

  /// Prints the chain from the root, such as `background.cancel.deadline(+2s).value(tenant)`.
  friend std::ostream& operator<<(std::ostream& out, const context& ctx);

  /// Whether two handles are of the same context.
  friend bool operator==(const context& a, const context& b) noexcept { return a.node_ == b.node_; }

 private:
  friend struct detail::access;
  friend class scope;
  // Takes over a handle.
  explicit context(detail::node_head* node) noexcept : node_{node} {}
  const void* find(const detail::value_key* key) const noexcept;
  detail::node_head* node_ = nullptr;
};

/// The root of contexts that need no runtime: never done, without deadline or values. Allocates nothing.
/// Deadlines, callbacks and shields need a runtime: below this root they break a `Requires:`; use
/// `context_runtime::background()`.
context background() noexcept;

}  // namespace libactor
