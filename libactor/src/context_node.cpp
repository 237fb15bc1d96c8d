// SPDX-License-Identifier: BSL-1.0
#include "context_node.hpp"

#include "hook_node.hpp"
#include "libactor/violation.hpp"
#include "runtime_core.hpp"

#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace libactor {

const char* to_string(context_kind kind) noexcept {
  switch (kind) {
    case context_kind::root:
      return "background";
    case context_kind::cancel:
      return "cancel";
    case context_kind::deadline:
      return "deadline";
    case context_kind::value:
      return "value";
    case context_kind::trace:
      return "trace";
    case context_kind::detached:
      return "without_cancel";
    case context_kind::shield:
      return "shielded";
    case context_kind::merged:
      return "merged";
    case context_kind::boundary:
      return "boundary";
    case context_kind::foreign:
      return "foreign";
  }
  return "";
}

namespace detail {

// -- locks ------------------------------------------------------------------------------------------------------------

std::uint64_t lock_slow(std::atomic<std::uint64_t>& word) noexcept {
  for (unsigned spins = 0;; ++spins) {
    auto seen = word.load(std::memory_order_relaxed);
    if ((seen & node_head::locked) == 0 &&
        word.compare_exchange_weak(seen, seen | node_head::locked, std::memory_order_acquire,
                                   std::memory_order_relaxed))
      return seen;
    if (spins < 64)
      pause_cpu();
    else
      std::this_thread::yield();
  }
}

void unregister(pointer_bag& bag, registry_link& link) noexcept {
  if (!link.settled()) {
    bag.remove(link);
    return;
  }
  auto* place = reinterpret_cast<std::uintptr_t*>(reinterpret_cast<std::uintptr_t>(link.slot) & ~std::uintptr_t{1});
  *place = link.next_settled;
  if (link.next_settled != 0)
    static_cast<registry_link*>(untagged(link.next_settled))->slot = link.slot;
  link.next_settled = 0;
  link.slot = nullptr;
}

void settle(locked_registry& from, registry_link& link, std::uintptr_t tag) noexcept {
  from.bag().remove(link);
  settle_new(from, link, tag);
}

void settle_new(locked_registry& from, registry_link& link, std::uintptr_t tag) noexcept {
  auto& head = from.settled();
  const auto settled_place = [](std::uintptr_t* place) {
    return reinterpret_cast<std::uintptr_t*>(reinterpret_cast<std::uintptr_t>(place) | 1);
  };
  link.next_settled = head;
  if (head != 0)
    untagged(head)->slot = settled_place(&link.next_settled);
  head = reinterpret_cast<std::uintptr_t>(static_cast<bag_link*>(&link)) | tag;
  link.slot = settled_place(&head);
}

// -- memory -----------------------------------------------------------------------------------------------------------

context_node& free_root() noexcept {
  alignas(context_node) static std::byte memory[sizeof(context_node)];  // never destroyed: contexts may outlive main
  static context_node& root = []() -> context_node& {
    auto* node = new (memory) context_node;
    std::construct_at(&node->word, std::uint64_t{0});
    node->kind = static_cast<std::uint8_t>(node_kind::root);
    node->refs.store(1, std::memory_order_relaxed);
    node->word.store(node_head::live | node_head::handles | node_head::never | node_head::immortal,
                     std::memory_order_release);
    return *node;
  }();
  return root;
}

namespace {

void set_up(context_node& node, context_node& parent, node_kind kind, source_location where) noexcept {
  node.refs.store(1, std::memory_order_relaxed);
  node.kind = static_cast<std::uint8_t>(kind);
  node.parent = &parent;
  node.core = parent.core;
  node.env = parent.env;
  node.file = where.file_name();
  node.function = where.function_name();
  node.line = where.line();
  node.born = parent.core != nullptr ? parent.core->age_stamp() : 0;
}

unsigned pick_shard(const context_node& owner) noexcept {
  if ((owner.word.load(std::memory_order_acquire) & node_head::sharded) == 0)
    return 0;
  static std::atomic<unsigned> next{0};
  thread_local const unsigned mine = next.fetch_add(1, std::memory_order_relaxed);
  return 1 + mine % shard_block::width;
}

// Splits the registry of `owner`, whose own lock `held` is, for the sake of threads that wait for it.
void split(context_node& owner, std::uint64_t& word) noexcept {
  auto* block = new (std::nothrow) shard_block;
  if (block == nullptr)
    return;
  owner.bag.move_to(block->main.bag);
  owner.bag.raw() = reinterpret_cast<std::uintptr_t>(block);
  word |= node_head::sharded;
  word += node_head::one;  // dropped when the shards are closed
}

}  // namespace

context_node* make_node(context_node& parent, node_kind kind, source_location where) {
  auto* node = new (node_pool::allocate(sizeof(context_node))) context_node;
  set_up(*node, parent, kind, where);
  return node;
}

payload_node* make_payload_node(context_node& parent, node_kind kind, const payload_type& type, std::size_t size,
                                std::size_t align, source_location where) {
  const auto offset = (sizeof(payload_node) + align - 1) / align * align;
  if (align > 128)
    violated("a context's value must not be aligned to more than 128 bytes");
  auto* node = new (node_pool::allocate(offset + size)) payload_node;
  set_up(*node, parent, kind, where);
  node->type = &type;
  node->slot_size = static_cast<std::uint32_t>(offset + size);
  node->offset = static_cast<std::uint32_t>(offset);
  return node;
}

namespace {

bool has_payload(node_kind kind) noexcept {
  switch (kind) {
    case node_kind::value:
    case node_kind::trace:
    case node_kind::shield:
    case node_kind::merged:
    case node_kind::foreign:
      return true;
    case node_kind::root:
    case node_kind::cancel:
    case node_kind::deadline:
    case node_kind::detached:
    case node_kind::boundary:
      return false;
  }
  return false;
}

}  // namespace

void free_node(context_node& node) noexcept {
  const std::size_t size = has_payload(node.what()) ? payload_of(node).slot_size : sizeof(context_node);
  node.word.store(0, std::memory_order_release);
  node_pool::deallocate(&node, size);
}

// -- birth ------------------------------------------------------------------------------------------------------------

namespace {

void inherit_end(context_node& node, context_node& from) noexcept {
  auto word = lock(node.word);
  if ((word & node_head::done_bit) == 0) {
    if ((word & node_head::owns_cause) != 0)
      release(node.why);
    node.why = from.why;
    word &= ~node_head::owns_cause;
    word |= node_head::done_bit | (from.word.load(std::memory_order_acquire) & (node_head::expired | node_head::hard));
  }
  unlock(node.word, word);
}

// A shield whose parent has ended already: its budget begins, and the way to it is made anew, for `cancel_now`. False
// if there is no memory for that.
bool attach_shield_to_dead(context_node& node, context_node& owner) noexcept {
  auto word = lock(node.word);
  auto& shield = payload_as<shield_state>(node);
  shield.held = retain(owner.why);
  shield.held_expired = (owner.word.load(std::memory_order_acquire) & node_head::expired) != 0;
  unlock(node.word, word | node_head::triggered);
  // Each registration found missing on the way up is made again, through both parents of merged nodes.
  struct step {
    context_node* owner;
    registry_link* link;
    std::uintptr_t tag;
    std::uint8_t shard;
    std::size_t below;  // the step that led here
  };
  bool met_hard = false;
  try {
    std::vector<step> steps{{&owner, &node, node_tag, node.shard, 0}};
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto [at, link, tag, shard, below] = steps[i];
      {
        locked_registry held{*at, shard};
        const auto at_word = at->word.load(std::memory_order_acquire);
        if ((at_word & node_head::hard) != 0) {
          met_hard = true;
          continue;
        }
        if (link->registered() || (at_word & node_head::never) != 0)
          continue;
        if ((at_word & node_head::done_bit) == 0) {
          held.bag().push(*link, tag);
          continue;
        }
        settle_new(held, *link, tag);
      }
      if (at->what() == node_kind::root)
        continue;
      steps.push_back({at->parent->lifeline(), at, node_tag, at->shard, i});
      if (at->what() == node_kind::merged) {
        auto& merge = payload_as<merge_link>(*at);
        if (merge.owner != nullptr)
          steps.push_back({merge.owner, &merge, merge_tag, merge.shard, i});
      }
    }
    // `cancel_now` did not tell what had ended before, and left: it is told now, from above downwards.
    for (bool changed = met_hard; changed;) {
      changed = false;
      for (auto i = steps.size(); i-- > 1;) {
        auto& below = *steps[steps[i].below].owner;
        if ((steps[i].owner->word.load(std::memory_order_acquire) & node_head::hard) == 0 ||
            (below.word.load(std::memory_order_relaxed) & node_head::hard) != 0)
          continue;
        unlock(below.word, lock(below.word) | node_head::hard);
        changed = true;
      }
    }
    if ((owner.word.load(std::memory_order_acquire) & node_head::hard) != 0) {
      inherit_end(node, owner);
      return true;
    }
    start_budget(node);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

// Locks the part of the owner's registry that this thread should use, and splits the registry if threads wait for it.
class chosen_registry {
 public:
  chosen_registry(context_node& owner, std::uint8_t& shard) noexcept : held_{owner, shard = choose(owner)} {
    if (shard == 0 && was_contended_ && !held_.owner_done()) {
      auto& word = held_.word();
      if ((word & node_head::sharded) == 0) {
        if ((word & node_head::contended) != 0)
          split(owner, word);
        else
          word |= node_head::contended;
      }
    }
  }
  locked_registry* operator->() noexcept { return &held_; }

 private:
  std::uint8_t choose(context_node& owner) noexcept {
    const auto shard = static_cast<std::uint8_t>(pick_shard(owner));
    was_contended_ = shard == 0 && (owner.word.load(std::memory_order_relaxed) & node_head::locked) != 0;
    return shard;
  }
  bool was_contended_;
  locked_registry held_;
};

}  // namespace

void attach(context_node& node, std::uint64_t flags) {
  auto& parent = *node.parent;
  auto& owner = *parent.lifeline();
  const bool direct = &parent == &owner;
  const auto owner_word = owner.word.load(std::memory_order_relaxed);
  // Live before it is registered: whoever ends the whole runtime finds it in one way or the other.
  node.word.store(node_head::live | node_head::handles | flags, std::memory_order_release);
  if (!direct)
    pin(parent);
  if ((owner_word & node_head::immortal) != 0)
    return;
  const bool registers = ((owner_word | flags) & node_head::never) == 0;
  bool failed = false;
  bool done = false;
  {
    chosen_registry held{owner, node.shard};
    done = held->owner_done();
    if (direct)
      held->add_share();
    if (!done && registers) {
      try {
        held->bag().push(static_cast<registry_link&>(node), node_tag);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
  }
  if (done) {
    if (node.what() == node_kind::shield)
      failed = !attach_shield_to_dead(node, owner);
    else if ((flags & node_head::never) == 0 || (node.core != nullptr && node.core->root.is_done()))
      inherit_end(node, owner);
  }
  if (failed) {
    release(node);
    throw std::bad_alloc{};
  }
}

void announce(context_node& node) noexcept {
  if (node.core != nullptr && node.core->observed()) [[unlikely]]
    node.core->tell(context_event::what::derived, node);
}

void attach_passing(context_node& node) {
  auto& parent = *node.parent;
  node.bag.raw() = reinterpret_cast<std::uintptr_t>(parent.lifeline());
  node.word.store(node_head::live | node_head::handles | node_head::passes, std::memory_order_release);
  const auto parent_word = parent.word.load(std::memory_order_relaxed);
  if ((parent_word & node_head::immortal) != 0)
    return;
  if ((parent_word & node_head::passes) != 0) {
    pin(parent);
    return;
  }
  chosen_registry held{parent, node.shard};
  held->add_share();
}

bool attach_link(context_node& owner, registry_link& link, std::uintptr_t tag, std::uint8_t& shard) {
  chosen_registry held{owner, shard};
  const bool done = held->owner_done();
  if (!done)
    held->bag().push(link, tag);
  held->add_share();
  return !done;
}

bool detach_link(context_node& owner, registry_link& link, std::uint8_t shard) noexcept {
  locked_registry held{owner, shard};
  if (!link.registered())
    return false;
  unregister(held.bag(), link);
  return true;
}

std::size_t registered(context_node& node) noexcept {
  std::size_t count = 0;
  const unsigned parts = (node.word.load(std::memory_order_acquire) & node_head::sharded) != 0 ? shard_block::width : 0;
  for (unsigned index = 0; index <= parts; ++index) {
    locked_registry held{node, index};
    held.bag().each([&](std::uintptr_t) { ++count; });
    if (!held.owner_done())
      continue;  // before, a node's list of settled members is put to another use
    for (auto cell = held.settled(); cell != 0; cell = static_cast<registry_link*>(untagged(cell))->next_settled)
      ++count;
  }
  return count;
}

// -- death ------------------------------------------------------------------------------------------------------------

namespace {

// Takes `link`, if given, out of its registry and drops a share, if `share`. Whether the owner is dead now, and the
// caller's to bury.
bool give_up(context_node& owner, std::uint8_t shard, registry_link* link, bool share) noexcept {
  {
    locked_registry held{owner, shard};
    if (link != nullptr && link->registered())
      unregister(held.bag(), *link);
    if (!share)
      return false;
    if (!held.drop_share()) {
      if (!held.last())
        return false;
      held.word() &= ~node_head::live;
      return true;
    }
  }
  // Closed: the shares of that shard are counted in the owner's word.
  auto word = lock(owner.word) - node_head::one;
  const bool last = locked_registry::dying(word);
  unlock(owner.word, last ? word & ~node_head::live : word);
  return last;
}

}  // namespace

namespace {

// What died while something that a dying node carried was destroyed on this thread, chained by `env`: a value may hold
// a context, so that destroying it in place could go as deep as a chain is long.
struct graveyard {
  bool busy = false;
  context_node* waiting = nullptr;
};
thread_local constinit graveyard dead_here;

// Buries a node, and every ancestor that dies of it: a loop, for chains may be long.
void bury_line(context_node* node) noexcept {
  while (node != nullptr) {
    if (node->what() == node_kind::root) {
      delete node->core;
      return;
    }
    const auto word = node->word.load(std::memory_order_relaxed);
    if ((word & node_head::has_timer) != 0)
      node->core->disarm(*node);
    if (has_payload(node->what())) {
      auto& extra = payload_of(*node);
      dead_here.busy = true;
      extra.type->destroy(extra.payload());
      dead_here.busy = false;
    }
    if ((word & node_head::done_bit) == 0 && node->settled_head != 0)
      release(*reinterpret_cast<hook_node*>(node->settled_head));
    if (node->core != nullptr && node->core->observed())
      node->core->tell(context_event::what::released, *node);
    if ((word & node_head::owns_cause) != 0)
      release(node->why);
    if ((word & node_head::sharded) != 0)
      delete node->shards();
    auto& parent = *node->parent;
    const auto parent_word = parent.word.load(std::memory_order_relaxed);
    bool parent_died = false;
    if ((word & node_head::passes) != 0) {
      if ((parent_word & node_head::immortal) == 0)
        parent_died = give_up(parent, (parent_word & node_head::passes) != 0 ? 0 : node->shard, nullptr, true);
    } else {
      auto& owner = *parent.lifeline();
      const bool direct = &owner == &parent;
      if ((owner.word.load(std::memory_order_relaxed) & node_head::immortal) == 0)
        parent_died = give_up(owner, node->shard, static_cast<registry_link*>(node), direct);
      if (!direct)
        parent_died = give_up(parent, 0, nullptr, true);
    }
    free_node(*node);
    node = parent_died ? &parent : nullptr;
  }
}

}  // namespace

void bury(context_node* node) noexcept {
  auto& dead = dead_here;
  if (dead.busy) {
    node->env = dead.waiting;
    dead.waiting = node;
    return;
  }
  bury_line(node);
  while (dead.waiting != nullptr) {
    node = dead.waiting;
    dead.waiting = node->env;
    bury_line(node);
  }
}

namespace {

// Moves the shares of all shards to the owner's own word: nothing is added to them any more, as no handle is left.
void close_shards(context_node& node) noexcept {
  std::int64_t total = 0;
  for (auto& shard : node.shards()->part) {
    const auto word = lock(shard.word);
    total += shard.count;
    unlock(shard.word, word | registry_shard::closed);
  }
  // What was dropped meanwhile came out of the bias.
  auto word = lock(node.word);
  word += static_cast<std::uint64_t>(total) * node_head::one;
  word -= share_bias + node_head::one;
  const bool last = locked_registry::dying(word);
  unlock(node.word, last ? word & ~node_head::live : word);
  if (last)
    bury(&node);
}

void last_handle_gone(context_node& node) noexcept {
  auto word = lock(node.word) & ~node_head::handles;
  if ((word & node_head::immortal) != 0) [[unlikely]] {
    unlock(node.word, word | node_head::handles);
    return;
  }
  if ((word & node_head::sharded) != 0) {
    unlock(node.word, word + share_bias);
    close_shards(node);
    return;
  }
  const bool last = locked_registry::dying(word);
  unlock(node.word, last ? word & ~node_head::live : word);
  if (last)
    bury(&node);
}

}  // namespace

void release(node_head& head) noexcept {
  // The only handle can't be copied by anybody else meanwhile: no need for a locked instruction.
  if (head.refs.load(std::memory_order_acquire) != 1 && head.refs.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  last_handle_gone(static_cast<context_node&>(head));
}

bool release_leaf(context_node& node) noexcept {
  auto& parent = *node.parent;
  if ((node.what() != node_kind::cancel && node.what() != node_kind::deadline) ||
      (parent.word.load(std::memory_order_relaxed) & (node_head::passes | node_head::immortal)) != 0)
    return false;
  const bool timed = node.what() == node_kind::deadline;
  auto expected = node_head::live | node_head::handles | (timed ? node_head::has_timer : 0);
  if (!node.word.compare_exchange_strong(expected, 0, std::memory_order_acq_rel, std::memory_order_relaxed))
    return false;
  // Dead: who still finds it in its parent's registry, or in the deadline queue, leaves it alone.
  if (timed)
    node.core->disarm(node);
  const bool parent_died = give_up(parent, node.shard, &node, true);
  node_pool::deallocate(&node, sizeof(context_node));
  if (parent_died)
    bury(&parent);
  return true;
}

void unpin(context_node& node) noexcept {
  if (give_up(node, 0, nullptr, true))
    bury(&node);
}

void drop_share(context_node& owner, std::uint8_t shard) noexcept {
  if (give_up(owner, shard, nullptr, true))
    bury(&owner);
}

bool try_pin(node_head& head) noexcept {
  auto seen = head.word.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & node_head::live) == 0)
      return false;
    if ((seen & node_head::locked) != 0) {
      pause_cpu();
      seen = head.word.load(std::memory_order_relaxed);
    } else if (head.word.compare_exchange_weak(seen, seen | node_head::locked, std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
      unlock(head.word, seen + node_head::one);
      return true;
    }
  }
}

bool done_by_lifeline(const node_head& head) noexcept {
  auto& node = const_cast<context_node&>(static_cast<const context_node&>(head));
  return node.lifeline()->is_done();
}

void broken_empty_context() noexcept { violated("the context must not be empty or moved from"); }

// -- values -----------------------------------------------------------------------------------------------------------

node_builder::node_builder(const context& parent, const value_key& key, std::size_t size, std::size_t align,
                           source_location where) {
  node_ = make_payload_node(access::require(parent), node_kind::value, key, size, align, where);
  node_->env = node_;
}

node_builder::~node_builder() {
  if (node_ != nullptr)
    free_node(*node_);
}

void* node_builder::payload() noexcept { return payload_of(*node_).payload(); }

context node_builder::publish() {
  attach_passing(*node_);
  announce(*node_);
  return access::adopt(std::exchange(node_, nullptr));
}

}  // namespace detail

}  // namespace libactor
