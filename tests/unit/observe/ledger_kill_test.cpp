// SPDX-License-Identifier: BSL-1.0
#include "database.hpp"
#include "samples.hpp"
#include "supervisors/observe/ledger.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>
#include <thread>

using namespace libactor;
using namespace libactor::tests;
using observe::ledger;

namespace {

constexpr std::uint64_t events_of_a_run = 10'000;

// The child's whole life: hands over `most` events of its run, and tells through `out` how many are acknowledged.
[[noreturn]] void hand_over(const std::string& path, std::uint64_t most, int out) {
  auto sink = ledger::open(path, {.queue = events_of_a_run, .leaks_only = false});
  if (!sink)
    ::_exit(1);
  std::thread events([&] {
    for (std::uint64_t i = 1; i <= most; ++i) {
      // A part is always on its way, so that the kill meets a commit.
      while (i > (*sink)->acknowledged() + 600)
        std::this_thread::yield();
      (*sink)->on_event(i % 10 == 0 ? event_of(stuck_leak(i)) : plain_event(i));
    }
  });
  for (std::uint64_t told = 0;;) {
    if (const auto now = (*sink)->acknowledged(); now != told) {
      told = now;
      if (::write(out, &told, sizeof told) != sizeof told)
        ::_exit(2);
    }
  }
}

struct ledger_content {
  std::string check;
  std::vector<std::uint64_t> numbers;  // of the last run, in order
};

ledger_content read_back(const std::string& path) {
  database db(path);
  ledger_content all;
  all.check = db.query("PRAGMA integrity_check").at(0);
  for (const auto& line : db.query("SELECT json FROM events WHERE run = (SELECT max(id) FROM runs) ORDER BY id")) {
    const auto one = nlohmann::json::parse(line);
    all.numbers.push_back(one.contains("leak") ? one.at("leak").at("record").get<std::uint64_t>()
                                               : one.at("count").get<std::uint64_t>());
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ledger_kill)

BOOST_AUTO_TEST_CASE(L017_every_acknowledged_event_is_there_after_kill_9_in_the_middle_and_the_file_opens) {
  const scratch_folder folder;
  const auto path = folder / "leaks.db";
  // One file for all: each run also opens what the kill before it left.
  for (const std::uint64_t enough : {1, 800, 2500, 5000, 7777, 9300}) {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0)
      hand_over(path, enough + 600, ends[1]);
    ::close(ends[1]);
    std::uint64_t acknowledged = 0;
    while (acknowledged < enough && ::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    // What it still told before it was gone counts, too.
    while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(ends[0]);
    BOOST_TEST(acknowledged >= enough);
    BOOST_TEST(acknowledged < events_of_a_run);  // it was in the middle
    const auto left = read_back(path);
    BOOST_TEST(left.check == "ok");
    BOOST_TEST(left.numbers.size() >= acknowledged);
    for (std::size_t i = 0; i < left.numbers.size(); ++i)
      BOOST_TEST_REQUIRE(left.numbers[i] == i + 1);
  }
  const auto again = ledger::open(path);
  BOOST_TEST(again.engaged());
  BOOST_TEST((folder.names() == std::vector{"leaks.db"s, "leaks.db-shm"s, "leaks.db-wal"s}));
}

BOOST_AUTO_TEST_SUITE_END()
