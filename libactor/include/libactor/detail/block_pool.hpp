// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>
#include <new>

// Memory for what comes and goes with an actor: the actor itself, its lifeline, what its supervisor knows of it.
// Thread-safe; a block may go back on any thread.
namespace libactor::detail::block_pool {

/// A block of `bytes`, aligned to 32, and to 64 from 512 bytes on. O(1), but for one time in some when it takes a lock
/// or asks the system. Throws: std::bad_alloc.
void* allocate(std::size_t bytes);
/// Takes back a block that was asked for with the same number.
void deallocate(void* block, std::size_t bytes) noexcept;

/// Bytes that are in use or cached by a thread, and those that the system has given. For benchmarks and tests. Takes a
/// lock.
struct usage {
  std::size_t used;
  std::size_t held;
};
usage use() noexcept;

/// Gives back to the system what has been free for a while. As long as there is one of these, nobody else does: it
/// stops all threads of the program for a moment. Thread-safe.
class tidier {
 public:
  tidier() noexcept;
  ~tidier();
  tidier(const tidier&) = delete;
  tidier& operator=(const tidier&) = delete;
  /// To be called about every millisecond while the program has something to do, and for as long as it returns true. At
  /// most 2 MB a call, which takes about a quarter of a millisecond.
  bool look() noexcept;
};

/// For containers and shared pointers.
template <class T>
struct allocator {
  static_assert(alignof(T) <= 32);
  using value_type = T;
  allocator() noexcept = default;
  template <class U>
  allocator(const allocator<U>&) noexcept {}
  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T))
      throw std::bad_array_new_length{};
    return static_cast<T*>(block_pool::allocate(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t n) noexcept { block_pool::deallocate(p, n * sizeof(T)); }
  friend bool operator==(allocator, allocator) noexcept { return true; }
};

}  // namespace libactor::detail::block_pool
