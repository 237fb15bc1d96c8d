// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_host.hpp"

#include <boost/test/unit_test.hpp>

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace libactor::process {

// No wait of these tests ends by time unless something is broken.
inline constexpr auto generous = std::chrono::seconds(30);

// Keeps what a host says about one process, and lets a test wait for it.
class recorder final : public process_listener {
 public:
  void on_started(pid_t pid) noexcept override {
    change([&] { pid_ = pid; });
  }
  void on_start_failed(const start_failure& why) noexcept override {
    change([&] { failure_ = why; });
  }
  void on_output(std::vector<output_line> lines) noexcept override {
    change([&] {
      ++batches_;
      lines_.insert(lines_.end(), lines.begin(), lines.end());
    });
    if (host_ != nullptr)
      host_->consumed(id_);
  }
  void on_ended(const process_end& how) noexcept override {
    change([&] { end_ = how; });
  }

  // Answers each batch from now on.
  void consume(process_host& host, process_host::process_id id) {
    id_ = id;
    host_ = &host;
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, generous, [&] { return condition(); });
  }

  pid_t started() {
    BOOST_TEST_REQUIRE(wait([&] { return pid_ || failure_; }));
    BOOST_TEST_REQUIRE(pid_.has_value());
    return *pid_;
  }
  start_failure failed() {
    BOOST_TEST_REQUIRE(wait([&] { return pid_ || failure_; }));
    BOOST_TEST_REQUIRE(failure_.has_value());
    return *failure_;
  }
  process_end ended() {
    BOOST_TEST_REQUIRE(wait([&] { return end_ || failure_; }));
    BOOST_TEST_REQUIRE(end_.has_value());
    return *end_;
  }
  bool has_line(const std::string& text) {
    return wait([&] {
      for (const auto& line : lines_) {
        if (line.text == text)
          return true;
      }
      return false;
    });
  }
  std::vector<output_line> lines() {
    const std::lock_guard guard{mutex_};
    return lines_;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (const auto& line : lines())
      all.push_back(line.text);
    return all;
  }
  std::size_t batches() {
    const std::lock_guard guard{mutex_};
    return batches_;
  }
  bool has_ended() {
    const std::lock_guard guard{mutex_};
    return end_.has_value();
  }

 private:
  template <class Fun>
  void change(Fun fun) {
    const std::lock_guard guard{mutex_};
    fun();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<pid_t> pid_;
  std::optional<start_failure> failure_;
  std::optional<process_end> end_;
  std::vector<output_line> lines_;
  std::size_t batches_ = 0;
  process_host* host_ = nullptr;  // of the host's thread, and set before the process starts
  process_host::process_id id_ = 0;
};

// Ids of the processes whose environment has this entry, zombies left out.
inline std::vector<pid_t> processes_with(const std::string& entry) {
  std::vector<pid_t> found;
  DIR* folder = ::opendir("/proc");
  while (const dirent* item = ::readdir(folder)) {
    const auto pid = static_cast<pid_t>(std::atoi(item->d_name));
    if (pid <= 0)
      continue;
    std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
    std::stringstream all;
    all << '\0' << file.rdbuf();
    if (all.str().find('\0' + entry + '\0') != std::string::npos)
      found.push_back(pid);
  }
  ::closedir(folder);
  return found;
}

}  // namespace libactor::process
