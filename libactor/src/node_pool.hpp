// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/detail/node_head.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

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

namespace libactor::detail {

// Memory for context nodes and for the chunks of their registries: the process's, like malloc's, so that nodes cost no
// call of malloc each and live ones can be found without a list. It holds no context and nothing of a runtime.
//
// Invariants
//  1. The first word of a slot is 0 unless it is a node with `node_head::live` set in it: so a reader may look at any
//     slot at any time, and holds one still by locking it while it is live.
//  2. A thread owns the slots in its cache; batches move to and from the common store under its mutex.
//  3. Pages are never given back; their list only grows, and is read without a lock.
//  4. A page has two chunks behind its slots, which no node is ever made in: so what its node needs to be registered
//     with its parents comes with it, and a derivation makes one page at the most.
//  5. Who visits all live nodes is counted in `visitors` first, and then waits until each thread has been seen outside
//     of `ends_one`. A thread sets that, locks the parent of a node, and only then reads `visitors`: so either it sees
//     the visitor, who may hold the node, or the visitor waits until the node is dead.
namespace node_pool {

inline constexpr std::size_t smallest = 128;
inline constexpr std::size_t classes = 5;  // 128, 256, 512, 1024, 2048 bytes
inline constexpr std::size_t chunk_bytes = 2048;

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

// A thread's own slots. Trivially destructible, so that it is reached without a guard; what gives the slots back at the
// thread's end is made on the slow path, which `most` = 0 leads to.
struct thread_cache {
  std::array<chain, classes + 1> free;  // by size, and then the chunks
  std::uint32_t most = 0;               // of the smallest slots to keep; 0: visitors do not know the thread
  std::atomic<bool> ends_one{false};    // it may be ending a node by a plain store
  thread_cache* next = nullptr;         // of all threads; under the store's mutex
};
extern thread_local constinit thread_cache cached __attribute__((tls_model("initial-exec")));
extern constinit std::atomic<std::uint32_t> visitors;

// Orders a locked instruction before what is read after it. On x86 that instruction does so itself.
inline void fence_after_locked() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

inline void poison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t size) noexcept {
#ifdef LIBACTOR_ASAN
  if (size > sizeof(free_slot))
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(slot) + sizeof(free_slot), size - sizeof(free_slot));
#endif
}
inline void unpoison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t size) noexcept {
#ifdef LIBACTOR_ASAN
  ASAN_UNPOISON_MEMORY_REGION(slot, size);
#endif
}

// Memory for a node of `size` bytes, whose word is 0. Throws std::bad_alloc.
void* allocate(std::size_t size);
// Takes back a slot, whose word is 0 again.
void deallocate(void* slot, std::size_t size) noexcept;

// The same for the smallest size.
inline void* allocate_smallest() {
  auto& own = cached.free[0];
  if (own.count == 0) [[unlikely]]
    return allocate(smallest);
  auto* slot = own.pop();
  unpoison(slot, smallest);
  return slot;
}
inline void deallocate_smallest(void* memory) noexcept {
  auto& own = cached;
  if (own.free[0].count >= own.most) [[unlikely]] {
    deallocate(memory, smallest);
    return;
  }
  own.free[0].push(static_cast<free_slot*>(memory));
  poison(memory, smallest);
}

// Memory for a chunk of a registry: of `chunk_bytes` if `large`, else of the smallest size, or the other one if that
// saves making a page. `bytes` becomes what it is. Its first word is 0, and must stay so. Throws std::bad_alloc.
void* allocate_chunk(bool large, std::size_t& bytes);
void deallocate_chunk(void* chunk, std::size_t bytes) noexcept;

// Calls `visit(data, head)` for every slot whose word says `live` at that moment. A slot may end at any time unless
// `visit` locks it. Waits for the few instructions of `ends_one` in other threads.
void each_live(void (*visit)(void* data, node_head& head), void* data);

// How much memory stands behind the slots. For benchmarks and tests.
struct usage {
  std::size_t pages_bytes;
};
usage use() noexcept;

}  // namespace node_pool

}  // namespace libactor::detail
