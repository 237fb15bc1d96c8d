// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/resumable.hpp>

#include <cstdint>
#include <vector>

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
    if (size() == ring_.size())
      grow();
    ring_[pushed_++ & (ring_.size() - 1)] = job;
  }

  // The job that is `ahead` of the next one, or null.
  const caf::resumable* peek(std::uint64_t ahead) const noexcept {
    return size() > ahead ? ring_[(taken_ + ahead) & (ring_.size() - 1)] : nullptr;
  }

  // Requires: not empty.
  caf::resumable* pop() noexcept { return ring_[taken_++ & (ring_.size() - 1)]; }

 private:
  void grow() {
    std::vector<caf::resumable*> bigger(ring_.empty() ? 1024 : 2 * ring_.size());
    for (auto i = taken_; i != pushed_; ++i)
      bigger[i & (bigger.size() - 1)] = ring_[i & (ring_.size() - 1)];
    ring_.swap(bigger);
  }

  std::vector<caf::resumable*> ring_;  // a power of two
  std::uint64_t pushed_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace libactor::detail
