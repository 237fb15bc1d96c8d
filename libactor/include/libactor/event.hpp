// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "libactor/trace_id.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace libactor {

struct leak_event;

/// What happened to a child of a tree. `docs/actortree.md` lists them too.
enum class event_kind : std::uint8_t {
  start_asked,   ///< its supervisor calls the start function
  started,       ///< it acknowledged its start
  ready,         ///< it reported readiness
  start_failed,  ///< the start failed or timed out; `reason` says how
  declined,      ///< it chose not to start
  stop_asked,    ///< its supervisor canceled its context
  deadline,      ///< its own deadline passed
  stopped,       ///< it ended after it was asked to
  ended,         ///< it ended by itself, without error
  crashed,       ///< it ended by itself, with an error; `reason` says which
  killed,        ///< it was late, and was sent a kill
  abandoned,     ///< it did not end after a kill, and is no longer waited for
  restarting,    ///< it will be started again; `text` says after which delay
  gave_up,       ///< a supervisor reached its limit of restarts
  suspended,     ///< a supervisor reached its limit and pauses restarts
  resumed,       ///< restarts go on
  stuck,         ///< the watchdog: one handler runs for longer than `stuck_after`
  overdue,       ///< the watchdog: still alive after it should have ended
  orphan,        ///< the watchdog: alive, although what it belongs to has ended
  runaway,       ///< the watchdog: its mailbox, children or restarts are beyond a declared limit
  undead,        ///< the watchdog: abandoned, and still running
  recovered,     ///< the watchdog: a reported child is well, or has ended
  dropped,       ///< messages were dropped; `text` says which, `count` how many
  output,        ///< a line of a process's output, in `text`
  note,          ///< a child's own words, in `text`
};

/// The enumerator's own name.
const char* to_string(event_kind kind) noexcept;

/// One thing that happened, as every sink gets it. Plain data.
struct event {
  event_kind kind = event_kind::note;
  time_point at{};                ///< by the runtime's clock
  std::string path;               ///< of the child, such as `/shop/api/http`
  std::uint64_t actor = 0;        ///< CAF's id of the incarnation; 0 where there is none
  std::uint32_t incarnation = 0;  ///< counts from 1; 0 where there is none
  std::string reason;             ///< how it ended, such as `deadline_exceeded` or `runtime_error: boom`
  std::string text;               ///< for people: what else is known
  duration elapsed{};             ///< what the kind measures: the time to start, to stop, or in the handler
  std::uint64_t count = 0;        ///< what the kind counts; of an end: the messages that stood unread
  trace_id trace{};
  /// Of the watchdog's kinds, `stuck` to `recovered`: everything it knows (`supervisors/leak_event.hpp`); else null.
  std::shared_ptr<const leak_event> leak{};
};

/// Receives events. `on_event` is called from any thread, concurrently, on the path of supervision: it must be
/// thread-safe, must not block and must not throw; a sink that writes to something slow queues and counts what it
/// loses.
class event_sink {
 public:
  virtual ~event_sink() = default;
  virtual void on_event(const event& what) noexcept = 0;
  /// Returns once what was handed over so far has left the process, or can't. Called at any time, and always where the
  /// process is about to leave.
  virtual void flush() noexcept {}
};

}  // namespace libactor
