// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "libactor/trace_id.hpp"
#include "supervisors/leak_event.hpp"
#include "supervisors/supervisor.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace libactor {

class runtime;

/// A child of a tree, or a task of a worker, as it stood when a snapshot passed by. What of it can't be known is empty.
struct tree_node {
  enum class type : std::uint8_t { supervisor, worker, task };

  std::string path;
  type what = type::worker;
  /// The catalog's word for the kind; of a supervisor its strategy, or `dynamic`. Empty where the child is a function,
  /// or a task.
  std::string kind;
  child_state state = child_state::idle;
  std::size_t parent = 0;         ///< its index in `tree_snapshot::nodes`; the root's is its own
  std::uint32_t incarnation = 0;  ///< the current one, or the last; 0: none yet, about to follow another, or gone
  std::uint64_t restarts = 0;

  // Of the incarnation; empty while there is none:
  std::uint64_t actor = 0;
  duration age{};     ///< since its start was asked for
  bool busy = false;  ///< one of its handlers runs
  /// Of a watched child that is busy: since the watchdog first saw that handler, less than one of its looks too short.
  std::optional<duration> busy_for{};
  std::string message_type;  ///< of the handler that runs; of watched children only
  int thread = 0;            ///< the kernel's id of the thread that runs it; 0: none
  std::optional<std::uint64_t>
      mailbox{};  ///< unread messages: of a watched one when its last handler began, else only while it waits
  std::vector<chain_link> chain;         ///< from its own context towards the root
  std::optional<time_point> deadline{};  ///< the earliest that binds its context
  std::string cause;                     ///< why its context is done; empty while it is not
  trace_id trace{};                      ///< of its context
};

/// A whole tree. Plain data, complete in itself.
struct tree_snapshot {
  time_point taken{};            ///< on the runtime's clock
  std::vector<tree_node> nodes;  ///< parents before their children, siblings in start order; empty before the start
};

/// Looks at everything of the tree once, while it goes on: each node is true of some moment of the call, and what lives
/// all the while is in it. Nobody is asked: it reads what supervisors, workers and contexts write anyway, so that a
/// supervisor or worker that is stuck does not hold it up. It holds a list of children or tasks for as long as it takes
/// to copy a few entries, and nothing else that anybody waits for. A child that is a plain CAF actor has no chain.
/// Complexity: O(n log n). Thread-safe. Throws: std::bad_alloc.
tree_snapshot snapshot(const runtime& of);

/// A handler that runs.
struct running_handler {
  std::string path;
  std::uint32_t incarnation = 0;
  std::uint64_t actor = 0;
  std::string message_type;            ///< of watched children only
  std::optional<duration> busy_for{};  ///< as in `tree_node`
  int thread = 0;                      ///< the kernel's id
  std::vector<stack_frame> stack;      ///< innermost first; empty where the thread does not answer
};

/// The handlers of a tree that run, in the order of a snapshot, with the stacks of their threads. Each of those threads
/// is interrupted for some microseconds, no other is (docs/watchdog.md: signals); one whose handler returns meanwhile
/// shows what came next. After `limit` of real time, stacks that are not read yet have as much as costs nothing.
/// Thread-safe; not from a handler of the tree. Throws: std::bad_alloc.
std::vector<running_handler> running_handlers(runtime& of, duration limit = std::chrono::seconds(1));

/// The enumerator's own name.
const char* to_string(tree_node::type what) noexcept;

}  // namespace libactor
