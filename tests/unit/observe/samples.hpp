// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/leak_event.hpp"

#include <boost/test/unit_test.hpp>

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace libactor::tests {

using namespace std::chrono_literals;
using namespace std::string_literals;

// No wait ends by time unless something is broken.
inline constexpr auto generous = 30s;

template <class Condition>
bool eventually(Condition condition) {
  for (const auto end = std::chrono::steady_clock::now() + generous; std::chrono::steady_clock::now() < end;) {
    if (condition())
      return true;
    std::this_thread::sleep_for(1ms);
  }
  return condition();
}

struct scratch_folder {
  scratch_folder() {
    auto name = (std::filesystem::temp_directory_path() / "observe-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~scratch_folder() { std::filesystem::remove_all(path); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  // Names of what is in it, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string path;
};

struct recorder final : event_sink {
  void on_event(const event& what) noexcept override {
    std::lock_guard guard{mutex};
    texts.push_back(what.text);
  }
  std::vector<std::string> all() const {
    std::lock_guard guard{mutex};
    return texts;
  }
  mutable std::mutex mutex;
  std::vector<std::string> texts;
};

inline event plain_event(std::uint64_t number) {
  event what;
  what.kind = event_kind::crashed;
  what.path = "/shop/api";
  what.actor = 7;
  what.incarnation = 2;
  what.count = number;
  return what;
}

// A record that was noticed 5 s into a handler and looked at.
inline leak_event stuck_leak(std::uint64_t record, const std::string& path = "/shop/api",
                             const std::string& function = "burn(int)") {
  leak_event leak;
  leak.record = record;
  leak.path = path;
  leak.actor = 7;
  leak.incarnation = 2;
  leak.since = time_point{10s};
  leak.at = time_point{15s};
  leak.elapsed = 5s;
  leak.message_type = "order";
  leak.thread = 4711;
  leak.activity = thread_activity::waiting;
  leak.system_call = "read";
  leak.stack = {{0x1234, function, "hog.cpp", 12}, {0xabcd, "", "/usr/lib/libx.so", 0}};
  leak.mailbox = 3;
  leak.chain = {{context_kind::deadline, source_location::current("shop.cpp", 30, "serve"), time_point{14s}, "late"},
                {context_kind::boundary, {}, {}, ""}};
  leak.deadline = time_point{14s};
  leak.cause = "late";
  leak.trace.bytes[0] = 0xab;
  leak.steps = {{leak_rung::notice, time_point{15s}}, {leak_rung::look, time_point{15s + 1ms}}};
  leak.blocked_behind = {"/shop/store"};
  leak.text = "in the handler of order";
  return leak;
}

inline event event_of(leak_event leak) {
  event what;
  what.kind = leak.kind;
  what.at = leak.at;
  what.path = leak.path;
  what.actor = leak.actor;
  what.incarnation = leak.incarnation;
  what.elapsed = leak.elapsed;
  what.text = leak.text;
  what.leak = std::make_shared<const leak_event>(std::move(leak));
  return what;
}

// Its end, so long after it began.
inline event recovery_of(leak_event leak, duration elapsed, leak_outcome outcome = leak_outcome::returned) {
  leak.kind = event_kind::recovered;
  leak.elapsed = elapsed;
  leak.at = leak.since + elapsed;
  leak.outcome = outcome;
  leak.stack.clear();
  return event_of(std::move(leak));
}

}  // namespace libactor::tests
