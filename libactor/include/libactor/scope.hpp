// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"

namespace libactor {

/// The owning side of a derived context: cancels it when left. Move-only; a moved-from scope does nothing.
/// Distinct scopes may be used from distinct threads; `cancel` and `cancel_now` may race with anything but the
/// scope's own destruction or move.
class [[nodiscard]] scope {
 public:
  scope() noexcept = default;
  scope(scope&& other) noexcept
      : ctx_{std::exchange(other.ctx_.node_, nullptr)}, armed_{std::exchange(other.armed_, true)} {}
  scope& operator=(scope&& other) noexcept {
    auto* const old = std::exchange(ctx_.node_, std::exchange(other.ctx_.node_, nullptr));
    const bool was_armed = std::exchange(armed_, std::exchange(other.armed_, true));
    if (old != nullptr)
      leave(*old, was_armed);
    return *this;
  }
  ~scope() {
    if (auto* const own = std::exchange(ctx_.node_, nullptr))
      leave(*own, armed_);
  }

  /// The context that this scope owns.
  const context& ctx() const noexcept { return ctx_; }

  /// Ends the context and everything below it except behind boundaries, shields and `without_cancel`; all of it is done
  /// when the call returns. Does not wait for the work to stop. Later calls do nothing.
  /// `where` is kept for a plain cancel, the cause's own place otherwise.
  void cancel(cause why = {}, source_location where = source_location::current()) noexcept;

  /// The same through boundaries and shields.
  void cancel_now(cause why = {}, source_location where = source_location::current()) noexcept;

  /// Moves the deadline of this context (one derived with a deadline or timeout) to `at`, earlier or later; never past
  /// an ancestor's. False, without effect, if the context is done already. Requires: the context was derived with a
  /// deadline.
  bool move_deadline(time_point at);

  /// After `disarm`, leaving the scope cancels nothing any more; `cancel` still does. `arm` takes that back. So "cancel
  /// only if it failed" is a scope that is disarmed at the end of the good path.
  void disarm() noexcept { armed_ = false; }
  void arm() noexcept { armed_ = true; }

  /// Gives up ownership: the context will not be canceled by this scope. Returns it.
  context commit() noexcept;

  /// False for a scope that owns nothing: default-constructed, moved from, or committed.
  explicit operator bool() const noexcept { return static_cast<bool>(ctx_); }

 private:
  friend struct detail::access;
  // Takes over the handle.
  static void leave(detail::node_head& own, bool armed) noexcept;
  context ctx_;
  bool armed_ = true;
};

/// Derives a child that ends when `parent` does, or when its scope is canceled or left.
/// Complexity: O(1). Thread-safe. Throws: std::bad_alloc only, and then no child exists. Requires: `parent` is not
/// empty.
[[nodiscard]] scope with_cancel(const context& parent, source_location where = source_location::current());

/// Derives a child that is canceled no later than `at`. An earlier deadline of `parent` wins; a past `at` yields a
/// child that is already `deadline_exceeded`. `why`, if given, becomes the cause when the deadline passes.
[[nodiscard]] scope with_deadline(const context& parent, time_point at, cause why = {},
                                  source_location where = source_location::current());

/// `with_deadline` at now + `limit`. Two functions, because a server derives a plain one for each request, and even an
/// empty cause takes a while to hand over.
[[nodiscard]] scope with_timeout(const context& parent, duration limit,
                                 source_location where = source_location::current());
[[nodiscard]] scope with_timeout(const context& parent, duration limit, cause why,
                                 source_location where = source_location::current());

/// Derives a context that has `parent`'s values and nothing else of it: it is never done (until its runtime ends), has
/// no deadline, and not even `cancel_now` passes it.
[[nodiscard]] context without_cancel(const context& parent, source_location where = source_location::current());

/// Derives a child that holds off what ends its ancestors, for `budget` (`infinite`: for good; negative: not at all),
/// counted from when the first such cancel or expiry arrives, or from now if it has. Then the error and cause that were
/// held off apply. Its own scope and `cancel_now` end it at once. `deadline()` answers the latest time at which it
/// ends. Requires: a runtime.
[[nodiscard]] scope shielded(const context& parent, duration budget,
                             source_location where = source_location::current());

/// Derives a child of `first` that is also done when `second` is, with the error and cause of whichever was first.
/// Values and trace are `first`'s. `deadline()` takes `second`'s as it stands now. Cancels through both are
/// synchronous.
[[nodiscard]] scope merged(const context& first, const context& second,
                           source_location where = source_location::current());

/// Derives an ordered boundary: done when `parent` is, but a cancel from above, or of the boundary itself, stops here.
/// What is derived below is ended by whoever owns the boundary, or by `cancel_now`. Values and the *value* of the
/// deadline pass through; an inherited deadline is information below.
[[nodiscard]] scope with_boundary(const context& parent, source_location where = source_location::current());

}  // namespace libactor
