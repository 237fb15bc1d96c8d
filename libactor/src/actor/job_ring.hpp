// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/mman.h>
#include <caf/resumable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace libactor::detail {

// Jobs, first in first out, in a ring that grows; each push and pop is O(1). Not synchronised.
class job_ring {
 public:
  bool empty() const noexcept { return taken_ == pushed_; }
  std::uint64_t size() const noexcept { return pushed_ - taken_; }
  // How many were ever pushed, and taken.
  std::uint64_t pushed() const noexcept { return pushed_; }
  std::uint64_t taken() const noexcept { return taken_; }

  // Throws std::bad_alloc, and then nothing has changed.
  void push(caf::resumable* job) {
    if (size() == places_)
      grow();
    ring_[pushed_++ & (places_ - 1)] = job;
  }

  // The job that is `ahead` of the next one, or null.
  const caf::resumable* peek(std::uint64_t ahead) const noexcept {
    return size() > ahead ? ring_[(taken_ + ahead) & (places_ - 1)] : nullptr;
  }

  // Requires: not empty.
  caf::resumable* pop() noexcept { return ring_[taken_++ & (places_ - 1)]; }

 private:
  static constexpr std::align_val_t page{4096};
  struct freeing {
    void operator()(caf::resumable** ring) const noexcept { ::operator delete(ring, page); }
  };
  using memory = std::unique_ptr<caf::resumable*[], freeing>;

  // Happens under the lock that all threads want: the pages come together, as by themselves each takes many times as
  // long.
  void grow() {
    const auto places = places_ == 0 ? 4096 : 2 * places_;
    const auto bytes = places * sizeof(caf::resumable*);
    memory bigger{static_cast<caf::resumable**>(::operator new(bytes, page))};
#ifdef MADV_POPULATE_WRITE
    ::madvise(bigger.get(), bytes, MADV_POPULATE_WRITE);  // where it fails, each page comes when it is touched
#endif
    for (auto i = taken_; i != pushed_; ++i)
      bigger[i & (places - 1)] = ring_[i & (places_ - 1)];
    ring_ = std::move(bigger);
    places_ = places;
  }

  memory ring_;
  std::size_t places_ = 0;  // a power of two, or none yet
  std::uint64_t pushed_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace libactor::detail
