// SPDX-License-Identifier: BSL-1.0
#include "event_log.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <future>
#include <string>

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
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
    ::close(ends_[0]);
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

BOOST_AUTO_TEST_SUITE_END()
