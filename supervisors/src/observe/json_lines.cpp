// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/json_lines.hpp"

#include "batch_queue.hpp"
#include "stamped_event.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <cerrno>
#include <cstring>
#include <exception>

namespace libactor::observe {

namespace {

class file {
 public:
  explicit file(int fd) noexcept : fd_(fd) {}
  ~file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

// As that of a program does which was killed in the middle of a write, or met a full disk.
bool ends_within_a_line(const file& what, const std::string& path) {
  struct stat is {};
  if (::fstat(what.fd(), &is) != 0 || !S_ISREG(is.st_mode) || is.st_size == 0)
    return false;
  const file reading(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char last = '\n';
  return ::pread(reading.fd(), &last, 1, is.st_size - 1) == 1 && last != '\n';
}

}  // namespace

class json_lines::impl {
 public:
  impl(int fd, const std::string& path, json_lines_options options)
      : file_(fd),
        lines_(ends_within_a_line(file_, path) ? "\n" : ""),
        queue_(
            options.queue, [this](auto& batch) { return write(batch); }, stamped_event::lost) {}

  batch_queue<stamped_event>& queue() noexcept { return queue_; }
  std::string last_error() const {
    std::lock_guard guard{mutex_};
    return last_error_;
  }

 private:
  bool write(std::vector<stamped_event>& batch) noexcept;
  bool failed(const char* why) noexcept;

  static constexpr std::size_t piece = 64 * 1024;  // bytes to write at once
  const file file_;
  std::string lines_;         // the next ones, or what the file has not taken of them
  std::size_t in_lines_ = 0;  // of how many events
  mutable std::mutex mutex_;
  std::string last_error_;  // under `mutex_`
  batch_queue<stamped_event> queue_;
};

bool json_lines::impl::write(std::vector<stamped_event>& batch) noexcept {
  try {
    if (lines_.empty()) {
      for (in_lines_ = 0; in_lines_ < batch.size() && lines_.size() < piece; ++in_lines_)
        lines_ += to_json(batch[in_lines_].what, batch[in_lines_].at) + '\n';
    }
    while (!lines_.empty()) {
      const auto count = ::write(file_.fd(), lines_.data(), lines_.size());
      if (count < 0 && errno != EINTR)
        return failed(std::strerror(errno));
      if (count > 0)
        lines_.erase(0, static_cast<std::size_t>(count));
    }
    batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(in_lines_));
    return true;
  } catch (const std::exception& e) {
    lines_.clear();
    return failed(e.what());
  }
}

bool json_lines::impl::failed(const char* why) noexcept {
  std::lock_guard guard{mutex_};
  try {
    last_error_ = why;
  } catch (...) {
    last_error_.clear();  // no memory for the words; `failures` counts it all the same
  }
  return false;
}

caf::expected<std::shared_ptr<json_lines>> json_lines::open(const std::string& path, json_lines_options options) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd < 0)
    return caf::make_error(caf::sec::cannot_open_file, path + ": " + std::strerror(errno));
  return std::shared_ptr<json_lines>(new json_lines(std::make_unique<impl>(fd, path, options)));
}

json_lines::json_lines(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
json_lines::~json_lines() = default;

void json_lines::on_event(const event& what) noexcept {
  impl_->queue().push([&] { return stamped_event::now(what); });
}

void json_lines::flush() noexcept { impl_->queue().flush(std::chrono::seconds(5)); }
std::uint64_t json_lines::lost() const noexcept { return impl_->queue().lost(); }
std::uint64_t json_lines::failures() const noexcept { return impl_->queue().failures(); }
std::string json_lines::last_error() const { return impl_->last_error(); }

}  // namespace libactor::observe
