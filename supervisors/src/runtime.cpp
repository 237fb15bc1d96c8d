// SPDX-License-Identifier: BSL-1.0
// How a runtime begins and what it shows; how it stops stands in runtime_stop.cpp.
#include "actor/caf_seam.hpp"
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/spawn.hpp"
#include "lost_threads.hpp"
#include "running_handlers.hpp"
#include "runtime_impl.hpp"
#include "supervisor_actor.hpp"
#include "take_snapshot.hpp"

#include <future>

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

// -- looking ----------------------------------------------------------------------------------------------------------

std::optional<family::member> runtime::impl::find(std::string_view path) const { return kin->find(path); }

std::shared_ptr<tree_core> runtime::impl::started() const {
  std::lock_guard guard{mutex};
  return core;
}

caf::expected<caf::actor> runtime::find(std::string_view path) const {
  if (auto who = impl_->find(path))
    return who->handle;
  const auto core = impl_->started();
  if (core != nullptr && core->lists(path))
    return make_error(errc::no_incarnation, std::string(path));
  return make_error(errc::not_found, "nobody runs at " + std::string(path));
}

caf::expected<caf::actor> runtime::ref(std::string_view path) {
  const auto core = impl_->started();
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
  const auto core = of.impl_->started();
  if (core == nullptr)
    return {of.impl_->contexts->now(), {}};
  return detail::take_snapshot(of.impl_->system, *core, *of.impl_->kin);
}

std::vector<running_handler> running_handlers(runtime& of, duration limit) {
  return detail::look_at_handlers(snapshot(of), *of.impl_->dog, limit);
}

void runtime::scan_watchdog() { impl_->dog->scan(impl_->contexts->now()); }

}  // namespace libactor
