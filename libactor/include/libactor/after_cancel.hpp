// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"
#include "libactor/detail/done_hook.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace libactor {

namespace detail {

class after_task;

struct after_callback {
  virtual ~after_callback() = default;
  virtual void call() = 0;
};

}  // namespace detail

/// Holds a callback of `after_cancel` in place; its end stops the callback, unless `detach` was called.
/// Thread-safe, except for move and destruction.
class [[nodiscard]] after_registration {
 public:
  after_registration() noexcept = default;
  after_registration(after_registration&& other) noexcept;
  after_registration& operator=(after_registration&& other) noexcept;
  ~after_registration();

  /// Keeps the callback from being run. True if this call did so: it was neither begun nor stopped before. Never waits
  /// for a callback that runs.
  bool stop() noexcept;
  /// Lets the callback stand without this object.
  void detach() noexcept;

 private:
  friend after_registration make_after(const context& ctx, std::unique_ptr<detail::after_callback> callback);
  detail::after_task* task_ = nullptr;
};

after_registration make_after(const context& ctx, std::unique_ptr<detail::after_callback> callback);

/// Runs `callback` once after `ctx` is done: on the runtime's executor, never on the stack of the canceller or of this
/// call, with no lock held, at most once, whatever other callbacks do. On a virtual clock it runs in `advance_to` or
/// `run_callbacks`. It may derive, cancel, and stop or destroy its own registration. The runtime's end waits for it.
/// Requires: `ctx` belongs to a living runtime; `callback` does not throw. Throws: std::bad_alloc.
template <class Callback>
after_registration after_cancel(const context& ctx, Callback&& callback) {
  struct held final : detail::after_callback {
    explicit held(Callback&& what) : callback{std::forward<Callback>(what)} {}
    void call() override { callback(); }
    std::decay_t<Callback> callback;
  };
  return make_after(ctx, std::make_unique<held>(std::forward<Callback>(callback)));
}

}  // namespace libactor
