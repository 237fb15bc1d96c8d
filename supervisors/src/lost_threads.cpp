// SPDX-License-Identifier: BSL-1.0
#include "lost_threads.hpp"

#include "libactor/actor/scheduler.hpp"

#include <algorithm>
#include <system_error>

namespace libactor::detail {

namespace {

bool runs(const scheduler_thread& thread) noexcept { return thread.sequence % 2 == 1; }

// Without a further thread the others have to do: the next look tries again.
void abandon(scheduler& on, const scheduler_thread& thread) noexcept {
  try {
    on.abandon_thread(thread.thread, thread.sequence);
  } catch (const std::system_error&) {
  }
}

}  // namespace

void make_up_for(caf::actor_system& system, std::uint64_t actor) noexcept {
  auto* on = scheduler::of(system);
  if (on == nullptr)
    return;
  for (const auto& thread : on->threads()) {
    if (thread.actor == actor && runs(thread) && !thread.abandoned)
      abandon(*on, thread);
  }
}

int thread_of(caf::actor_system& system, std::uint64_t actor) {
  const auto* on = scheduler::of(system);
  if (on == nullptr)
    return 0;
  const auto all = on->threads();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.actor == actor && runs(x); });
  return found != all.end() ? found->thread : 0;
}

std::function<void()> reliever(caf::actor_system& system) {
  return [on = scheduler::of(system), before = std::vector<scheduler_thread>()]() mutable {
    if (on == nullptr)
      return;
    auto now = on->threads();
    std::erase_if(now, [](const auto& thread) { return thread.abandoned; });
    const bool none_moves = std::all_of(now.begin(), now.end(), [&](const auto& thread) {
      return runs(thread) && std::any_of(before.begin(), before.end(), [&](const auto& other) {
               return other.thread == thread.thread && other.sequence == thread.sequence;
             });
    });
    if (none_moves) {
      for (const auto& thread : now)
        abandon(*on, thread);
    }
    before = std::move(now);
  };
}

}  // namespace libactor::detail
