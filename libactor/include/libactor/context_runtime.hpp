// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context.hpp"
#include "libactor/context_event.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

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

  /// Ends all contexts, and the threads of this runtime, before it returns. The destructor does the same. For a runtime
  /// that several parties hold: who shuts it down decides on which thread that happens. Later calls do nothing. Not
  /// from a callback of this runtime.
  void shut_down() noexcept;

  /// The root of this runtime's contexts: never done before the runtime is shut down.
  context background() noexcept;

  time_point now() const noexcept;

  /// Virtual driver only: when the next deadline or timer is due, if there is one.
  std::optional<time_point> next_due() const;
  /// Virtual driver only: moves time to `at` and fires what is due on the way, in the order of time. Callbacks of
  /// `after_cancel` run in this call too. Requires: the virtual driver; `at` is not in the past.
  void advance_to(time_point at);
  /// Virtual driver only: runs the callbacks of `after_cancel` that are due. Whether there were any.
  bool run_callbacks();

  /// Keeps a subscription; its end ends that, though a call that has begun may still be running then. Must not outlive
  /// the runtime.
  class [[nodiscard]] subscription {
   public:
    subscription() noexcept = default;
    subscription(subscription&& other) noexcept
        : core_{std::exchange(other.core_, nullptr)}, number_{std::exchange(other.number_, 0)} {}
    subscription& operator=(subscription&& other) noexcept {
      std::swap(core_, other.core_);
      std::swap(number_, other.number_);
      return *this;
    }
    ~subscription();

   private:
    friend class context_runtime;
    detail::runtime_core* core_ = nullptr;
    std::uint64_t number_ = 0;
  };

  /// Calls `listener` for each step in the life of each context of this runtime, from now on: on the thread that takes
  /// the step, after it, with no lock held. `listener` must not block, nor throw; it may use contexts, and is then told
  /// of those steps too. While nobody subscribes, this costs a load for each derivation.
  subscription subscribe(std::function<void(const context_event&)> listener);

 private:
  friend struct detail::runtime_core;
  detail::runtime_core* core_;  // ends with the last context, which may be after this runtime
};

}  // namespace libactor
