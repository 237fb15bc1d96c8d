// SPDX-License-Identifier: BSL-1.0
#pragma once

// What of the pool's memory goes back to the system, and when. All of it begins and ends with the store's mutex held.
//
// Invariants
//  1. Of a region whose slabs are all vacant the pages go back to the system, but for some that are kept for what comes
//     next. Its addresses stay. Once little of the pool is in use, slabs go back by themselves, too: what threads have
//     in their caches may stand in any region.
//  2. That happens at once only where nobody tidies: it stops all threads for a moment, and took half of the time in
//     which ten thousand actors end. A tidier gives back, bit by bit, what has been vacant for a while.

#include "block_store.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <utility>

namespace libactor::detail::block_pool {

inline void forget_pages([[maybe_unused]] void* at, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __linux__
  ::madvise(at, bytes, MADV_DONTNEED);
#endif
}

// Whether slabs may go back one by one, which splits huge pages, and some can.
inline bool may_split() noexcept {
  const auto& all = common();
  return all.vacant_slabs > most_kept_slabs && !all.only_heads && all.used < all.held() / 4;
}

// A region whose slabs are all vacant, out of all lists: it has no pages from now on.
inline region& take_region() noexcept {
  auto& whole = *common().vacant_regions.first;
  common().vacant_regions.remove(whole);
  for (auto& one : whole.slabs)
    take_out(one);
  return whole;
}

// Whether its region's own head stands in it.
inline bool has_head(const slab& one) noexcept { return &one == region_of(&one).slabs.data(); }

// Up to `most` vacant slabs, out of all lists; not those in which a head stands.
inline std::size_t take_slabs(slab** into, std::size_t most) noexcept {
  std::size_t count = 0;
  auto* one = common().vacant.first;
  while (one != nullptr && count != most) {
    auto& here = *std::exchange(one, one->next);
    if (has_head(here))
      continue;
    take_out(here);
    one_in_use(region_of(&here));
    into[count++] = &here;
  }
  common().only_heads = one == nullptr;
  return count;
}

// One region, or some slabs. How many slabs that were. Leaves go of the lock while the system takes them.
inline std::size_t give_back(std::unique_lock<std::mutex>& lock) noexcept {
  auto& all = common();
  const auto before = all.vacant_slabs;
  if (all.vacant_regions.first != nullptr) {
    auto& whole = take_region();
    const auto count = before - all.vacant_slabs;
    lock.unlock();
    forget_pages(&whole, region_bytes);
    lock.lock();
    all.returned.push_back(&whole);
    return count;
  }
  std::array<slab*, slabs_a_look> some;
  const auto count = take_slabs(some.data(), some.size());
  lock.unlock();
  for (std::size_t i = 0; i != count; ++i)
    forget_pages(memory_of(*some[i]), slab_bytes);
  lock.lock();
  for (std::size_t i = 0; i != count; ++i) {
    make_cold(*some[i]);
    one_vacant(region_of(some[i]));
  }
  return count;
}

// All that is more than what is kept.
inline void give_back_all(std::unique_lock<std::mutex>& lock) noexcept {
  auto& all = common();
  while (all.vacant_slabs > kept_slabs && (all.vacant_regions.first != nullptr || may_split())) {
    if (give_back(lock) == 0 && all.vacant_regions.first == nullptr)
      return;
  }
}

// What has been vacant for a while, bit by bit. Whether there may be more.
inline bool look_for_surplus() noexcept {
  auto& all = common();
  std::unique_lock lock{all.mutex};
  if (++all.looks == looks_vacant) {
    all.looks = 0;
    all.surplus = all.least_vacant > kept_slabs ? all.least_vacant - kept_slabs : 0;
    all.least_vacant = all.vacant_slabs;
  }
  auto more = [&] { return all.vacant_slabs > kept_slabs && (all.vacant_regions.first != nullptr || may_split()); };
  if (all.surplus != 0 && more())
    all.surplus -= std::min(all.surplus, give_back(lock));
  return more();
}

inline void vacate(slab& one, std::unique_lock<std::mutex>& lock) noexcept {
  auto& all = common();
  all.partial[one.index].remove(one);
  --all.slabs[one.index];
  all.vacant.push(one);
  ++all.vacant_slabs;
  all.only_heads = all.only_heads && has_head(one);
  one_vacant(region_of(&one));
  if (all.tidiers == 0)
    give_back_all(lock);
}

}  // namespace libactor::detail::block_pool
