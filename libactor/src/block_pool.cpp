// SPDX-License-Identifier: BSL-1.0
#include "libactor/detail/block_pool.hpp"

#include "block_return.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>

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
namespace libactor::detail::block_pool {

#ifdef LIBACTOR_PLAIN_BLOCKS

// Sanitizers look at each block by itself.
void* allocate(std::size_t bytes) { return ::operator new (bytes, std::align_val_t{64}); }
void deallocate(void* block, std::size_t) noexcept { ::operator delete (block, std::align_val_t{64}); }
usage use() noexcept { return {}; }
tidier::tidier() noexcept = default;
tidier::~tidier() = default;
bool tidier::look() noexcept { return false; }

#else

namespace {

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

constexpr std::size_t fresh_per_growth = 900 * 1024;
thread_local constinit std::size_t fresh = fresh_per_growth / 2;  // that this thread took since its heap grew

void spill(std::size_t index, std::uint32_t keep) noexcept {
  auto& own = cached[index];
  auto& all = common();
  std::unique_lock lock{all.mutex};
  for (; own.count > keep; all.used -= size_of(index)) {
    auto* one = own.pop();
    auto& home = slab_of(one);
    if (!has_more(home))
      all.partial[index].push(home);
    one->next = home.free;
    home.free = one;
    if (--home.used == 0)
      vacate(home, lock);
  }
}

// How much memory it took that was not in use before, bytes.
std::size_t refill(std::size_t index, std::uint32_t count) {
  auto& own = cached[index];
  auto& all = common();
  std::size_t taken = 0;
  const std::lock_guard guard{all.mutex};
  for (; own.count < count; all.used += size_of(index)) {
    auto* from = all.partial[index].first;
    if (from == nullptr) {
      if (own.count != 0)
        break;
      from = &occupy(index, taken);
    }
    if (from->free == nullptr)
      taken += fill(*from, std::min(from->end, from->unused + (count - own.count) * from->size));
    own.push(take(*from));
    if (!has_more(*from))
      all.partial[index].remove(*from);
  }
  return taken;
}

// What an actor keeps on the program's heap, its behaviours above all, is a fifteenth of what it keeps here. But
// glibc's heap of a thread grows by a page at a time, each for a system call and a page fault; so the heap of a thread
// that takes much here grows by as much as will be needed, at once. What is freed at a heap's end stays there.
void grow_heap() noexcept {
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE)
  constexpr std::size_t pages = fresh_per_growth / 15 / page_bytes;
  if (void* ahead = std::malloc(pages * page_bytes)) {
    const auto first_page = (reinterpret_cast<std::uintptr_t>(ahead) + page_bytes - 1) & ~(page_bytes - 1);
    ::madvise(reinterpret_cast<void*>(first_page), (pages - 1) * page_bytes, MADV_POPULATE_WRITE);
    std::free(ahead);
  }
#endif
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
  fresh += refill(index, thread_ends ? 1 : batch_of(index));
  if (fresh >= fresh_per_growth) {
    fresh -= fresh_per_growth;
    grow_heap();
  }
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
  return {all.used, all.held()};
}

tidier::tidier() noexcept {
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  if (++all.tidiers != 1)
    return;
  all.looks = 0;
  all.least_vacant = all.vacant_slabs;
  all.surplus = 0;
}

tidier::~tidier() {
  auto& all = common();
  std::unique_lock lock{all.mutex};
  if (--all.tidiers == 0)
    give_back_all(lock);
}

bool tidier::look() noexcept { return look_for_surplus(); }

#endif

}  // namespace libactor::detail::block_pool
