// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. The guardian is a supervisor without a path whose only child is the tree's root: temporary and significant, so
//     that the guardian ends with it, and never restarts it.
//  2. `ended_` is set once, when the guardian is down; nothing of the tree lives then, save what was abandoned.
#include "supervisors/runtime.hpp"

#include "actor/caf_seam.hpp"
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/spawn.hpp"
#include "lost_threads.hpp"
#include "running_handlers.hpp"
#include "supervisor_actor.hpp"
#include "supervisors/watchdog.hpp"
#include "take_snapshot.hpp"
#include "tree_core.hpp"

#include <unistd.h>
#include <algorithm>
#include <caf/exit_reason.hpp>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <thread>

namespace libactor {

namespace {

using namespace std::chrono_literals;

caf::error faults_as_error(const std::vector<spec_fault>& faults) {
  std::string text;
  for (const auto& fault : faults) {
    text += text.empty() ? "" : "; ";
    text += fault.path + (fault.field.empty() ? "" : " " + fault.field) + ": " + fault.text;
  }
  return make_error(errc::invalid_spec, std::move(text));
}

child_spec guardian_spec(const tree_spec& tree) {
  auto root = tree.root;
  root.restart = restart_type::temporary;
  root.significant = true;
  static_supervisor part;
  part.auto_shutdown = auto_shutdown::any_significant;
  part.children.push_back(std::move(root));
  child_spec guardian;
  guardian.kill_grace = tree.root.kill_grace;
  guardian.what = std::move(part);
  return guardian;
}

}  // namespace

struct runtime::impl : std::enable_shared_from_this<impl> {
  impl(caf::actor_system& sys, runtime_options opts)
      : system(sys),
        options(std::move(opts)),
        contexts(std::make_shared<context_runtime>(options.driver)),
        dog(std::make_shared<watchdog>(*contexts, watching())),
        hub(std::make_shared<event_hub>(options.sinks)) {}

  caf::actor_system& system;
  runtime_options options;
  std::shared_ptr<context_runtime> contexts;
  std::shared_ptr<watchdog> dog;
  std::shared_ptr<event_hub> hub;
  std::shared_ptr<tree_core> core;
  std::shared_ptr<family> kin = std::make_shared<family>();
  std::shared_ptr<lifeline> line;
  tree_spec tree;
  scope own;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  caf::actor guardian;                   // under `mutex`; null before the start and after the end
  bool ended = true;                     // under `mutex`
  bool stop_requested = false;           // under `mutex`
  std::optional<time_point> stop_began;  // under `mutex`
  time_point stop_ended{};               // under `mutex`
  duration stop_limit = infinite;        // under `mutex`

  // Of those that were still in a handler when they should have ended.
  std::vector<std::pair<std::shared_ptr<const lifeline>, std::shared_ptr<const pending_stack>>>
      stacks;  // under `mutex`

  watchdog_options watching() const;
  std::string root_path() const { return "/" + tree.root.id; }
  void start(const tree_spec& spec, const child_catalog& catalog, std::function<void(const caf::error&)> done);
  void say_what_is_lacking() const;
  void on_guardian_down(const caf::error& reason);
  void request_stop(std::optional<duration> budget, cause why);
  std::optional<family::member> find(std::string_view path) const;
  void note_stacks(const std::vector<family::member>& of, time_point until);
  std::shared_ptr<const pending_stack> stack_of(const std::string& path, std::uint32_t incarnation) const;
  void watch_stop(std::optional<time_point> stop_by);
  shutdown_report report();
  std::size_t others() const;
};

watchdog_options runtime::impl::watching() const {
  watchdog_options with;
  with.threaded = options.driver == context_runtime::driver::thread;
  with.look_signal = options.look_signal;
  with.interrupt_signal = options.interrupt_signal;
  if (with.threaded)
    with.make_up = [&on = system](int, std::uint64_t actor) { detail::make_up_for(on, actor); };
  return with;
}

runtime::runtime(caf::actor_system& system, runtime_options options)
    : impl_(std::make_shared<impl>(system, std::move(options))) {}

runtime::~runtime() {
  struct last_call {
    impl& self;
    ~last_call() { self.dog->calm(); }
  } const before_the_end{*impl_};
  const bool bounded = impl_->tree.budget != infinite;
  if (impl_->options.driver == context_runtime::driver::virtual_) {
    stop_now(cause("its runtime was destroyed", cause_origin::shutdown));
    return;
  }
  if (!wait_ended(0s)) {
    if (!bounded)
      stop_now(cause("its runtime was destroyed", cause_origin::shutdown));
    stop(bounded ? impl_->tree.budget : impl_->tree.root.kill_grace * 2);
  }
  // Actors that are still being taken apart share the contexts' runtime: the last of them may go on that runtime's own
  // thread, which can't wait for itself.
  impl_->contexts->shut_down();
}

context_runtime& runtime::contexts() noexcept { return *impl_->contexts; }

// -- start ------------------------------------------------------------------------------------------------------------

void runtime::impl::start(const tree_spec& spec, const child_catalog& catalog,
                          std::function<void(const caf::error&)> done) {
  const auto faults = check(spec, catalog);
  if (!faults.empty()) {
    done(faults_as_error(faults));
    return;
  }
  {
    std::lock_guard guard{mutex};
    if (core != nullptr) {
      done(make_error(errc::already_started, "a runtime runs one tree"));
      return;
    }
    tree = spec;
    core = std::make_shared<tree_core>(contexts, dog, hub, catalog);
    core->root = std::make_shared<const child_spec>(tree.root);
    core->kin = kin;
    own = with_boundary(contexts->background());
    line = std::make_shared<lifeline>(std::string(), 1, caf::weak_actor_ptr{}, 0, hub);
    ended = false;
  }
  say_what_is_lacking();
  worker_options guardian_options;
  guardian_options.ctx = own.ctx();
  guardian_options.line = line;
  supervisor_actor::setup with{core, std::make_shared<const child_spec>(guardian_spec(spec)), kin, std::move(done)};
  auto handle = spawn_worker_class<supervisor_actor>(system, std::move(guardian_options), std::move(with));
  {
    std::lock_guard guard{mutex};
    guardian = handle;
  }
  detail::seam::when_ended(handle, [self = shared_from_this()](const caf::error& reason, caf::execution_unit*) {
    self->on_guardian_down(reason);
  });
}

// Once, at the start: docs/scheduler.md tells the rest.
void runtime::impl::say_what_is_lacking() const {
  if (hub->empty() || options.driver == context_runtime::driver::virtual_ || scheduler::of(system) != nullptr)
    return;
  event what;
  what.kind = event_kind::note;
  what.at = contexts->now();
  what.path = root_path();
  what.text =
      "runs on a scheduler of CAF's own: a thread lost to a stuck handler is not made up for, and CAF's timers "
      "can't be taken back; libactor::configure(config) loads the library's";
  hub->on_event(what);
}

void runtime::impl::on_guardian_down(const caf::error& reason) {
  caf::error why;
  {
    std::lock_guard guard{core->mutex};
    if (!core->root_reason)
      core->root_reason = reason;
    why = core->root_reason;
  }
  if (options.on_ended)
    options.on_ended(why);
  core->addresses.close();
  dog->hurry({});
  caf::actor last;  // dropped after the lock
  std::lock_guard guard{mutex};
  std::swap(last, guardian);
  stop_ended = contexts->now();
  if (!stop_began)
    stop_began = stop_ended;
  ended = true;
  changed.notify_all();
}

caf::error runtime::start(const tree_spec& tree, const child_catalog& catalog) {
  auto result = std::make_shared<std::promise<caf::error>>();
  auto started = result->get_future();
  start(tree, catalog, [result](const caf::error& e) { result->set_value(e); });
  return started.get();
}

void runtime::start(const tree_spec& tree, const child_catalog& catalog, std::function<void(const caf::error&)> done) {
  impl_->start(tree, catalog, std::move(done));
}

// -- stop -------------------------------------------------------------------------------------------------------------

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

void runtime::leave(int status) {
  impl_->dog->flush(1s);
  for (const auto& sink : impl_->options.sinks)
    sink->flush();
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

// -- looking ----------------------------------------------------------------------------------------------------------

std::optional<family::member> runtime::impl::find(std::string_view path) const { return kin->find(path); }

caf::expected<caf::actor> runtime::find(std::string_view path) const {
  auto who = impl_->find(path);
  if (!who)
    return make_error(errc::not_found, "nobody runs at " + std::string(path));
  return who->handle;
}

caf::expected<caf::actor> runtime::ref(std::string_view path) {
  std::shared_ptr<tree_core> core;
  {
    std::lock_guard guard{impl_->mutex};
    core = impl_->core;
  }
  if (core == nullptr)
    return make_error(errc::not_found, "no tree has been started");
  return core->ref(impl_->system, path);
}

caf::expected<supervisor_ref> runtime::supervisor(std::string_view path) const {
  auto who = impl_->find(path);
  if (!who || who->below == nullptr)
    return make_error(errc::not_found, "no supervisor runs at " + std::string(path));
  return supervisor_ref{impl_->system, who->handle};
}

std::vector<std::string> runtime::alive() const {
  std::vector<family::member> all;
  impl_->kin->collect(all);
  std::vector<std::string> paths;
  for (const auto& who : all) {
    if (!detail::seam::has_ended(who.handle))
      paths.push_back(who.line->path());
  }
  return paths;
}

tree_snapshot snapshot(const runtime& of) {
  std::shared_ptr<tree_core> core;
  {
    std::lock_guard guard{of.impl_->mutex};
    core = of.impl_->core;
  }
  if (core == nullptr)
    return {of.impl_->contexts->now(), {}};
  return detail::take_snapshot(of.impl_->system, *core, *of.impl_->kin);
}

std::vector<running_handler> running_handlers(runtime& of, duration limit) {
  return detail::look_at_handlers(snapshot(of), *of.impl_->dog, limit);
}

void runtime::scan_watchdog() { impl_->dog->scan(impl_->contexts->now()); }

}  // namespace libactor
