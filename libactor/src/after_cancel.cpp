// SPDX-License-Identifier: BSL-1.0
#include "libactor/after_cancel.hpp"

#include "context_node.hpp"
#include "libactor/violation.hpp"
#include "runtime_core.hpp"

#include <atomic>

namespace libactor {

namespace detail {

// Counted by its registration, by its hook and by the executor's queue.
class after_task final : public callback_task {
 public:
  after_task(runtime_core& core, std::unique_ptr<after_callback> callback) noexcept
      : core_{core}, callback_{std::move(callback)} {
    pin(core_.root);
  }
  ~after_task() override { unpin(core_.root); }

  void run() noexcept override {
    auto expected = phase::waiting;
    if (phase_.compare_exchange_strong(expected, phase::begun, std::memory_order_acq_rel)) {
      try {
        callback_->call();
      } catch (...) {
        violated("a callback of after_cancel() must not throw");
      }
      callback_.reset();
    }
    drop();
  }

  bool stop() noexcept {
    auto expected = phase::waiting;
    return phase_.compare_exchange_strong(expected, phase::stopped, std::memory_order_acq_rel);
  }

  done_hook hook() noexcept {
    retain();
    return {[](void* data) noexcept {
              auto& self = *static_cast<after_task*>(data);
              self.retain();
              self.core_.post(self);
            },
            [](void* data) noexcept { static_cast<after_task*>(data)->drop(); }, this};
  }

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  hook_registration registration;

 private:
  enum class phase { waiting, begun, stopped };
  runtime_core& core_;
  std::unique_ptr<after_callback> callback_;
  std::atomic<phase> phase_{phase::waiting};
  std::atomic<int> refs_{1};
};

}  // namespace detail

after_registration::after_registration(after_registration&& other) noexcept
    : task_{std::exchange(other.task_, nullptr)} {}

after_registration& after_registration::operator=(after_registration&& other) noexcept {
  std::swap(task_, other.task_);
  return *this;
}

after_registration::~after_registration() {
  if (task_ == nullptr)
    return;
  task_->stop();
  task_->registration.reset();
  task_->drop();
}

bool after_registration::stop() noexcept {
  if (task_ == nullptr || !task_->stop())
    return false;
  task_->registration.reset();
  return true;
}

void after_registration::detach() noexcept {
  if (task_ == nullptr)
    return;
  std::move(task_->registration).detach();
  std::exchange(task_, nullptr)->drop();
}

after_registration make_after(const context& ctx, std::unique_ptr<detail::after_callback> callback) {
  auto& node = detail::access::require(ctx);
  if (node.core == nullptr || node.core->owner.load(std::memory_order_acquire) == nullptr)
    violated("after_cancel() needs a context of a living runtime");
  after_registration made;
  made.task_ = new detail::after_task{*node.core, std::move(callback)};
  made.task_->registration = detail::when_done(ctx, made.task_->hook());
  return made;
}

}  // namespace libactor
