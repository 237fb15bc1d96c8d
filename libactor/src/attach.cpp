// SPDX-License-Identifier: BSL-1.0

// How a node joins the tree: it is made live, counted by its parent, and registered with its nearest cancellable
// ancestor.

#include "context_node.hpp"
#include "runtime_core.hpp"

#include <new>
#include <vector>

namespace libactor::detail {

namespace {

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
  // Live before it is registered: whoever ends the whole runtime finds it in one way or the other.
  node.word.store(node_head::live | node_head::handles | flags, std::memory_order_release);
  join(node, flags);
}

void join(context_node& node, std::uint64_t flags) {
  auto& parent = *node.parent;
  auto& owner = *parent.lifeline();
  const bool direct = &parent == &owner;
  const auto owner_word = owner.word.load(std::memory_order_relaxed);
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

std::uint8_t add_share(context_node& owner) noexcept {
  std::uint8_t shard = 0;
  chosen_registry { owner, shard } -> add_share();
  return shard;
}

bool register_link(context_node& owner, registry_link& link, std::uintptr_t tag, std::uint8_t shard) {
  locked_registry held{owner, shard};
  const bool done = held.owner_done();
  if (!done)
    held.bag().push(link, tag);
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

}  // namespace libactor::detail
