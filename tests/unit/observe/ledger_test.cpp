// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/ledger.hpp"

#include "database.hpp"
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/worker.hpp"
#include "samples.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/observe/leaks.hpp"
#include "supervisors/runtime.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace libactor;
using namespace libactor::tests;
using observe::ledger;
using observe::ledger_options;

namespace {

struct ledger_folder {
  scratch_folder folder;
  std::string path = folder / "leaks.db";
  std::shared_ptr<recorder> told = std::make_shared<recorder>();

  std::shared_ptr<ledger> open(ledger_options options = {.leaks_only = false}) {
    options.report_to = told;
    auto made = ledger::open(path, options);
    BOOST_REQUIRE_MESSAGE(made, (made ? ""s : caf::to_string(made.error())));
    return *made;
  }
  std::string refusal() {
    const auto made = ledger::open(path);
    BOOST_REQUIRE(!made);
    return caf::to_string(made.error());
  }
  std::vector<std::uint64_t> numbers() {
    std::vector<std::uint64_t> all;
    for (const auto& line : database(path).query("SELECT json FROM events ORDER BY id"))
      all.push_back(nlohmann::json::parse(line).value("count", std::uint64_t{0}));
    return all;
  }
  void write_file(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  std::string read_file() {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

std::vector<std::uint64_t> up_to(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= last; ++i)
    all.push_back(i);
  return all;
}

std::string random_bytes(std::size_t count) {
  std::string all;
  for (std::uint64_t x = 88172645463325252; all.size() < count; all += static_cast<char>(x)) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return all;
}

// While it lives, no file of this process grows beyond `bytes`: the kernel refuses, as it does on a full disk.
class file_limit {
 public:
  explicit file_limit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    was_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  ~file_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, was_);
  }
  file_limit(const file_limit&) = delete;
  file_limit& operator=(const file_limit&) = delete;

 private:
  rlimit before_{};
  void (*was_)(int) = nullptr;
};

// A program of its own that opens the ledger now and then, as one that looks into it does. It is forked before this one
// opens it: SQLite must not be used across a fork.
class other_program {
 public:
  explicit other_program(const std::string& path) {
    BOOST_REQUIRE(::pipe(ask_) == 0);
    BOOST_REQUIRE(::pipe(answer_) == 0);
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(ask_[1]);
      for (char any = 0; ::read(ask_[0], &any, 1) == 1;) {
        const long count = database(path).number("SELECT count(*) FROM events");
        if (::write(answer_[1], &count, sizeof count) != sizeof count)
          break;
      }
      ::_exit(0);
    }
  }
  ~other_program() {
    for (const int fd : {ask_[0], ask_[1], answer_[0], answer_[1]})
      ::close(fd);
    ::waitpid(child_, nullptr, 0);
  }
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;

  long count_of_events() {
    long count = -1;
    BOOST_REQUIRE(::write(ask_[1], "?", 1) == 1);
    BOOST_REQUIRE(::read(answer_[0], &count, sizeof count) == sizeof count);
    return count;
  }

 private:
  int ask_[2] = {}, answer_[2] = {};
  pid_t child_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ledger_, ledger_folder)

BOOST_AUTO_TEST_CASE(events_are_acknowledged_in_order_and_stay) {
  auto sink = open();
  for (std::uint64_t i = 1; i <= 3000; ++i)
    sink->on_event(plain_event(i));
  sink->flush();
  BOOST_TEST(sink->acknowledged() == 3000u);
  BOOST_TEST(numbers() == up_to(3000), boost::test_tools::per_element());
  BOOST_TEST(sink->lost() == 0u);
  BOOST_TEST(sink->failures() == 0u);
  BOOST_TEST(sink->last_error() == "");
  sink = nullptr;
  sink = open();
  sink->on_event(plain_event(3001));
  sink = nullptr;  // commits what is queued
  database db(path);
  BOOST_TEST(db.number("SELECT count(*) FROM events") == 3001);
  BOOST_TEST(db.number("SELECT count(*) FROM runs") == 2);
  BOOST_TEST(db.number("SELECT count(DISTINCT run) FROM events") == 2);
  BOOST_TEST(told->all().empty());
}

BOOST_AUTO_TEST_CASE(by_default_only_leaks_are_kept_each_with_its_number) {
  auto sink = open({});
  sink->on_event(plain_event(1));
  sink->on_event(event_of(stuck_leak(12)));
  sink->on_event(recovery_of(stuck_leak(12), 7s));
  sink->flush();
  BOOST_TEST(sink->acknowledged() == 2u);
  database db(path);
  BOOST_TEST((db.query("SELECT kind || ' ' || path || ' ' || record FROM events ORDER BY id") ==
              std::vector{"stuck /shop/api 12"s, "recovered /shop/api 12"s}));
}

BOOST_AUTO_TEST_CASE(L016_leak_events_that_never_came_are_in_the_ledger_as_a_number) {
  auto sink = open({});
  event dropped;
  dropped.kind = event_kind::dropped;
  dropped.count = 3;
  sink->on_event(dropped);
  dropped.path = "/shop/api";  // a worker's, of other things
  sink->on_event(dropped);
  sink->flush();
  BOOST_TEST(sink->acknowledged() == 1u);
  BOOST_TEST(observe::read_leaks(path).value().lost == 3u);
}

BOOST_AUTO_TEST_CASE(two_programs_may_write_to_one_file) {
  auto one = open(), two = open();
  for (std::uint64_t i = 1; i <= 500; ++i) {
    one->on_event(plain_event(i));
    two->on_event(plain_event(i));
  }
  one->flush();
  two->flush();
  BOOST_TEST(one->acknowledged() == 500u);
  BOOST_TEST(two->acknowledged() == 500u);
  BOOST_TEST(numbers().size() == 1000u);
}

BOOST_AUTO_TEST_CASE(reading_it_in_the_program_that_writes_hides_nothing_from_other_programs) {
  other_program other(path);
  auto sink = open();
  sink->on_event(plain_event(1));
  sink->flush();
  BOOST_TEST(observe::read_leaks(path).engaged());
  const auto second = open();
  BOOST_TEST(other.count_of_events() == 1);
  sink->on_event(plain_event(2));
  sink->flush();
  BOOST_TEST(other.count_of_events() == 2);
}

BOOST_AUTO_TEST_CASE(a_run_that_another_program_forgot_before_it_had_an_event_is_not_taken_for_a_later_one) {
  auto first = open(), second = open();
  first->on_event(plain_event(1));  // and looks at what is old
  first->flush();
  auto third = open();
  second->on_event(plain_event(2));
  second->flush();
  third->on_event(plain_event(3));
  third->flush();
  database db(path);
  BOOST_TEST(db.number("SELECT count(DISTINCT run) FROM events") == 3);
  BOOST_TEST(db.number("SELECT count(*) FROM events WHERE run NOT IN (SELECT id FROM runs)") == 0);
}

BOOST_AUTO_TEST_CASE(what_comes_after_the_file_was_moved_away_is_in_a_new_one) {
  auto sink = open();
  sink->on_event(plain_event(1));
  sink->flush();
  for (const char* suffix : {"-wal", "-shm", ""})
    std::filesystem::rename(path + suffix, path + ".old" + suffix);
  sink->on_event(plain_event(2));
  BOOST_TEST(eventually([&] { return sink->acknowledged() == 2; }));
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{2}));
  path += ".old";
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{1}));
}

BOOST_AUTO_TEST_CASE(events_older_than_the_limit_are_forgotten_and_so_are_runs_without_any) {
  auto sink = open();
  for (std::uint64_t i = 1; i <= 10; ++i)
    sink->on_event(plain_event(i));
  sink = nullptr;
  database(path).query("UPDATE events SET time = time - 3600000000000 WHERE id <= 9");
  ledger_options hourly{.max_age = 1h, .leaks_only = false};
  sink = open(hourly);
  sink->on_event(plain_event(11));
  sink = nullptr;
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{10, 11}));
  database(path).query("UPDATE events SET time = time - 3600000000000");
  sink = open(hourly);
  sink->on_event(plain_event(12));
  sink = nullptr;
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{12}));
  BOOST_TEST(database(path).number("SELECT count(*) FROM runs") == 1);
  hourly.max_age = infinite;
  database(path).query("UPDATE events SET time = 1");
  sink = open(hourly);
  sink->on_event(plain_event(13));
  sink = nullptr;
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{12, 13}));
}

BOOST_AUTO_TEST_CASE(the_file_stays_within_its_size_and_the_newest_events_stay) {
  constexpr std::uint64_t limit = 512 * 1024;
  auto sink = open({.max_bytes = limit, .leaks_only = false});
  auto what = plain_event(0);
  what.text = std::string(500, 'x');
  std::uint64_t largest = 0, largest_journal = 0;
  for (std::uint64_t i = 1; i <= 8000; ++i) {
    what.count = i;
    sink->on_event(what);
    if (i % 400 == 0) {
      sink->flush();
      largest = std::max(largest, std::filesystem::file_size(path));
      largest_journal = std::max(largest_journal, std::filesystem::file_size(path + "-wal"));
    }
  }
  BOOST_TEST(largest <= limit);
  BOOST_TEST(largest > limit / 2);
  BOOST_TEST(largest_journal <= limit / 2);
  const auto left = numbers();
  BOOST_TEST(left.size() > 300u);
  BOOST_TEST(left.back() == 8000u);
  BOOST_TEST(left.back() - left.front() + 1 == left.size());
}

BOOST_AUTO_TEST_CASE(a_file_of_a_newer_library_is_refused_and_left_as_it_is) {
  open();
  database(path).query("UPDATE ledger_schema SET version = 2; PRAGMA wal_checkpoint(TRUNCATE)");
  const auto before = read_file();
  BOOST_TEST(refusal().find(path + ": has schema version 2, and this program knows 1 at most: a newer one wrote it") !=
             std::string::npos);
  BOOST_TEST((read_file() == before));
}

BOOST_AUTO_TEST_CASE(what_is_no_ledger_is_refused_and_left_as_it_is) {
  database(path).query("CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (7)");
  auto before = read_file();
  BOOST_TEST(refusal().find(path + ": is a database of another program, and no ledger") != std::string::npos);
  BOOST_TEST((read_file() == before));
  before = "schema: 1\ntree: {id: shop, children: []}\n";
  write_file(before);
  BOOST_TEST(refusal().find(path + ": is no ledger") != std::string::npos);
  BOOST_TEST((read_file() == before));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  BOOST_TEST(refusal().find(path + ": is no ledger") != std::string::npos);
  BOOST_TEST(caf::to_string(observe::read_leaks(path).error()).find(path + ": is no ledger") != std::string::npos);
  path = "/nowhere/leaks.db";
  BOOST_TEST(refusal().find("/nowhere/leaks.db: unable to open database file: No such file or directory") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_empty_file_becomes_a_ledger) {
  write_file("");
  auto sink = open();
  sink->on_event(plain_event(1));
  sink = nullptr;
  BOOST_TEST((numbers() == std::vector<std::uint64_t>{1}));
}

BOOST_AUTO_TEST_CASE(L018_a_damaged_file_is_kept_aside_and_a_new_one_begun) {
  std::vector<std::string> damages;
  damages.push_back(random_bytes(20'000));
  {
    auto sink = open();
    for (std::uint64_t i = 1; i <= 2000; ++i)
      sink->on_event(plain_event(i));
  }
  const auto whole = read_file();
  damages.push_back(whole.substr(0, whole.size() / 2));
  auto holed = whole;
  holed.replace(whole.size() / 2, 20'000, random_bytes(20'000));
  damages.push_back(holed);
  auto headless = whole;
  headless.replace(0, 4096, std::string(4096, '\0'));
  damages.push_back(headless);
  std::size_t count = 0;
  for (const auto& bytes : damages) {
    write_file(bytes);
    auto sink = open();
    sink->on_event(plain_event(1));
    sink->flush();
    BOOST_TEST(sink->acknowledged() == 1u);
    BOOST_TEST((numbers() == std::vector<std::uint64_t>{1}));
    sink = nullptr;
    BOOST_TEST_REQUIRE(told->all().size() == ++count);
    const auto words = told->all().back();
    BOOST_TEST(words.starts_with("the ledger " + path + " is damaged ("), words);
    const auto at = words.find(path + ".damaged-");
    BOOST_TEST_REQUIRE(at != std::string::npos);
    std::ifstream aside(words.substr(at, words.find(", and a new one") - at), std::ios::binary);
    BOOST_TEST((std::string(std::istreambuf_iterator<char>(aside), {}) == bytes));
  }
}

BOOST_AUTO_TEST_CASE(L018_a_file_that_is_damaged_while_in_use_is_kept_aside_and_nothing_that_comes_then_is_lost) {
  auto sink = open({.max_bytes = 5 * 1024 * 1024, .leaks_only = false});
  auto what = plain_event(0);
  what.text = std::string(2000, 'x');
  std::uint64_t count = 0;
  const auto add = [&](std::uint64_t more) {
    for (const auto last = count + more; count < last;) {
      what.count = ++count;
      sink->on_event(what);
    }
    sink->flush();
  };
  add(1500);  // more than SQLite keeps in memory
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);
    file << random_bytes(2'000'000);
  }
  // SQLite sees it when it reads there: at the latest when old events are forgotten.
  while (told->all().empty() && count < 10'000)
    add(100);
  BOOST_TEST_REQUIRE(!told->all().empty());
  BOOST_TEST(eventually([&] { return sink->acknowledged() == count; }));
  BOOST_TEST(sink->failures() > 0u);
  BOOST_TEST(sink->last_error().find("malformed") != std::string::npos, sink->last_error());
  BOOST_TEST(sink->lost() == 0u);
  BOOST_TEST(numbers().back() == count);
  BOOST_TEST(database(path).query("PRAGMA integrity_check").at(0) == "ok");
}

BOOST_AUTO_TEST_CASE(L018_a_full_disk_is_reported_the_tree_goes_on_and_what_waited_is_kept_once_there_is_room) {
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system system{cfg};
  auto sink = open();
  libactor::runtime tree{system, {.sinks = {sink}}};
  const auto crashes = [](worker*) -> caf::behavior {
    return {[](const std::string&) { throw std::runtime_error(std::string(4000, 'x')); }};
  };
  BOOST_REQUIRE(!tree.start(one_for_one().intensity(1000, 1h).child("a", crashes).tree(10s)));
  const auto crash = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const auto now = tree.find("/root/a");
      BOOST_REQUIRE(now);
      caf::anon_send(*now, "go"s);
      BOOST_REQUIRE(eventually([&] {
        const auto next = tree.find("/root/a");
        return next && *next != *now;
      }));
    }
  };
  crash(1);
  sink->flush();
  BOOST_TEST(sink->failures() == 0u);
  const auto before = sink->acknowledged();
  std::uint64_t meanwhile = 0;
  {
    const file_limit full(std::filesystem::file_size(path + "-wal"));
    crash(20);
    BOOST_TEST(eventually([&] { return sink->failures() >= 2; }));
    BOOST_TEST(sink->last_error() != "");
    meanwhile = sink->acknowledged();
    BOOST_TEST(sink->lost() == 0u);
    BOOST_TEST_REQUIRE(told->all().size() == 1u);  // not once a try
    BOOST_TEST(told->all()[0].starts_with("the ledger " + path + " can't be written, and is tried again: "));
  }
  crash(1);
  BOOST_TEST(eventually([&] { return told->all().size() == 2; }));
  BOOST_TEST(told->all().back() == "the ledger " + path + " works again");
  const auto report = tree.stop();
  BOOST_TEST(report.clean());
  sink->flush();
  // start_asked and started of root and a; of each crash: crashed, restarting, start_asked, started; stop and its end.
  BOOST_TEST(sink->acknowledged() == numbers().size());
  BOOST_TEST(sink->acknowledged() - before >= 21u * 4u);
  BOOST_TEST(meanwhile < sink->acknowledged());
  BOOST_TEST(sink->lost() == 0u);
  BOOST_TEST(database(path).query("PRAGMA integrity_check").at(0) == "ok");
}

BOOST_AUTO_TEST_CASE(L016_a_file_that_another_program_holds_loses_what_has_no_room_and_tells_of_it) {
  auto sink = open({.queue = 100, .leaks_only = false});
  std::uint64_t lost = 0;
  {
    database other(path);
    other.query("BEGIN IMMEDIATE");
    for (std::uint64_t i = 1; i <= 1000; ++i)
      sink->on_event(plain_event(i));
    lost = sink->lost();
    BOOST_TEST(lost >= 900u - 1u);
    BOOST_TEST(eventually([&] { return sink->failures() > 0; }));
    BOOST_TEST(sink->last_error() == "database is locked");
    other.query("COMMIT");
  }
  BOOST_TEST(eventually([&] { return sink->acknowledged() == 1000 - lost; }));
  sink->flush();
  sink = nullptr;
  database db(path);
  BOOST_TEST(db.number("SELECT count(*) FROM events WHERE kind = 'crashed'") == static_cast<long>(1000 - lost));
  // Once, or twice if some were lost before the writer had its first turn.
  const auto told_of = db.query("SELECT json FROM events WHERE kind = 'dropped'");
  BOOST_TEST((told_of.size() == 1 || told_of.size() == 2));
  std::uint64_t told = 0;
  for (const auto& one : told_of)
    told += nlohmann::json::parse(one).at("count").get<std::uint64_t>();
  BOOST_TEST(told == lost);
}

BOOST_AUTO_TEST_SUITE_END()
