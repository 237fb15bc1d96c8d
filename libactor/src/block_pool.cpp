// SPDX-License-Identifier: BSL-1.0
#include "libactor/detail/block_pool.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIBACTOR_PLAIN_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIBACTOR_PLAIN_BLOCKS 1
#endif
#endif

// Why not the program's allocator: glibc's heap of a thread that is not the first grows page by page, by a system call
// and a page fault for each, and gives back as readily; that was half of what a start of a child took
// (docs/performance/supervisors.md).
//
// Invariants
//  1. Memory comes from the system in regions of 2 MB, each cut into slabs of 64 KB. A slab that has blocks in use
//  holds
//     blocks of one size class; one that has none is vacant, and may become a slab of any class.
//  2. A block is in use, in one thread's cache, in its slab's list of free ones, or in the part of its slab that was
//     never used. `slab::used` counts the first two. Everything of a slab and of a region is under the store's mutex.
//  3. A slab stands in its class's list while it has blocks to give, and in the list of vacant ones while it has no
//     block in use.
//  4. Of a region whose slabs are all vacant the pages go back to the system, but for some that are kept for what comes
//     next. Its addresses stay.
namespace libactor::detail::block_pool {

#ifdef LIBACTOR_PLAIN_BLOCKS

// Sanitizers look at each block by itself.
void* allocate(std::size_t bytes) { return ::operator new (bytes, std::align_val_t{64}); }
void deallocate(void* block, std::size_t) noexcept { ::operator delete (block, std::align_val_t{64}); }
usage use() noexcept { return {}; }

#else

namespace {

// Size classes: 32, 64 … 480, then 512, 576 … 2,560.
constexpr std::size_t fine = 32, coarse = 64, coarse_from = 512, largest = 2560;
constexpr std::size_t fine_classes = coarse_from / fine - 1;
constexpr std::size_t classes = fine_classes + (largest - coarse_from) / coarse + 1;
constexpr std::size_t slab_bytes = 64 * 1024;
constexpr std::size_t region_bytes = 2 * 1024 * 1024;
constexpr std::size_t slabs_per_region = region_bytes / slab_bytes;
// A pool that has grown asks for huge pages: a page fault is dear, and one of them then does for a thousand actors. A
// small one does not: what it takes would be a matter of 2 MB more or less.
constexpr std::size_t small_regions = 2;
// Vacant slabs that are kept at least: 4 MB.
constexpr std::size_t kept_slabs = 2 * slabs_per_region;
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
  std::uint32_t used = 0;
  std::uint16_t index = 0;
  std::uint16_t size = 0;  // of its blocks
};

struct slab_list {
  slab* first = nullptr;
  void push(slab& x) noexcept {
    x.before = nullptr;
    x.next = first;
    if (first != nullptr)
      first->before = &x;
    first = &x;
  }
  void remove(slab& x) noexcept {
    (x.before != nullptr ? x.before->next : first) = x.next;
    if (x.next != nullptr)
      x.next->before = x.before;
  }
};

// At the start of its own memory.
struct region {
  std::array<slab, slabs_per_region> slabs;
  std::size_t vacant = slabs_per_region;
};
constexpr std::size_t region_head = (sizeof(region) + 63) / 64 * 64;

struct store {
  std::mutex mutex;
  std::array<slab_list, classes> partial;
  slab_list vacant;
  std::size_t vacant_slabs = 0;
  std::size_t regions = 0;
  std::vector<void*> returned;  // regions without pages; room for all there are
  std::size_t used = 0;
};

// Never destroyed: actors may go while the process ends.
store& common() noexcept {
  alignas(store) static std::byte memory[sizeof(store)];
  static store* instance = new (memory) store;
  return *instance;
}

region& region_of(const void* at) noexcept {
  return *reinterpret_cast<region*>(reinterpret_cast<std::uintptr_t>(at) & ~(region_bytes - 1));
}
slab& slab_of(const void* at) noexcept {
  return region_of(at).slabs[(reinterpret_cast<std::uintptr_t>(at) & (region_bytes - 1)) / slab_bytes];
}

// -- regions: with the mutex held -------------------------------------------------------------------------------------

// A region's worth of addresses, aligned to its size. Throws std::bad_alloc.
void* addresses() {
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

void add_region() {
  auto& all = common();
  void* memory = nullptr;
  if (all.returned.empty()) {
    all.returned.reserve(all.regions + 1);
    memory = addresses();
    ++all.regions;
#ifdef __linux__
    if (all.regions > small_regions)
      ::madvise(memory, region_bytes, MADV_HUGEPAGE);
#endif
  } else {
    memory = all.returned.back();
    all.returned.pop_back();
  }
  auto& fresh = *new (memory) region;
  for (auto i = slabs_per_region; i-- != 0;)
    all.vacant.push(fresh.slabs[i]);
  all.vacant_slabs += slabs_per_region;
}

void give_back(region& whole) noexcept {
#ifdef __linux__
  auto& all = common();
  for (auto& one : whole.slabs)
    all.vacant.remove(one);
  all.vacant_slabs -= slabs_per_region;
  all.returned.push_back(&whole);
  ::madvise(&whole, region_bytes, MADV_DONTNEED);
#else
  static_cast<void>(whole);
#endif
}

// -- slabs: with the mutex held ---------------------------------------------------------------------------------------

slab& occupy(std::size_t index) {
  auto& all = common();
  if (all.vacant.first == nullptr)
    add_region();
  auto& one = *all.vacant.first;
  all.vacant.remove(one);
  --all.vacant_slabs;
  auto& home = region_of(&one);
  --home.vacant;
  const auto place = static_cast<std::size_t>(&one - home.slabs.data());
  auto* base = reinterpret_cast<std::byte*>(&home) + place * slab_bytes;
  one.free = nullptr;
  one.unused = place == 0 ? base + region_head : base;
  one.end = base + slab_bytes;
  one.index = static_cast<std::uint16_t>(index);
  one.size = static_cast<std::uint16_t>(size_of(index));
  all.partial[index].push(one);
  return one;
}

void vacate(slab& one) noexcept {
  auto& all = common();
  all.partial[one.index].remove(one);
  all.vacant.push(one);
  ++all.vacant_slabs;
  auto& home = region_of(&one);
  if (++home.vacant == slabs_per_region && all.vacant_slabs > kept_slabs)
    give_back(home);
}

bool has_more(const slab& one) noexcept { return one.free != nullptr || one.end - one.unused >= one.size; }

block* take(slab& from) noexcept {
  ++from.used;
  if (auto* one = from.free) {
    from.free = one->next;
    return one;
  }
  auto* one = new (from.unused) block;
  from.unused += from.size;
  return one;
}

// -- a thread's own ---------------------------------------------------------------------------------------------------

struct chain {
  block* head = nullptr;
  std::uint32_t count = 0;
  std::uint32_t most = 0;  // 0: what gives it back at the thread's end is still to be made

  void push(block* one) noexcept {
    one->next = head;
    head = one;
    ++count;
  }
  block* pop() noexcept {
    auto* one = head;
    head = one->next;
    --count;
    return one;
  }
};

// Trivially destructible, so that it is reached without a guard.
thread_local constinit std::array<chain, classes> cached __attribute__((tls_model("initial-exec")));
thread_local constinit bool thread_ends = false;

void spill(std::size_t index, std::uint32_t keep) noexcept {
  auto& own = cached[index];
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  for (; own.count > keep; all.used -= size_of(index)) {
    auto* one = own.pop();
    auto& home = slab_of(one);
    if (!has_more(home))
      all.partial[index].push(home);
    one->next = home.free;
    home.free = one;
    if (--home.used == 0)
      vacate(home);
  }
}

void refill(std::size_t index, std::uint32_t count) {
  auto& own = cached[index];
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  for (; own.count < count; all.used += size_of(index)) {
    auto* from = all.partial[index].first;
    if (from == nullptr) {
      if (own.count != 0)
        return;
      from = &occupy(index);
    }
    own.push(take(*from));
    if (!has_more(*from))
      all.partial[index].remove(*from);
  }
}

struct cache_keeper {
  cache_keeper() noexcept {
    for (std::size_t i = 0; i != classes; ++i)
      cached[i].most = 2 * batch_of(i);
  }
  ~cache_keeper() {
    thread_ends = true;
    for (std::size_t i = 0; i != classes; ++i) {
      cached[i].most = 0;
      if (cached[i].count != 0)
        spill(i, 0);
    }
  }
};

void keep_cache() noexcept {
  thread_local const cache_keeper keeper;
  static_cast<void>(keeper);
}

[[gnu::noinline]] void* allocate_slow(std::size_t index) {
  if (!thread_ends)
    keep_cache();
  refill(index, thread_ends ? 1 : batch_of(index));
  return cached[index].pop();
}

[[gnu::noinline]] void deallocate_slow(std::size_t index) noexcept {
  if (!thread_ends)
    keep_cache();
  const auto most = cached[index].most;
  if (cached[index].count > most)
    spill(index, most / 2);
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > largest) [[unlikely]]
    return ::operator new (bytes, std::align_val_t{64});
  const auto index = index_of(bytes);
  auto& own = cached[index];
  if (own.count == 0) [[unlikely]]
    return allocate_slow(index);
  return own.pop();
}

void deallocate(void* memory, std::size_t bytes) noexcept {
  if (bytes > largest) [[unlikely]]
    return ::operator delete (memory, std::align_val_t{64});
  const auto index = index_of(bytes);
  auto& own = cached[index];
  own.push(new (memory) block);
  if (own.count > own.most) [[unlikely]]
    deallocate_slow(index);
}

usage use() noexcept {
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  return {all.used, (all.regions - all.returned.size()) * region_bytes};
}

#endif

}  // namespace libactor::detail::block_pool
