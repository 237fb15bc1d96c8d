// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace libactor::detail {

/// The part of a context's node that handles read inline: its word (lock, state, flags and the number of those that
/// keep the node alive without a handle) and the number of handles.
struct node_head {
  static constexpr std::uint64_t locked = 1;        ///< a spinlock over the node's registry and the rest of the word
  static constexpr std::uint64_t live = 2;          ///< constructed, and not yet dying
  static constexpr std::uint64_t done_bit = 4;      ///< done, for good
  static constexpr std::uint64_t expired = 8;       ///< done by a deadline
  static constexpr std::uint64_t handles = 16;      ///< `refs` has not been 0 yet
  static constexpr std::uint64_t passes = 32;       ///< carries a value only; the nearest cancellable ancestor decides
  static constexpr std::uint64_t never = 64;        ///< children register nowhere: it is not canceled by an ancestor
  static constexpr std::uint64_t sharded = 128;     ///< the registry is split
  static constexpr std::uint64_t triggered = 256;   ///< a shield whose budget runs
  static constexpr std::uint64_t owns_cause = 512;  ///< `cause` is counted, rather than borrowed from an ancestor
  static constexpr std::uint64_t immortal = 1024;   ///< static storage: nothing is counted
  static constexpr std::uint64_t has_timer = 2048;  ///< may stand in the deadline queue
  static constexpr std::uint64_t contended = 4096;  ///< threads have waited for the registry
  static constexpr std::uint64_t hard = 8192;       ///< `cancel_now` has passed here: nothing below lives on
  static constexpr std::uint64_t has_stop = 16384;  ///< a stop token was handed out
  static constexpr std::uint64_t one = 1ULL << 32;  ///< one child, pin or registration that keeps the node alive

  /// Leaves `word` alone: a node is made in a slot whose word others may be reading, and which is 0 already.
  node_head() noexcept {}
  explicit node_head(std::uint8_t what) noexcept : refs{1}, kind{what} {}

  union {
    std::atomic<std::uint64_t> word;
  };
  std::atomic<std::uint32_t> refs{0};
  std::uint8_t kind = 0;
  std::uint8_t shard = 0;
  std::uint16_t unused = 0;
};

/// Adds a handle.
inline void retain(node_head& head) noexcept { head.refs.fetch_add(1, std::memory_order_relaxed); }
/// Drops a handle; with the last one, the node goes as soon as nothing below it is left.
void release(node_head& head) noexcept;
/// Whether the nearest cancellable ancestor of a value's node is done.
bool done_by_lifeline(const node_head& head) noexcept;
/// Ends the program: a `Requires:` was broken.
[[noreturn]] void broken_empty_context() noexcept;

}  // namespace libactor::detail
