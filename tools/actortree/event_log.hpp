// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/event.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace actortree {

enum class log_format { text, json };

/// Writes each event as one line to standard output, from a thread of its own. When that is slower than the tree, the
/// oldest lines are lost, and counted; the tree is never held up. What can wait asks for room first. Thread-safe.
class event_log final : public libactor::event_sink {
 public:
  explicit event_log(log_format format);
  ~event_log() override;

  void on_event(const libactor::event& what) noexcept override;
  /// A line about the run as a whole.
  void say(const std::string& words) noexcept;
  /// A line about an act of administration, once it is complete.
  void audit(const std::string& act, const std::string& path, const std::string& user, unsigned uid, long pid,
             const std::string& outcome) noexcept;
  /// Returns once what is queued is written, or after 5 s if standard output does not take it.
  void flush() noexcept override;
  /// The same, for as long as standard output takes at least a line in 5 s. Whether all is written: if it is not, the
  /// destructor may never return.
  bool drain() noexcept;
  /// Lines, because standard output was too slow, or took no more.
  std::size_t lost() const noexcept;
  /// Whether so little is queued that many more lines from many threads would not make it lose any.
  bool has_room() const noexcept;

 private:
  void write(std::string line) noexcept;

  class output;

  log_format format_;
  std::shared_ptr<output> output_;
  std::shared_ptr<spdlog::details::thread_pool> writer_;
  std::shared_ptr<spdlog::logger> logger_;
};

/// One event as a line for people: what happened, the path, and what else is known.
std::string as_text(const libactor::event& what);

}  // namespace actortree
