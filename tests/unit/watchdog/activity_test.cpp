// SPDX-License-Identifier: BSL-1.0
// What a watched worker writes of itself at each message.
#include "watch_list.hpp"
#include "workers.hpp"

#include <caf/message_builder.hpp>

using namespace libactor;
using namespace libactor::tests;

namespace {

struct watched_world : world {
  using world::world;

  struct sight {
    std::string type;
    std::uint64_t backlog;
  };
  std::vector<sight> seen;

  void look(const worker* self) {
    const auto& cell = self->line().activity;
    seen.push_back({detail::message_of(cell), cell.backlog});
  }
  // Looks at its own cell in each handler.
  auto looker() {
    return [this](worker* self) -> caf::behavior {
      return {[this, self](int) { look(self); },
              [this, self](const std::string&) { look(self); },
              [this, self](double, int) { look(self); },
              [this, self](double, const std::string&) { look(self); },
              [this, self] { look(self); },
              [this, self](const caf::actor& whom) {
                self->request(whom, caf::infinite, 1).then([this, self](long) { look(self); });
              }};
    };
  }
  std::vector<std::string> types() const {
    std::vector<std::string> all;
    for (const auto& one : seen)
      all.push_back(one.type);
    return all;
  }
};

constexpr watch_spec some_watch{.stuck_after = 1h};

}  // namespace

BOOST_AUTO_TEST_SUITE(activity)

BOOST_FIXTURE_TEST_CASE(L001_the_type_of_the_message_in_hand_is_that_of_its_first_value_in_whatever_it_came,
                        watched_world) {
  start_ok(one_for_one().child("a", looker()).watch(some_watch).tree());
  const auto a = at("/root/a");
  caf::anon_send(a, 1);
  caf::anon_send(a, 2);
  caf::anon_send(a, std::string("text"));
  caf::anon_send(a, 3);
  caf::anon_send(a, 1.5, 3);
  caf::anon_send(a, 1.5, std::string("text"));
  caf::anon_send(a, caf::make_message(4));
  caf::anon_send(a, caf::make_message(std::string("text")));
  caf::anon_send(a, caf::make_message(5));
  caf::anon_send(a, caf::message{});
  caf::anon_send(a, 6);
  settle();
  BOOST_TEST(types() == (std::vector<std::string>{"int", "int", "std::string", "int", "double", "double", "int",
                                                  "std::string", "int", "a message", "int"}),
             boost::test_tools::per_element());
}

// Their classes do not tell what is in them.
BOOST_FIXTURE_TEST_CASE(L001_messages_that_are_put_together_at_run_time_are_looked_into_each_time, watched_world) {
  start_ok(one_for_one().child("a", looker()).watch(some_watch).tree());
  const auto a = at("/root/a");
  const auto built = [](auto... xs) {
    caf::message_builder all;
    (all.append(xs), ...);
    return all.to_message();
  };
  for (int i = 0; i != 2; ++i) {
    caf::anon_send(a, built(i));
    caf::anon_send(a, built(std::string("text")));
    caf::anon_send(a, caf::make_message(1.5) + caf::make_message(i));
    caf::anon_send(a, caf::make_message(std::string("text"), 1).take(1));
    caf::anon_send(a, caf::make_message(std::string("text"), 1).drop(1));
  }
  settle();
  std::vector<std::string> once{"int", "std::string", "double", "std::string", "int"};
  auto twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  BOOST_TEST(types() == twice, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(L001_an_answer_is_named_as_any_message, watched_world) {
  const auto answers = [](worker*) -> caf::behavior { return {[](int) { return 7L; }}; };
  start_ok(one_for_one().child("b", answers).child("a", looker()).watch(some_watch).tree());
  caf::anon_send(at("/root/a"), at("/root/b"));
  settle();
  BOOST_TEST(types() == (std::vector<std::string>{"long"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(L006_the_backlog_is_what_stands_behind_the_message_in_hand, watched_world) {
  start_ok(one_for_one().child("a", looker()).watch(some_watch).tree());
  for (int i = 0; i != 5; ++i)
    caf::anon_send(at("/root/a"), i);
  settle();
  BOOST_REQUIRE(seen.size() == 5u);
  for (std::size_t i = 0; i != 5; ++i)
    BOOST_TEST(seen[i].backlog == 4 - i);
}

BOOST_FIXTURE_TEST_CASE(L006_messages_that_a_worker_skips_pile_up_in_its_mailbox_too, watched_world) {
  const auto choosy = [](worker* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[](const std::string&) {}};
  };
  start_ok(one_for_one().child("a", choosy).watch({.stuck_after = 1h, .max_mailbox = 10}).tree());
  const auto runaways = [this] {
    runtime().scan_watchdog();
    const auto all = events();
    return std::count_if(all.begin(), all.end(), [](const event& what) { return what.kind == event_kind::runaway; });
  };
  for (int i = 0; i != 11; ++i)
    caf::anon_send(at("/root/a"), i);
  settle();
  BOOST_TEST(runaways() == 0);  // one in hand, and ten behind it
  caf::anon_send(at("/root/a"), 11);
  settle();
  BOOST_TEST(runaways() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
