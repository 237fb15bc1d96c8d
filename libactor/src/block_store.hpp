// SPDX-License-Identifier: BSL-1.0
#pragma once

// Where the blocks of the pool come from: regions of the system's memory, and slabs of blocks of one size.
//
// Invariants
//  1. Memory comes from the system in regions of 2 MB, each cut into slabs of 64 KB. A slab that has blocks in use has
//     them of one size class; one that has none is vacant, and may become a slab of any class.
//  2. A block is in use, in one thread's cache, in its slab's list of free ones, or in the part of its slab that was
//     never used. `slab::used` counts the first two. Everything of a slab and of a region is under the store's mutex.
//  3. A slab stands in its class's list while it has blocks to give, and while it has no block in use in one of the two
//     lists of vacant ones: `vacant`, or `cold` if it has no pages, yet or any more.
//  4. What goes back to the system, and when: block_return.hpp.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace libactor::detail::block_pool {

// Size classes: 32, 64 … 480, then 512, 576 … 2,560.
constexpr std::size_t fine = 32, coarse = 64, coarse_from = 512, largest = 2560;
constexpr std::size_t fine_classes = coarse_from / fine - 1;
constexpr std::size_t classes = fine_classes + (largest - coarse_from) / coarse + 1;
constexpr std::size_t page_bytes = 4096;  // where they are larger, some are refused here and come when they are touched
constexpr std::size_t slab_bytes = 64 * 1024;
constexpr std::size_t region_bytes = 2 * 1024 * 1024;
constexpr std::size_t slabs_per_region = region_bytes / slab_bytes;
// A page fault is dear: 0.5 to 15 µs, whereas pages that are asked for together take 0.3 to 1.6 µs each. So those of a
// batch of blocks come together; and from the second slab of a size on, which shows that there are many, all of one. A
// pool that has grown asks for huge pages, of which one does for a thousand actors; a small one does not: what it takes
// would be a matter of 2 MB more or less. Where a virtual machine gets memory that it has never used, a huge page takes
// 5 ms: then the next 64 MB do without.
constexpr std::size_t small_regions = 2;
constexpr std::size_t regions_without_huge = 32;
constexpr std::chrono::milliseconds dear_page{1};
// Vacant slabs that are kept at least: 4 MB.
constexpr std::size_t kept_slabs = 2 * slabs_per_region;
// And so many before they go back one by one, where no more than a quarter of the pool is in use: that splits huge
// pages.
constexpr std::size_t most_kept_slabs = 3 * slabs_per_region;
// What a tidier finds vacant in so many looks, about a millisecond apart, is not needed; and so many slabs, or one
// region, it gives back in a look: a quarter of a millisecond.
constexpr unsigned looks_vacant = 50;
constexpr std::size_t slabs_a_look = 8;
// A thread caches twice as much of a class, so that not every change of direction takes the lock.
constexpr std::size_t batch_bytes = 16 * 1024;

constexpr std::size_t index_of(std::size_t bytes) noexcept {
  if (bytes <= coarse_from - fine)
    return bytes == 0 ? 0 : (bytes - 1) / fine;
  return bytes <= coarse_from ? fine_classes : fine_classes + (bytes - coarse_from + coarse - 1) / coarse;
}
constexpr std::size_t size_of(std::size_t index) noexcept {
  return index < fine_classes ? (index + 1) * fine : coarse_from + (index - fine_classes) * coarse;
}
static_assert(index_of(480) == 14 && index_of(481) == 15 && index_of(513) == 16 && index_of(largest) == classes - 1);
static_assert(size_of(14) == 480 && size_of(15) == 512 && size_of(16) == 576 && size_of(classes - 1) == largest);
constexpr std::uint32_t batch_of(std::size_t index) noexcept {
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(batch_bytes / size_of(index), 8, 64));
}

struct block {
  block* next;
};

struct slab {
  slab* next = nullptr;
  slab* before = nullptr;
  block* free = nullptr;
  std::byte* unused = nullptr;  // the part that was never used
  std::byte* end = nullptr;
  std::byte* filled = nullptr;  // before it, all pages are there; at the start of one
  std::uint32_t used = 0;
  std::uint16_t index = 0;
  std::uint16_t size = 0;  // of its blocks
  bool is_cold = false;
};

template <class T>
struct linked_list {
  T* first = nullptr;
  void push(T& x) noexcept {
    x.before = nullptr;
    x.next = first;
    if (first != nullptr)
      first->before = &x;
    first = &x;
  }
  void remove(T& x) noexcept {
    (x.before != nullptr ? x.before->next : first) = x.next;
    if (x.next != nullptr)
      x.next->before = x.before;
  }
};

// At the start of its own memory.
struct region {
  std::array<slab, slabs_per_region> slabs;
  std::size_t vacant = slabs_per_region;
  region* next = nullptr;  // of those whose slabs are all vacant
  region* before = nullptr;
};
constexpr std::size_t region_head = (sizeof(region) + 63) / 64 * 64;

struct store {
  std::mutex mutex;
  std::array<linked_list<slab>, classes> partial;
  std::array<std::size_t, classes> slabs{};  // in use
  linked_list<slab> vacant, cold;
  linked_list<region> vacant_regions;
  std::size_t vacant_slabs = 0, cold_slabs = 0;
  bool only_heads = true;  // every vacant slab is its region's first
  std::size_t regions = 0;
  std::vector<void*> returned;  // regions without pages; room for all there are
  std::size_t used = 0;
  std::size_t without_huge = 0;  // so many regions more

  std::size_t tidiers = 0;
  std::size_t least_vacant = 0;  // slabs, since `looks` was 0
  unsigned looks = 0;
  std::size_t surplus = 0;  // slabs that are to go back

  std::size_t held() const noexcept { return (regions - returned.size()) * region_bytes - cold_slabs * slab_bytes; }
};

// Never destroyed: actors may go while the process ends.
inline store& common() noexcept {
  alignas(store) static std::byte memory[sizeof(store)];
  static store* instance = new (memory) store;
  return *instance;
}

inline region& region_of(const void* at) noexcept {
  return *reinterpret_cast<region*>(reinterpret_cast<std::uintptr_t>(at) & ~(region_bytes - 1));
}
inline slab& slab_of(const void* at) noexcept {
  return region_of(at).slabs[(reinterpret_cast<std::uintptr_t>(at) & (region_bytes - 1)) / slab_bytes];
}

// -- regions: with the mutex held -------------------------------------------------------------------------------------

// A region's worth of addresses, aligned to its size. Throws std::bad_alloc.
inline void* addresses() {
#ifdef __linux__
  auto* place =
      ::mmap(nullptr, 2 * region_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED)
    throw std::bad_alloc{};
  const auto from = reinterpret_cast<std::uintptr_t>(place);
  const auto aligned = (from + region_bytes - 1) & ~(region_bytes - 1);
  if (aligned != from)
    ::munmap(place, aligned - from);
  ::munmap(reinterpret_cast<void*>(aligned + region_bytes), from + region_bytes - aligned);
  return reinterpret_cast<void*>(aligned);
#else
  return ::operator new (region_bytes, std::align_val_t{region_bytes});
#endif
}

// Whether the region is to be of huge pages.
inline bool wants_huge() noexcept {
  auto& all = common();
  if (all.regions <= small_regions)
    return false;
  if (all.without_huge == 0)
    return true;
  --all.without_huge;
  return false;
}

inline void make_cold(slab& one) noexcept {
  auto& all = common();
  one.is_cold = true;
  all.cold.push(one);
  ++all.cold_slabs;
}

inline void add_region() {
  auto& all = common();
  void* memory = nullptr;
  bool huge = false;
  if (all.returned.empty()) {
    all.returned.reserve(all.regions + 1);
    memory = addresses();
    ++all.regions;
    huge = wants_huge();
#ifdef __linux__
    if (huge)
      ::madvise(memory, region_bytes, MADV_HUGEPAGE);
#endif
  } else {
    memory = all.returned.back();
    all.returned.pop_back();
  }
  const auto before = std::chrono::steady_clock::now();
  auto& fresh = *new (memory) region;  // the first page fault
  if (huge && std::chrono::steady_clock::now() - before > dear_page)
    all.without_huge = regions_without_huge;
  for (auto i = slabs_per_region; i-- != 0;)
    make_cold(fresh.slabs[i]);
  all.vacant_regions.push(fresh);
}

// Its slab is in use, or is vacant again.
inline void one_in_use(region& home) noexcept {
  if (home.vacant-- == slabs_per_region)
    common().vacant_regions.remove(home);
}
inline void one_vacant(region& home) noexcept {
  if (++home.vacant == slabs_per_region)
    common().vacant_regions.push(home);
}

// Takes a vacant slab out of the list that it stands in.
inline void take_out(slab& one) noexcept {
  auto& all = common();
  if (one.is_cold) {
    all.cold.remove(one);
    --all.cold_slabs;
    one.is_cold = false;
  } else {
    all.vacant.remove(one);
    --all.vacant_slabs;
    all.least_vacant = std::min(all.least_vacant, all.vacant_slabs);
  }
}

inline std::byte* memory_of(slab& one) noexcept {
  auto& home = region_of(&one);
  return reinterpret_cast<std::byte*>(&home) + static_cast<std::size_t>(&one - home.slabs.data()) * slab_bytes;
}

// Asks for the pages up to there together. Returns how many bytes they are.
inline std::size_t fill(slab& one, std::byte* to) noexcept {
  if (to <= one.filled)
    return 0;
  const auto bytes = (static_cast<std::size_t>(to - one.filled) + page_bytes - 1) / page_bytes * page_bytes;
#ifdef MADV_POPULATE_WRITE
  ::madvise(one.filled, bytes, MADV_POPULATE_WRITE);  // where it fails, each page comes when it is touched
#endif
  one.filled += bytes;
  return bytes;
}

// -- slabs: with the mutex held ---------------------------------------------------------------------------------------

// Adds to `fresh` how much memory it has asked for, bytes.
inline slab& occupy(std::size_t index, std::size_t& fresh) {
  auto& all = common();
  if (all.vacant.first == nullptr && all.cold.first == nullptr)
    add_region();
  auto& one = all.vacant.first != nullptr ? *all.vacant.first : *all.cold.first;
  const bool has_pages = !one.is_cold;
  take_out(one);
  auto& home = region_of(&one);
  one_in_use(home);
  auto* base = memory_of(one);
  one.free = nullptr;
  one.unused = &one == home.slabs.data() ? base + region_head : base;
  one.end = base + slab_bytes;
  one.filled = has_pages ? one.end : base;
  if (++all.slabs[index] != 1)
    fresh += fill(one, one.end);
  one.index = static_cast<std::uint16_t>(index);
  one.size = static_cast<std::uint16_t>(size_of(index));
  all.partial[index].push(one);
  return one;
}

inline bool has_more(const slab& one) noexcept { return one.free != nullptr || one.end - one.unused >= one.size; }

inline block* take(slab& from) noexcept {
  ++from.used;
  if (auto* one = from.free) {
    from.free = one->next;
    return one;
  }
  auto* one = new (from.unused) block;
  from.unused += from.size;
  return one;
}

}  // namespace libactor::detail::block_pool
