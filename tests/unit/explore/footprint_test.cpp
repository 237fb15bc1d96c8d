// SPDX-License-Identifier: BSL-1.0
// What a step does that others can see, where it is hard to see: no order that makes a difference is left out.
#include "bounds.hpp"
#include "libactor/actor/lifeline.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/after_cancel.hpp"
#include "libactor/scope.hpp"
#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace libactor;
using namespace libactor::tests;
using namespace libactor::testkit;

namespace {

using outcomes = std::set<std::string>;
using log_ptr = std::shared_ptr<std::string>;

/// Every outcome of the body, however orders are left out. Without that there are too many for sanitizers.
void check_outcomes(const outcomes& all, const std::function<std::string(trial&)>& body) {
  for (const auto how : {reduction::source_dpor, reduction::sleep_sets, reduction::none}) {
    if (in_part && how == reduction::none)
      continue;
    outcomes seen;
    explore_options options;
    options.reduce = how;
    const auto result = explore(options, [&](trial& t) { seen.insert(body(t)); });
    BOOST_TEST(result.exhausted, result.to_text());
    BOOST_TEST(seen == all, boost::test_tools::per_element());
  }
}

caf::actor writer(trial& t, const log_ptr& log) {
  return t.system().spawn(
      [log](caf::event_based_actor*) -> caf::behavior { return {[log](const std::string& what) { *log += what; }}; });
}

/// Does `what` when it gets a number.
caf::actor does(trial& t, std::function<void(caf::event_based_actor*)> what) {
  return t.system().spawn([what](caf::event_based_actor* self) -> caf::behavior { return {[=](int) { what(self); }}; });
}

/// Tells each to begin.
void begin(trial& t, const std::vector<caf::actor>& all) {
  for (const auto& one : all)
    caf::anon_send(one, 1);
  t.settle();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(footprints)

BOOST_AUTO_TEST_CASE(who_watches_an_actor_after_its_end_might_have_done_so_before) {
  for (const bool links : {false, true}) {
    // Told at once of an end that was before, and else after the answer that it asks for.
    check_outcomes({"dc", "cd"}, [links](trial& t) {
      const auto log = std::make_shared<std::string>();
      const auto ends = does(t, [](caf::event_based_actor* self) { self->quit(); });
      const auto answers = does(t, [](caf::event_based_actor* self) {
        self->send(caf::actor_cast<caf::actor>(self->current_sender()), 1.0);
      });
      const auto watches = t.system().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        self->set_down_handler([log](caf::down_msg&) { *log += "d"; });
        self->set_exit_handler([log](caf::exit_msg&) { *log += "d"; });
        return {[=](int) {
                  if (links)
                    self->link_to(ends);
                  else
                    self->monitor(ends);
                  self->send(answers, 1);
                },
                [log](double) { *log += "c"; }};
      });
      t.settle();
      begin(t, {ends, watches});
      return *log;
    });
  }
}

BOOST_AUTO_TEST_CASE(who_watches_no_more_after_an_end_might_never_have_been_told) {
  check_outcomes({"xd", "x"}, [](trial& t) {
    const auto log = std::make_shared<std::string>();
    const auto ends = does(t, [](caf::event_based_actor* self) { self->quit(); });
    const auto watches = t.system().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler([log](caf::down_msg&) { *log += "d"; });
      self->monitor(ends);
      return {[=](int) {
        self->demonitor(ends);
        *log += "x";
      }};
    });
    t.settle();
    begin(t, {ends, watches});
    return *log;
  });
}

BOOST_AUTO_TEST_CASE(the_first_message_to_an_actor_that_waits_for_one_to_begin_is_one_of_several) {
  check_outcomes({"ab", "ba"}, [](trial& t) {
    const auto log = std::make_shared<std::string>();
    const auto lazy = t.system().spawn<caf::lazy_init>(
        [log](caf::event_based_actor*) -> caf::behavior { return {[log](const std::string& what) { *log += what; }}; });
    const auto says = [lazy](const char* what) {
      return [lazy, what](caf::event_based_actor* self) { self->send(lazy, std::string(what)); };
    };
    const std::vector<caf::actor> all{does(t, says("a")), does(t, says("b"))};
    t.settle();
    begin(t, all);
    return *log;
  });
}

BOOST_AUTO_TEST_CASE(a_callback_that_comes_while_one_waits_makes_a_difference) {
  check_outcomes({"12b", "1b2", "21b", "2b1", "b12", "b21"}, [](trial& t) {
    const auto log = std::make_shared<std::string>();
    const auto to = writer(t, log);
    std::vector<after_registration> told;
    std::vector<caf::actor> all;
    for (const auto* what : {"1", "2"}) {
      const auto own = std::make_shared<scope>(with_cancel(t.runtime().contexts().background()));
      told.push_back(after_cancel(own->ctx(), [to, what] { caf::anon_send(to, std::string(what)); }));
      all.push_back(does(t, [own](caf::event_based_actor*) { own->cancel(); }));
    }
    all.push_back(does(t, [to](caf::event_based_actor* self) { self->send(to, "b"s); }));
    t.settle();
    begin(t, all);
    return *log;
  });
}

BOOST_AUTO_TEST_CASE(what_a_deadline_calls_and_whom_it_ends_come_in_either_order) {
  check_outcomes({"cw", "wc"}, [](trial& t) {
    const auto log = std::make_shared<std::string>();
    const auto to = writer(t, log);
    const auto own = with_timeout(t.runtime().contexts().background(), 1s);
    const auto told = after_cancel(own.ctx(), [to] { caf::anon_send(to, "c"s); });
    worker_options options;
    options.ctx = own.ctx();
    options.line = std::make_shared<lifeline>();
    const auto lives = spawn_worker(t.system(), std::move(options), [to](worker* self) -> caf::behavior {
      self->on_down_signal([self, to](const down_signal&) {
        self->send(to, "w"s);
        self->finish();
      });
      return {[](int) {}};
    });
    t.advance(2s);
    return *log;
  });
}

BOOST_AUTO_TEST_CASE(a_callback_knows_what_the_test_knew_when_it_canceled) {
  const auto result = explore({}, [](trial& t) {
    t.start(one_for_one().child("a", ordinary).restart(restart_type::temporary).child("b", ordinary).tree());
    const auto a = *t.runtime().find("/root/a");
    auto own = with_cancel(t.runtime().contexts().background());
    const auto told = after_cancel(own.ctx(), [a] { caf::anon_send(a, "normal"s); });
    own.cancel();
    t.settle();
    const auto seen = t.so_far();
    std::size_t up = 0;
    std::size_t down = 0;
    for (std::size_t i = 0; i != seen.all.size(); ++i) {
      if (seen.all[i].what == happening::started && seen.all[i].path == "/root/b")
        up = i;
      if (seen.all[i].what == happening::stopped && seen.all[i].path == "/root/a")
        down = i;
    }
    t.expect(down != 0 && seen.leads_to(up, down), "the test had seen b start");
  });
  BOOST_TEST(result.exhausted, result.to_text());
}

BOOST_AUTO_TEST_CASE(an_act_that_looks_at_the_world_does_so_between_any_two_steps) {
  outcomes seen;
  const auto result = explore({}, [&](trial& t) {
    t.at_any_time("look", [&] {
      seen.insert(std::string(t.is_alive("/root/a") ? "a" : "") + (t.is_alive("/root/b") ? "b" : ""));
    });
    t.start(one_for_one().child("a", ordinary).child("b", ordinary).tree());
    t.stop();
    t.run_until_ended(1h);
  });
  BOOST_TEST(result.exhausted, result.to_text());
  BOOST_TEST(seen == (outcomes{"", "a", "ab"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_that_the_body_takes_is_that_of_any) {
  check_outcomes({"a", "b"}, [](trial& t) {
    const auto log = std::make_shared<std::string>();
    const std::vector<caf::actor> all{does(t, [log](caf::event_based_actor*) { *log += "a"; }),
                                      does(t, [log](caf::event_based_actor*) { *log += "b"; })};
    t.settle();
    for (const auto& one : all)
      caf::anon_send(one, 1);
    t.step();
    const auto seen = *log;
    t.settle();
    return seen;
  });
}

BOOST_AUTO_TEST_CASE(time_in_which_nothing_is_due_passes_before_an_act_too) {
  outcomes when;
  const auto result = explore({}, [&](trial& t) {
    std::string seen = "never";
    t.at_any_time("look", [&] { seen = libactor::to_string(duration{t.now().time_since_epoch()}); });
    t.advance(1s);
    t.settle();
    when.insert(seen);
  });
  BOOST_TEST(result.exhausted, result.to_text());
  BOOST_TEST(when == (outcomes{"0s", "1s", "never"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
