// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace libactor {

/// A sink that keeps the last events in memory, and counts those that it no longer has. Thread-safe; `on_event` waits
/// at most for other threads that put an event into its place, or copy pointers to them.
class event_ring final : public event_sink {
 public:
  enum class keeps : std::uint8_t { everything, leaks };

  /// Requires: a capacity of at least 1. Throws: std::bad_alloc.
  explicit event_ring(std::size_t capacity = 4096, keeps what = keeps::everything);

  void on_event(const event& what) noexcept override;

  /// The events that it has, oldest first. Complexity: O(capacity). Throws: std::bad_alloc.
  std::vector<std::shared_ptr<const event>> events() const;
  /// How many it was given and no longer has, or had no memory for.
  std::uint64_t lost() const;

 private:
  const keeps what_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const event>> places_;
  std::uint64_t given_ = 0;
  std::uint64_t without_memory_ = 0;
};

}  // namespace libactor
