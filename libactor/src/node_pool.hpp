// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/detail/node_head.hpp"

#include <cstddef>

namespace libactor::detail {

// Memory for context nodes: the process's, like malloc's, so that nodes cost no call of malloc each and live ones can
// be found without a list. It holds no context and nothing of a runtime.
//
// Invariants
//  1. A slot is only ever used as a node of its size, and its first word is 0 unless `node_head::live` is set in it: so
//  a
//     reader may look at any slot at any time, and holds one still by locking it while it is live.
//  2. A thread owns the slots in its cache; batches move to and from the common store under its mutex.
//  3. Pages are never given back; their list only grows, and is read without a lock.
namespace node_pool {

// Memory for a node of `size` bytes, whose word is 0. Throws std::bad_alloc.
void* allocate(std::size_t size);
// Takes back a slot, whose word is 0 again.
void deallocate(void* slot, std::size_t size) noexcept;

// Calls `visit(data, head)` for every slot whose word says `live` at that moment. A slot may end at any time unless
// `visit` locks it.
void each_live(void (*visit)(void* data, node_head& head), void* data);

// How many nodes are handed out, in bytes of slots, and how much memory stands behind them. For benchmarks and tests.
struct usage {
  std::size_t pages_bytes;
};
usage use() noexcept;

}  // namespace node_pool

}  // namespace libactor::detail
