// SPDX-License-Identifier: BSL-1.0
#include "libactor/detail/block_pool.hpp"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace block_pool = libactor::detail::block_pool;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool pools = false;  // sanitizers get each block by itself
#else
constexpr bool pools = true;
#endif

constexpr std::size_t beyond = 3000;  // larger than what is pooled

// A block that is filled with what it should hold until it goes.
struct filled {
  unsigned char* at;
  std::size_t size;
  unsigned char mark;

  static filled make(std::size_t size, unsigned char mark) {
    auto* at = static_cast<unsigned char*>(block_pool::allocate(size));
    std::memset(at, mark, size);
    return {at, size, mark};
  }
  bool whole() const {
    for (std::size_t i = 0; i != size; ++i) {
      if (at[i] != mark)
        return false;
    }
    return true;
  }
  void free() const { block_pool::deallocate(at, size); }
};

std::size_t used() { return block_pool::use().used; }

}  // namespace

BOOST_AUTO_TEST_SUITE(blocks)

BOOST_AUTO_TEST_CASE(blocks_of_every_size_are_aligned_and_apart) {
  std::vector<filled> all;
  for (std::size_t size = 0; size <= beyond; ++size) {
    all.push_back(filled::make(size, static_cast<unsigned char>(size)));
    BOOST_REQUIRE(reinterpret_cast<std::uintptr_t>(all.back().at) % (size < 512 ? 32 : 64) == 0);
  }
  for (const auto& one : all) {
    BOOST_REQUIRE(one.whole());
    one.free();
  }
}

BOOST_AUTO_TEST_CASE(what_one_thread_makes_another_may_free) {
  constexpr int threads = 4, blocks = 20'000;
  std::vector<std::vector<filled>> made(threads);
  auto on_all = [&](auto work) {
    std::vector<std::thread> running;
    for (int i = 0; i != threads; ++i)
      running.emplace_back([&, i] { work(i); });
    for (auto& one : running)
      one.join();
  };
  const auto before = used();
  std::vector<int> broken(threads);
  for (int round = 0; round != 3; ++round) {
    on_all([&](int i) {
      std::mt19937 random(static_cast<unsigned>(i + threads * round));
      auto& mine = made[static_cast<std::size_t>(i)];
      for (int n = 0; n != blocks; ++n) {
        mine.push_back(filled::make(random() % beyond, static_cast<unsigned char>(random())));
        if (random() % 3 == 0) {
          std::swap(mine[random() % mine.size()], mine.back());
          broken[static_cast<std::size_t>(i)] += mine.back().whole() ? 0 : 1;
          mine.back().free();
          mine.pop_back();
        }
      }
    });
    if (pools)
      BOOST_TEST(used() > before + threads * blocks * 200u);
    on_all([&](int i) {
      auto& theirs = made[static_cast<std::size_t>((i + 1) % threads)];
      for (const auto& one : theirs) {
        broken[static_cast<std::size_t>(i)] += one.whole() ? 0 : 1;
        one.free();
      }
      theirs.clear();
    });
    // The threads have ended: nothing is left in a cache of theirs.
    BOOST_TEST(used() == before);
  }
  for (const auto count : broken)
    BOOST_TEST(count == 0);
}

namespace {

constexpr std::size_t many = 100'000;
constexpr std::size_t kept_at_most = 12u << 20;

std::vector<filled> make_many() {
  std::vector<filled> all;
  for (std::size_t i = 0; i != many; ++i)
    all.push_back(filled::make(1200, static_cast<unsigned char>(i)));
  return all;
}

void free_all(std::vector<filled>& all) {
  for (const auto& one : all)
    one.free();
  all.clear();
}

}  // namespace

BOOST_AUTO_TEST_CASE(memory_that_is_not_used_goes_back_to_the_system_and_may_come_again) {
  if (!pools)
    return;
  for (int round = 0; round != 3; ++round) {
    auto all = make_many();
    BOOST_TEST(block_pool::use().held >= many * 1200);
    std::shuffle(all.begin(), all.end(), std::mt19937(static_cast<unsigned>(round)));
    for (const auto& one : all)
      BOOST_REQUIRE(one.whole());
    free_all(all);
    BOOST_TEST(block_pool::use().held <= kept_at_most);
    BOOST_TEST(used() < 2u << 20);
  }
}

BOOST_AUTO_TEST_CASE(where_somebody_tidies_memory_goes_back_bit_by_bit_once_it_was_vacant_for_a_while) {
  if (!pools)
    return;
  for (int round = 0; round != 2; ++round) {
    block_pool::tidier tidier;
    auto all = make_many();
    std::shuffle(all.begin(), all.end(), std::mt19937(static_cast<unsigned>(round)));
    free_all(all);
    const auto held = block_pool::use().held;
    BOOST_TEST(held > many * 1200);
    for (int look = 0; look != 49; ++look) {
      BOOST_REQUIRE(tidier.look());
      BOOST_REQUIRE(block_pool::use().held == held);
    }
    bool more = true;
    for (auto before = held; more;) {
      more = tidier.look();
      const auto now = block_pool::use().held;
      BOOST_REQUIRE(now + (2u << 20) >= before);
      before = now;
    }
    BOOST_TEST(block_pool::use().held <= kept_at_most);
    BOOST_TEST(!tidier.look());
  }
}

// Of each region the first part, where its own head stands, stays; so it is vacant for good.
BOOST_AUTO_TEST_CASE(who_tidies_is_told_when_no_more_can_go_back) {
  if (!pools)
    return;
  constexpr std::uintptr_t region = 2u << 20, slab = 64u << 10;
  block_pool::tidier tidier;
  std::set<std::uintptr_t> regions;
  std::vector<filled> all, kept;
  while (regions.size() != 110) {
    all.push_back(filled::make(2560, 1));
    regions.insert(reinterpret_cast<std::uintptr_t>(all.back().at) / region);
  }
  regions.clear();
  for (const auto& one : all) {
    const auto at = reinterpret_cast<std::uintptr_t>(one.at);
    if (at % region / slab == 1 && regions.insert(at / region).second)
      kept.push_back(one);
    else
      one.free();
  }
  int looks = 0;
  while (tidier.look() && looks != 10'000)
    ++looks;
  BOOST_TEST(looks < 10'000);
  BOOST_TEST(block_pool::use().held < (30u << 20));
  free_all(kept);
}

BOOST_AUTO_TEST_CASE(memory_that_is_needed_again_and_again_stays) {
  if (!pools)
    return;
  block_pool::tidier tidier;
  auto all = make_many();
  const auto held = block_pool::use().held;
  for (int round = 0; round != 5; ++round) {
    free_all(all);
    for (int look = 0; look != 40; ++look)
      tidier.look();
    BOOST_TEST(block_pool::use().held >= held);
    all = make_many();
  }
  BOOST_TEST(block_pool::use().held <= held + (2u << 20));
  free_all(all);
}

BOOST_AUTO_TEST_CASE(with_the_last_tidier_goes_what_it_has_left) {
  if (!pools)
    return;
  {
    const block_pool::tidier tidier, other;
    auto all = make_many();
    free_all(all);
    BOOST_TEST(block_pool::use().held > many * 1200);
  }
  BOOST_TEST(block_pool::use().held <= kept_at_most);
}

BOOST_AUTO_TEST_CASE(threads_make_and_free_blocks_while_another_tidies) {
  std::atomic<bool> stop{false};
  std::atomic<int> broken{0};
  const auto before = used();
  std::vector<std::thread> threads;
  {
    block_pool::tidier tidier;
    for (unsigned i = 0; i != 2; ++i) {
      threads.emplace_back([&, i] {
        std::mt19937 random(i);
        for (int round = 0; round != 20; ++round) {
          std::vector<filled> all;
          for (std::size_t n = random() % 20'000; n != 0; --n)
            all.push_back(filled::make(random() % 2000, static_cast<unsigned char>(n)));
          for (const auto& one : all)
            broken += one.whole() ? 0 : 1;
          free_all(all);
        }
      });
    }
    std::thread looks([&] {
      while (!stop)
        tidier.look();
    });
    for (auto& one : threads)
      one.join();
    stop = true;
    looks.join();
  }
  BOOST_TEST(broken == 0);
  BOOST_TEST(used() == before);
}

BOOST_AUTO_TEST_CASE(a_slab_serves_other_sizes_once_it_is_empty) {
  if (!pools)
    return;
  auto fill_and_free = [](std::size_t size) {
    std::vector<filled> all;
    while (all.size() * size < 3u << 20)
      all.push_back(filled::make(size, 1));
    for (const auto& one : all)
      one.free();
  };
  fill_and_free(96);
  const auto held = block_pool::use().held;
  for (const std::size_t size : {200u, 480u, 512u, 1216u, 2560u})
    fill_and_free(size);
  BOOST_TEST(block_pool::use().held <= held + (2u << 20));
}

BOOST_AUTO_TEST_CASE(containers_and_shared_pointers_live_in_blocks) {
  const auto before = used();
  {
    std::deque<int, block_pool::allocator<int>> numbers;
    for (int i = 0; i != 100'000; ++i)
      numbers.push_back(i);
    const auto shared = std::allocate_shared<std::vector<int>>(block_pool::allocator<std::vector<int>>{}, 3, 7);
    BOOST_TEST(numbers[99'999] == 99'999);
    BOOST_TEST(shared->at(2) == 7);
    if (pools)
      BOOST_TEST(used() > before);
  }
}

BOOST_AUTO_TEST_SUITE_END()
