// SPDX-License-Identifier: BSL-1.0
// Compiled with optimisation: it makes a million workers.
#include "engine.hpp"

#include "../no_threads.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/context_snapshot.hpp"
#include "libactor/detail/block_pool.hpp"

#include <malloc.h>
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/actor_registry.hpp>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <system_error>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int total = 50'000;  // of the million: memory is counted by others there, and each worker takes far longer
#else
constexpr int total = 1'000'000;
#endif
constexpr int at_once = 10'000;

std::size_t allocated() { return ::mallinfo2().uordblks + detail::block_pool::use().used; }

}  // namespace

BOOST_AUTO_TEST_SUITE(spawn_and_end)

BOOST_AUTO_TEST_CASE(W008_a_million_workers_that_end_by_themselves_leave_nothing) {
  engine host;
  context_runtime contexts{context_runtime::driver::virtual_};
  const auto contexts_before = take_snapshot(contexts).nodes.size();
  const auto deadline = contexts.now() + 1h;
  std::size_t after_first = 0;
  for (int done = 0; done != total; done += at_once) {
    for (int i = 0; i != at_once; ++i) {
      auto own = with_deadline(contexts.background(), deadline).commit();  // held by the worker alone
      if (i % 2 == 0)
        spawn_in(*host.system, own, [](worker*) {});
      else
        spawn_in(*host.system, own, [](worker* self) -> caf::behavior {
          self->after(1h, [] {});
          self->finish();
          return {[](int) {}};
        });
    }
    BOOST_REQUIRE(becomes([&] { return host.system->registry().running() == 0; }));
    BOOST_REQUIRE(becomes([&] { return take_snapshot(contexts).nodes.size() == contexts_before; }));
    BOOST_REQUIRE(becomes([&] { return !contexts.next_due(); }));  // neither the deadlines nor the timers
    if (done == 0)
      after_first = allocated();
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // What a worker left behind would be there a million times, at 32 bytes an allocation. Queues may keep their size.
  constexpr std::size_t kept = 4 * std::size_t{total};
  BOOST_TEST(allocated() < after_first + kept);
#else
  static_cast<void>(after_first);
#endif
  BOOST_TEST(host.scheduler().timers() == 0u);
}

namespace {

class stillborn final : public worker {
 public:
  stillborn(caf::actor_config& cfg, worker_options options, const std::function<void(const void*)>& before_its_end)
      : worker(cfg, std::move(options)) {
    before_its_end(ctrl());
    throw std::runtime_error("stillborn");
  }
};

/// A hook that holds up whoever cancels, if it is the first to fire.
struct hold_up {
  std::promise<void> entered;
  std::promise<void> let_go;
  std::atomic<bool> fired{false};

  detail::hook_registration on(const context& ctx) {
    return detail::when_done(ctx, {[](void* data) noexcept {
                                     auto& self = *static_cast<hold_up*>(data);
                                     if (self.fired.exchange(true))
                                       return;
                                     self.entered.set_value();
                                     self.let_go.get_future().wait();
                                   },
                                   nullptr, this});
  }
};

worker_options in(const context& ctx) {
  worker_options options;
  options.ctx = ctx;
  options.line = std::make_shared<lifeline>();
  return options;
}

}  // namespace

// Of hooks before and after its own, one fires first.
BOOST_AUTO_TEST_CASE(a_context_that_ends_during_a_constructor_that_throws_leaves_the_memory_alone) {
  engine host;
  context_runtime contexts;
  auto own = with_cancel(contexts.background());
  hold_up hook;
  const auto before = hook.on(own.ctx());
  detail::hook_registration after;
  std::thread canceller;
  const void* place = nullptr;
  const auto cancel = [&](const void* at) {
    place = at;
    after = hook.on(own.ctx());
    canceller = std::thread([&] { own.cancel(); });
    hook.entered.get_future().wait();
  };
  BOOST_CHECK_THROW(spawn_worker_class<stillborn>(*host.system, in(own.ctx()), cancel), std::runtime_error);
  constexpr auto size = sizeof(detail::actor_block<stillborn>);
  auto* const again = static_cast<unsigned char*>(detail::block_pool::allocate(size));
  std::memset(again, 0x5a, size);
  hook.let_go.set_value();
  canceller.join();
  BOOST_TEST(std::count(again, again + size, 0x5a) == static_cast<std::ptrdiff_t>(size));
  detail::block_pool::deallocate(again, size);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(again == place);
#endif
}

#ifdef __GLIBC__
BOOST_AUTO_TEST_CASE(a_worker_for_which_there_is_no_thread_leaves_nothing_that_its_system_waits_for) {
  struct answers {
    std::atomic<bool> refused{false};
    std::atomic<bool> gone{false};
  };
  const auto seen = std::make_shared<answers>();
  BOOST_REQUIRE(returns([seen] {
    engine host;
    context_runtime contexts;
    auto options = in(contexts.background());
    options.detached = true;
    const auto detached = host.system->detached_actors();
    try {
      const no_threads now;
      spawn_worker(*host.system, options, [](worker*) {});
    } catch (const std::system_error&) {
      seen->refused = true;
    }
    seen->gone = host.system->registry().running() == 0 && host.system->detached_actors() == detached;
  }));
  BOOST_TEST(seen->refused);
  BOOST_TEST(seen->gone);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
