// SPDX-License-Identifier: BSL-1.0
#include "event_log.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <future>
#include <string>
#include <thread>

namespace {

// Standard output as a pipe that nobody reads unless `read` is called.
class held_output {
 public:
  held_output() : before_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);  // what the test's own log has said so far
    BOOST_TEST_REQUIRE(::pipe(ends_) == 0);
    ::dup2(ends_[1], STDOUT_FILENO);
    ::close(ends_[1]);
  }
  ~held_output() {
    close();
    ::close(ends_[0]);
  }
  // Nothing more comes.
  void close() {
    if (before_ < 0)
      return;
    ::dup2(before_, STDOUT_FILENO);
    ::close(std::exchange(before_, -1));
  }
  // All, until it is closed.
  std::string read_all() const {
    std::string all;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(ends_[0], buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(count));
    return all;
  }
  // How many bytes wait in it.
  int waiting() const {
    int count = 0;
    ::ioctl(ends_[0], FIONREAD, &count);
    return count;
  }
  // At least so many bytes.
  std::string read(std::size_t bytes) const {
    std::string all;
    char buffer[4096];
    while (all.size() < bytes) {
      const auto count = ::read(ends_[0], buffer, sizeof buffer);
      BOOST_TEST_REQUIRE(count > 0);
      all.append(buffer, static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  int before_;
  int ends_[2] = {};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(event_log_)

// The report of a stop that left somebody behind is the last that such a program says.
BOOST_AUTO_TEST_CASE(a_flush_waits_for_all_that_was_said_however_often_it_was_called_before) {
  const held_output output;
  const std::string much(200'000, 'x');  // more than a pipe holds
  actortree::event_log log{actortree::log_format::text};
  log.say("first");
  log.flush();
  log.say(much);
  log.say("last");
  auto flushed = std::async(std::launch::async, [&log] { log.flush(); });
  BOOST_TEST((flushed.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout));
  const auto all =
      output.read(much.size() + std::string("00:00:00.000  first\n00:00:00.000  \n00:00:00.000  last\n").size());
  flushed.get();
  BOOST_TEST(all.substr(12, 8) == "  first\n");
  BOOST_TEST(all.ends_with("  last\n"));
}

BOOST_AUTO_TEST_CASE(lines_that_were_lost_take_no_room_from_those_that_come_later) {
  held_output output;
  actortree::event_log log{actortree::log_format::text};
  for (int i = 0; i < 120'000; ++i)
    log.say(std::string(200, 'x'));
  const bool had_room = log.has_room();
  auto all = std::async(std::launch::async, [&] { return output.read_all(); });
  const bool written = log.drain();
  const bool has_room = log.has_room();
  output.close();
  all.get();
  BOOST_TEST(log.lost() > 50'000u);
  BOOST_TEST(!had_room);
  BOOST_TEST(written);
  BOOST_TEST(has_room);
}

// As a terminal is, or a pipe, that another program has made so.
BOOST_AUTO_TEST_CASE(an_output_that_does_not_block_loses_nothing) {
  held_output output;
  ::fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
  constexpr int count = 3000;
  actortree::event_log log{actortree::log_format::text};
  for (int i = 0; i < count; ++i)
    log.say(std::string(100, 'x'));
  while (output.waiting() < 60'000)
    std::this_thread::yield();
  auto all = std::async(std::launch::async, [&] { return output.read_all(); });
  BOOST_TEST(log.drain());
  output.close();
  const auto text = all.get();
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == count);
  BOOST_TEST(log.lost() == 0u);
}

BOOST_AUTO_TEST_CASE(lines_that_a_full_disk_does_not_take_are_counted) {
  held_output output;
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  BOOST_TEST_REQUIRE(::dup2(full, STDOUT_FILENO) == STDOUT_FILENO);
  ::close(full);
  actortree::event_log log{actortree::log_format::text};
  log.say("one");
  log.say("two");
  BOOST_TEST(log.drain());
  output.close();
  BOOST_TEST(log.lost() == 2u);
}

BOOST_AUTO_TEST_CASE(an_event_and_an_act_are_one_line_each_whatever_is_in_them) {
  held_output output;
  actortree::event_log log{actortree::log_format::text};
  libactor::event what;
  what.kind = libactor::event_kind::crashed;
  what.path = "/t/a";
  what.reason = "boom\n12:00:00.000  stopped      /t/b";
  log.on_event(what);
  log.audit("stop", "/t/a\r\n12:00:00.000  audit        shutdown\x1b[1K", "joe", 7, 8, "refused: there is no \n");
  BOOST_TEST(log.drain());
  output.close();
  const auto text = output.read_all();
  BOOST_TEST(text.substr(12, 60) ==
             "  crashed      /t/a: boom\\n12:00:00.000  stopped      /t/b\n" + text.substr(71, 1));
  BOOST_TEST(text.ends_with("  audit        stop /t/a??12:00:00.000  audit        shutdown?[1K by joe (uid 7, pid 8): "
                            "refused: there is no ?\n"),
             text);
}

BOOST_AUTO_TEST_SUITE_END()
