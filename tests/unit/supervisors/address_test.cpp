// SPDX-License-Identifier: BSL-1.0
// A child's stable address across its incarnations.
#include "workers.hpp"

using namespace libactor;
using namespace libactor::tests;

namespace {

// Answers with its number, counted over all incarnations; ends as it is told.
auto numbered(std::shared_ptr<int> started) {
  return [started](worker* self) -> caf::behavior {
    const int number = ++*started;
    return {[self, number](const std::string& what) {
              if (what == "end")
                self->finish(caf::make_error(caf::sec::invalid_argument));
              return number;
            },
            [number](int) { return number; }};
  };
}

constexpr backoff_spec delay{.min = 3s, .max = 3s, .factor = 1, .jitter = 0, .reset_after = {}};

struct answer_notes {
  lines answers;  // written to until the world has ended
};

struct address_world : answer_notes, world {
  std::shared_ptr<int> started = std::make_shared<int>(0);

  caf::actor ref(std::string_view path) {
    auto found = runtime().ref(path);
    BOOST_REQUIRE_MESSAGE(found, "no address of " << path);
    return *found;
  }
  void send_request(const caf::actor& whom) {
    system().spawn([this, whom](caf::event_based_actor* self) {
      self->request(whom, caf::infinite, 1)
          .then([this](int number) { answers.push_back(std::to_string(number)); },
                [this](caf::error& e) { answers.push_back(describe(e)); });
    });
  }
  void ask_for_number(const caf::actor& whom) {
    send_request(whom);
    settle();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_FIXTURE_TEST_CASE(W013_R18_an_address_reaches_the_successor, address_world) {
  start_ok(one_for_one().intensity(5, 1s).child("a", numbered(started)).tree());
  const auto a = ref("/root/a");
  BOOST_TEST((a == ref("/root/a")));
  ask_for_number(a);
  caf::anon_send(a, "end"s);
  settle();
  ask_for_number(a);
  BOOST_TEST(answers == (lines{"1", "2"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W013_R18_while_there_is_no_incarnation_it_refuses_and_says_so, address_world) {
  start_ok(one_for_one().intensity(5, 1h).child("a", numbered(started)).delays(delay).tree());
  const auto a = ref("/root/a");
  caf::anon_send(a, "end"s);
  settle();
  ask_for_number(a);
  BOOST_TEST(answers == lines{"no_incarnation: /root/a"}, boost::test_tools::per_element());
  caf::anon_send(a, 1);
  caf::anon_send(a, 2);
  advance(3s);
  ask_for_number(a);
  BOOST_TEST(answers.back() == "2");
  std::uint64_t dropped = 0;
  for (const auto& what : events())
    dropped += what.kind == event_kind::dropped && what.path == "/root/a" ? what.count : 0;
  BOOST_TEST(dropped == 2u);
}

BOOST_FIXTURE_TEST_CASE(W013_R18_an_end_that_its_supervisor_has_not_heard_of_is_no_incarnation_either, address_world) {
  start_ok(one_for_one().intensity(5, 1h).child("a", numbered(started)).delays(delay).tree());
  const auto a = ref("/root/a");
  caf::anon_send(a, "end"s);
  send_request(a);
  // It has ended when the request is made; its supervisor hears of that afterwards.
  settle();
  BOOST_TEST(answers == lines{"no_incarnation: /root/a"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W013_R18_where_it_holds_requests_wait_for_the_successor_in_order, address_world) {
  auto seen = std::make_shared<std::vector<int>>();
  auto keeps = [seen](worker* self) -> caf::behavior {
    return {[self](const std::string&) { self->finish(caf::make_error(caf::sec::invalid_argument)); },
            [seen](int x) {
              seen->push_back(x);
              return x;
            }};
  };
  start_ok(one_for_one().intensity(5, 1h).child("a", keeps).delays(delay).address_hold(5s).tree());
  const auto a = ref("/root/a");
  caf::anon_send(a, "end"s);
  settle();
  ask_for_number(a);
  for (int i = 2; i != 6; ++i)
    caf::anon_send(a, i);
  advance(2999ms);
  BOOST_TEST(answers.empty());
  advance(1ms);
  BOOST_TEST(answers == lines{"1"}, boost::test_tools::per_element());
  BOOST_TEST(*seen == (std::vector<int>{1, 2, 3, 4, 5}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W013_R18_and_no_longer_than_the_stated_bound, address_world) {
  start_ok(one_for_one().intensity(5, 1h).child("a", numbered(started)).delays(delay).address_hold(1s).tree());
  const auto a = ref("/root/a");
  caf::anon_send(a, "end"s);
  settle();
  ask_for_number(a);
  advance(500ms);
  ask_for_number(a);
  advance(499ms);
  BOOST_TEST(answers.empty());
  advance(1ms);
  BOOST_TEST(answers.size() == 1u);
  advance(500ms);
  BOOST_TEST(answers == (lines{"no_incarnation: /root/a", "no_incarnation: /root/a"}),
             boost::test_tools::per_element());
  advance(1s);
  ask_for_number(a);
  advance(500ms);
  BOOST_TEST(answers.back() == "2");
}

BOOST_FIXTURE_TEST_CASE(W013_R18_a_kill_and_a_restart_of_the_group_change_nothing_for_those_who_have_it,
                        address_world) {
  start_ok(one_for_all().intensity(5, 1h).child("a", numbered(started)).child("b", ordinary).tree());
  const auto a = ref("/root/a");
  tell("/root/b", "error");
  ask_for_number(a);
  caf::anon_send_exit(at("/root/a"), caf::exit_reason::kill);
  settle();
  ask_for_number(a);
  BOOST_TEST(answers == (lines{"2", "3"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R18_an_address_may_be_had_before_its_child_has_started, address_world) {
  caf::actor later;
  auto sends = [&later, this](child_start& start) {
    auto found = start.ref("/root/b");
    BOOST_REQUIRE(found);
    later = *found;
    return start.spawn([this, &later](worker* self) {
      self->request(later, infinite, 1).then([this](int x) { answers.push_back(std::to_string(x)); });
      return ordinary(self);
    });
  };
  start_ok(one_for_one().child_started_by("a", sends).child("b", numbered(started)).address_hold(1s).tree());
  BOOST_TEST(answers == lines{"1"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R18_its_supervisor_gives_it_too, address_world) {
  start_ok(one_for_one()
               .child(one_for_one("b").child("a", numbered(started)))
               .dynamic("pool", worker_spec("w", numbered(started)))
               .tree());
  const auto given = ask<caf::actor>("/root/b", supervisor_verb::address_of("a"));
  BOOST_REQUIRE(given);
  BOOST_REQUIRE(*given);
  BOOST_TEST((**given == ref("/root/b/a")));
  const auto none = ask<caf::actor>("/root/b", supervisor_verb::address_of("nobody"));
  BOOST_REQUIRE(none);
  BOOST_TEST((errc_of(none->error()) == errc::not_found));
  const auto one = ask<caf::actor>("/root/pool", supervisor_verb::start_child());
  BOOST_REQUIRE(*one);
  ask_for_number(ref("/root/pool/w#1"));
  BOOST_TEST(answers == lines{"2"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R18_only_paths_of_the_tree_have_addresses, address_world) {
  BOOST_TEST(!runtime().ref("/root/a"));
  start_ok(one_for_one().child("a", numbered(started)).tree());
  const auto none = runtime().ref("/root/stoer");
  BOOST_REQUIRE(!none);
  BOOST_TEST(describe(none.error()) == "not_found: the tree has no /root/stoer");
}

BOOST_FIXTURE_TEST_CASE(R18_find_tells_a_child_without_an_incarnation_from_a_path_of_nobody, address_world) {
  const auto why = [this](std::string_view path) {
    const auto found = runtime().find(path);
    return found ? "found"s : describe(found.error());
  };
  BOOST_TEST(why("/root/a") == "not_found: nobody runs at /root/a");
  start_ok(one_for_one().intensity(5, 1h).child("a", numbered(started)).delays(delay).tree());
  BOOST_TEST(why("/root/a") == "found");
  BOOST_TEST(why("/root/b") == "not_found: nobody runs at /root/b");
  tell("/root/a", "end");
  BOOST_TEST(why("/root/a") == "no_incarnation: /root/a");
  advance(3s);
  BOOST_TEST(why("/root/a") == "found");
}

BOOST_FIXTURE_TEST_CASE(R18_of_a_dynamic_supervisors_children_only_numbered_ones_have_paths, address_world) {
  start_ok(one_for_one().dynamic("pool", worker_spec("w", numbered(started))).tree());
  BOOST_TEST(runtime().ref("/root/pool/w#1").engaged());
  for (const auto* path : {"/root/pool/w", "/root/pool/w#", "/root/pool/w#x", "/root/pool/v#1"}) {
    const auto why = errc_of(runtime().find(path).error());
    BOOST_TEST((why == errc::not_found), path);
    BOOST_TEST(!runtime().ref(path), path);
  }
}

BOOST_FIXTURE_TEST_CASE(W013_R18_an_address_that_is_asked_for_during_the_start_leads_to_nobody_before_it_is_up,
                        address_world) {
  const auto slow = [](worker* self) -> caf::behavior {
    self->after(2s, [self] { self->ready(); });
    return {[](int) { return 1; }};
  };
  start(one_for_one().child("a", slow).awaits_ready().tree());
  const auto a = ref("/root/a");
  ask_for_number(a);
  BOOST_TEST(answers == lines{"no_incarnation: /root/a"}, boost::test_tools::per_element());
  advance(2s);
  ask_for_number(a);
  BOOST_TEST(answers.back() == "1");
}

BOOST_FIXTURE_TEST_CASE(R18_when_the_tree_has_ended_its_addresses_refuse_at_once, address_world) {
  start_ok(one_for_one().intensity(5, 1h).child("a", numbered(started)).delays(delay).address_hold(1h).tree());
  const auto a = ref("/root/a");
  caf::anon_send(a, "end"s);
  settle();
  ask_for_number(a);
  BOOST_TEST(answers.empty());
  stop();
  BOOST_TEST(runtime().wait_ended(0s));
  settle();
  BOOST_TEST(answers == lines{"no_incarnation: /root/a"}, boost::test_tools::per_element());
  ask_for_number(a);
  BOOST_TEST(answers.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
