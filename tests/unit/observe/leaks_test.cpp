// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/leaks.hpp"

#include "database.hpp"
#include "samples.hpp"
#include "supervisors/observe/ledger.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace libactor;
using namespace libactor::tests;
using observe::leak_filter;

namespace {

struct ledger_of_leaks {
  scratch_folder folder;
  std::string path = folder / "leaks.db";

  void add(const std::vector<event>& all) {
    auto sink = *observe::ledger::open(path);
    for (const auto& what : all)
      sink->on_event(what);
  }
  observe::leak_report read(const leak_filter& filter = {}) {
    auto report = observe::read_leaks(path, filter);
    BOOST_REQUIRE_MESSAGE(report, (report ? ""s : caf::to_string(report.error())));
    return *report;
  }
  std::string refusal() {
    const auto report = observe::read_leaks(path);
    BOOST_REQUIRE(!report);
    return caf::to_string(report.error());
  }
};

leak_event overdue_leak(std::uint64_t record, const std::string& path) {
  auto leak = stuck_leak(record, path);
  leak.kind = leak.opened_as = event_kind::overdue;
  leak.stack.clear();
  leak.message_type.clear();
  leak.system_call.clear();
  leak.activity = thread_activity::unknown;
  leak.elapsed = 1s;
  return leak;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(leaks, ledger_of_leaks)

// Each counts its records from 1.
BOOST_AUTO_TEST_CASE(records_of_two_runtimes_that_share_a_ledger_are_two) {
  auto successor = stuck_leak(1, "/shop");
  successor.incarnation = 3;
  auto elsewhere = stuck_leak(1, "/shop");
  elsewhere.actor = 8;
  add({event_of(stuck_leak(1, "/shop")), event_of(overdue_leak(1, "/bank")), event_of(successor), event_of(elsewhere),
       recovery_of(overdue_leak(1, "/bank"), 3s)});
  const auto report = read({.since = std::chrono::system_clock::now() - 1h});
  BOOST_TEST(report.records == 4u);
  BOOST_TEST_REQUIRE(report.groups.size() == 2u);
  BOOST_TEST(report.groups[0].kind == "stuck");
  BOOST_TEST(report.groups[0].open == 3u);
  BOOST_TEST((report.groups[1].paths == observe::tally{{"/bank", 1}}));
  BOOST_TEST(report.groups[1].open == 0u);
}

BOOST_AUTO_TEST_CASE(records_with_the_same_functions_and_derivation_are_one_culprit_the_most_frequent_first) {
  auto elsewhere = stuck_leak(3, "/shop/http");  // another line of the same functions, another address
  elsewhere.stack[0].line = 13;
  elsewhere.stack[1].address = 1;
  auto derived_elsewhere = stuck_leak(5);
  derived_elsewhere.chain[0].where = source_location::current("shop.cpp", 31, "serve");
  add({event_of(stuck_leak(1, "/shop/http", "wait_for(lock&)")), event_of(stuck_leak(2)), event_of(elsewhere),
       recovery_of(stuck_leak(2), 8s), event_of(stuck_leak(4)), event_of(derived_elsewhere)});
  const auto report = read();
  BOOST_TEST(report.records == 5u);
  BOOST_TEST_REQUIRE(report.groups.size() == 3u);
  const auto& first = report.groups[0];
  BOOST_TEST(first.kind == "stuck");
  BOOST_TEST(first.records == 3u);
  BOOST_TEST(first.open == 2u);
  BOOST_TEST((first.longest == 8s));
  BOOST_TEST((first.paths == observe::tally{{"/shop/api", 2}, {"/shop/http", 1}}));
  BOOST_TEST((first.outcomes == observe::tally{{"open", 2}, {"returned", 1}}));
  BOOST_TEST((first.stack == std::vector{"burn(int) at hog.cpp:12"s, "? at /usr/lib/libx.so"s}));
  BOOST_TEST((first.derivation == std::vector{"deadline at shop.cpp:30"s, "boundary"s}));
  BOOST_TEST(report.groups[1].records == 1u);
  BOOST_TEST(report.groups[2].records == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_stack_the_path_and_the_message_tell_culprits_apart_but_not_children_of_a_pool) {
  add({event_of(overdue_leak(1, "/shop/pool/job#1")), event_of(overdue_leak(2, "/shop/pool/job#27")),
       event_of(overdue_leak(3, "/shop/store"))});
  const auto report = read();
  BOOST_TEST_REQUIRE(report.groups.size() == 2u);
  BOOST_TEST((report.groups[0].paths == observe::tally{{"/shop/pool/job#1", 1}, {"/shop/pool/job#27", 1}}));
  BOOST_TEST((report.groups[1].paths == observe::tally{{"/shop/store", 1}}));
}

BOOST_AUTO_TEST_CASE(records_of_two_runs_are_two_though_their_numbers_are_the_same) {
  add({event_of(stuck_leak(1))});
  add({event_of(stuck_leak(1))});
  BOOST_TEST(read().records == 2u);
}

BOOST_AUTO_TEST_CASE(a_filter_takes_records_by_time_kind_and_path) {
  auto undead = stuck_leak(2, "/shop/api/http");
  undead.kind = event_kind::undead;
  add({event_of(stuck_leak(1, "/shop/api")), event_of(stuck_leak(2, "/shop/api/http")), event_of(undead),
       event_of(stuck_leak(3, "/shop/apis")), event_of(overdue_leak(4, "/shop/store"))});
  const auto count = [this](const leak_filter& filter) { return read(filter).records; };
  BOOST_TEST(count({.kind = event_kind::stuck}) == 3u);
  BOOST_TEST(count({.kind = event_kind::undead}) == 1u);
  BOOST_TEST(count({.kind = event_kind::orphan}) == 0u);
  BOOST_TEST(count({.path = "/shop/api"}) == 2u);
  BOOST_TEST(count({.path = "/"}) == 4u);
  BOOST_TEST(count({.kind = event_kind::stuck, .path = "/shop/apis"}) == 1u);
  const auto hour_ago = std::chrono::system_clock::now() - 1h;
  BOOST_TEST(count({.since = hour_ago}) == 4u);
  // Record 2 began before, and was told of again since.
  database(path).query("UPDATE events SET time = time - 7200000000000 WHERE id <= 2");
  BOOST_TEST(count({.since = hour_ago}) == 3u);
  const auto report = read({.since = hour_ago, .path = "/shop/api/http"});
  BOOST_TEST_REQUIRE(report.groups.size() == 1u);
  BOOST_TEST(report.groups[0].kind == "stuck");
  BOOST_TEST((report.groups[0].first < hour_ago));
}

BOOST_AUTO_TEST_CASE(a_report_says_all_of_a_culprit_for_people_and_for_programs) {
  add({event_of(stuck_leak(1)), event_of(stuck_leak(2, "/shop/http")), recovery_of(stuck_leak(2, "/shop/http"), 72s)});
  database(path).query("UPDATE events SET time = 1769903998250000000");
  const std::string expected = R"(2 leaks, 1 culprit

2 x stuck  /shop/api (1), /shop/http (1)
  longest    72s, 1 not over
  told       2026-01-31T23:59:58.250Z to 2026-01-31T23:59:58.250Z
  message    order
  thread     waiting in read
  outcome    open (1), returned (1)
  stack      burn(int) at hog.cpp:12
             ? at /usr/lib/libx.so
  derived    deadline at shop.cpp:30
             boundary
)";
  BOOST_TEST(observe::as_text(read()) == expected);
  const auto all = nlohmann::json::parse(observe::as_json(read()));
  BOOST_TEST(all.at("records") == 2);
  const auto& culprit = all.at("culprits").at(0);
  BOOST_TEST(culprit.at("longest_ns") == 72'000'000'000);
  BOOST_TEST(culprit.at("paths").at(1).at("what") == "/shop/http");
  BOOST_TEST(culprit.at("stack").at(0) == "burn(int) at hog.cpp:12");
  BOOST_TEST(observe::as_text({}) == "0 leaks, 0 culprits\n");
}

BOOST_AUTO_TEST_CASE(long_stacks_and_long_names_are_shortened_for_people_only) {
  auto leak = stuck_leak(1, "/shop/api", std::string(1000, 'x'));
  for (int i = 0; i != 20; ++i)
    leak.stack.push_back({1, "f" + std::to_string(i), "", 0});
  add({event_of(leak)});
  const auto text = observe::as_text(read());
  BOOST_TEST(text.find("stack      " + std::string(75, 'x') + " … " + std::string(61, 'x') + " at hog.cpp:12\n") !=
                 std::string::npos,
             text);
  BOOST_TEST(text.find("             f9\n             and 10 more, which the JSON has\n") != std::string::npos, text);
  BOOST_TEST(nlohmann::json::parse(observe::as_json(read())).at("culprits").at(0).at("stack").size() == 22u);
}

BOOST_AUTO_TEST_CASE(losses_and_rows_that_cant_be_read_are_told) {
  add({event_of(stuck_leak(1))});
  database db(path);
  db.query(
      "INSERT INTO events (run, time, kind, path, record, json) SELECT run, time, 'dropped', '', NULL,"
      " '{\"count\": 41}' FROM events");
  db.query(
      "INSERT INTO events (run, time, kind, path, record, json) SELECT run, time, 'stuck', '/a', 99, 'nonsense'"
      " FROM events WHERE kind = 'stuck'");
  const auto report = read();
  BOOST_TEST(report.records == 1u);
  BOOST_TEST(report.lost == 41u);
  BOOST_TEST(report.unreadable == 1u);
  BOOST_TEST(observe::as_text(report).find(
                 "41 events more were lost: the ledger was too slow\n1 row can't be read\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_ledger_can_be_read_while_it_is_written) {
  auto sink = *observe::ledger::open(path);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    sink->on_event(event_of(stuck_leak(i)));
    sink->flush();
    BOOST_TEST(read().records == i);
  }
}

BOOST_AUTO_TEST_CASE(what_cant_be_read_is_refused_with_the_reason) {
  BOOST_TEST(refusal().find(path + ": no such file") != std::string::npos);
  BOOST_TEST(folder.names().empty());
  std::ofstream(path) << "";
  BOOST_TEST(refusal().find(path + ": is empty, and no ledger") != std::string::npos);
  std::ofstream(path) << "schema: 1\n";
  BOOST_TEST(refusal().find(path + ": is no ledger") != std::string::npos);
  std::filesystem::remove(path);
  database(path).query("CREATE TABLE orders (id INTEGER)");
  BOOST_TEST(refusal().find("is a database of another program, and no ledger") != std::string::npos);
  std::filesystem::remove(path);
  add({});
  database(path).query("UPDATE ledger_schema SET version = 7");
  BOOST_TEST(refusal().find("has schema version 7, and this program knows 1 at most") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
