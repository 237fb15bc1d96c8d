// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "node_pool.hpp"

#include <cstdlib>
#include <new>

// Every allocation of this program is counted; each test looks at the difference on its own thread.
namespace {
thread_local std::size_t allocations = 0;

void* counted(std::size_t size, std::size_t align) {
  ++allocations;
  void* memory = align > alignof(std::max_align_t) ? std::aligned_alloc(align, (size + align - 1) / align * align)
                                                   : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr)
    throw std::bad_alloc{};
  return memory;
}
}  // namespace

// Not inlined: g++ 12 then warns that they do not match what they replace.
// AddressSanitizer matches kinds of allocation by its own operators: under it nothing is counted.
#ifndef __SANITIZE_ADDRESS__
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, 0); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#else
namespace {
[[maybe_unused]] void* (*const unused)(std::size_t, std::size_t) = &counted;
}
#endif

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(costs)

struct number : context_key<int> {};
struct name : context_key<std::string> {};

template <class Body>
std::size_t allocations_of(int times, Body body) {
  const auto before = allocations;
  for (int i = 0; i < times; ++i)
    body();
  return allocations - before;
}

BOOST_AUTO_TEST_CASE(C005_obtaining_background_allocates_nothing) {
  static_cast<void>(background());
  BOOST_TEST(allocations_of(1000, [] { static_cast<void>(background()); }) == 0u);
  world w;
  BOOST_TEST(allocations_of(1000, [&] { static_cast<void>(w.runtime.background()); }) == 0u);
}

BOOST_AUTO_TEST_CASE(C156_allocations_of_the_common_uses_are_as_documented) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  constexpr int times = 1000;
  const auto check = [&](std::size_t most_per_use, auto body) {
    body();  // fills the pool's cache, and the causes of these places
    BOOST_TEST(allocations_of(times, body) <= most_per_use * times);
  };
  check(0, [&] { static_cast<void>(*with_value<number>(parent.ctx(), 1).value<number>()); });
  check(0, [&] { with_cancel(parent.ctx()).cancel(); });
  check(0, [&] {
    auto a = with_timeout(parent.ctx(), 1h);
    a.cancel();
  });
  check(0, [&] { auto expired = with_timeout(parent.ctx(), 0s); });
  check(2, [&] {  // the waiter and its hook
    auto a = with_cancel(parent.ctx());
    const auto hook = detail::when_done(a.ctx(), {});
    a.cancel();
    a.ctx().wait();
  });
}

BOOST_AUTO_TEST_CASE(C156_live_contexts_cost_far_less_than_one_allocation_each) {
  auto parent = with_cancel(background());
  constexpr std::size_t count = 100'000;
  std::vector<scope> all;
  all.reserve(count);
  const auto used = allocations_of(static_cast<int>(count), [&] { all.push_back(with_cancel(parent.ctx())); });
  BOOST_TEST(used < count / 50);  // pages of nodes, and chunks of the parent's registry
}

BOOST_AUTO_TEST_CASE(C156_no_derivation_takes_more_than_one_allocation) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  auto other = with_cancel(runtime.background());
  context last = parent.ctx();
  std::vector<scope> kept;
  kept.reserve(4'000'000);
  // Until the pool, which may hold what earlier cases gave back, has had to make pages for this kind.
  const auto check = [&](auto derive) {
    std::size_t most = 0;
    std::size_t pages = 0;
#ifndef __SANITIZE_ADDRESS__
    while (pages < 3 && kept.size() < kept.capacity()) {
#else
    for (int i = 0; i < 5'000; ++i) {  // nothing is counted: that all of it runs
      pages = 3;
#endif
      const auto used = allocations_of(1, [&] { kept.push_back(derive()); });
      most = std::max(most, used);
      pages += used == 0 ? 0 : 1;
    }
    BOOST_TEST(pages == 3u);
    BOOST_TEST(most <= 1u);
  };
  check([&] { return with_cancel(parent.ctx()); });
  check([&] { return with_timeout(parent.ctx(), 1h); });
  check([&] { return with_timeout(runtime.background(), 1h); });
  check([&] { return shielded(parent.ctx(), 1h); });
  check([&] { return merged(parent.ctx(), other.ctx()); });
  check([&] {
    auto made = with_cancel(last);
    last = made.ctx();
    return made;
  });
}

BOOST_AUTO_TEST_CASE(C156_one_child_beside_another_takes_no_memory_each_time) {
  auto parent = with_cancel(background());
  auto first = with_cancel(parent.ctx());
  const auto derive = [&] { auto second = with_cancel(parent.ctx()); };
  derive();
  BOOST_TEST(allocations_of(1000, derive) == 0u);
}

BOOST_AUTO_TEST_CASE(C160_nothing_grows_over_many_derivations_under_one_parent) {
  world w;
  auto parent = with_cancel(w.root);
  const auto derive = [&] {
    auto a = with_cancel(parent.ctx());
    auto b = with_timeout(a.ctx(), 1h);
    static_cast<void>(with_value<number>(b.ctx(), 1));
  };
  derive();
  const auto pages = detail::node_pool::use().pages_bytes;
  const auto used = allocations_of(rounds(3'333'334), derive);
  BOOST_TEST(detail::node_pool::use().pages_bytes == pages);
  BOOST_TEST(used <= static_cast<std::size_t>(rounds(3'333'334)));  // the virtual clock's sorted set takes one each
  BOOST_TEST(registered(parent.ctx()) == 0u);
  BOOST_TEST(!w.runtime.next_due().has_value());
  context_runtime steady;
  auto other = with_cancel(steady.background());
  const auto arm = [&] { auto a = with_timeout(other.ctx(), 1h); };
  arm();
  BOOST_TEST(allocations_of(rounds(1'000'000), arm) == 0u);
}

BOOST_AUTO_TEST_CASE(C160_what_threads_derive_at_their_very_end_takes_no_more_than_that) {
  world w;
  auto parent = with_cancel(w.root);
  const auto derive = [&] {
    std::vector<scope> made;
    std::thread([&] {
      thread_local last_words late;  // made before anything of the library's, so that it ends after that
      late.say = [&] {
        for (int i = 0; i != 3; ++i)
          made.push_back(with_cancel(parent.ctx()));
      };
      auto first = with_cancel(parent.ctx());
    }).join();
  };
  constexpr std::size_t kept_here = 1 << 18;  // what this thread, which ends them, may keep of it
  derive();
  const auto pages = detail::node_pool::use().pages_bytes;
  for (int i = 0; i != 200; ++i)
    derive();
  BOOST_TEST(detail::node_pool::use().pages_bytes <= pages + kept_here);
}

BOOST_AUTO_TEST_SUITE_END()
