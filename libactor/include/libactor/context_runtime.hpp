// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"

#include <optional>

namespace libactor {

namespace detail {
struct runtime_core;
}

/// What trees of contexts run on: a clock, the deadline queue with its driver, and an executor for callbacks. There is
/// no global one: contexts of two runtimes never meet. Thread-safe, except for construction and destruction. A context
/// that outlives its runtime is done, with the cause `shutdown`.
class context_runtime {
 public:
  enum class driver {
    thread,    ///< the steady clock, and one thread that fires deadlines
    virtual_,  ///< time stands still until `advance_to`; nothing runs by itself
  };

  explicit context_runtime(driver drive = driver::thread);
  ~context_runtime();
  context_runtime(const context_runtime&) = delete;
  context_runtime& operator=(const context_runtime&) = delete;

  /// The root of this runtime's contexts: never done while the runtime lives.
  context background() noexcept;

  time_point now() const noexcept;

  /// Virtual driver only: when the next deadline or timer is due, if there is one.
  std::optional<time_point> next_due() const;
  /// Virtual driver only: moves time to `at` and fires what is due on the way, in the order of time. Callbacks of
  /// `after_cancel` run in this call too. Requires: the virtual driver; `at` is not in the past.
  void advance_to(time_point at);

 private:
  friend struct detail::runtime_core;
  detail::runtime_core* core_;  // ends with the last context, which may be after this runtime
};

}  // namespace libactor
