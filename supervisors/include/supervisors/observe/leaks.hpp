// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"
#include "supervisors/observe/event_json.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace libactor::observe {

/// Which records to look at; all that are set must hold.
struct leak_filter {
  std::optional<wall_time> since{};  ///< told of at that time or later
  std::optional<event_kind> kind{};  ///< one of its events is of this kind
  std::string path{};                ///< of this child or of one below it; empty: of any
};

/// A word, and how often it came; the most frequent first.
using tally = std::vector<std::pair<std::string, std::uint64_t>>;

/// Leaks of one culprit: of one kind, with the same functions on the stack and the same derivation of the context; or,
/// where no stack was taken, of the same path, message type and derivation. (The paths of a dynamic supervisor's
/// children are taken for one.)
struct leak_group {
  std::string kind;  ///< that the records began with
  std::uint64_t records = 0;
  std::uint64_t open = 0;                  ///< of which nothing tells that they are over
  wall_time first{}, last{};               ///< when the first and the last of them were told of first
  duration longest{};                      ///< as far as it was told
  tally paths, messages, doing, outcomes;  ///< doing: `running`, or `waiting in read`
  std::vector<std::string> stack;          ///< `function at file:line`, innermost first; of the last record
  std::vector<std::string> derivation;     ///< `deadline at file:line`, the actor's own first
};

struct leak_report {
  std::vector<leak_group> groups;  ///< the most records first, and of equals the longest
  std::uint64_t records = 0;
  std::uint64_t lost = 0;        ///< events that the ledger says it had no room for, in the time looked at
  std::uint64_t unreadable = 0;  ///< rows that are no event of this schema
};

/// Reads a ledger, which may be in use. `caf::sec::cannot_open_file` with words: there is no such file, it is no
/// ledger, was written by a newer library, or is damaged. Complexity: O(events in the time looked at). Thread-safe.
caf::expected<leak_report> read_leaks(const std::string& file, const leak_filter& filter = {});

/// For people: one paragraph a group.
std::string as_text(const leak_report& report);
/// As one JSON object (`docs/observe.md`).
std::string as_json(const leak_report& report);

}  // namespace libactor::observe
