// SPDX-License-Identifier: BSL-1.0
#include "libactor/context_runtime.hpp"

#include "libactor/violation.hpp"
#include "runtime_core.hpp"

namespace libactor {

detail::runtime_core& detail::runtime_core::of(context_runtime& runtime) noexcept { return *runtime.core_; }

context_runtime::context_runtime(driver drive) : core_{new detail::runtime_core{*this, drive == driver::virtual_}} {}

void context_runtime::shut_down() noexcept {
  const std::lock_guard guard{core_->end_mutex};
  detail::cancel_all(*core_);
  core_->shut_down();
}

context_runtime::~context_runtime() {
  shut_down();
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
  core_->run_callbacks();
  for (auto next = core_->next_wake(); next && *next <= target; next = core_->next_wake()) {
    if (*next > core_->now())
      core_->virtual_now.store(*next, std::memory_order_release);
    core_->fire_due(core_->now());
    core_->run_callbacks();
  }
  core_->virtual_now.store(target, std::memory_order_release);
}

bool context_runtime::run_callbacks() {
  if (!core_->is_virtual)
    violated("run_callbacks() needs the virtual driver");
  return core_->run_callbacks();
}

context_runtime::subscription context_runtime::subscribe(std::function<void(const context_event&)> listener) {
  subscription made;
  made.number_ = core_->subscribe(std::move(listener));
  made.core_ = core_;
  return made;
}

context_runtime::subscription::~subscription() {
  if (core_ != nullptr)
    core_->unsubscribe(number_);
}

const char* to_string(context_event::what step) noexcept {
  switch (step) {
    case context_event::what::derived:
      return "derived";
    case context_event::what::canceled:
      return "canceled";
    case context_event::what::expired:
      return "expired";
    case context_event::what::released:
      return "released";
  }
  return "";
}

}  // namespace libactor
