// SPDX-License-Identifier: BSL-1.0
// How a runtime's tree stops, and what is told of it.
#include "actor/caf_seam.hpp"
#include "lost_threads.hpp"
#include "runtime_impl.hpp"

#include <unistd.h>
#include <algorithm>
#include <caf/exit_reason.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

namespace libactor {

using namespace std::chrono_literals;

void runtime::impl::request_stop(std::optional<duration> budget, cause why) {
  {
    std::lock_guard guard{mutex};
    if (ended || std::exchange(stop_requested, true))
      return;
    stop_began = contexts->now();
    const auto limit = budget.value_or(tree.budget);
    stop_limit = limit;
    std::optional<time_point> by;
    if (limit != infinite)
      by = *stop_began + std::max(duration{}, limit - tree.root.kill_grace);
    line->ask(by);
    core->stopping = true;
  }
  watch_stop(line->stop_by());
  own.cancel(why ? std::move(why) : cause("its tree is asked to stop", cause_origin::shutdown, root_path()));
}

void runtime::request_stop(cause why) { impl_->request_stop({}, std::move(why)); }

void runtime::stop_now(cause why) {
  auto& self = *impl_;
  self.request_stop(duration{}, why);
  self.own.cancel_now(why ? why : cause("its tree is stopped at once", cause_origin::shutdown, self.root_path()));
  std::vector<family::member> all;
  self.kin->collect(all);
  for (const auto& who : all)
    detail::seam::exit_urgent(who.handle, caf::exit_reason::kill);
}

shutdown_report runtime::stop(std::optional<duration> budget, cause why) {
  auto& self = *impl_;
  self.request_stop(budget, std::move(why));
  const bool waits = self.tree.on_overrun == overrun_action::wait;
  wait_ended(waits ? infinite : budget.value_or(self.tree.budget));
  // An actor is counted until a moment after it has told that it ended.
  const auto patience = std::chrono::steady_clock::now() + 10ms;
  while (self.others() != 0 && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  return report();
}

// Actors that would end must be able to run, whatever holds the threads; and half the grace after everything was
// killed, what still lives is stuck: then there is time to see in what.
void runtime::impl::watch_stop(std::optional<time_point> stop_by) {
  if (options.driver == context_runtime::driver::virtual_)
    return;
  auto look_at = stop_by ? std::optional{*stop_by + tree.root.kill_grace / 2} : std::nullopt;
  dog->hurry([this, look_at, relieve = detail::reliever(system)]() mutable {
    relieve();
    if (!look_at || contexts->now() < *look_at)
      return;
    look_at = std::nullopt;
    std::vector<family::member> left;
    kin->collect(left);
    note_stacks(left, contexts->now() + tree.root.kill_grace / 4);
  });
}

// Within handlers only, and once each.
void runtime::impl::note_stacks(const std::vector<family::member>& of, time_point until) {
  for (const auto& who : of) {
    if (contexts->now() >= until)
      return;
    if (detail::seam::has_ended(who.handle) || stack_of(who.line->path(), who.line->incarnation()))
      continue;
    const auto& cell = who.line->activity;
    const bool busy = cell.sequence.load(std::memory_order_acquire) % 2 == 1;
    const auto thread =
        busy ? cell.thread.load(std::memory_order_relaxed) : detail::thread_of(system, who.handle->id());
    if (thread == 0)
      continue;
    if (auto stack = dog->look_and_read(thread)) {
      const std::lock_guard guard{mutex};
      stacks.emplace_back(who.line, std::move(stack));
    }
  }
}

std::shared_ptr<const pending_stack> runtime::impl::stack_of(const std::string& path, std::uint32_t incarnation) const {
  const std::lock_guard guard{mutex};
  for (const auto& [of, stack] : stacks) {
    if (of->incarnation() == incarnation && of->path() == path)
      return stack;
  }
  return nullptr;
}

bool runtime::flush(duration limit) {
  const bool told = impl_->options.driver == context_runtime::driver::virtual_ || impl_->dog->flush(limit);
  for (const auto& sink : impl_->options.sinks)
    sink->flush();
  return told;
}

void runtime::leave(int status) {
  flush();
  std::fflush(nullptr);
  ::_exit(status);
}

bool runtime::wait_ended(duration limit) const {
  std::unique_lock lock{impl_->mutex};
  auto over = [this] { return impl_->ended; };
  if (limit == infinite) {
    impl_->changed.wait(lock, over);
    return true;
  }
  return impl_->changed.wait_for(lock, limit, over);
}

shutdown_report runtime::report() const { return impl_->report(); }

shutdown_report runtime::impl::report() {
  shutdown_report all;
  all.root = root_path();
  bool over = false;
  bool stopping = false;
  auto limit = infinite;
  {
    std::lock_guard guard{mutex};
    over = ended;
    stopping = stop_began.has_value();
    all.began = stop_began.value_or(contexts->now());
    all.ended = over ? stop_ended : contexts->now();
    all.within_budget = over;
    limit = stop_limit;
  }
  if (core == nullptr)
    return all;
  {
    std::lock_guard guard{core->mutex};
    all.children = core->entries;
    all.reason = describe(core->root_reason);
  }
  if (stopping || over) {
    all.others = others();
    if (all.others != 0)
      all.other_names = detail::seam::registered_names(system);
  }
  if (!over && stopping) {
    // The budget is used up: what still lives is listed as what holds the tree up.
    all.reason = "still stopping";
    std::vector<family::member> left;
    kin->collect(left);
    for (const auto& who : left) {
      if (detail::seam::has_ended(who.handle))
        continue;
      shutdown_entry entry{who.line->path(), who.line->incarnation(), all.began, all.ended, "alive", false, true};
      all.children.push_back(std::move(entry));
    }
  }
  if (std::none_of(all.children.begin(), all.children.end(), [](const auto& entry) { return entry.abandoned; }))
    return all;
  note_stacks(core->left_behind(), contexts->now() + 20ms);
  if (options.driver == context_runtime::driver::thread)
    dog->flush(limit == infinite ? duration{1s} : std::clamp<duration>(all.began + limit - contexts->now(), 0s, 1s));
  for (auto& entry : all.children) {
    if (!entry.abandoned)
      continue;
    if (const auto stack = stack_of(entry.path, entry.incarnation))
      entry.stack = frames_of(*stack);
  }
  return all;
}

// How many actors the system waits for that are not of this tree.
std::size_t runtime::impl::others() const {
  std::vector<family::member> own_actors;
  kin->collect(own_actors);
  auto alive = static_cast<std::size_t>(std::count_if(
      own_actors.begin(), own_actors.end(), [](const auto& who) { return !detail::seam::has_ended(who.handle); }));
  {
    std::lock_guard guard{mutex};
    alive += guardian ? 1 : 0;
  }
  if (core != nullptr)
    alive += core->left_behind().size();
  const auto running = detail::seam::running_count(system);
  return running > alive ? running - alive : 0;
}

}  // namespace libactor
