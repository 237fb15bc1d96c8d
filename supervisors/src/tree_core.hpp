// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/lifeline.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/detail/block_pool.hpp"
#include "libactor/event.hpp"
#include "libactor/scope.hpp"
#include "stable_address.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/shutdown_report.hpp"
#include "supervisors/supervisor.hpp"

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libactor {

class watchdog;

/// A supervisor's name for an incarnation: the lower bits are its child's slot, the others count incarnations, so that
/// of two keys the greater one started later.
constexpr std::uint64_t slot_bits = 24;
constexpr std::size_t most_slots = std::size_t{1} << slot_bits;
constexpr std::size_t slot_of(std::uint64_t key) noexcept { return key & (most_slots - 1); }

/// The live children of one supervisor. Its parent holds it too, and ends what is left when the supervisor is gone
/// before them. Thread-safe.
class family {
 public:
  struct member {
    caf::actor handle;
    std::shared_ptr<const lifeline> line;
    std::shared_ptr<family> below;      ///< null for a worker
    const std::string* kind = nullptr;  ///< the catalog's name; null for a supervisor or a function
    time_point born{};                  ///< when its start was asked for
    std::uint32_t restarts = 0;         ///< of the child so far
    bool unlimited = false;             ///< whether its `shutdown` is infinity
  };
  /// A child without an incarnation, of which there is more to say than its specification does.
  struct resting_child {
    std::string path;
    child_state state = child_state::idle;
    std::uint32_t incarnation = 0;  ///< the last one
    std::uint64_t restarts = 0;
    std::uint64_t key = 0;
    std::string kind;
    bool is_supervisor = false;
  };

  explicit family(std::shared_ptr<const child_spec> of = nullptr) : spec_(std::move(of)) {}
  /// Of its supervisor; null for the guardian's.
  const child_spec* spec() const noexcept { return spec_.get(); }

  void add(std::uint64_t key, member who);
  void remove(std::uint64_t key);
  void rest(resting_child who);
  /// Of a child that rests no more, or is dropped.
  void forget(std::uint64_t key);
  /// Members, or children that rest, in no order, without holding up the supervisor for more than a few. What is one
  /// all the while is in it.
  std::vector<member> peek() const;
  std::vector<resting_child> peek_resting() const;

  /// How many there are. Reads no lock.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  /// In start order.
  std::vector<member> members() const;
  /// Members at every depth, parents first; tasks of workers among them.
  void collect(std::vector<member>& into) const;
  /// The tasks of one worker, and theirs.
  static void collect_tasks(const lifeline& of, std::vector<member>& into);
  /// The member at `path`, at any depth.
  std::optional<member> find(std::string_view path) const;
  /// The member at `path`, or else the one above it.
  std::optional<member> nearest(std::string_view path) const;

 private:
  mutable std::mutex mutex_;
  std::deque<member, detail::block_pool::allocator<member>> slots_;  // without a line: empty
  std::map<std::size_t, resting_child> resting_;                     // by slot
  const std::shared_ptr<const child_spec> spec_;
  std::atomic<std::size_t> size_{0};
};

/// Sends one event to every sink.
class event_hub final : public event_sink {
 public:
  explicit event_hub(std::vector<std::shared_ptr<event_sink>> sinks) : sinks_(std::move(sinks)) {}
  void on_event(const event& what) noexcept override;
  bool empty() const noexcept { return sinks_.empty(); }

 private:
  std::vector<std::shared_ptr<event_sink>> sinks_;
};

/// What all supervisors of one tree share.
struct tree_core {
  tree_core(std::shared_ptr<context_runtime> on, std::shared_ptr<watchdog> watched_by, std::shared_ptr<event_hub> to,
            child_catalog kinds)
      : contexts(std::move(on)), dog(std::move(watched_by)), hub(std::move(to)), catalog(std::move(kinds)) {}

  // Shared, because a supervisor that had to be abandoned outlives its runtime.
  const std::shared_ptr<context_runtime> contexts;
  const std::shared_ptr<watchdog> dog;
  const std::shared_ptr<event_hub> hub;
  const child_catalog catalog;

  /// Whether the specification lists a child at a path.
  bool lists(std::string_view path) const noexcept;

  /// The stable address of a path: of a child that the specification lists or a supervisor runs; else
  /// `errc::not_found`.
  caf::expected<caf::actor> ref(caf::actor_system& system, std::string_view path);

  /// Notes how a child stopped, once the tree is stopping for good.
  void record(shutdown_entry entry, const lifeline& of);

  /// Notes an actor that is no longer waited for.
  void leave_behind(const caf::actor& whom, std::shared_ptr<const lifeline> line);
  /// Those of them that still run.
  std::vector<family::member> left_behind() const;

  std::shared_ptr<const child_spec> root;  // of the tree
  std::weak_ptr<const family> kin;         // its root's; the members' actors hold this
  address_book addresses;

  std::atomic<bool> stopping{false};
  mutable std::mutex mutex;
  std::vector<shutdown_entry> entries;  // under `mutex`
  struct lost_actor {
    caf::weak_actor_ptr handle;  // a detached one that is held keeps its thread
    std::shared_ptr<const lifeline> line;
  };
  std::vector<lost_actor> abandoned;  // under `mutex`
  caf::error root_reason;             // under `mutex`
};

}  // namespace libactor
