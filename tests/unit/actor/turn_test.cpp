// SPDX-License-Identifier: BSL-1.0
// A worker's turn does what CAF's own does.
#include "engine.hpp"
#include "lab.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/after.hpp>
#include <caf/attach_stream_sink.hpp>
#include <caf/attach_stream_source.hpp>
#include <caf/broadcast_downstream_manager.hpp>
#include <caf/execution_unit.hpp>
#include <caf/skip.hpp>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

// Keeps whom a turn makes runnable.
class runner final : public caf::execution_unit {
 public:
  explicit runner(caf::actor_system& system) : caf::execution_unit(&system) {}
  ~runner() override { drop(); }
  void exec_later(caf::resumable* job) override { job_ = job; }
  caf::resumable::resume_result run(std::size_t most) {
    const auto result = job_->resume(this, most);
    if (result != caf::resumable::resume_later)
      drop();
    return result;
  }

 private:
  void drop() {
    if (auto* job = std::exchange(job_, nullptr))
      intrusive_ptr_release(job);
  }
  caf::resumable* job_ = nullptr;
};

struct fixture : lab {
  void send(const caf::actor& to, int x, caf::execution_unit& by,
            caf::message_priority priority = caf::message_priority::normal) {
    caf::actor_cast<caf::abstract_actor*>(to)->enqueue(nullptr, caf::make_message_id(priority), caf::make_message(x),
                                                       &by);
  }
  std::vector<int> taken;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(turns)

BOOST_FIXTURE_TEST_CASE(a_turn_handles_as_many_messages_as_it_may, fixture) {
  const auto to = spawn(root(), [this](worker*) -> caf::behavior { return {[this](int x) { taken.push_back(x); }}; });
  settle();
  runner unit{system()};
  for (int x = 0; x != 10; ++x)
    send(to, x, unit);
  BOOST_TEST((unit.run(4) == caf::resumable::resume_later));
  BOOST_TEST(taken.size() == 4u);
  BOOST_TEST((unit.run(0) == caf::resumable::resume_later));
  BOOST_TEST(taken.size() == 4u);
  BOOST_TEST((unit.run(6) == caf::resumable::awaiting_message));
  BOOST_TEST(taken == (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), boost::test_tools::per_element());
  send(to, 10, unit);
  BOOST_TEST((unit.run(50) == caf::resumable::awaiting_message));
  BOOST_TEST(taken.back() == 10);
}

BOOST_FIXTURE_TEST_CASE(urgent_messages_go_first_and_starve_nobody, fixture) {
  const auto to = spawn(root(), [this](worker*) -> caf::behavior { return {[this](int x) { taken.push_back(x); }}; });
  settle();
  runner unit{system()};
  for (int x = 0; x != 20; ++x)
    send(to, x, unit);
  for (int x = 100; x != 120; ++x)
    send(to, x, unit, caf::message_priority::high);
  BOOST_TEST((unit.run(18) == caf::resumable::resume_later));
  // Two urgent ones for each of the others, in rounds of six and three.
  BOOST_TEST(taken == (std::vector<int>{100, 101, 102, 103, 104, 105, 0, 1, 2, 106, 107, 108, 109, 110, 111, 3, 4, 5}),
             boost::test_tools::per_element());
  unit.run(1000);
  BOOST_TEST(taken.size() == 40u);
}

BOOST_FIXTURE_TEST_CASE(a_message_that_is_skipped_comes_again_after_the_next_one, fixture) {
  bool open = false;
  const auto to = spawn(root(), [this, &open](worker* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[this, &open](int x) -> caf::result<void> {
      if (x != 0 && !open)
        return caf::skip();
      open = true;
      taken.push_back(x);
      return caf::unit;
    }};
  });
  settle();
  runner unit{system()};
  for (const int x : {1, 2, 0, 3})
    send(to, x, unit);
  BOOST_TEST((unit.run(50) == caf::resumable::awaiting_message));
  BOOST_TEST(taken == (std::vector<int>{0, 1, 2, 3}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(an_end_in_the_middle_of_a_turn_ends_it, fixture) {
  const auto to = spawn(root(), [this](worker* self) -> caf::behavior {
    return {[this, self](int x) {
      taken.push_back(x);
      if (x == 1)
        self->quit();
    }};
  });
  settle();
  runner unit{system()};
  for (const int x : {0, 1, 2})
    send(to, x, unit);
  BOOST_TEST((unit.run(50) == caf::resumable::done));
  BOOST_TEST(taken == (std::vector<int>{0, 1}), boost::test_tools::per_element());
  BOOST_TEST((end && !*end));
}

// Another thread may have had a turn since it decided to wait.
BOOST_FIXTURE_TEST_CASE(what_a_worker_does_when_its_context_ended_as_it_went_to_wait_it_does_where_it_runs, fixture) {
  runner unit{system()};
  runner other{system()};
  caf::execution_unit* where = nullptr;
  auto own = with_cancel(root());
  const auto to = spawn(own.ctx(), [&](worker* self) -> caf::behavior {
    self->on_down_signal([&, self](const down_signal&) {
      where = self->context();
      self->finish();
    });
    return {[&, self](int) {
      own.cancel();
      self->context(&other);
    }};
  });
  settle();
  send(to, 1, unit);
  BOOST_TEST((unit.run(50) == caf::resumable::done));
  BOOST_TEST(where == &unit);
}

BOOST_FIXTURE_TEST_CASE(what_a_handler_throws_ends_the_worker_in_its_turn, fixture) {
  const auto to =
      spawn(root(), [](worker*) -> caf::behavior { return {[](int) { throw std::runtime_error("boom"); }}; });
  settle();
  runner unit{system()};
  send(to, 0, unit);
  send(to, 1, unit);
  BOOST_TEST((unit.run(50) == caf::resumable::done));
  BOOST_TEST((end && *end == caf::sec::runtime_error));
}

BOOST_FIXTURE_TEST_CASE(a_behavior_that_has_waited_long_enough_is_told, fixture) {
  int waited = 0;
  const auto to = spawn(root(), [&waited](worker*) -> caf::behavior {
    return {[](int) {}, caf::after(1s) >> [&waited] { ++waited; }};
  });
  settle();
  advance(900ms);
  caf::anon_send(to, 1);
  settle();
  advance(999ms);
  BOOST_TEST(waited == 0);
  advance(1ms);
  BOOST_TEST(waited == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_may_be_the_sink_of_a_stream) {
  engine host;
  const auto contexts = std::make_shared<context_runtime>();
  auto all = std::make_shared<std::promise<int>>();
  auto sum = all->get_future();
  const caf::actor sink = spawn_in(*host.system, contexts->background(), [all](worker* self) -> caf::behavior {
    return {[self, all](const caf::stream<int>& in) {
      return caf::attach_stream_sink(
          self, in, [](int& total) { total = 0; },
          [all](int& total, int x) {
            total += x;
            if (x == 1000)
              all->set_value(total);
          });
    }};
  });
  host.system->spawn([sink](caf::event_based_actor* self) {
    caf::attach_stream_source(
        self, sink, [](int& next) { next = 1; },
        [](int& next, caf::downstream<int>& out, std::size_t hint) {
          for (; hint != 0 && next <= 1000; --hint)
            out.push(next++);
        },
        [](const int& next) { return next > 1000; });
  });
  BOOST_REQUIRE(arrives(sum));
  BOOST_TEST(sum.get() == 500'500);
}

BOOST_AUTO_TEST_CASE(with_caf_s_log_on_turns_are_caf_s_own) {
  caf::actor_system_config cfg;
  configure(cfg);
  cfg.set("logger.verbosity", caf::atom("error"));
  cfg.set("logger.file-name", "/dev/null");
  caf::actor_system system{cfg};
  context_runtime contexts;
  auto got = std::make_shared<std::promise<int>>();
  auto answer = got->get_future();
  const caf::actor to = spawn_in(system, contexts.background(), [got](worker* self) -> caf::behavior {
    return {[got, self](int x) {
      got->set_value(x);
      self->finish();
    }};
  });
  caf::anon_send(to, 7);
  BOOST_REQUIRE(arrives(answer));
  BOOST_TEST(answer.get() == 7);
}

BOOST_AUTO_TEST_SUITE_END()
