// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/context_kind.hpp"
#include "libactor/event.hpp"
#include "libactor/source_location.hpp"
#include "libactor/time.hpp"
#include "libactor/trace_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace libactor {

/// One call of a stack, innermost first. What the program's debug information does not tell stays empty.
struct stack_frame {
  std::uintptr_t address = 0;
  std::string function;    ///< demangled
  std::string file;        ///< of the source, or else the program or library that holds the address
  std::uint32_t line = 0;  ///< 0 where unknown
};

/// What the thread of a running handler was doing at the look.
enum class thread_activity : std::uint8_t {
  unknown,  ///< nobody looked, or the thread was gone
  running,  ///< it burns CPU
  waiting,  ///< it sleeps; `leak_event::system_call` says in which call
};

/// The rungs of the ladder, in order.
enum class leak_rung : std::uint8_t { notice, look, cancel, interrupt, kill, abandon, replace };

/// A rung that was taken, and when by the runtime's clock.
struct leak_step {
  leak_rung rung = leak_rung::notice;
  time_point at{};
};

/// How a record stands.
enum class leak_outcome : std::uint8_t {
  open,       ///< it goes on
  returned,   ///< the handler returned by itself, or the limit holds again
  ended,      ///< the actor ended; the last of `steps` says at which rung
  abandoned,  ///< it is no longer waited for
  replaced,   ///< abandoned, and a successor was started
};

/// A link of a context chain, from the actor's own towards the root.
struct chain_link {
  context_kind kind = context_kind::root;
  source_location where;          ///< of the derivation
  std::optional<time_point> due;  ///< its own deadline
  std::string cause;              ///< why it is done; empty while it is not
};

/// One leak, as the watchdog knows it when it tells of it. Plain data; complete in itself, so that it can be kept after
/// the runtime is gone. The same `record` comes again as the ladder is climbed, and last as `recovered`.
struct leak_event {
  std::uint64_t record = 0;                  ///< counts from 1 in a runtime; all events of one leak share it
  event_kind kind = event_kind::stuck;       ///< `stuck`, `overdue`, `orphan`, `runaway`, `undead` or `recovered`
  event_kind opened_as = event_kind::stuck;  ///< the kind that the record began with
  std::string path;
  std::uint64_t actor = 0;
  std::uint32_t incarnation = 0;
  time_point since{};  ///< when it began, as far as the watchdog saw
  time_point at{};     ///< when this was told
  duration elapsed{};
  std::string message_type;  ///< of the handler that runs; empty where none does
  int thread = 0;            ///< the kernel's id; 0 where unknown
  thread_activity activity = thread_activity::unknown;
  std::string system_call;  ///< such as `read`; empty where none
  std::vector<stack_frame> stack;
  std::optional<std::uint64_t> mailbox;  ///< unread when the last handler began, without its own
  std::optional<std::uint64_t> children;
  std::optional<std::uint64_t> restarts;
  std::vector<chain_link> chain;
  std::optional<time_point> deadline;  ///< the earliest that binds the actor's context
  std::string cause;                   ///< why its context is done; empty while it is not
  trace_id trace{};
  std::vector<leak_step> steps;
  leak_outcome outcome = leak_outcome::open;
  std::vector<std::string> blocked_behind;  ///< paths of others that wait for this one
  std::string text;                         ///< for people: what no other field says
};

/// `function at file:line`, or as much of it as is known.
std::string to_string(const stack_frame& frame);

/// The enumerator's own name.
const char* to_string(thread_activity what) noexcept;
const char* to_string(leak_rung rung) noexcept;
const char* to_string(leak_outcome outcome) noexcept;

}  // namespace libactor
