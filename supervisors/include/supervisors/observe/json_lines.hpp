// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace libactor::observe {

struct json_lines_options {
  std::size_t queue = 16384;  ///< how many events may wait for the file
};

/// Appends each event to a file as one JSON object a line (`docs/observe.md`), from a thread of its own. The caller is
/// never held up: an event for which the queue has no room is lost, counted, and told of by a line of kind `dropped`
/// with their number. A line that can't be written is tried again, and stands once in the file; where the file ends in
/// the middle of a line, that is ended first. Thread-safe.
class json_lines final : public event_sink {
 public:
  /// Makes the file where there is none. `caf::sec::cannot_open_file`, with the path and why.
  static caf::expected<std::shared_ptr<json_lines>> open(const std::string& path, json_lines_options options = {});
  /// Writes what is queued, where the file takes it.
  ~json_lines() override;

  void on_event(const event& what) noexcept override;
  /// Returns within 5 s.
  void flush() noexcept override;

  std::uint64_t lost() const noexcept;
  /// How often the file took no more.
  std::uint64_t failures() const noexcept;
  /// Why it took no more the last time; empty if it always did.
  std::string last_error() const;

 private:
  class impl;
  explicit json_lines(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace libactor::observe
