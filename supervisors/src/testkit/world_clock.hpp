// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context_runtime.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace libactor::testkit {

class step_watch;

// CAF's timers on the clock of a runtime of contexts. They fire in the order of time, and of setting among equals.
// Thread-safe, for the sake of detached actors, except for `follow`.
class world_clock final : public caf::actor_clock {
 public:
  // Whose clock this is. Null: time stands at its beginning.
  void follow(context_runtime* contexts) noexcept { contexts_ = contexts; }
  // Who is told, when a timer fires, in which step it was set. Null: nobody.
  void seen_by(step_watch* watch) noexcept { watch_ = watch; }

  std::optional<time_point> next_due() const;
  // Fires what is due at `at`; what that sets anew for `at` fires in the next call.
  void fire_due(time_point at);
  // A timer: when it is due, and its number, which is its own.
  using place = std::pair<time_point, std::uint64_t>;
  // What is due at `at`, in the order in which `fire_due` has it; whether one of them is still to fire; and firing it.
  std::vector<place> due_at(time_point at) const;
  bool is_set(const place& one) const;
  void fire_one(const place& one);

  time_point now() const noexcept override;
  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

 private:
  enum class kind : std::uint8_t { receive, request, other };
  // By what its actor can take a timer back.
  struct label {
    caf::actor_id owner;
    kind what;
    std::uint64_t number;  // the type of a receive timeout, the id of a request
  };
  struct timer {
    label name;
    std::function<void()> fire;
    std::uint32_t set_by;  // a step that is watched
  };

  void add(time_point t, label name, std::function<void()> fire);
  // Under the mutex.
  timer take_out(std::map<place, timer>::iterator at);
  // Takes out those of `owner` for which `gone` holds.
  template <class Gone>
  void cancel(caf::actor_id owner, Gone gone);

  context_runtime* contexts_ = nullptr;
  step_watch* watch_ = nullptr;
  mutable std::mutex mutex_;
  std::map<place, timer> timers_;
  std::unordered_multimap<caf::actor_id, place> by_owner_;
  std::uint64_t last_number_ = 0;
};

}  // namespace libactor::testkit
