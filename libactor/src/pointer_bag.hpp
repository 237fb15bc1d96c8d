// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "node_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace libactor::detail {

// Base of what a bag holds: knows the cell that points to it.
struct bag_link {
  std::uintptr_t* slot = nullptr;
};

inline constexpr std::uintptr_t tag_mask = 7;
inline bag_link* untagged(std::uintptr_t cell) noexcept { return reinterpret_cast<bag_link*>(cell & ~tag_mask); }

// Stands in a slot of the node pool, whose first word stays 0.
struct bag_chunk {
  std::uint64_t slot_word;
  bag_chunk* below;
  std::uint32_t count;
  std::uint16_t capacity;
  std::uint16_t height;  // how many stand below

  std::uintptr_t* cells() noexcept { return reinterpret_cast<std::uintptr_t*>(this + 1); }

  static constexpr std::uint16_t capacity_of(std::size_t bytes) noexcept {
    return static_cast<std::uint16_t>((bytes - sizeof(bag_chunk)) / sizeof(std::uintptr_t));
  }
  // The first three are small.
  static bag_chunk* make(bag_chunk* below) {
    constexpr std::uint16_t small_ones = 3;
    const auto height = static_cast<std::uint16_t>(below == nullptr ? 0 : std::min(below->height + 1, +small_ones));
    std::size_t bytes = 0;
    auto* made = static_cast<bag_chunk*>(node_pool::allocate_chunk(height == small_ones, bytes));
    made->below = below;
    made->count = 0;
    made->capacity = capacity_of(bytes);
    made->height = height;
    return made;
  }
  static void free(bag_chunk* old) noexcept {
    const bool small = old->capacity == capacity_of(node_pool::smallest);
    node_pool::deallocate_chunk(old, small ? node_pool::smallest : node_pool::chunk_bytes);
  }
};

// An unordered set of tagged pointers to links; each link belongs to one bag at most. Not synchronised.
//
// Invariants
//  1. `*link->slot` is the link's tagged pointer, for each member.
//  2. Members stand densely: first in `first_`, then in chunks, each full but the last (`tail_`), which is not empty.
//  3. A chunk is allocated by `push` only: a bag of one takes no memory of its own.
class pointer_bag {
 public:
  bool empty() const noexcept { return first_ == 0; }

  // The same where there is room; false, without effect, where there is none.
  bool push_in_place(bag_link& link, std::uintptr_t tag) noexcept {
    std::uintptr_t* place = &first_;
    if (first_ != 0) {
      if (tail_ == nullptr || tail_->count == tail_->capacity)
        return false;
      place = tail_->cells() + tail_->count++;
    }
    *place = reinterpret_cast<std::uintptr_t>(&link) | tag;
    link.slot = place;
    return true;
  }

  // Throws std::bad_alloc, and then nothing has changed.
  void push(bag_link& link, std::uintptr_t tag) {
    const auto cell = reinterpret_cast<std::uintptr_t>(&link) | tag;
    std::uintptr_t* place;
    if (first_ == 0) {
      place = &first_;
    } else {
      if (tail_ == nullptr || tail_->count == tail_->capacity)
        tail_ = bag_chunk::make(tail_);
      place = tail_->cells() + tail_->count++;
    }
    *place = cell;
    link.slot = place;
  }

  std::uintptr_t back() const noexcept { return tail_ != nullptr ? tail_->cells()[tail_->count - 1] : first_; }

  // The member `distance` before the last one, if it stands in the same chunk; else 0. For prefetching.
  std::uintptr_t near_back(std::uint32_t distance) const noexcept {
    return tail_ != nullptr && tail_->count > distance ? tail_->cells()[tail_->count - 1 - distance] : 0;
  }

  void pop() noexcept {
    untagged(back())->slot = nullptr;
    drop_last();
  }

  void remove(bag_link& link) noexcept {
    auto* hole = link.slot;
    link.slot = nullptr;
    const auto last = back();
    if (untagged(last) != &link) {
      *hole = last;
      untagged(last)->slot = hole;
    }
    drop_last();
  }

  // Calls `visit(cell)` for each member; `visit` must not change the bag.
  template <class Visit>
  void each(Visit visit) const {
    if (first_ != 0)
      visit(first_);
    for (auto* chunk = tail_; chunk != nullptr; chunk = chunk->below) {
      for (std::uint32_t i = 0; i < chunk->count; ++i)
        visit(chunk->cells()[i]);
    }
  }

  // Takes out the members for which `take(cell)` holds, and calls it once for each member.
  template <class Take>
  void extract(Take take) noexcept {
    for (auto* chunk = tail_; chunk != nullptr;) {
      auto* below = chunk->below;  // removal frees chunks above `chunk`, or `chunk` itself, never `below`
      for (auto i = chunk->count; i-- > 0;) {
        const auto cell = chunk->cells()[i];
        const bool last_of_chunk = chunk->count == 1;
        if (take(cell)) {
          const bool frees = last_of_chunk && chunk == tail_;
          remove(*untagged(cell));
          if (frees)
            break;
        }
      }
      chunk = below;
    }
    if (const auto cell = first_; cell != 0 && take(cell))
      remove(*untagged(cell));
  }

  // Moves everything to `other`, which must be empty.
  void move_to(pointer_bag& other) noexcept {
    other.first_ = first_;
    other.tail_ = tail_;
    if (first_ != 0)
      untagged(first_)->slot = &other.first_;
    first_ = 0;
    tail_ = nullptr;
  }

  // Frees the memory of all members at once, without a word to them: they must not be used as links any more.
  void forget() noexcept {
    first_ = 0;
    while (tail_ != nullptr)
      bag_chunk::free(std::exchange(tail_, tail_->below));
  }

  // The first cell, which a node whose registry is unused may put to another use.
  std::uintptr_t& raw() noexcept { return first_; }
  std::uintptr_t raw() const noexcept { return first_; }

 private:
  void drop_last() noexcept {
    if (tail_ == nullptr) {
      first_ = 0;
    } else if (--tail_->count == 0) {
      auto* empty = tail_;
      tail_ = empty->below;
      bag_chunk::free(empty);
    }
  }

  std::uintptr_t first_ = 0;
  bag_chunk* tail_ = nullptr;
};

}  // namespace libactor::detail
