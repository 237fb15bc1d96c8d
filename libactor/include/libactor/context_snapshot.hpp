// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/context_kind.hpp"
#include "libactor/source_location.hpp"
#include "libactor/time.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace libactor {

class context_runtime;

/// A context as it stood when a snapshot passed by.
struct context_info {
  std::uint64_t id = 0;      ///< unique among the contexts that exist at a time
  std::uint64_t parent = 0;  ///< 0 for the root
  context_kind kind = context_kind::root;
  bool done = false;                  ///< done, and yet held: what a leak looks like
  libactor::cause why;                ///< of the end
  duration age{};                     ///< since the derivation, to a few milliseconds
  std::optional<time_point> due;      ///< its own deadline
  std::string key;                    ///< a value's key
  source_location where;              ///< of the derivation
  std::uint32_t handles = 0;          ///< how many `context` and `scope` objects name it
  std::vector<std::size_t> children;  ///< indices into `context_snapshot::nodes`
};

/// All contexts of a runtime that somebody holds, as a tree. `nodes[0]` is the root.
struct context_snapshot {
  std::vector<context_info> nodes;
  time_point taken;

  /// One line a context, indented by depth. Complexity: O(n), without recursion.
  friend std::ostream& operator<<(std::ostream& out, const context_snapshot& all);
};

/// Looks at every live context once while the tree changes: each line is true of some moment of the call; a context
/// whose parent was passed before it was made hangs below the root. A deriving thread is held up for one context at the
/// most. Complexity: O(all contexts of the process). Thread-safe. Throws: std::bad_alloc.
context_snapshot take_snapshot(context_runtime& runtime);

}  // namespace libactor
