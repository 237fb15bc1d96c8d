// SPDX-License-Identifier: BSL-1.0
#include "libactor/context_runtime.hpp"

#include "libactor/violation.hpp"
#include "runtime_core.hpp"

namespace libactor {

detail::runtime_core& detail::runtime_core::of(context_runtime& runtime) noexcept { return *runtime.core_; }

context_runtime::context_runtime(driver drive) : core_{new detail::runtime_core{*this, drive == driver::virtual_}} {}

context_runtime::~context_runtime() {
  detail::cancel_all(*core_);
  core_->shut_down();
  core_->owner.store(nullptr, std::memory_order_release);
  detail::release(core_->root);
}

context context_runtime::background() noexcept { return detail::access::share(core_->root); }

time_point context_runtime::now() const noexcept { return time_point{duration{core_->now()}}; }

std::optional<time_point> context_runtime::next_due() const {
  if (!core_->is_virtual)
    violated("next_due() needs the virtual driver");
  const auto next = core_->next_wake();
  if (!next)
    return std::nullopt;
  return time_point{duration{*next}};
}

void context_runtime::advance_to(time_point at) {
  if (!core_->is_virtual)
    violated("advance_to() needs the virtual driver");
  const auto target = at.time_since_epoch().count();
  if (target < core_->now())
    violated("advance_to() must not go back in time");
  for (auto next = core_->next_wake(); next && *next <= target; next = core_->next_wake()) {
    if (*next > core_->now())
      core_->virtual_now.store(*next, std::memory_order_release);
    core_->fire_due(core_->now());
  }
  core_->virtual_now.store(target, std::memory_order_release);
}

}  // namespace libactor
