// SPDX-License-Identifier: BSL-1.0
#include "node_pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace libactor::detail::node_pool {

thread_local constinit thread_cache cached;
constinit std::atomic<std::uint32_t> visitors{0};

namespace {

constexpr std::size_t page_bytes = 64 * 1024;
constexpr std::size_t largest = smallest << (classes - 1);
constexpr std::size_t chunks_per_page = 2;
constexpr std::size_t chunk_index = classes;

// How many slots of a size move at once; of large ones fewer, so that a thread does not sit on megabytes.
constexpr std::uint32_t batch_of(std::size_t index) noexcept { return 256U >> std::min(index, classes - 1); }

struct page {
  page* next;
  std::size_t slot_bytes;
  std::size_t slots;
  bool vacant;  // for a page of one slot; under the store's mutex
};
constexpr std::size_t page_head = 128;

// A pool that has grown takes its pages from regions in the size of a huge page, and asks the kernel for one: nodes
// that are touched in no order would miss the processor's address cache each time (docs/performance/context.md).
constexpr std::size_t region_bytes = 2 * 1024 * 1024;
constexpr std::size_t grown_bytes = 2 * region_bytes;
static_assert(region_bytes % page_bytes == 0);
static_assert(sizeof(page) <= page_head);

struct store {
  std::mutex mutex;
  std::array<chain, classes + 1> free;
  std::atomic<page*> pages{nullptr};
  std::atomic<std::size_t> bytes{0};
  thread_cache* threads = nullptr;
  // What is left of the last region; under `mutex`.
  std::byte* region = nullptr;
  std::size_t region_left = 0;
};

// Never destroyed: nodes may be released while the process ends.
store& common() noexcept {
  alignas(store) static std::byte memory[sizeof(store)];
  static store* instance = new (memory) store;
  return *instance;
}

void publish_page(std::size_t slot_bytes, std::size_t slots, void* memory) noexcept {
  auto& all = common();
  auto* fresh = new (memory) page{all.pages.load(std::memory_order_relaxed), slot_bytes, slots, false};
  while (!all.pages.compare_exchange_weak(fresh->next, fresh, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void spill(std::size_t index, std::uint32_t keep) noexcept {
  auto& from = cached.free[index];
  if (from.count <= keep)
    return;
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  while (from.count > keep)
    all.free[index].push(from.pop());
}

thread_local constinit bool thread_ends = false;

void keep_nothing() noexcept {
  for (std::size_t i = 0; i <= chunk_index; ++i)
    spill(i, 0);
}

// Gives back what the thread has cached; afterwards nothing is kept.
struct cache_keeper {
  cache_keeper() noexcept {
    const std::lock_guard guard{common().mutex};
    cached.next = std::exchange(common().threads, &cached);
    cached.most = 4 * batch_of(0);
  }
  ~cache_keeper() {
    thread_ends = true;
    cached.most = 0;
    {
      const std::lock_guard guard{common().mutex};
      auto** link = &common().threads;
      while (*link != &cached)
        link = &(*link)->next;
      *link = cached.next;
    }
    keep_nothing();
  }
};

void keep_cache() noexcept {
  thread_local const cache_keeper keeper;
  static_cast<void>(keeper);
}

std::byte* make_slots(std::byte* place, std::size_t slot_bytes, std::size_t slots, chain& to) noexcept {
  for (auto i = slots; i-- > 0;) {
    auto* at = place + i * slot_bytes;
    std::construct_at(&(new (at) node_head)->word, std::uint64_t{0});
    auto* slot = reinterpret_cast<free_slot*>(at);
    to.push(slot);
    poison(slot, slot_bytes);
  }
  return place + slots * slot_bytes;
}

// Memory for a page. Throws std::bad_alloc.
std::byte* page_memory() {
  auto& all = common();
  if (all.bytes.fetch_add(page_bytes, std::memory_order_relaxed) < grown_bytes)
    return static_cast<std::byte*>(::operator new (page_bytes, std::align_val_t{128}));
  const std::lock_guard guard{all.mutex};
  if (all.region_left == 0) {
    all.region = static_cast<std::byte*>(::operator new (region_bytes, std::align_val_t{region_bytes}));
    all.region_left = region_bytes;
#ifdef __linux__
    ::madvise(all.region, region_bytes, MADV_HUGEPAGE);
#endif
  }
  all.region_left -= page_bytes;
  return std::exchange(all.region, all.region + page_bytes);
}

// Each part of a new page is written to at once: asked for together, what the system has to give for it costs a third
// or less.
void bring([[maybe_unused]] std::byte* memory) noexcept {
#ifdef MADV_POPULATE_WRITE
  constexpr std::uintptr_t unit = 4096;
  const auto from = (reinterpret_cast<std::uintptr_t>(memory) + unit - 1) & ~(unit - 1);
  const auto to = (reinterpret_cast<std::uintptr_t>(memory) + page_bytes) & ~(unit - 1);
  ::madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_WRITE);
#endif
}

void make_page(std::size_t index) {
  const auto slot_bytes = smallest << index;
  auto* memory = page_memory();
  bring(memory);
  const auto slots = (page_bytes - page_head - chunks_per_page * chunk_bytes) / slot_bytes;
  auto* behind = make_slots(memory + page_head, slot_bytes, slots, cached.free[index]);
  make_slots(behind, chunk_bytes, chunks_per_page, cached.free[chunk_index]);
  publish_page(slot_bytes, slots, memory);
}

// Moves a batch from the common store to the thread's own.
void fetch(std::size_t index) noexcept {
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  auto& from = all.free[index];
  auto& to = cached.free[index];
  while (from.count != 0 && to.count < batch_of(index))
    to.push(from.pop());
}

void refill(std::size_t index) {
  fetch(index);
  if (cached.free[index].count == 0)
    make_page(index);
}

void give_back(std::size_t index, void* memory, std::size_t bytes) noexcept {
  if (!thread_ends)
    keep_cache();
  auto& own = cached.free[index];
  own.push(static_cast<free_slot*>(memory));
  poison(memory, bytes);
  const auto batch = thread_ends ? 0 : batch_of(index);
  if (own.count > 4 * batch) [[unlikely]]
    spill(index, 3 * batch);
}

std::size_t index_of(std::size_t size) noexcept {
  return size <= smallest ? 0 : static_cast<std::size_t>(std::bit_width((size - 1) / smallest));
}

}  // namespace

void* allocate(std::size_t size) {
  if (size > largest) [[unlikely]] {
    // A page of one slot, for a value of unusual size; kept for the next one of the same size.
    auto& all = common();
    const std::lock_guard guard{all.mutex};
    for (auto* p = all.pages.load(std::memory_order_acquire); p != nullptr; p = p->next) {
      if (p->slot_bytes == size && p->vacant) {
        p->vacant = false;
        auto* place = reinterpret_cast<std::byte*>(p) + page_head;
        unpoison(place, size);
        return place;
      }
    }
    auto* memory = static_cast<std::byte*>(::operator new (page_head + size, std::align_val_t{128}));
    std::construct_at(&(new (memory + page_head) node_head)->word, std::uint64_t{0});
    publish_page(size, 1, memory);
    all.bytes.fetch_add(page_head + size, std::memory_order_relaxed);
    return memory + page_head;
  }
  const auto index = index_of(size);
  auto& own = cached.free[index];
  if (thread_ends) [[unlikely]] {
    if (own.count == 0)
      refill(index);
    auto* slot = own.pop();
    keep_nothing();
    unpoison(slot, smallest << index);
    return slot;
  }
  if (own.count == 0) [[unlikely]] {
    keep_cache();
    refill(index);
  }
  auto* slot = own.pop();
  unpoison(slot, smallest << index);
  return slot;
}

void deallocate(void* memory, std::size_t size) noexcept {
  if (size > largest) [[unlikely]] {
    const std::lock_guard guard{common().mutex};
    reinterpret_cast<page*>(static_cast<std::byte*>(memory) - page_head)->vacant = true;
    poison(memory, size);
    return;
  }
  const auto index = index_of(size);
  give_back(index, memory, smallest << index);
}

void* allocate_chunk(bool large, std::size_t& bytes) {
  auto& small_ones = cached.free[0];
  auto& large_ones = cached.free[chunk_index];
  if (!thread_ends)
    keep_cache();
  if (large && large_ones.count == 0)
    fetch(chunk_index);
  if (!large && small_ones.count == 0)
    fetch(0);
  void* chunk = nullptr;
  if (large ? large_ones.count == 0 : small_ones.count != 0 || large_ones.count == 0) {
    bytes = smallest;
    chunk = allocate_smallest();
  } else {
    bytes = chunk_bytes;
    chunk = large_ones.pop();
    unpoison(chunk, bytes);
  }
  if (thread_ends) [[unlikely]]
    keep_nothing();
  return chunk;
}

void deallocate_chunk(void* chunk, std::size_t bytes) noexcept {
  if (bytes == smallest)
    deallocate_smallest(chunk);
  else
    give_back(chunk_index, chunk, bytes);
}

namespace {

struct visit_guard {
  visit_guard() noexcept {
    visitors.fetch_add(1, std::memory_order_seq_cst);
    const std::lock_guard guard{common().mutex};
    for (auto* one = common().threads; one != nullptr; one = one->next) {
      while (one->ends_one.load(std::memory_order_seq_cst))
        std::this_thread::yield();
    }
  }
  ~visit_guard() { visitors.fetch_sub(1, std::memory_order_release); }
  visit_guard(const visit_guard&) = delete;
  visit_guard& operator=(const visit_guard&) = delete;
};

}  // namespace

void each_live(void (*visit)(void* data, node_head& head), void* data) {
  const visit_guard announced;
  for (auto* p = common().pages.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    auto* place = reinterpret_cast<std::byte*>(p) + page_head;
    for (std::size_t i = 0; i < p->slots; ++i, place += p->slot_bytes) {
      auto& head = *std::launder(reinterpret_cast<node_head*>(place));
      if ((head.word.load(std::memory_order_acquire) & node_head::live) != 0)
        visit(data, head);
    }
  }
}

usage use() noexcept { return {common().bytes.load(std::memory_order_relaxed)}; }

}  // namespace libactor::detail::node_pool
