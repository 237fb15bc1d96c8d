// SPDX-License-Identifier: BSL-1.0
#include "libactor/after_cancel.hpp"
#include "workers.hpp"

#include <caf/actor_ostream.hpp>
#include <caf/after.hpp>
#include <caf/sec.hpp>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

using namespace libactor;
using namespace libactor::tests;

namespace {

using log_ptr = std::shared_ptr<lines>;

/// Writes down what it is told.
caf::actor writer(testkit::world& in, const log_ptr& log) {
  return in.system().spawn([log](caf::event_based_actor*) -> caf::behavior {
    return {[log](const std::string& what) { log->push_back(what); }};
  });
}

/// Everything that its sinks saw, as text.
lines whole_log(const testkit::world& in) {
  lines all;
  for (const auto& what : in.events()) {
    all.push_back(std::to_string(what.at.time_since_epoch().count()) + " " + to_string(what.kind) + " " + what.path +
                  " " + std::to_string(what.actor) + " " + std::to_string(what.incarnation) + " " + what.reason + " " +
                  what.text + " " + std::to_string(what.elapsed.count()) + " " + std::to_string(what.count));
  }
  return all;
}

/// A tree that crashes, backs off, restarts in a group, and stops late.
lines run_of_a_tree(std::uint64_t seed) {
  tests::world w{seed};
  auto group = one_for_all("group");
  group.intensity(100, 1s).child("a", ordinary).child("b", slow_to_stop, 2s).child("c", ignores_stop).shutdown(1s);
  auto root = one_for_one();
  root.intensity(100, 1s).child(group).child("d", ordinary).delays({100ms, 1s, 2, 0.2, {}}).child("e", ordinary);
  w.start_ok(root.tree());
  for (const auto* path : {"/root/group/a", "/root/d", "/root/e"})
    caf::anon_send(w.at(path), "error"s);
  w.advance(5s);
  w.stop();
  w.run_until_ended(1h);
  return whole_log(w);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(deterministic_world)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_events) {
  std::set<lines> different;
  for (std::uint64_t seed = 0; seed != 20; ++seed) {
    const auto once = run_of_a_tree(seed);
    BOOST_TEST(once.size() > 20);
    BOOST_TEST(once == run_of_a_tree(seed), boost::test_tools::per_element());
    different.insert(once);
  }
  BOOST_TEST(different.size() > 1);
}

BOOST_AUTO_TEST_CASE(by_default_actors_run_in_the_order_in_which_they_became_runnable) {
  tests::world w;
  auto log = std::make_shared<lines>();
  const auto a = writer(w, log);
  const auto b = writer(w, log);
  w.settle();
  for (const auto* what : {"1", "2", "3"}) {
    caf::anon_send(b, "b"s + what);
    caf::anon_send(a, "a"s + what);
  }
  const auto before = w.steps();
  w.settle();
  BOOST_TEST(*log == (lines{"b1", "a1", "b2", "a2", "b3", "a3"}), boost::test_tools::per_element());
  BOOST_TEST(w.steps() - before == 6);
}

BOOST_AUTO_TEST_CASE(the_chooser_is_offered_all_that_can_run_and_decides) {
  std::vector<std::uint64_t> offered;
  bool last = false;
  tests::world w{[&](std::span<const std::uint64_t> runnable) {
    offered.assign(runnable.begin(), runnable.end());
    return last ? runnable.size() - 1 : 0;
  }};
  auto log = std::make_shared<lines>();
  const auto a = writer(w, log);
  const auto b = writer(w, log);
  w.settle();
  caf::anon_send(a, "a"s);
  caf::anon_send(b, "b1"s);
  caf::anon_send(b, "b2"s);
  last = true;
  w.settle();
  BOOST_TEST(*log == (lines{"b1", "b2", "a"}), boost::test_tools::per_element());
  BOOST_TEST(offered == std::vector<std::uint64_t>{a.id()}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_chooser_reaches_every_interleaving_once) {
  // Depth first: the choices of one run, the last of which is raised for the next.
  std::vector<std::pair<std::size_t, std::size_t>> choices;  // what was chosen, of how many
  std::set<lines> seen;
  int runs = 0;
  do {
    std::size_t depth = 0;
    bool counts = false;
    auto log = std::make_shared<lines>();
    {
      tests::world w{[&](std::span<const std::uint64_t> runnable) -> std::size_t {
        if (!counts)
          return 0;
        if (depth == choices.size())
          choices.emplace_back(0, runnable.size());
        return choices[depth++].first;
      }};
      const auto a = writer(w, log);
      const auto b = writer(w, log);
      w.settle();
      for (const auto* what : {"a1", "a2", "a3"})
        caf::anon_send(a, std::string(what));
      for (const auto* what : {"b1", "b2"})
        caf::anon_send(b, std::string(what));
      counts = true;
      w.settle();
      counts = false;
    }
    BOOST_TEST(log->size() == 5);
    // What one sender tells one receiver keeps its order.
    for (const char who : {'a', 'b'}) {
      lines of;
      std::copy_if(log->begin(), log->end(), std::back_inserter(of), [&](const auto& x) { return x[0] == who; });
      BOOST_TEST(std::is_sorted(of.begin(), of.end()));
    }
    seen.insert(*log);
    ++runs;
    while (!choices.empty() && choices.back().first + 1 == choices.back().second)
      choices.pop_back();
    if (!choices.empty())
      ++choices.back().first;
  } while (!choices.empty());
  BOOST_TEST(runs == 10);  // 5 over 2
  BOOST_TEST(seen.size() == 10);
}

BOOST_AUTO_TEST_CASE(a_random_order_keeps_the_messages_of_one_sender_to_one_receiver_in_order) {
  std::set<lines> different;
  for (std::uint64_t seed = 0; seed != 50; ++seed) {
    tests::world w{seed};
    auto log = std::make_shared<lines>();
    const auto to = writer(w, log);
    for (const auto* who : {"a", "b", "c"}) {
      w.system().spawn([to, who](caf::event_based_actor* self) {
        for (const auto* what : {"1", "2", "3"})
          self->send(to, std::string(who) + what);
      });
    }
    w.settle();
    BOOST_REQUIRE(log->size() == 9);
    for (const auto* who : {"a", "b", "c"}) {
      lines of;
      std::copy_if(log->begin(), log->end(), std::back_inserter(of), [&](const auto& x) { return x[0] == who[0]; });
      BOOST_TEST(of == (lines{who + "1"s, who + "2"s, who + "3"s}), boost::test_tools::per_element());
    }
    different.insert(*log);
  }
  BOOST_TEST(different.size() == 6);  // who comes first, second, third
}

BOOST_AUTO_TEST_CASE(one_clock_moves_all_that_waits_for_time) {
  tests::world w;
  auto log = std::make_shared<lines>();
  auto say = [log, &w](const std::string& what) {
    log->push_back(what + " " + to_string(duration{w.now().time_since_epoch()}));
  };
  const auto silent = w.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](int) { return self->make_response_promise(); }};
  });
  const auto waits = w.system().spawn([=](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 300ms, "delayed"s);
    self->request(silent, 200ms, 1)
        .then([](int) {},
              [=](const caf::error& why) {
                say("no answer" + std::string(why == caf::sec::request_timeout ? "" : ", for another reason"));
              });
    return {[=](const std::string& what) { say(what); }, caf::after(500ms) >>
                                                             [=] {
                                                               say("idle");
                                                               self->quit();
                                                             }};
  });
  const auto deadline = with_timeout(w.runtime().contexts().background(), 250ms);
  const auto told = after_cancel(deadline.ctx(), [=] { say("deadline"); });
  w.settle();
  BOOST_TEST(log->empty());
  w.advance(199ms);
  BOOST_TEST(log->empty());
  w.advance(10s);
  BOOST_TEST(*log == (lines{"no answer 200ms", "deadline 250ms", "delayed 300ms", "idle 800ms"}),
             boost::test_tools::per_element());
  BOOST_TEST((w.now().time_since_epoch() == 10199ms));
}

BOOST_AUTO_TEST_CASE(timers_that_were_taken_back_do_not_fire) {
  tests::world w;
  auto log = std::make_shared<lines>();
  const auto answers =
      w.system().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int x) { return x; }}; });
  // Each message begins the wait anew.
  const auto patient = w.system().spawn([log](caf::event_based_actor* self) -> caf::behavior {
    return {[](int) {}, caf::after(1s) >>
                            [=] {
                              log->push_back("idle");
                              self->quit();
                            }};
  });
  w.system().spawn([=](caf::event_based_actor* self) {
    self->request(answers, 1s, 1)
        .then([log](int) { log->push_back("answer"); }, [log](const caf::error&) { log->push_back("no answer"); });
  });
  for (int i = 0; i != 5; ++i) {
    w.advance(999ms);
    caf::anon_send(patient, 1);
  }
  BOOST_TEST(*log == lines{"answer"}, boost::test_tools::per_element());
  w.advance(1s);
  BOOST_TEST(*log == (lines{"answer", "idle"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(time_stands_still_while_anything_can_run) {
  tests::world w;
  auto moments = std::make_shared<std::set<time_point>>();
  // A thousand messages, one after the other, then a wait.
  w.system().spawn([&w, moments](caf::event_based_actor* self) -> caf::behavior {
    self->send(self, 1000);
    return {[&w, self, moments](int left) {
      moments->insert(w.now());
      if (left % 100 == 1)
        self->delayed_send(self, 1s, left - 1);
      else if (left != 0)
        self->send(self, left - 1);
    }};
  });
  w.advance(1h);
  BOOST_TEST(moments->size() == 11);
}

BOOST_AUTO_TEST_CASE(callbacks_of_after_cancel_are_steps_that_a_chooser_can_put_off) {
  bool callbacks_first = false;
  for (const bool first : {false, true}) {
    callbacks_first = first;
    tests::world w{[&](std::span<const std::uint64_t> runnable) {
      return callbacks_first && runnable.back() == 0 ? runnable.size() - 1 : 0;
    }};
    auto log = std::make_shared<lines>();
    const auto a = writer(w, log);
    w.settle();
    auto own = with_cancel(w.runtime().contexts().background());
    const auto told = after_cancel(own.ctx(), [log] { log->push_back("callback"); });
    own.cancel();
    caf::anon_send(a, "message"s);
    w.settle();
    BOOST_TEST(*log == (first ? lines{"callback", "message"} : lines{"message", "callback"}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(an_actor_that_the_test_still_holds_does_not_outlive_its_world) {
  caf::error how = caf::make_error(caf::sec::none);
  bool ended = false;
  {
    tests::world w;
    const auto held = w.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->attach_functor([&](const caf::error& why) {
        how = why;
        ended = true;
      });
      return {[](int) {}};
    });
    w.settle();
    BOOST_TEST(!ended);
    static_cast<void>(held);
  }
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_world_with_an_actor_that_is_never_at_rest_ends) {
  bool ended = false;
  {
    tests::world w;
    w.system().spawn([&ended](caf::event_based_actor* self) -> caf::behavior {
      self->attach_functor([&ended](const caf::error&) { ended = true; });
      self->send(self, 1);
      return {[self](int) { self->send(self, 1); }};
    });
    for (int i = 0; i != 5; ++i)
      BOOST_TEST(w.step());
  }
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(time_without_end_ends_with_time_itself) {
  tests::world w;
  w.start_ok(one_for_one().child("a", slow_to_stop, 1s).tree());
  w.advance(1s);
  w.runtime().request_stop({});
  BOOST_TEST(w.run_until_ended(infinite));
  w.advance(infinite);
  BOOST_TEST((w.now() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(what_actors_print_is_out_at_once) {
  tests::world w;
  std::ostringstream out;
  auto* const before = std::cout.rdbuf(out.rdbuf());
  w.system().spawn([](caf::event_based_actor* self) { caf::aout(self) << "said" << std::endl; });
  w.settle();
  std::cout.rdbuf(before);  // Boost.Test prints there, too
  BOOST_TEST(out.str() == "said\n");
}

BOOST_AUTO_TEST_SUITE_END()
