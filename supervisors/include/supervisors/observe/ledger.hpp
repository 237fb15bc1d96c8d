// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace libactor::observe {

struct ledger_options {
  duration max_age = std::chrono::hours(24 * 30);  ///< older events are forgotten, within a minute; `infinite`: never
  /// What the file may take, at least 256 KiB: beyond it the oldest events are forgotten. SQLite's journal beside it
  /// takes an eighth more (4 MiB at most) and what one commit changes, or more while somebody reads for long.
  std::uint64_t max_bytes = 64 * 1024 * 1024;
  std::size_t queue = 16384;  ///< how many events may wait for the file
  bool leaks_only = true;     ///< keep what carries a leak record, or tells that such were lost
  /// Gets a `note` when the file fails, when it works again, and when a damaged one was set aside or one was moved
  /// away; on the ledger's own thread, or in `open`. Not the ledger itself.
  std::shared_ptr<event_sink> report_to{};
};

/// Keeps events in an SQLite file (`docs/observe.md` has its schema), from a thread of its own. The caller is never
/// held up: an event for which the queue has no room is lost, counted, and told of by a row of kind `dropped`.
///
/// An event is *acknowledged* once it is committed: from then on it is in the file, however the process ends. (Where
/// the machine stops too, the last ones may be missing, and the file is whole.) Events are committed in the order in
/// which they came, many at a time under load.
///
/// While the file can't be written, as on a full disk, events wait in the queue and it is tried again, at most 5 s
/// later. A file that turns out to be damaged is renamed to `FILE.damaged-TIME`, and a new one begun; so is one in
/// place of a file that was moved away or removed. Thread-safe.
class ledger final : public event_sink {
 public:
  /// Makes the file where there is none; several programs may write to one. `caf::sec::cannot_open_file` with words
  /// where the file is a text, the database of another program or no file but a folder or the like, was written by a
  /// newer library, or can't be opened; such a file is left as it is. Any other that is no database counts as damaged.
  static caf::expected<std::shared_ptr<ledger>> open(const std::string& path, ledger_options options = {});
  /// Commits what is queued, if the file takes it.
  ~ledger() override;

  void on_event(const event& what) noexcept override;
  /// Returns once what was handed over so far is acknowledged or the file has failed; within 5 s.
  void flush() noexcept override;

  /// How many of the events that it took in are acknowledged: so many of the first.
  std::uint64_t acknowledged() const noexcept;
  std::uint64_t lost() const noexcept;
  /// How often the file could not be written.
  std::uint64_t failures() const noexcept;
  /// Why it could not be the last time; empty if it always could.
  std::string last_error() const;

 private:
  class impl;
  explicit ledger(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace libactor::observe
