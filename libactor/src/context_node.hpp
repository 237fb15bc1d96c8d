// SPDX-License-Identifier: BSL-1.0
#pragma once

// Invariants
//  1. A node outlives what is below it: each child, hook and pin is counted in its parent's word (or in one of its
//     shards), apart from the handles in `refs`. It dies when both are gone, which exactly one thread sees.
//  2. `done` is set once, under the node's lock; `cause` and `expired` are written before it, and never after.
//  3. A registry (`bag` and `settled`) is read and written under its lock only: the node's word, or the shard's.
//     Nothing is registered with a node that is done.
//  4. Locks: deadline queue before node; a node before its child, at most two, and only for as long as it takes to mark
//     that child. No user code runs and nothing is waited for under one.
//  5. A member leaves the bag of a done node only when its own bag is empty and it is done (or dying): an empty bag
//     of a done node means that everything an ordinary cancel reaches below it is marked. That is how one cancel can
//     help another.
//  6. `settled` holds, for `cancel_now`, what an ordinary cancel has finished with but not passed: boundaries and
//     shields, and the way to them.
//  7. A borrowed cause is that of an ancestor, which (1) outlives its borrower.

#include "cause_rep.hpp"
#include "libactor/context.hpp"
#include "libactor/context_kind.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/detail/node_head.hpp"
#include "libactor/detail/payload.hpp"
#include "libactor/scope.hpp"
#include "node_pool.hpp"
#include "pointer_bag.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace libactor::detail {

struct runtime_core;
struct shard_block;
class context_node;
class hook_node;

using node_kind = context_kind;

// What a registry's cells point to, told apart by the cell's tag.
enum : std::uintptr_t { node_tag = 0, hook_tag = 1, merge_tag = 2 };

// A place in a registry: in its bag, or in its list of settled members (then the low bit of `slot` is set).
struct registry_link : bag_link {
  std::uintptr_t next_settled = 0;

  bool registered() const noexcept { return slot != nullptr; }
  bool settled() const noexcept { return (reinterpret_cast<std::uintptr_t>(slot) & 1) != 0; }
};

struct registry {
  pointer_bag bag;
  std::uintptr_t settled_head = 0;
};

// A place in the deadline queue; `due` is in nanoseconds of the runtime's clock, `slot` belongs to the queue.
struct timer_link : bag_link {
  static constexpr std::int64_t no_time = INT64_MAX;
  timer_link() noexcept = default;
  explicit timer_link(std::int64_t at) noexcept : due{at} {}
  std::atomic<std::int64_t> due{no_time};
};

struct node_front : node_head, registry_link {
  node_front() noexcept = default;
  node_front(node_kind kind, context_node& above) noexcept
      : node_head{static_cast<std::uint8_t>(kind)}, parent{&above} {}

  context_node* parent = nullptr;
  const cause_rep* why = nullptr;
  pointer_bag bag;  // of a passing node: its lifeline; of a sharded one: its shards
};

class context_node : public node_front, public timer_link {
 public:
  runtime_core* core = nullptr;
  context_node* env = nullptr;      // nearest of self and ancestors that bears on values, trace or deadline
  std::uintptr_t settled_head = 0;  // before done: the hook behind `stop_token()`, if any
  const char* file = "";
  const char* function = "";
  std::uint64_t stamp = 0;  // see `born` and `where`

  context_node() noexcept = default;
  // One handle, and not yet live.
  context_node(context_node& above, node_kind kind, source_location where) noexcept;
  // The same with a deadline, which is not yet armed.
  context_node(context_node& above, std::int64_t at, source_location where) noexcept;

  // Milliseconds of the runtime's clock at the derivation, above the line of the source where it was made.
  static constexpr unsigned line_bits = 20;
  static constexpr std::uint64_t line_mask = (1U << line_bits) - 1;
  std::uint64_t born() const noexcept { return stamp >> line_bits; }
  source_location where() const noexcept {
    return source_location::current(file, static_cast<unsigned>(stamp & line_mask), function);
  }

  node_kind what() const noexcept { return static_cast<node_kind>(kind); }
  bool is_done() const noexcept { return (word.load(std::memory_order_acquire) & done_bit) != 0; }
  context_node* lifeline() noexcept {
    return (word.load(std::memory_order_relaxed) & passes) != 0 ? reinterpret_cast<context_node*>(bag.raw()) : this;
  }
  shard_block* shards() noexcept { return reinterpret_cast<shard_block*>(bag.raw()); }

 private:
  context_node(context_node& above, node_kind kind, source_location where, context_node* nearest,
               std::int64_t at) noexcept;
};
static_assert(sizeof(context_node) == 128);

inline context_node& node_of(std::uintptr_t cell) noexcept {
  return *static_cast<context_node*>(static_cast<node_front*>(static_cast<registry_link*>(untagged(cell))));
}

// A node that carries something beyond the common part, in the same memory.
struct payload_node : context_node {
  using context_node::context_node;
  const payload_type* type = nullptr;
  std::uint32_t slot_size = 0;
  std::uint32_t offset = 0;          // of the payload
  payload_node* delivery = nullptr;  // the next in a canceller's list

  void* payload() noexcept { return reinterpret_cast<std::byte*>(this) + offset; }
};
// What the library's own kinds carry.
struct shield_state {
  duration budget;
  const cause_rep* held = nullptr;  // counted; what it holds off, once triggered
  bool held_expired = false;
};
struct trace_state {
  trace_id id;
};
// Where a merged node hangs below its second parent.
struct merge_link : registry_link {
  context_node* owner = nullptr;  // of which a share is held; null if that parent is never done
  context_node* target = nullptr;
  std::int64_t other_deadline = timer_link::no_time;
  std::uint8_t shard = 0;
};
inline payload_node& payload_of(context_node& node) noexcept { return static_cast<payload_node&>(node); }
template <class T>
T& payload_as(context_node& node) noexcept {
  return *static_cast<T*>(payload_of(node).payload());
}

// -- locks ------------------------------------------------------------------------------------------------------------

inline void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// More than all shares together: keeps a node alive while its shards are closed.
inline constexpr std::uint64_t share_bias = node_head::one << 30;

// Spins, then yields; returns the word without its lock bit.
std::uint64_t lock_slow(std::atomic<std::uint64_t>& word) noexcept;

inline std::uint64_t lock(std::atomic<std::uint64_t>& word) noexcept {
  auto seen = word.load(std::memory_order_relaxed);
  if ((seen & node_head::locked) == 0 &&
      word.compare_exchange_weak(seen, seen | node_head::locked, std::memory_order_acquire, std::memory_order_relaxed))
    return seen;
  return lock_slow(word);
}
inline void unlock(std::atomic<std::uint64_t>& word, std::uint64_t value) noexcept {
  word.store(value, std::memory_order_release);
}

// One part of the registry of a node with many children, used by one thread in some.
struct alignas(64) registry_shard {
  std::atomic<std::uint64_t> word{0};  // lock bit, and `closed`
  registry part;
  std::int64_t count = 0;
  static constexpr std::uint64_t closed = 2;
};
struct shard_block {
  static constexpr unsigned width = 8;
  registry main;  // shard 0, under the node's own lock
  registry_shard part[width];
};

// A registry of `owner`, locked. `index` 0 is the node's own.
class locked_registry {
 public:
  locked_registry(context_node& owner, unsigned index) noexcept : owner_{owner} {
    if (index == 0) {
      word_ = lock(owner.word);
    } else {
      shard_ = &owner.shards()->part[index - 1];
      word_ = lock(shard_->word);
    }
  }
  ~locked_registry() {
    if (held_)
      release();
  }
  locked_registry(const locked_registry&) = delete;
  locked_registry& operator=(const locked_registry&) = delete;

  pointer_bag& bag() noexcept {
    if (shard_ != nullptr)
      return shard_->part.bag;
    return (word_ & node_head::sharded) != 0 ? owner_.shards()->main.bag : owner_.bag;
  }
  std::uintptr_t& settled() noexcept {
    if (shard_ != nullptr)
      return shard_->part.settled_head;
    return (word_ & node_head::sharded) != 0 ? owner_.shards()->main.settled_head : owner_.settled_head;
  }
  bool owner_done() const noexcept {
    return ((shard_ != nullptr ? owner_.word.load(std::memory_order_acquire) : word_) & node_head::done_bit) != 0;
  }
  void add_share() noexcept {
    if (shard_ != nullptr)
      ++shard_->count;
    else
      word_ += node_head::one;
  }
  // Drops shares; true if the owner's own word has to be told instead, after `release`.
  bool drop(std::uint32_t shares) noexcept {
    if (shard_ == nullptr) {
      word_ -= shares * node_head::one;
      return false;
    }
    if ((word_ & registry_shard::closed) != 0)
      return true;
    shard_->count -= shares;
    return false;
  }
  std::uint64_t& word() noexcept { return word_; }
  // The owner dies with this release: it has no handle and nothing below it is left. Only where `index` is 0.
  bool last() const noexcept { return shard_ == nullptr && dying(word_); }
  void release() noexcept {
    held_ = false;
    unlock(shard_ != nullptr ? shard_->word : owner_.word, word_);
  }
  static bool dying(std::uint64_t word) noexcept {
    return (word & (node_head::handles | node_head::immortal)) == 0 && word < node_head::one;
  }

 private:
  context_node& owner_;
  registry_shard* shard_ = nullptr;
  std::uint64_t word_;
  bool held_ = true;
};

// Takes `link` out of the registry it stands in, whose lock is held.
void unregister(pointer_bag& bag, registry_link& link) noexcept;
// Moves `link` from the bag to the settled list of the same registry, whose lock is held.
void settle(locked_registry& from, registry_link& link, std::uintptr_t tag) noexcept;
// Adds `link`, which is registered nowhere, to the settled list.
void settle_new(locked_registry& held, registry_link& link, std::uintptr_t tag) noexcept;

// -- life -------------------------------------------------------------------------------------------------------------

struct access {
  static context_node* get(const context& ctx) noexcept { return static_cast<context_node*>(ctx.node_); }
  static context_node& require(const context& ctx) noexcept {
    if (ctx.node_ == nullptr) [[unlikely]]
      broken_empty_context();
    return *static_cast<context_node*>(ctx.node_);
  }
  // Takes over one handle.
  static context adopt(context_node* node) noexcept {
    context ctx;
    ctx.node_ = node;
    return ctx;
  }
  static context share(context_node& node) noexcept {
    retain(node);
    return adopt(&node);
  }
  // Gives up the handle without releasing it.
  static void forget(context& ctx) noexcept { ctx.node_ = nullptr; }
  static scope own(context_node* node) noexcept {
    scope owner;
    owner.ctx_ = adopt(node);
    return owner;
  }
};

inline std::uint64_t id_of(const context_node& node) noexcept { return reinterpret_cast<std::uintptr_t>(&node); }
// A value's key as the program spells it.
std::string_view key_name(const char* signature) noexcept;
// Prints one link of a chain.
void describe(std::ostream& out, context_node& node);

context_node& free_root() noexcept;

// A child of `parent`, all set but not yet live. Throws std::bad_alloc.
context_node* make_node(context_node& parent, node_kind kind, source_location where);
// The same with room for a payload, which is not yet constructed.
payload_node* make_payload_node(context_node& parent, node_kind kind, const payload_type& type, std::size_t size,
                                std::size_t align, source_location where);
// Whether a node of this kind is a payload_node.
bool has_payload(node_kind kind) noexcept;
// Gives back the memory of a node that was never live, or has died.
void free_node(context_node& node) noexcept;
// Makes it live, and counts and registers it; done at once if the parent is. On bad_alloc the node is freed.
// `flags` are added to its word. The caller holds the one handle that it starts with.
void attach(context_node& node, std::uint64_t flags = 0);
// The same for a node that is live already.
void join(context_node& node, std::uint64_t flags);
// The same for a node that carries values and no registry.
void attach_passing(context_node& node);

// Registers a hook with `owner`, unless that is done; whether it did. Counts a share in any case.
bool attach_link(context_node& owner, registry_link& link, std::uintptr_t tag, std::uint8_t& shard);
// The same in two steps, for the second link of a merged node, which others look at before it is registered.
std::uint8_t add_share(context_node& owner) noexcept;
bool register_link(context_node& owner, registry_link& link, std::uintptr_t tag, std::uint8_t shard);
// Takes it out; whether it was still in.
bool detach_link(context_node& owner, registry_link& link, std::uint8_t shard) noexcept;
void drop_shares(context_node& owner, std::uint8_t shard, std::uint32_t shares) noexcept;

// How many are registered with the node itself: children, links of merged nodes, hooks. For tests and diagnosis.
std::size_t registered(context_node& node) noexcept;

inline void pin(context_node& node) noexcept { unlock(node.word, lock(node.word) + node_head::one); }
// Drops a pin or share in the node's own word, and lets it die if that was the last.
void unpin(context_node& node) noexcept;
// Takes a dead plain node out of its parent's registry and drops its share there.
void leave_parent(context_node& node) noexcept;
// Buries a node that has died: its `live` was cleared by the caller, who saw the last share go.
void bury(context_node* node) noexcept;
// Pins a node found by chance, if it lives.
bool try_pin(node_head& head) noexcept;

// -- cancel -----------------------------------------------------------------------------------------------------------

struct verdict {
  bool expired = false;
  bool now = false;                                   // passes boundaries and shields
  const cause_rep* why = nullptr;                     // counted, passed on to the node; null: the plain one
  std::int64_t only_if_due_by = timer_link::no_time;  // an expiry that was moved meanwhile does nothing
};

// Ends the node (which the caller keeps alive) and what is below it, marks first, then delivers. Whether it was this
// call that ended it.
bool cancel(context_node& node, verdict how) noexcept;

// Takes a done node out of its parents' registries, where nothing below it forbids that.
void leave_registries(context_node& node, bool now) noexcept;

// Ends a node whose time in the deadline queue, `due`, has come: a deadline, or a shield whose budget has run out.
void expire(context_node& node, std::int64_t due) noexcept;

// Arms a shield on which a cancel has arrived. The caller keeps it alive, and holds no lock.
// Throws std::bad_alloc.
void start_budget(context_node& node);

// Ends everything that lives in the runtime.
void cancel_all(runtime_core& core) noexcept;

}  // namespace libactor::detail
