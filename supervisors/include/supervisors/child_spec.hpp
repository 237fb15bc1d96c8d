// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "supervisors/arg_value.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace caf {
class actor;
template <class T>
class expected;
}  // namespace caf

namespace libactor {

class child_start;
struct started_child;
struct child_kind;

/// Which children a crash restarts (OTP's strategies, and one more).
enum class strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one, one_for_dependents };

/// Which ends of a child restart it: all, abnormal ones, none.
enum class restart_type : std::uint8_t { permanent, transient, temporary };

/// Whether the end of significant children ends their supervisor.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };

/// In which order children start: in that of the file, or by their dependencies alone.
enum class start_mode : std::uint8_t { ordered, graph };

/// What a supervisor does at its limit of restarts: end, or pause restarts.
enum class giveup_action : std::uint8_t { escalate, suspend };

/// What a dependency waits for.
enum class dependency_state : std::uint8_t { started, ready, completed };

/// How far the watchdog may go with a child that is stuck or beyond its limits.
enum class watch_action : std::uint8_t { report, cancel, replace };

/// Where a child's handlers run.
enum class isolation : std::uint8_t { shared, thread, process };

/// The words above, as trees in YAML spell them.
const char* to_string(strategy) noexcept;
const char* to_string(restart_type) noexcept;
const char* to_string(auto_shutdown) noexcept;
const char* to_string(start_mode) noexcept;
const char* to_string(giveup_action) noexcept;
const char* to_string(dependency_state) noexcept;
const char* to_string(watch_action) noexcept;
const char* to_string(isolation) noexcept;

/// How long a child may take to stop once asked: a time, for ever, or not at all.
class shutdown_limit {
 public:
  constexpr explicit shutdown_limit(duration limit) : limit_(limit) {}
  static constexpr shutdown_limit infinity() { return shutdown_limit(infinite); }
  static constexpr shutdown_limit brutal_kill() { return shutdown_limit(duration{0}, true); }

  constexpr bool is_brutal() const noexcept { return brutal_; }
  constexpr bool is_infinite() const noexcept { return limit_ == infinite; }
  /// Zero for `brutal_kill`, `infinite` for infinity.
  constexpr duration limit() const noexcept { return limit_; }
  friend constexpr bool operator==(const shutdown_limit&, const shutdown_limit&) = default;

 private:
  constexpr shutdown_limit(duration limit, bool brutal) : limit_(limit), brutal_(brutal) {}
  duration limit_;
  bool brutal_ = false;
};

/// `10s`, `infinity` or `brutal_kill`.
std::string to_string(const shutdown_limit& limit);

/// A duration as trees in YAML spell it: the largest unit that leaves a whole number, such as `1500ms`.
std::string to_string(duration d);

struct dependency {
  std::string id;  ///< of an earlier sibling; under `start_mode::graph` of any
  dependency_state when = dependency_state::started;
  friend bool operator==(const dependency&, const dependency&) = default;
};

/// Delays a node's own restarts: the n-th in a row waits min · factorⁿ⁻¹, at most max, spread by ± jitter.
struct backoff_spec {
  duration min{};
  duration max{};
  double factor = 2;
  double jitter = 0.2;                  ///< a fraction of the delay, 0 … 1
  std::optional<duration> reset_after;  ///< none: (min + max) / 2
  friend bool operator==(const backoff_spec&, const backoff_spec&) = default;
};

/// What the watchdog looks at, and does. `docs/watchdog.md` has the whole.
struct watch_spec {
  duration stuck_after = std::chrono::seconds(5);  ///< how long one handler may run
  duration grace = std::chrono::seconds(2);        ///< between two rungs
  watch_action action = watch_action::report;
  std::optional<std::uint64_t> max_mailbox{};   ///< messages that stand unread; none: unlimited
  std::optional<std::uint64_t> max_children{};  ///< of a supervisor its children, of a worker its tasks
  std::optional<std::uint64_t> max_restarts{};  ///< of one child, since its supervisor knows it
  friend bool operator==(const watch_spec&, const watch_spec&) = default;
};

/// What a child's context carries beyond its supervisor's.
struct context_spec {
  std::optional<duration> timeout;  ///< from the start of each incarnation
  arg_map values;                   ///< by the names that the catalog registers
  /// For all incarnations, on the runtime's clock. Once it is past, a start fails, and a restart is neither tried again
  /// nor counted.
  std::optional<time_point> deadline{};
  friend bool operator==(const context_spec&, const context_spec&) = default;
};

/// Starts one incarnation; see `child_start`. Called in the supervisor: it must not block. What it throws is a failed
/// start.
using start_function = std::function<caf::expected<started_child>(child_start&)>;

struct child_spec;

/// A worker made by a function in C++.
struct function_child {
  start_function start;
  /// Functions can't be compared: whether both have one, or neither.
  friend bool operator==(const function_child& a, const function_child& b) noexcept {
    return static_cast<bool>(a.start) == static_cast<bool>(b.start);
  }
};

/// A worker of a kind that the catalog knows.
struct kind_child {
  std::string kind;
  arg_map args;
  friend bool operator==(const kind_child&, const kind_child&) = default;
};

/// What every supervisor has.
struct supervisor_spec {
  libactor::strategy strategy = libactor::strategy::one_for_one;
  std::uint32_t intensity = 1;
  duration period = std::chrono::seconds(5);
  libactor::auto_shutdown auto_shutdown = libactor::auto_shutdown::never;
  giveup_action on_giveup = giveup_action::escalate;
  friend bool operator==(const supervisor_spec&, const supervisor_spec&) = default;
};

/// A supervisor with the children that its specification lists.
struct static_supervisor : supervisor_spec {
  start_mode start = start_mode::ordered;
  std::vector<child_spec> children;
  friend bool operator==(const static_supervisor&, const static_supervisor&);
};

/// A supervisor that starts any number of children from one template, on demand.
struct dynamic_supervisor : supervisor_spec {
  std::shared_ptr<const child_spec> child;    ///< the template; its id is a prefix of the paths
  std::optional<std::uint64_t> max_children;  ///< none: unlimited
  /// Compares the templates, not where they are.
  friend bool operator==(const dynamic_supervisor&, const dynamic_supervisor&);
};

/// One child of a supervisor: plain data, checked by `check` and carried out by a supervisor. The defaults are the
/// library's; an optional that is empty means the default that depends on what the child is.
struct child_spec {
  std::string id;
  std::variant<std::monostate, function_child, kind_child, static_supervisor, dynamic_supervisor> what;

  restart_type restart = restart_type::permanent;
  std::optional<shutdown_limit> shutdown;  ///< none: 5 s for a worker, infinity for a supervisor
  duration kill_grace = std::chrono::seconds(1);
  std::optional<duration> drain;
  std::optional<duration> start_timeout;  ///< none: 5 s for a worker, infinity for a supervisor
  bool awaits_ready = false;              ///< whether the start waits for the child's own word
  std::optional<duration> ready_timeout;  ///< none: `start_timeout`
  bool significant = false;
  bool enabled = true;  ///< whether it is part of the tree; neither a root nor a template can be left out
  libactor::isolation isolation = libactor::isolation::shared;
  context_spec context;
  std::optional<backoff_spec> backoff;
  std::optional<watch_spec> watch;       ///< for it and all below it; none: as its supervisor, the root not at all
  bool unwatched = false;                ///< nor what is below it, whatever its supervisor has
  std::optional<duration> address_hold;  ///< none: its address refuses messages while there is no incarnation
  std::vector<dependency> after;
  std::map<std::string, std::string> labels;

  bool is_supervisor() const noexcept { return what.index() >= 3; }
  shutdown_limit effective_shutdown() const;
  duration effective_start_timeout() const;
  /// Compares whole subtrees.
  friend bool operator==(const child_spec&, const child_spec&) = default;
};

}  // namespace libactor
