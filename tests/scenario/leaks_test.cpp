// SPDX-License-Identifier: BSL-1.0
#include "observe/samples.hpp"
#include "run_of_program.hpp"
#include "supervisors/observe/ledger.hpp"

#include <signal.h>
#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace scenario;
using libactor::tests::event_of;
using libactor::tests::recovery_of;
using libactor::tests::stuck_leak;
using namespace std::chrono_literals;

namespace {

struct kept_leaks {
  scenario::scratch_folder folder;
  std::string ledger = folder.path() + "/shop.db";

  struct outcome {
    int status;
    std::string out, err;
  };
  outcome run(std::vector<std::string> words) {
    run_of_program program(words);
    const int status = program.exit_status();
    return {status, program.out(), program.err()};
  }
  outcome leaks(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"leaks", ledger});
    return run(words);
  }
  void keep(const std::vector<libactor::event>& all) {
    const auto sink = *libactor::observe::ledger::open(ledger);
    for (const auto& what : all)
      sink->on_event(what);
  }
  std::string tree() { return folder.file("tree.yaml", "schema: 1\ntree: {id: t, children: []}\n"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(leaks_, kept_leaks)

BOOST_AUTO_TEST_CASE(the_most_frequent_culprits_come_first_with_their_stacks) {
  keep({event_of(stuck_leak(1, "/shop/http", "wait_for(lock&)")), event_of(stuck_leak(2)), event_of(stuck_leak(3)),
        recovery_of(stuck_leak(3), 8s)});
  const auto text = leaks();
  BOOST_TEST(text.status == ok, text.err);
  BOOST_TEST(text.out.starts_with("3 leaks, 2 culprits\n\n2 x stuck  /shop/api\n  longest    8s, 1 not over\n"),
             text.out);
  BOOST_TEST(text.out.find("stack      burn(int) at hog.cpp:12\n") < text.out.find("wait_for(lock&) at hog.cpp:12\n"));
  const auto all = nlohmann::json::parse(leaks({"--format", "json"}).out);
  BOOST_TEST(all.at("culprits").at(0).at("stack").at(0) == "burn(int) at hog.cpp:12");
  const auto records = [this](std::vector<std::string> filter) {
    filter.insert(filter.end(), {"--format", "json"});
    return nlohmann::json::parse(leaks(filter).out).at("records").get<int>();
  };
  BOOST_TEST(records({"--since", "1h"}) == 3);
  BOOST_TEST(records({"--since", "0s"}) == 0);
  BOOST_TEST(records({"--kind", "stuck", "--path", "/shop/http"}) == 1);
  BOOST_TEST(records({"--kind", "orphan"}) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_ledger_is_said_to_be_none) {
  BOOST_TEST(leaks().status == bad_file);
  BOOST_TEST(leaks().err == "actortree: cannot_open_file: " + ledger + ": no such file\n");
  ledger = tree();
  BOOST_TEST(leaks().err == "actortree: cannot_open_file: " + ledger + ": is no ledger\n");
  const auto refused = run({"run", tree(), "--ledger", ledger});
  BOOST_TEST(refused.status == bad_file);
  BOOST_TEST(refused.err == "actortree: cannot_open_file: " + ledger + ": is no ledger\n");
  for (const auto& words : {std::vector<std::string>{"--since", "soon"}, {"--kind", "crashed"}, {"--path", "shop"}})
    BOOST_TEST(leaks(words).status == usage);
}

BOOST_AUTO_TEST_CASE(a_run_begins_a_ledger_anew_where_the_old_one_is_damaged_and_says_so) {
  folder.file("shop.db", std::string(5000, '\0'));
  const auto ran = run({"run", tree(), "--for", "10ms", "--log", "json", "--ledger", ledger});
  BOOST_TEST(ran.status == ok, ran.err);
  BOOST_TEST(ran.out.find("the ledger " + ledger + " is damaged (file is not a database): kept as ") !=
             std::string::npos);
  BOOST_TEST(leaks().out == "0 leaks, 0 culprits\n");
}

BOOST_AUTO_TEST_SUITE_END()
