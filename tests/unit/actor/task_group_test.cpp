// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/task_group.hpp"

#include "engine.hpp"
#include "lab.hpp"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <numeric>
#include <stdexcept>
#include <thread>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Each task as `name: value` or `name: error`.
template <class T>
lines lines_of(const group_outcome<T>& all) {
  lines out;
  for (const auto& task : all.tasks) {
    auto line = task.name + ": ";
    if (!task.finished())
      line += describe(task.error);
    else if constexpr (std::is_same_v<T, int>)
      line += task.value ? std::to_string(*task.value) : "no value";
    else
      line += "finished";
    out.push_back(std::move(line));
  }
  return out;
}

// A task that succeeds with `value` after `delay`.
void succeeds_after(task<int>* self, duration delay, int value) {
  self->after(delay, [self, value] { self->succeed(value); });
  self->become([](int) {});
}

void fails_after(task<int>* self, duration delay) {
  self->after(delay, [] { throw std::runtime_error("no disk"); });
  self->become([](int) {});
}

struct outcome_note {
  std::optional<group_outcome<int>> outcome;
};

struct group_lab : outcome_note, lab {
  // A worker that makes a group by `fill`, closes it and joins it.
  template <class Fill>
  caf::actor orchestrate(const context& ctx, Fill fill, duration timeout = infinite) {
    return spawn(ctx, [this, fill, timeout](worker* self) -> caf::behavior {
      task_group<int> group{self, timeout};
      fill(group);
      group.close();
      group.join(self, [this](group_outcome<int> all) { outcome = std::move(all); });
      return {[](int) {}};
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(task_groups)

BOOST_FIXTURE_TEST_CASE(W020_join_gives_all_results_in_the_order_in_which_they_were_added, group_lab) {
  auto own = with_cancel(root());
  orchestrate(own.ctx(), [](task_group<int>& group) {
    BOOST_TEST(!group.spawn(succeeds_after, 3s, 1));
    BOOST_TEST(!group.spawn([](worker*, int x) { return x * x; }, 5));
    BOOST_TEST(!group.spawn_named("quick", succeeds_after, 1s, 3));
  });
  advance(2999ms);
  BOOST_TEST(!outcome);
  advance(1ms);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(lines_of(*outcome) == (lines{"task#1: 1", "task#2: 25", "quick: 3"}), boost::test_tools::per_element());
  BOOST_TEST(!outcome->error());
}

BOOST_FIXTURE_TEST_CASE(W020_the_first_failure_cancels_the_rest_and_join_gives_all_errors, group_lab) {
  auto own = with_cancel(root());
  std::string why;
  orchestrate(own.ctx(), [&why](task_group<int>& group) {
    group.spawn(succeeds_after, 1s, 1);
    group.spawn(fails_after, 2s);
    group.spawn([&why](task<int>* self) {
      self->on_down_signal([&why, self](const down_signal& signal) {
        why = signal.cause.text();
        self->finish(caf::exit_reason::user_shutdown);
      });
      succeeds_after(self, 3s, 3);
    });
    group.spawn([](task<int>* self) {
      self->on_down_signal([self](const down_signal&) { self->succeed(44); });  // in spite of it
      succeeds_after(self, 3s, 4);
    });
    group.spawn(succeeds_after, 3s, 5);
  });
  advance(2s);
  BOOST_REQUIRE(outcome);
  const auto failed = "runtime_error: std::runtime_error: no disk"s;
  const auto canceled = "canceled: a task of its group failed: " + failed;
  BOOST_TEST(lines_of(*outcome) ==
                 (lines{"task#1: 1", "task#2: " + failed, "task#3: " + canceled, "task#4: 44", "task#5: " + canceled}),
             boost::test_tools::per_element());
  BOOST_TEST(why == "a task of its group failed: " + failed);
  BOOST_REQUIRE(outcome->first_failed);
  BOOST_TEST(*outcome->first_failed == 1u);
  BOOST_TEST(describe(outcome->error()) == failed);
  BOOST_TEST(!own.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(W020_tasks_without_a_value, lab) {
  auto own = with_cancel(root());
  int ran = 0;
  std::optional<group_outcome<void>> outcome;
  spawn(own.ctx(), [&](worker* self) {
    task_group<> group{self};
    group.spawn([&ran](worker*) { ++ran; });
    group.spawn([&ran](task<void>* task) {
      task->after(1s, [&ran, task] { ++ran, task->succeed(); }), task->become([](int) {});
    });
    group.spawn([](task<void>*) {});  // leaves nothing, and has nothing more to do
    group.close();
    group.join(self, [&](group_outcome<void> all) { outcome = std::move(all); });
  });
  advance(1s);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(ran == 2);
  BOOST_TEST(lines_of(*outcome) == (lines{"task#1: finished", "task#2: finished", "task#3: finished"}),
             boost::test_tools::per_element());
  BOOST_TEST(outcome->tasks[1].value.has_value());
  BOOST_TEST(!outcome->tasks[2].value.has_value());
  // It had no behavior: once its tasks were down and it had heard of it, it was at its end.
  BOOST_REQUIRE(end);
  BOOST_TEST(!*end);
}

BOOST_FIXTURE_TEST_CASE(W021_a_closed_group_refuses_work_with_an_error, group_lab) {
  auto own = with_cancel(root());
  lines said;
  spawn(own.ctx(), [&](worker* self) -> caf::behavior {
    task_group<int> group{self};
    group.close();
    said.push_back(describe(group.spawn([](worker*) { return 1; })));
    task_group<int> ended{self};
    ended.cancel(cause("enough"));
    said.push_back(describe(ended.spawn([](worker*) { return 1; })));
    return {[](int) {}};
  });
  settle();
  BOOST_TEST(said == (lines{"closed", "canceled: enough"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W022_join_waits_for_closed_and_for_empty, lab) {
  auto own = with_cancel(root());
  auto group = std::make_shared<std::optional<task_group<int>>>();
  int joined = 0;
  auto handle = spawn(own.ctx(), [&joined, group](worker* self) -> caf::behavior {
    group->emplace(self);
    (*group)->join(self, [&joined](const group_outcome<int>&) { ++joined; });
    return {[group](const std::string& what) {
      if (what == "close")
        (*group)->close();
      else
        (*group)->spawn(succeeds_after, 1s, 1);
    }};
  });
  advance(1s);
  BOOST_TEST(joined == 0);  // empty, and not closed
  caf::anon_send(handle, "spawn"s);
  settle();
  caf::anon_send(handle, "close"s);
  advance(999ms);
  BOOST_TEST(joined == 0);  // closed, and not empty
  advance(1ms);
  BOOST_TEST(joined == 1);
  group->reset();
}

BOOST_AUTO_TEST_CASE(W022_W023_a_hundred_joins_at_once_all_return) {
  engine host;
  context_runtime contexts;
  auto own = with_cancel(contexts.background());
  task_group<int> group{*host.system, own.ctx()};
  std::promise<void> go;
  auto gate = go.get_future().share();
  for (int i = 0; i != 10; ++i)
    group.spawn([gate](worker*, int x) { return gate.wait(), x; }, i);
  std::atomic<int> started{0};
  std::vector<std::future<int>> joins;
  for (int i = 0; i != 100; ++i) {
    joins.push_back(std::async(std::launch::async, [&] {
      ++started;
      int sum = 0;
      for (const auto& task : group.join().tasks)
        sum += task.value.value_or(-1000);
      return sum;
    }));
  }
  BOOST_REQUIRE(becomes([&] { return started == 100; }));
  group.close();
  go.set_value();
  for (auto& join : joins) {
    BOOST_REQUIRE(arrives(join));
    BOOST_TEST(join.get() == 45);
  }
  BOOST_TEST(group.join().tasks.size() == 10u);  // and one that comes late
}

BOOST_FIXTURE_TEST_CASE(W024_at_most_so_many_tasks_run_at_once, group_lab) {
  auto own = with_cancel(root());
  int running = 0;
  int most = 0;
  lines order;
  orchestrate(own.ctx(), [&](task_group<int>& group) {
    group.limit(3);
    for (int i = 0; i != 10; ++i) {
      group.spawn(
          [&](task<int>* self, int number) {
            order.push_back(std::to_string(number));
            most = std::max(most, ++running);
            self->after(1s, [&running, self, number] {
              --running;
              self->succeed(number);
            });
            self->become([](int) {});
          },
          i);
    }
  });
  advance(3s);
  BOOST_TEST(most == 3);
  BOOST_TEST(order.size() == 10u);
  BOOST_TEST(!outcome);
  advance(1s);
  BOOST_TEST(most == 3);
  BOOST_TEST(order == (lines{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}), boost::test_tools::per_element());
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->tasks.size() == 10u);
}

BOOST_FIXTURE_TEST_CASE(W024_what_waits_for_its_turn_never_starts_once_a_task_has_failed, group_lab) {
  auto own = with_cancel(root());
  bool ran = false;
  orchestrate(own.ctx(), [&](task_group<int>& group) {
    group.limit(1);
    group.spawn(fails_after, 1s);
    group.spawn([&ran](worker*) { return ran = true, 1; });
  });
  advance(1s);
  BOOST_TEST(!ran);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(lines_of(*outcome)[1].starts_with("task#2: canceled: a task of its group failed"));
}

BOOST_FIXTURE_TEST_CASE(W025_a_groups_deadline_ends_its_tasks_and_join_says_which_finished, group_lab) {
  auto own = with_cancel(root());
  orchestrate(
      own.ctx(),
      [](task_group<int>& group) {
        group.limit(2);
        group.spawn(succeeds_after, 1s, 1);
        group.spawn(succeeds_after, 10s, 2);
        group.spawn(succeeds_after, 10s, 3);
        group.spawn(succeeds_after, 10s, 4);
      },
      5s);
  advance(4999ms);
  BOOST_TEST(!outcome);
  advance(1ms);
  BOOST_REQUIRE(outcome);
  lines finished;
  for (const auto& task : outcome->tasks)
    finished.push_back(task.name + (task.finished() ? " finished" : " " + describe(task.error).substr(0, 17)));
  BOOST_TEST(finished == (lines{"task#1 finished", "task#2 deadline_exceeded", "task#3 deadline_exceeded",
                                "task#4 deadline_exceeded"}),
             boost::test_tools::per_element());
  BOOST_TEST(!own.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(a_group_lives_below_the_request_in_hand, lab) {
  auto own = with_cancel(root());
  auto clients = with_timeout(root(), 2s);
  std::optional<group_outcome<int>> outcome;
  auto server = spawn(own.ctx(), [&](worker* self) -> caf::behavior {
    return {[&, self](int) {
      auto promise = self->make_response_promise<int>();
      task_group<int> group{self};
      group.spawn(succeeds_after, 1s, 1);
      group.spawn(succeeds_after, 1h, 2);
      group.close();
      group.join(self, [&, promise](group_outcome<int> all) mutable {
        outcome = std::move(all);
        promise.deliver(outcome->error());
      });
      return promise;
    }};
  });
  spawn_in(system(), clients.ctx(), [server](worker* self) { self->request(server, infinite, 1).then([](int) {}); });
  advance(2s);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(lines_of(*outcome)[0] == "task#1: 1");
  BOOST_TEST(lines_of(*outcome)[1].starts_with("task#2: deadline_exceeded"));
  BOOST_TEST(!end);
}

BOOST_FIXTURE_TEST_CASE(a_group_that_is_left_cancels_its_tasks_unless_somebody_waits_in_join, lab) {
  auto own = with_cancel(root());
  context left;
  context joined;
  spawn(own.ctx(), [&](worker* self) -> caf::behavior {
    task_group<int> first{self};
    task_group<int> second{self};
    first.spawn(succeeds_after, 1h, 1);
    second.spawn(succeeds_after, 1h, 1);
    left = first.ctx();
    joined = second.ctx();
    second.join(self, [](const group_outcome<int>&) {});
    return {[](int) {}};
  });
  settle();
  BOOST_TEST(left.done());
  BOOST_TEST(left.cause().text() == "its group was left");
  BOOST_TEST(!joined.done());
}

// -- R15: the end of a worker with tasks ------------------------------------------------------------------------------

namespace {

// Has a task of an hour, which notes its end; ends itself as it is told.
auto with_a_task(lab& world, duration works_for, duration cleans_up_for) {
  return [&world, works_for, cleans_up_for](worker* self) -> caf::behavior {
    task_group<int> group{self};
    group.spawn([&world, cleans_up_for, works_for](task<int>* self) {
      self->on_down_signal([&world, self, cleans_up_for](const down_signal& why) {
        world.seen.push_back("task canceled: " + std::string(why.cause.text()));
        self->after(cleans_up_for, [self] { self->finish(caf::exit_reason::user_shutdown); });
      });
      self->after(works_for, [&world, self] {
        world.seen.push_back("task done");
        self->succeed(1);
      });
      self->become([](int) {});
    });
    group.join(self, [&world](const group_outcome<int>&) { world.seen.push_back("joined"); });
    return {[&world, self](const std::string& what) {
      if (what == "fail")
        self->finish(caf::make_error(caf::sec::invalid_argument));
      else if (what == "finish")
        self->finish();
      else
        world.seen.push_back(what);
    }};
  };
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(R15_finish_without_error_waits_for_the_tasks_without_canceling_them, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), with_a_task(*this, 5s, 1s));
  settle();
  caf::anon_send(handle, "finish"s);
  settle();
  caf::anon_send(handle, "too late"s);
  advance(4999ms);
  BOOST_TEST(!end);
  advance(1ms);
  BOOST_REQUIRE(end);
  BOOST_TEST(!*end);
  BOOST_TEST(seen == (lines{"task done", "joined"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R15_any_other_end_cancels_them_and_waits, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), with_a_task(*this, 1h, 3s));
  settle();
  caf::anon_send(handle, "fail"s);
  advance(2999ms);
  BOOST_TEST(!end);
  BOOST_TEST(seen == lines{"task canceled: the worker that it belongs to ends"}, boost::test_tools::per_element());
  advance(1ms);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "invalid_argument");
}

BOOST_FIXTURE_TEST_CASE(R15_R12_the_default_end_on_a_down_signal_waits_for_the_tasks_too, lab) {
  auto own = with_cancel(root());
  spawn(own.ctx(), with_a_task(*this, 1h, 3s));
  settle();
  own.cancel(cause("enough"));
  advance(2999ms);
  BOOST_TEST(!end);
  advance(1ms);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "user_shutdown");
  BOOST_TEST(seen == (lines{"task canceled: enough", "joined"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R15_a_down_signal_ends_the_wait_for_tasks_early, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), with_a_task(*this, 1h, 0s));
  settle();
  caf::anon_send(handle, "finish"s);
  advance(1s);
  BOOST_TEST(!end);
  own.cancel(cause("enough"));
  advance(1ms);
  BOOST_REQUIRE(end);
  BOOST_TEST(!*end);
}

BOOST_FIXTURE_TEST_CASE(R15_tasks_without_a_supervisor_above_are_canceled_when_their_worker_is_gone, lab) {
  auto own = with_cancel(root());
  auto handle = spawn(own.ctx(), with_a_task(*this, 1h, 1s));
  settle();
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  settle();
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "kill");
  BOOST_TEST(seen == lines{"task canceled: the worker that it belonged to ended"}, boost::test_tools::per_element());
  advance(1s);
}

BOOST_FIXTURE_TEST_CASE(R15_a_task_with_tasks_of_its_own_waits_for_them, group_lab) {
  auto own = with_cancel(root());
  orchestrate(own.ctx(), [](task_group<int>& group) {
    group.spawn([](task<int>* self) {
      task_group<int> below{self};
      below.spawn(succeeds_after, 2s, 20);
      below.spawn(succeeds_after, 1s, 10);
      below.join(self, [self](const group_outcome<int>& all) {
        self->succeed(*all.tasks.at(0).value + *all.tasks.at(1).value);
      });
    });
  });
  advance(2s);
  BOOST_REQUIRE(outcome);
  BOOST_TEST(lines_of(*outcome) == lines{"task#1: 30"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R15_what_a_task_leaves_behind_is_waited_for_and_killed_after_a_second, group_lab) {
  auto own = with_cancel(root());
  lines ended;
  orchestrate(own.ctx(), [&ended](task_group<int>& group) {
    group.spawn([&ended](task<int>* self) {
      auto below = std::make_shared<task_group<int>>(self);
      for (const auto delay : {duration(500ms), duration(1h)}) {
        below->spawn([&ended, delay](task<int>* left) {
          left->attach_functor([&ended](const caf::error& why) { ended.push_back(describe(why)); });
          left->on_down_signal([left, delay](const down_signal&) { left->after(delay, [left] { left->finish(); }); });
          left->become([](int) {});
        });
      }
      below->join(self, [below](const group_outcome<int>&) {});
      self->after(1s, [] { throw std::runtime_error("no disk"); });
    });
  });
  advance(1500ms);
  BOOST_TEST(ended == lines{"normal"}, boost::test_tools::per_element());
  BOOST_TEST(!outcome);
  advance(499ms);
  BOOST_TEST(!outcome);
  advance(1ms);
  BOOST_TEST(ended == (lines{"normal", "kill"}), boost::test_tools::per_element());
  BOOST_REQUIRE(outcome);
  BOOST_TEST(lines_of(*outcome)[0] == "task#1: runtime_error: std::runtime_error: no disk");
}

BOOST_AUTO_TEST_CASE(a_thousand_tasks_that_end_on_several_threads_are_all_there_in_join) {
  engine host;
  context_runtime contexts;
  auto own = with_cancel(contexts.background());
  for (const std::size_t limit : {1u, 4u, 1000u}) {
    task_group<int> group{*host.system, own.ctx()};
    group.limit(limit);
    for (int i = 0; i != 1000; ++i)
      BOOST_REQUIRE(!group.spawn([](worker*, int x) { return x; }, i));
    group.close();
    const auto all = group.join();
    int sum = 0;
    for (const auto& task : all.tasks)
      sum += task.value.value();
    BOOST_TEST(sum == 499500);
  }
}

BOOST_AUTO_TEST_SUITE_END()
