// SPDX-License-Identifier: BSL-1.0
#include "event_log.hpp"

#include "supervisors/child_spec.hpp"
#include "supervisors/observe/event_json.hpp"

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>

namespace actortree {

namespace {

constexpr std::size_t queue_length = 65536;
// Of lines that are queued while there is said to be room.
constexpr std::size_t most_bytes = 8 * 1024 * 1024;

std::string wall_time() { return libactor::observe::to_string(std::chrono::system_clock::now()); }

std::string rounded(libactor::duration d) {
  using namespace std::chrono;
  if (d < milliseconds(10))
    return libactor::to_string(libactor::duration{round<microseconds>(d)});
  return libactor::to_string(libactor::duration{round<milliseconds>(d)});
}

// What a process, an exception or a client says makes no line of its own.
std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text)
    line += c == '\n' ? std::string("\\n") : std::string(1, c);
  return line;
}

// Nor does what a client says move a terminal's cursor.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string as_text(const libactor::event& what) {
  auto line = fmt::format("{:<12} {}", to_string(what.kind), what.path);
  if (what.kind == libactor::event_kind::output)
    return line + " | " + what.text;
  if (what.incarnation > 1)
    line += fmt::format(" #{}", what.incarnation);
  if (!what.reason.empty())
    line += ": " + what.reason;
  if (what.elapsed.count() != 0 && what.kind != libactor::event_kind::restarting)
    line += fmt::format(" after {}", rounded(what.elapsed));
  if (what.count != 0)
    line += what.kind == libactor::event_kind::dropped ? fmt::format(" {}", what.count)
                                                       : fmt::format(", {} unread", what.count);
  if (!what.text.empty())
    line += (what.reason.empty() && what.elapsed.count() == 0 ? ": " : ", ") + what.text;
  return line;
}

/// Standard output, and a way to wait until all that was queued before is written.
class event_log::output final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Has `ask` queue a flush, and waits until the writer comes by it, for `limit` at most, or as long as it writes a
  /// line in that time. Whether it came. One at a time.
  template <class Fun>
  bool flush_by(Fun ask, std::chrono::seconds limit, bool while_it_writes) {
    const std::lock_guard one{order_mutex_};
    std::unique_lock lock{flush_mutex_};
    done_ = false;
    lock.unlock();
    ask();
    lock.lock();
    for (auto before = lines_.load(); !flushed_.wait_for(lock, limit, [this] { return done_; });) {
      if (!while_it_writes || before == lines_)
        return false;
      before = lines_;
    }
    return true;
  }

  /// Once lines were lost, less than this is queued.
  std::atomic<std::size_t> queued_bytes{0};
  /// Lines that standard output did not take.
  std::atomic<std::size_t> refused{0};

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    queued_bytes -= std::min(message.payload.size(), queued_bytes.load());
    line_.append(message.payload.data(), message.payload.size()).append(1, '\n');
    const auto left = written(line_);
    refused += left == 0 ? 0 : 1;
    // What was begun is ended before the next.
    line_.assign(left == 0 || left == line_.size() ? 0 : 1, '\n');
    ++lines_;
  }
  void flush_() override {
    std::lock_guard guard{flush_mutex_};
    done_ = true;
    flushed_.notify_all();
  }
  /// How many bytes standard output does not take. One that others have made non-blocking is waited for as well.
  static std::size_t written(std::string_view left) {
    while (!left.empty()) {
      const auto count = ::write(STDOUT_FILENO, left.data(), left.size());
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      if (count > 0)
        left.remove_prefix(static_cast<std::size_t>(count));
      else if (count < 0 && errno == EAGAIN)
        ::poll(&room, 1, -1);
      else if (count == 0 || errno != EINTR)
        break;
    }
    return left.size();
  }

  std::string line_;  // the next one; before it, the end of one that was not written in full
  std::atomic<std::size_t> lines_{0};
  std::mutex order_mutex_;
  std::mutex flush_mutex_;
  std::condition_variable flushed_;
  bool done_ = false;  // under `flush_mutex_`
};

event_log::event_log(log_format format)
    : format_(format),
      output_(std::make_shared<output>()),
      writer_(std::make_shared<spdlog::details::thread_pool>(queue_length, 1)),
      logger_(std::make_shared<spdlog::async_logger>("events", output_, writer_,
                                                     spdlog::async_overflow_policy::overrun_oldest)) {}

event_log::~event_log() = default;

void event_log::on_event(const libactor::event& what) noexcept {
  write(format_ == log_format::json ? libactor::observe::to_json(what, std::chrono::system_clock::now())
                                    : wall_time().substr(11, 12) + "  " + on_one_line(as_text(what)));
}

void event_log::say(const std::string& words) noexcept {
  if (format_ == log_format::text) {
    write(wall_time().substr(11, 12) + "  " + words);
    return;
  }
  nlohmann::ordered_json line;
  line["time"] = wall_time();
  line["event"] = "run";
  line["text"] = words;
  write(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void event_log::audit(const std::string& act, const std::string& path, const std::string& user, unsigned uid, long pid,
                      const std::string& outcome) noexcept {
  if (format_ == log_format::text) {
    write(wall_time().substr(11, 12) + "  " +
          printable(fmt::format("{:<12} {}{}{} by {} (uid {}, pid {}): {}", "audit", act, path.empty() ? "" : " ", path,
                                user, uid, pid, outcome)));
    return;
  }
  nlohmann::ordered_json line;
  line["time"] = wall_time();
  line["event"] = "audit";
  line["act"] = act;
  if (!path.empty())
    line["path"] = path;
  line["user"] = user;
  line["uid"] = uid;
  line["pid"] = pid;
  line["outcome"] = outcome;
  write(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// The line is passed as it is, not as a format: a path or an output may hold braces.
void event_log::write(std::string line) noexcept {
  output_->queued_bytes += line.size();
  logger_->log(spdlog::level::info, spdlog::string_view_t(line));
}

void event_log::flush() noexcept {
  output_->flush_by([this] { logger_->flush(); }, std::chrono::seconds(5), false);
}

bool event_log::drain() noexcept {
  return output_->flush_by([this] { logger_->flush(); }, std::chrono::seconds(5), true);
}

bool event_log::has_room() const noexcept {
  const auto lines = writer_->queue_size();
  if (lines == 0)
    output_->queued_bytes = 0;  // those that were lost have left theirs in it
  return lines < queue_length / 2 && output_->queued_bytes < most_bytes;
}

std::size_t event_log::lost() const noexcept { return writer_->overrun_counter() + output_->refused; }

}  // namespace actortree
