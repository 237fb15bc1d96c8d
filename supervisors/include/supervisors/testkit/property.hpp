// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/tree_spec.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libactor::testkit {

/// What can happen to a child of a tree.
enum class happening : std::uint8_t {
  start_asked,  ///< its supervisor calls its start function
  started,      ///< it acknowledged its start
  ready,        ///< it reported readiness
  stop_asked,   ///< its supervisor asked it to end
  drained,      ///< a worker with a `drain` has served what stood in its mailbox, within that time: its note `drained`
  stopped,      ///< it has ended, however: its own last step, not what its supervisor says of it
  killed,       ///< it was late, and was sent a kill
  abandoned,    ///< it did not end after that, and is no longer waited for
  restarted,    ///< its supervisor decides to start it again
  gave_up,      ///< a supervisor reached its limit of restarts
  deadline,     ///< its own deadline passed
  leaked,       ///< the watchdog reported it, or it lives when the body ends though its tree has ended
};

/// The enumerator's name.
const char* to_string(happening what) noexcept;

/// Something that happened in a run.
struct occurrence {
  happening what = happening::started;
  std::string path;
  std::uint32_t incarnation = 0;
  std::uint64_t actor = 0;  ///< CAF's id, where it is known
  time_point at{};
  std::uint32_t step = 0;  ///< in which step of the run
  std::string reason;
};

/// How long one incarnation lived: from the step that made its actor to that in which the actor ended.
struct lifetime {
  std::string path;
  std::uint32_t incarnation = 0;
  std::uint32_t from = 0;
  std::optional<std::uint32_t> to{};
};

/// All that happened in one run, in order, and what led to what.
class history {
 public:
  std::vector<occurrence> all;
  std::vector<lifetime> lives;
  std::optional<tree_spec> tree;        ///< that `trial::start` started
  bool tree_ended = false;              ///< when the body ended
  std::optional<duration> stop_took{};  ///< of a tree that was asked to stop: how long it took, or takes so far
  std::vector<std::vector<std::uint32_t>> causes;  ///< of each step: those it directly depends on

  /// Whether `all[a]` is known to who did `all[b]`: a message, a spawn, a timer or a cancel leads, perhaps over others,
  /// from the step of the one to that of the other. Order by luck does not count.
  bool leads_to(std::size_t a, std::size_t b) const;
  /// Whether what is `leaked` lives when the body ends. (Else the watchdog told of it on the way.)
  bool is_left(const occurrence& one) const;

 private:
  mutable std::vector<std::vector<std::uint64_t>> known_;  // of each step, a bit for each step before
};

/// Why a property does not hold of a run.
struct finding {
  std::string what;                                    ///< in words
  std::optional<std::size_t> first = {}, second = {};  ///< which occurrences show it
};

/// Something that must hold of every run.
struct property {
  std::string name;
  std::function<std::optional<finding>(const history&)> check;
};

/// Which occurrences a property is about: of one kind, at a path. `*` for the path: at any; a path that ends in `/*`:
/// anywhere below it.
struct moment {
  happening what;
  std::string path;
  bool matches(const occurrence& one) const noexcept;
  std::string to_text() const;
};

/// Before each `after` there is a `before` that led to it, unless none happens at all: a run that is stopped early is
/// no fault. (`exactly` and `within` say what must happen.)
property happens_before(moment before, moment after);
/// The same, be it by luck. Of two steps that are independent only one order may be tried.
property seen_before(moment before, moment after);
/// Each happens before the next.
property chain(std::vector<moment> moments);
/// It does not happen.
property never(moment what);
/// It happens `n` times.
property exactly(std::size_t n, moment what);
/// After each `from` there is a `to`, at most `limit` of the world's time later.
property within(duration limit, moment from, moment to);
/// It does not happen between a `from` and the `to` that follows it.
property not_during(moment what, moment from, moment to);
/// Nothing is leaked or abandoned.
property no_leaks();
/// When the body ends, the tree has ended, and nothing of it lives.
property everything_stopped();

/// What holds of every tree, whatever its children do: a child is down, or was abandoned, before what it depends on is
/// asked to stop; nothing starts below a supervisor that stops; no child starts while an earlier incarnation of it
/// lives; nothing of a tree that has ended lives, save what was abandoned; the budget is kept.
std::vector<property> default_properties();

}  // namespace libactor::testkit
