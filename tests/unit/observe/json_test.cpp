// SPDX-License-Identifier: BSL-1.0
#include "samples.hpp"
#include "supervisors/observe/event_json.hpp"
#include "supervisors/observe/json_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

using namespace libactor;
using namespace libactor::tests;
using observe::json_lines;

namespace {

// 2026-01-31T23:59:58.250Z
const observe::wall_time evening{std::chrono::milliseconds(1769903998250)};

std::vector<nlohmann::json> lines_of(const std::string& path) {
  std::vector<nlohmann::json> all;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    all.push_back(nlohmann::json::parse(line));
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(a_plain_event_has_what_there_is_to_say) {
  auto what = plain_event(3);
  what.reason = "runtime_error: \"boom\"\xff";
  what.elapsed = 5us;
  BOOST_TEST(observe::to_json(what, evening) ==
             R"({"time":"2026-01-31T23:59:58.250Z","event":"crashed","path":"/shop/api","actor":7,"incarnation":2,)"
             "\"reason\":\"runtime_error: \\\"boom\\\"\xEF\xBF\xBD\",\"elapsed_ns\":5000,\"count\":3}");
  BOOST_TEST(observe::to_json(event{}, evening) ==
             R"({"time":"2026-01-31T23:59:58.250Z","event":"note","path":"","actor":0,"incarnation":0})");
}

BOOST_AUTO_TEST_CASE(a_leak_event_has_its_whole_record_with_relative_times) {
  auto leak = stuck_leak(9);
  leak.children = 4;
  leak.restarts = 5;
  // (A macro's arguments can't hold these strings.)
  const std::string expected =
      R"+({"time":"2026-01-31T23:59:58.250Z","event":"stuck","path":"/shop/api","actor":7,"incarnation":2,)+"
      R"+("text":"in the handler of order","elapsed_ns":5000000000,"trace":"ab000000000000000000000000000000",)+"
      R"+("leak":{"record":9,"opened_as":"stuck","outcome":"open","message_type":"order","thread":4711,)+"
      R"+("activity":"waiting","system_call":"read","mailbox":3,"children":4,"restarts":5,)+"
      R"+("stack":[{"address":"0x1234","function":"burn(int)","file":"hog.cpp","line":12},)+"
      R"+({"address":"0xabcd","file":"/usr/lib/libx.so"}],)+"
      R"+("context":[{"kind":"deadline","file":"shop.cpp","line":30,"function":"serve","left_ns":-1000000000,)+"
      R"+("cause":"late"},{"kind":"boundary"}],"left_ns":-1000000000,"cause":"late",)+"
      R"+("steps":[{"rung":"notice","after_ns":5000000000},{"rung":"look","after_ns":5001000000}],)+"
      R"+("blocked_behind":["/shop/store"]}})+";
  BOOST_TEST(observe::to_json(event_of(leak), evening) == expected);
}

BOOST_AUTO_TEST_CASE(lines_are_appended_in_order_and_are_all_there_after_a_flush) {
  const scratch_folder folder;
  const auto path = folder / "events.jsonl";
  std::ofstream(path) << "{\"earlier\": true}\n";
  auto sink = *json_lines::open(path);
  for (std::uint64_t i = 1; i <= 5000; ++i)
    sink->on_event(plain_event(i));
  sink->flush();
  const auto lines = lines_of(path);
  BOOST_TEST_REQUIRE(lines.size() == 5001u);
  for (std::uint64_t i = 1; i <= 5000; ++i)
    BOOST_TEST_REQUIRE(lines[i].at("count") == i);
  sink->on_event(plain_event(5001));
  sink = nullptr;
  BOOST_TEST(lines_of(path).size() == 5002u);
}

BOOST_AUTO_TEST_CASE(L016_a_file_that_takes_nothing_loses_events_which_are_counted_and_told_and_holds_up_nobody) {
  const scratch_folder folder;
  const auto path = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  BOOST_REQUIRE(reader >= 0);
  auto sink = *json_lines::open(path, {.queue = 1000});
  // More than the pipe and the queue take: the writer hangs in `write` all the while.
  constexpr std::uint64_t count = 20'000;
  for (std::uint64_t i = 1; i <= count; ++i)
    sink->on_event(plain_event(i));
  const auto lost = sink->lost();
  BOOST_TEST(lost > 0u);
  BOOST_TEST(lost <= count - 1000);
  std::string text;
  std::atomic<bool> closed = false;
  std::thread draining([&] {
    for (bool last = false; !last;) {
      last = closed;  // what is read after this is all there is
      char buffer[65536];
      for (ssize_t got = 0; (got = ::read(reader, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
      std::this_thread::yield();
    }
  });
  sink = nullptr;  // writes what waits, as fast as it is read
  closed = true;
  draining.join();
  std::uint64_t written = 0, told = 0, last = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto one = nlohmann::json::parse(line);
    if (one.at("event") == "dropped") {
      told += one.at("count").get<std::uint64_t>();
      continue;
    }
    ++written;
    BOOST_TEST_REQUIRE(one.at("count").get<std::uint64_t>() > last);
    last = one.at("count").get<std::uint64_t>();
  }
  BOOST_TEST(told == lost);
  BOOST_TEST(written == count - lost);
  ::close(reader);
}

BOOST_AUTO_TEST_CASE(a_line_that_a_killed_program_left_unfinished_spoils_no_other) {
  const scratch_folder folder;
  const auto path = folder / "events.jsonl";
  std::ofstream(path) << "{\"event\": \"earlier\"}\n{\"time\": \"2026-0";
  auto sink = *json_lines::open(path);
  sink->on_event(plain_event(1));
  sink->on_event(plain_event(2));
  sink = nullptr;
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  BOOST_TEST_REQUIRE(lines.size() == 4u);
  BOOST_TEST(lines[1] == "{\"time\": \"2026-0");
  BOOST_TEST(nlohmann::json::parse(lines[2]).at("count") == 1);
  BOOST_TEST(nlohmann::json::parse(lines[3]).at("count") == 2);
}

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_any_more_is_a_failure_and_no_signal) {
  const scratch_folder folder;
  const auto path = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  auto sink = *json_lines::open(path);
  ::close(reader);
  sink->on_event(plain_event(1));
  sink->flush();
  BOOST_TEST(sink->failures() > 0u);
  BOOST_TEST(sink->last_error() == "Broken pipe");
}

BOOST_AUTO_TEST_CASE(L018_a_full_device_is_reported_and_counted) {
  auto sink = *json_lines::open("/dev/full");
  sink->on_event(plain_event(1));
  sink->flush();
  BOOST_TEST(sink->failures() > 0u);
  BOOST_TEST(sink->last_error() == "No space left on device");
  BOOST_TEST(sink->lost() == 0u);  // it still waits
}

BOOST_AUTO_TEST_CASE(a_file_that_cant_be_opened_is_an_error_with_the_reason) {
  const auto sink = json_lines::open("/nowhere/events.jsonl");
  BOOST_REQUIRE(!sink);
  BOOST_TEST(caf::to_string(sink.error()).find("/nowhere/events.jsonl: No such file or directory") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
