// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "actor/caf_seam.hpp"
#include "libactor/actor/lifeline.hpp"
#include "libactor/detail/block_pool.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/scope.hpp"
#include "supervisors/backoff.hpp"
#include "supervisors/supervisor.hpp"
#include "tree_core.hpp"

#include <caf/local_actor.hpp>
#include <caf/response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace libactor {

/// What a supervisor knows of one child. There may be a hundred thousand idle ones: what few children have, or have for
/// a moment only, is out of line.
struct child_record {
  using need = std::pair<child_record*, dependency_state>;
  struct dependencies {
    std::vector<need> needs;
    std::vector<child_record*> needed_by;
  };
  /// What an incarnation of a supervisor has.
  struct subtree {
    scope outer;  ///< its own deadline, outside of its boundary
    std::shared_ptr<family> below;
  };
  /// Who waits for the end of its start and of its stop.
  struct waiting {
    static void* operator new(std::size_t bytes) { return detail::block_pool::allocate(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept {
      detail::block_pool::deallocate(block, bytes);
    }
    caf::response_promise start;
    std::vector<caf::response_promise> stop;  ///< whoever asks while it stops waits, too
  };

  static void* operator new(std::size_t bytes) { return detail::block_pool::allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { detail::block_pool::deallocate(block, bytes); }

  std::shared_ptr<const child_spec> spec;
  std::unique_ptr<dependencies> links;  ///< null: none
  std::unique_ptr<backoff> delays;      ///< null: restarts at once
  std::unique_ptr<waiting> replies;     ///< null: nobody waits
  std::uint64_t number = 0;             ///< in the path of a dynamic child
  std::uint64_t key = 0;                ///< of the last incarnation
  std::uint64_t alarm = 0;              ///< number of the one that is set; 0: none
  time_point not_before{};              ///< of its next start
  std::uint32_t place = 0;              ///< in the supervisor's start order
  std::uint32_t incarnation = 0;
  std::uint32_t restarts = 0;
  std::uint32_t orphans = 0;

  // One incarnation's:
  caf::actor handle;  ///< strong while it lives: CAF destroys an idle actor that nobody holds
  std::shared_ptr<lifeline> line;
  std::unique_ptr<subtree> sub;  ///< null for a worker
  scope own;
  detail::hook_registration done_hook;
  time_point start_asked_at{};
  time_point started_at{};
  time_point asked_at{};
  caf::error start_error;                     ///< why its start was given up
  std::unique_ptr<detail::end_reason> ended;  ///< why the last incarnation did, where somebody may ask

  child_state state = child_state::idle;
  bool is_worker : 1 = true;
  bool acknowledged : 1 = false;
  bool asked : 1 = false;
  bool killed : 1 = false;
  bool up : 1 = false;         ///< the start is over
  bool completed : 1 = false;  ///< the last incarnation ended normally
  bool declined : 1 = false;   ///< the last start was declined
  bool slims : 1 = false;      ///< once up, its specification shrinks to what its end needs
  bool by_hand : 1 = false;    ///< its start was asked for by a verb, and is not over
  bool ready = false;
  bool must_stop = false;       ///< the engine is to stop it
  bool must_start = false;      ///< the engine is to start it
  bool in_engine = false;       ///< the engine waits for it
  bool keep_if_failed = false;  ///< a restart by hand: if it fails, the specification stays

  bool alive() const noexcept {
    return state == child_state::starting || state == child_state::running || state == child_state::stopping ||
           state == child_state::killing || state == child_state::adopted;
  }

  /// Null for a worker.
  std::shared_ptr<family> below() const noexcept { return sub != nullptr ? sub->below : nullptr; }

  std::span<const need> needs() const noexcept {
    return links ? std::span<const need>(links->needs) : std::span<const need>();
  }
  std::span<child_record* const> needed_by() const noexcept {
    return links ? std::span<child_record* const>(links->needed_by) : std::span<child_record* const>();
  }
  dependencies& make_links() {
    if (links == nullptr)
      links = std::make_unique<dependencies>();
    return *links;
  }

  waiting& make_replies() {
    if (replies == nullptr)
      replies = std::make_unique<waiting>();
    return *replies;
  }
  bool stop_is_awaited() const noexcept { return replies != nullptr && !replies->stop.empty(); }
  /// Answers who waits, if anybody does.
  template <class T>
  void answer_start(T&& what) {
    if (auto to = take_start(); to.pending())
      to.deliver(std::forward<T>(what));
  }
  /// The same with its handle, by its supervisor `self`.
  void answer_up(caf::local_actor& self) {
    if (auto to = take_start(); to.pending())
      detail::seam::answer(to, caf::strong_actor_ptr{self.ctrl()}, handle, self.context());
  }
  caf::response_promise take_start() {
    if (replies == nullptr)
      return {};
    auto to = std::exchange(replies->start, {});
    if (replies->stop.empty())
      replies = nullptr;
    return to;
  }
  std::vector<caf::response_promise> take_stops() {
    if (replies == nullptr)
      return {};
    auto all = std::move(replies->stop);
    if (!replies->start.pending())
      replies = nullptr;
    else
      replies->stop.clear();
    return all;
  }
};

}  // namespace libactor
