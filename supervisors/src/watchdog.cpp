// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. Supervisors only leave letters here, under a lock that is held for as long as it takes to leave one. All that is
//     known of the watched, `list`, belongs to whoever looks: the thread, or `scan`.
//  2. The thread waits for nobody: sinks and symbols are the courier's.
#include "supervisors/watchdog.hpp"

#include "leak_courier.hpp"
#include "libactor/detail/done_hook.hpp"
#include "symbols.hpp"
#include "thread_look.hpp"
#include "watch_list.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace libactor {

namespace {

using namespace std::chrono_literals;
using order = std::function<void(detail::watch_list&)>;

constexpr duration hurried_period = 20ms;
constexpr std::size_t many_orders = 4096;

}  // namespace

struct watchdog::impl {
  impl(context_runtime& on, watchdog_options with)
      : options(std::move(with)),
        contexts(on),
        courier(options.threaded, options.most_letters),
        looker(options.look_signal, options.interrupt_signal),
        list(contexts, courier, looker, options.make_up) {
    if (options.threaded)
      thread = std::thread([this] { run(); });
    else
      last_look = contexts.now();
  }
  ~impl() {
    {
      const std::lock_guard guard{mutex};
      stop = true;
    }
    changed.notify_all();
    if (thread.joinable())
      thread.join();
  }

  // `within`: how long it may stay here at the most.
  void leave(order what, duration within = infinite) {
    if (!options.threaded) {
      what(list);
      return;
    }
    bool wake = false;
    {
      const std::lock_guard guard{mutex};
      orders.push_back(std::move(what));
      soonest = std::min(soonest, within);
      wake = sleeps_for_good || orders.size() == many_orders || within < rest;
    }
    if (wake)
      changed.notify_all();
  }

  void look(duration expected) {
    const auto now = contexts.now();
    // A look that comes late says little of those that it finds: they, too, may have had no time.
    list.scan(now, std::min(now - last_look, 2 * expected));
    last_look = now;
  }

  // A look that somebody asked for; on the virtual clock, the next comes by itself if there is reason for one.
  void look_now(time_point now) {
    list.scan(now, now - std::exchange(last_look, now));
    alarm.reset();
    if (const auto next = list.next_look())
      alarm = detail::at_time(contexts, *next,
                              {[](void* self) noexcept {
                                 auto& dog = *static_cast<impl*>(self);
                                 dog.look_now(dog.contexts.now());
                               },
                               nullptr, this});
  }

  void run();
  bool look_until(std::chrono::steady_clock::time_point until);

  const watchdog_options options;
  context_runtime& contexts;
  detail::leak_courier courier;
  const detail::thread_looker looker;
  detail::watch_list list;
  time_point last_look{};
  detail::hook_registration alarm;  // of the virtual clock

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<order> orders;                             // under `mutex`
  bool sleeps_for_good = false;                          // under `mutex`
  duration rest{};                                       // under `mutex`: how long it sleeps; zero while it works
  duration soonest = infinite;                           // under `mutex`: how long the orders may stay at the most
  std::shared_ptr<const std::function<void()>> hurried;  // under `mutex`; called without it
  std::uint64_t hurries = 0;                             // under `mutex`: how often that was set
  bool in_call = false;                                  // under `mutex`: of `hurried`
  std::uint64_t looks_asked = 0, looks_done = 0;         // under `mutex`: at once, by those who wait for it
  bool stop = false;                                     // under `mutex`
  std::thread thread;
};

void watchdog::impl::run() {
  pthread_setname_np(pthread_self(), "libactor.watch");
  last_look = contexts.now();
  std::vector<order> work;
  std::unique_lock lock{mutex};
  while (!stop) {
    const auto period = list.period();
    rest = hurried ? std::min(period, hurried_period) : period;
    const auto before = hurries;
    sleeps_for_good = rest == infinite;
    const auto is_woken = [&] {
      return stop || hurries != before || looks_asked != looks_done || soonest < rest ||
             (sleeps_for_good ? !orders.empty() : orders.size() >= many_orders);
    };
    if (sleeps_for_good)
      changed.wait(lock, is_woken);
    else
      changed.wait_for(lock, rest, is_woken);
    const bool was_asleep = std::exchange(sleeps_for_good, false);
    rest = {};
    soonest = infinite;
    const auto each = hurried;
    in_call = static_cast<bool>(each);
    const auto asked = looks_asked;
    work.swap(orders);
    lock.unlock();
    for (const auto& what : work)
      what(list);
    work.clear();
    if (was_asleep)
      last_look = contexts.now();
    if (list.period() != infinite)
      look(list.period());
    if (each)
      (*each)();
    lock.lock();
    if (std::exchange(in_call, false) || std::exchange(looks_done, asked) != asked)
      changed.notify_all();
  }
}

// Carries out what was left here before, and looks.
bool watchdog::impl::look_until(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock{mutex};
  const auto mine = ++looks_asked;
  changed.notify_all();
  return changed.wait_until(lock, until, [&] { return looks_done >= mine; });
}

watchdog::watchdog(context_runtime& contexts, watchdog_options options)
    : impl_(std::make_unique<impl>(contexts, std::move(options))) {}

watchdog::~watchdog() = default;

void watchdog::add(watched_child who) {
  const auto within = detail::watch_list::period_for(who.spec);
  impl_->leave([who = std::move(who)](detail::watch_list& list) { list.add(who); }, within);
}

void watchdog::remove(std::uint64_t actor, std::string reason, bool for_good) {
  impl_->leave([=, reason = std::move(reason)](detail::watch_list& list) { list.remove(actor, reason, for_good); });
}

void watchdog::gone(std::string path) {
  impl_->leave([path = std::move(path)](detail::watch_list& list) { list.gone(path); });
}

void watchdog::late(watched_child who, time_point stop_by) {
  impl_->leave([who = std::move(who), stop_by](detail::watch_list& list) { list.late(who, stop_by, true); });
}

void watchdog::orphaned(watched_child who, time_point since) {
  impl_->leave([who = std::move(who), since](detail::watch_list& list) { list.orphaned(who, since); });
}

void watchdog::left_alone(std::uint64_t actor, std::shared_ptr<const std::atomic<bool>> over) {
  impl_->leave([actor, over = std::move(over)](detail::watch_list& list) { list.left_alone(actor, over); });
}

void watchdog::abandoned(watched_child who) {
  impl_->leave([who = std::move(who)](detail::watch_list& list) { list.abandoned(who); });
}

void watchdog::scan(time_point now) { impl_->look_now(now); }

void watchdog::hurry(std::function<void()> each) {
  {
    const std::lock_guard guard{impl_->mutex};
    impl_->hurried = each ? std::make_shared<const std::function<void()>>(std::move(each)) : nullptr;
    ++impl_->hurries;
  }
  impl_->changed.notify_all();
}

void watchdog::calm() {
  hurry({});
  std::unique_lock lock{impl_->mutex};
  impl_->changed.wait(lock, [this] { return !impl_->in_call; });
}

bool watchdog::flush(duration limit) {
  const auto until = add_saturated(std::chrono::steady_clock::now(), limit);
  return (!impl_->options.threaded || impl_->look_until(until)) && impl_->courier.flush(until);
}

std::uint64_t watchdog::lost() const noexcept { return impl_->courier.lost(); }

std::vector<std::uintptr_t> watchdog::look(int thread) const { return impl_->looker.look(thread, 50ms).frames; }

std::shared_ptr<const pending_stack> watchdog::look_and_read(int thread) {
  auto one = std::make_shared<pending_stack>();
  one->frames = look(thread);
  if (one->frames.empty())
    return nullptr;
  impl_->courier.read(one);
  return one;
}

std::vector<stack_frame> frames_of(const pending_stack& of) {
  return of.ready.load(std::memory_order_acquire) ? of.stack : detail::resolve_quickly(of.frames);
}

}  // namespace libactor
