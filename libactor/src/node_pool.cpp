// SPDX-License-Identifier: BSL-1.0
#include "node_pool.hpp"

#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LIBACTOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIBACTOR_ASAN 1
#endif
#endif
#ifdef LIBACTOR_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace libactor::detail::node_pool {

namespace {

constexpr std::size_t smallest = 128;
constexpr std::size_t classes = 5;  // 128, 256, 512, 1024, 2048 bytes
constexpr std::size_t page_bytes = 64 * 1024;
constexpr std::size_t largest = smallest << (classes - 1);
constexpr std::uint32_t batch = 256;

struct page {
  page* next;
  std::size_t slot_bytes;
  std::size_t slots;
  bool vacant;  // for a page of one slot; under the store's mutex
};
constexpr std::size_t page_head = 128;
static_assert(sizeof(page) <= page_head);

// Overlays a free slot, behind the word that stays 0.
struct free_slot {
  std::uint64_t word;
  free_slot* next;
};

struct chain {
  free_slot* head = nullptr;
  std::uint32_t count = 0;

  void push(free_slot* slot) noexcept {
    slot->next = head;
    head = slot;
    ++count;
  }
  free_slot* pop() noexcept {
    auto* slot = head;
    head = slot->next;
    --count;
    return slot;
  }
};

struct store {
  std::mutex mutex;
  std::array<chain, classes> free;
  std::atomic<page*> pages{nullptr};
  std::atomic<std::size_t> bytes{0};
};

// Never destroyed: nodes may be released while the process ends.
store& common() noexcept {
  alignas(store) static std::byte memory[sizeof(store)];
  static store* instance = new (memory) store;
  return *instance;
}

void poison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t size) noexcept {
#ifdef LIBACTOR_ASAN
  if (size > sizeof(free_slot))
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(slot) + sizeof(free_slot), size - sizeof(free_slot));
#endif
}
void unpoison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t size) noexcept {
#ifdef LIBACTOR_ASAN
  ASAN_UNPOISON_MEMORY_REGION(slot, size);
#endif
}

void publish_page(std::size_t slot_bytes, std::size_t slots, void* memory) noexcept {
  auto& all = common();
  auto* fresh = new (memory) page{all.pages.load(std::memory_order_relaxed), slot_bytes, slots, false};
  while (!all.pages.compare_exchange_weak(fresh->next, fresh, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

struct cache {
  std::array<chain, classes> free;

  ~cache();
  void refill(std::size_t index);
  void spill(std::size_t index, std::uint32_t keep) noexcept;
};

thread_local constinit bool cache_gone = false;
thread_local cache mine;

cache::~cache() {
  for (std::size_t i = 0; i < classes; ++i)
    spill(i, 0);
  cache_gone = true;
}

void cache::refill(std::size_t index) {
  auto& all = common();
  {
    const std::lock_guard guard{all.mutex};
    auto& from = all.free[index];
    while (from.count != 0 && free[index].count < batch)
      free[index].push(from.pop());
  }
  if (free[index].count != 0)
    return;
  const auto slot_bytes = smallest << index;
  auto* memory = static_cast<std::byte*>(::operator new (page_bytes, std::align_val_t{128}));
  const auto slots = (page_bytes - page_head) / slot_bytes;
  for (auto i = slots; i-- > 0;) {
    auto* place = memory + page_head + i * slot_bytes;
    std::construct_at(&(new (place) node_head)->word, std::uint64_t{0});
    auto* slot = reinterpret_cast<free_slot*>(place);
    free[index].push(slot);
    poison(slot, slot_bytes);
  }
  publish_page(slot_bytes, slots, memory);
  all.bytes.fetch_add(page_bytes, std::memory_order_relaxed);
}

void cache::spill(std::size_t index, std::uint32_t keep) noexcept {
  auto& from = free[index];
  if (from.count <= keep)
    return;
  auto& all = common();
  const std::lock_guard guard{all.mutex};
  while (from.count > keep)
    all.free[index].push(from.pop());
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
  if (cache_gone) [[unlikely]] {
    auto& all = common();
    const std::lock_guard guard{all.mutex};
    if (all.free[index].count == 0)
      throw std::bad_alloc{};
    auto* slot = all.free[index].pop();
    unpoison(slot, smallest << index);
    return slot;
  }
  auto& own = mine;
  if (own.free[index].count == 0) [[unlikely]]
    own.refill(index);
  auto* slot = own.free[index].pop();
  unpoison(slot, smallest << index);
  return slot;
}

void deallocate(void* memory, std::size_t size) noexcept {
  auto* slot = static_cast<free_slot*>(memory);
  if (size > largest) [[unlikely]] {
    const std::lock_guard guard{common().mutex};
    reinterpret_cast<page*>(static_cast<std::byte*>(memory) - page_head)->vacant = true;
    poison(slot, size);
    return;
  }
  const auto index = index_of(size);
  const auto slot_bytes = smallest << index;
  if (cache_gone) [[unlikely]] {
    auto& all = common();
    const std::lock_guard guard{all.mutex};
    all.free[index].push(slot);
    poison(slot, slot_bytes);
    return;
  }
  auto& own = mine;
  own.free[index].push(slot);
  poison(slot, slot_bytes);
  if (own.free[index].count >= 4 * batch) [[unlikely]]
    own.spill(index, 3 * batch);
}

void each_live(void (*visit)(void* data, node_head& head), void* data) {
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
