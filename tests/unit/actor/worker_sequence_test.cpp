// SPDX-License-Identifier: BSL-1.0
// What two things at once come to in a worker: an end that meets an answer, a drain, tasks or a second word.
#include "lab.hpp"

#include "libactor/actor/task_group.hpp"
#include "supervisors/builder.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/after.hpp>
#include <stdexcept>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

struct farewell {  // says to an address that it goes
  struct sender {
    caf::actor to;
    ~sender() { caf::anon_send(to, 77); }
  };
  std::shared_ptr<sender> last;
};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(farewell)

namespace {

struct sequence : lab {
  caf::actor store() {
    auto handle = spawn_in(system(), others.ctx(), server.body());
    return held.emplace_back(std::move(handle));
  }
  caf::actor ask_with_notes(const caf::actor& whom) {
    return held.emplace_back(spawn_in(system(), others.ctx(), [this, whom](worker* self) {
      self->request(whom, infinite, 1)
          .then([this](int) { seen.push_back("answer"); }, [this](caf::error& why) { seen.push_back(describe(why)); });
    }));
  }
  scope own = with_cancel(root()), others = with_cancel(root());
  slow_server server;
};

void until_told(task<int>* self) {
  self->become([](int) {});
}

// Its second incarnation says that it is up, and fails at once.
caf::behavior fails_as_it_comes_up(worker* self, const std::shared_ptr<int>& made) {
  const int number = ++*made;
  if (number == 2) {
    self->ready();
    throw std::runtime_error("no disk");
  }
  return {[self](const std::string&) { self->finish(caf::make_error(caf::sec::invalid_argument)); },
          [number](int) { return number; }};
}

tree_spec held_up_tree(const std::shared_ptr<int>& made) {
  return one_for_one()
      .intensity(9, 1h)
      .child("a", fails_as_it_comes_up, made)
      .delays(backoff_spec{.min = 3s, .max = 3s, .factor = 1, .jitter = 0, .reset_after = {}})
      .address_hold(30s)
      .tree();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_sequences)

BOOST_FIXTURE_TEST_CASE(a_request_after_finish_asks_nobody_and_holds_up_no_end, sequence) {
  const auto other = store();
  const auto handle = spawn(own.ctx(), [this, other](worker* self) -> caf::behavior {
    return {[=, this](int) {
      self->finish();
      self->request(other, infinite, 1)
          .then([this](int) { seen.push_back("answer"); }, [this](caf::error&) { seen.push_back("error"); });
    }};
  });
  settle();
  caf::anon_send(handle, 1);
  settle();
  BOOST_REQUIRE(end);
  BOOST_TEST(!*end);
  BOOST_TEST(server.promises.empty());
  BOOST_TEST(seen.empty());
}

BOOST_FIXTURE_TEST_CASE(R13_a_finish_in_the_last_answer_of_a_drain_ends_it_without_a_down_signal, sequence) {
  auto with = options(own.ctx());
  with.drain = 5s;
  const auto handle = spawn_worker(system(), std::move(with), [this, to = store()](worker* self) -> caf::behavior {
    self->on_down_signal([this](const down_signal&) { seen.push_back("down"); });
    return {[=](int) { self->request(to, infinite, 1).then([=](int) { self->finish(); }); }};
  });
  watch_end(handle);
  caf::anon_send(handle, 1);
  settle();
  own.cancel();
  settle();
  server.answer(0, 1);
  settle();
  BOOST_TEST(seen.empty());
  BOOST_TEST(end.has_value());
}

BOOST_FIXTURE_TEST_CASE(R12_clean_up_after_the_drain_of_a_request_has_a_shield_of_its_own, sequence) {
  auto with = options(own.ctx());
  with.drain = 5s;
  const auto handle = spawn_worker(system(), std::move(with), [this, to = store()](worker* self) -> caf::behavior {
    self->on_down_signal([=, this](const down_signal&) {
      self->request(to, infinite, 1).then([=, this](int) {
        seen.push_back("cleaned");
        self->finish();
      });
    });
    return {[=](int) -> caf::result<int> {
      auto promise = self->make_response_promise();
      self->request(to, infinite, 1).then([=](int value) mutable { promise.deliver(value); });
      return promise;
    }};
  });
  settle();
  ask_with_notes(handle);
  settle();
  own.cancel();
  settle();
  server.answer(0, 7);
  settle();
  BOOST_REQUIRE(server.promises.size() == 2u);
  server.answer(1, 8);
  settle();
  BOOST_TEST(seen == (lines{"answer", "cleaned"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R12_a_request_that_the_down_signal_ends_does_not_end_the_clean_up, sequence) {
  const auto handle = spawn(own.ctx(), [to = store()](worker* self) -> caf::behavior {
    self->on_down_signal(
        [=](const down_signal&) { self->after(1s, [=] { self->finish(caf::exit_reason::user_shutdown); }); });
    return {[=](int) { self->request(to, infinite, 1).then([](int) {}); }};
  });
  caf::anon_send(handle, 1);
  settle();
  own.cancel();
  settle();
  BOOST_TEST(!end);
  advance(1s);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(R12_nor_does_the_end_of_tasks_where_there_is_no_behavior, sequence) {
  spawn(own.ctx(), [](worker* self) {
    task_group<int> group{self};
    BOOST_TEST(!group.spawn(until_told));
    group.join(self, [](const group_outcome<int>&) {});
    self->on_down_signal(
        [=](const down_signal&) { self->after(1s, [=] { self->finish(caf::exit_reason::user_shutdown); }); });
  });
  settle();
  own.cancel();
  settle();
  BOOST_TEST(!end);
  advance(1s);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "user_shutdown");
}

BOOST_FIXTURE_TEST_CASE(W005_the_request_in_hand_is_answered_where_the_handler_of_the_down_signal_throws, sequence) {
  const auto handle = spawn(own.ctx(), [](worker* self) -> caf::behavior {
    self->on_down_signal([](const down_signal&) { throw std::runtime_error("no disk"); });
    return {[](int x) { return x; }};
  });
  settle();
  ask_with_notes(handle);
  ask_with_notes(handle);
  step();
  step();
  own.cancel();
  settle();
  BOOST_TEST(end.has_value());
  BOOST_TEST(seen == (lines{"dropped", "dropped"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_handler_of_the_down_signal_may_set_another_in_itself, sequence) {
  spawn(own.ctx(), [this](worker* self) -> caf::behavior {
    const auto words = std::make_shared<std::string>("words");
    self->on_down_signal([=, this](const down_signal&) {
      const std::weak_ptr<std::string> mine = words;
      self->on_down_signal(nullptr);
      seen.push_back(mine.expired() ? "gone" : "there");
      self->finish();
    });
    return {[](int) {}};
  });
  settle();
  own.cancel();
  settle();
  BOOST_TEST(seen == lines{"there"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_receive_timeout_is_no_message_that_stands_unread, sequence) {
  held.push_back(spawn_worker(system(), options(own.ctx()), [](worker* self) -> caf::behavior {
    self->on_down_signal([self](const down_signal&) { self->after(10s, [self] { self->finish(); }); });
    return {[](int) {}, caf::after(1s) >> [] {}};
  }));
  advance(1500ms);
  own.cancel();
  advance(11s);
  BOOST_TEST(told_lines().empty());
}

// -- tasks ------------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_group_that_is_made_while_its_worker_finishes_takes_no_task_and_holds_up_no_end, sequence) {
  const auto second = std::make_shared<std::optional<task_group<int>>>();
  const auto handle = spawn(own.ctx(), [this, second](worker* self) -> caf::behavior {
    return {[=, this](int) {
      task_group<int> group{self};
      BOOST_TEST(!group.spawn([](task<int>* one) {
        one->after(1s, [one] { one->succeed(1); });
        until_told(one);
      }));
      group.join(self, [=, this](const group_outcome<int>&) {
        second->emplace(self);
        seen.push_back(describe((*second)->spawn(until_told)));
      });
      self->finish();
    }};
  });
  settle();
  caf::anon_send(handle, 1);
  advance(1s);
  BOOST_TEST(seen == lines{"closed"}, boost::test_tools::per_element());
  BOOST_TEST(end.has_value());
  second->reset();
}

BOOST_FIXTURE_TEST_CASE(a_join_is_told_of_a_group_that_was_over_before_it, sequence) {
  spawn(own.ctx(), [this](worker* self) {
    task_group<int> group{self};
    group.close();
    group.join(self, [this](const group_outcome<int>&) { seen.push_back("joined"); });
  });
  settle();
  BOOST_TEST(seen == lines{"joined"}, boost::test_tools::per_element());
  BOOST_TEST(end.has_value());
}

BOOST_FIXTURE_TEST_CASE(an_outcome_has_an_error_where_a_task_never_started_and_no_value_where_one_failed, sequence) {
  std::vector<group_outcome<int>> all;
  spawn(own.ctx(), [&](worker* self) -> caf::behavior {
    task_group<int> late{self, 1s};
    late.limit(1);
    auto succeeds_at_its_end = [](task<int>* one) {
      one->on_down_signal([one](const down_signal&) { one->succeed(1); });
      until_told(one);
    };
    BOOST_TEST(!late.spawn(succeeds_at_its_end));
    BOOST_TEST(!late.spawn(succeeds_at_its_end));
    late.close();
    late.join(self, [&](group_outcome<int> one) { all.push_back(std::move(one)); });
    task_group<int> failed{self};
    BOOST_TEST(!failed.spawn([](worker* one) {
      one->finish(make_error(errc::closed));
      return 5;
    }));
    failed.close();
    failed.join(self, [&](group_outcome<int> one) { all.push_back(std::move(one)); });
    return {[](int) {}};
  });
  advance(1s);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(!all[0].tasks[0].value.has_value());
  BOOST_TEST(describe(all[0].error()) == "closed");
  BOOST_TEST(all[1].tasks[0].finished());
  BOOST_TEST(describe(all[1].error()) == describe(all[1].tasks[1].error));
  BOOST_TEST((errc_of(all[1].error()) == errc::deadline_exceeded));
}

// -- stable addresses -------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(R18_what_is_held_goes_to_no_incarnation_that_has_ended_as_it_came_up, sequence) {
  const auto made = std::make_shared<int>(0);
  start(held_up_tree(made));
  const auto address = *runtime().ref("/root/a");
  caf::anon_send(address, "end"s);
  settle();
  ask_with_notes(address);
  advance(20s);
  BOOST_TEST(*made == 3);
  BOOST_TEST(seen == lines{"answer"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R18_a_held_message_may_use_its_address_as_it_is_destroyed, sequence) {
  const auto made = std::make_shared<int>(0);
  start(held_up_tree(made));
  const auto address = *runtime().ref("/root/a");
  caf::anon_send(address, "end"s);
  settle();
  caf::anon_send(address, farewell{std::make_shared<farewell::sender>(farewell::sender{address})});
  advance(20s);
  BOOST_TEST(*made == 3);
}

BOOST_AUTO_TEST_SUITE_END()
