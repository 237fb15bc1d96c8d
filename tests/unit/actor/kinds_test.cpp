// SPDX-License-Identifier: BSL-1.0
// Workers made in each of the ways there are behave alike.
#include "lab.hpp"
#include "libactor/actor/typed_worker.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <stdexcept>
#include <tuple>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// What happened to a worker, and whether it has handlers for its end.
struct probe {
  int handled = 0;
  lines seen;
  bool cleans_up = false;
  std::function<void()> meanwhile;
};

// The same cases for all kinds.
template <class Behavior, class Self>
Behavior cases(Self* self, probe& p) {
  if (p.cleans_up) {
    self->on_deadline([&p](const deadline_reached&) { p.seen.push_back("deadline_reached"); });
    self->on_down_signal([&p, self](const down_signal&) {
      p.seen.push_back("down_signal");
      self->after(1s, [self] { self->finish(); });
    });
  }
  return Behavior{[&p](int x) {
                    ++p.handled;
                    return x;
                  },
                  [&p, self](const std::string& what) {
                    if (what == "throw")
                      throw std::runtime_error("disk on fire");
                    p.seen.push_back(self->ctx().done() ? "done" : "live");
                    p.meanwhile();
                    p.seen.push_back(self->ctx().done() ? "done" : "live");
                  }};
}

struct of_function {
  static caf::actor spawn(lab& world, worker_options with, probe& p) {
    return spawn_worker(world.system(), std::move(with), [&p](worker* self) { return cases<caf::behavior>(self, p); });
  }
};

struct some_state {
  std::string text = "a state";
};

struct with_state {
  static caf::actor spawn(lab& world, worker_options with, probe& p) {
    return spawn_worker(world.system(), std::move(with),
                        [&p](stateful_worker<some_state>* self) { return cases<caf::behavior>(self, p); });
  }
};

class probed_worker : public worker {
 public:
  probed_worker(caf::actor_config& cfg, worker_options options, probe& p)
      : worker(cfg, std::move(options)), probe_(p) {}
  caf::behavior make_behavior() override {
    worker::make_behavior();
    return cases<caf::behavior>(this, probe_);
  }

 private:
  probe& probe_;
};

struct of_class {
  static caf::actor spawn(lab& world, worker_options with, probe& p) {
    return spawn_worker_class<probed_worker>(world.system(), std::move(with), p);
  }
};

using typed_probe = typed_worker<caf::replies_to<int>::with<int>, caf::reacts_to<std::string>>;

struct typed_one {
  static caf::actor spawn(lab& world, worker_options with, probe& p) {
    return spawn_worker(world.system(), std::move(with),
                        [&p](typed_probe* self) { return cases<typed_probe::behavior_type>(self, p); });
  }
};

struct typed_with_state {
  static caf::actor spawn(lab& world, worker_options with, probe& p) {
    return spawn_worker(world.system(), std::move(with), [&p](caf::stateful_actor<some_state, typed_probe>* self) {
      return cases<typed_probe::behavior_type>(self, p);
    });
  }
};

using kinds = std::tuple<of_function, with_state, of_class, typed_one, typed_with_state>;

struct probe_note {
  probe p;
};

template <class Kind>
struct bench : probe_note, lab {
  scope own = with_timeout(root(), 10s);
  caf::actor handle;

  caf::actor& start() {
    handle = Kind::spawn(*this, options(own.ctx()), this->p);
    watch_end(handle);
    settle();
    return handle;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(kinds_of_workers)

BOOST_AUTO_TEST_CASE_TEMPLATE(W007_W001_a_down_signal_overtakes_the_backlog, Kind, kinds) {
  bench<Kind> b;
  b.start();
  for (int i = 0; i != 50000; ++i)
    caf::anon_send(b.handle, i);
  b.own.cancel();
  b.settle();
  BOOST_TEST(b.p.handled == 0);
  BOOST_REQUIRE(b.end);
  BOOST_TEST(describe(*b.end) == "user_shutdown");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(W007_W003_deadline_reached_comes_before_down_signal_once_each, Kind, kinds) {
  bench<Kind> b;
  b.p.cleans_up = true;
  b.start();
  b.advance(10s);
  BOOST_TEST(b.p.seen == (lines{"deadline_reached", "down_signal"}), boost::test_tools::per_element());
  b.advance(1s);
  BOOST_REQUIRE(b.end);
  BOOST_TEST(!*b.end);
  BOOST_TEST(b.p.seen.size() == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(W007_W004_a_handler_that_polls_sees_a_cancel_made_while_it_runs, Kind, kinds) {
  bench<Kind> b;
  b.p.meanwhile = [&b] { b.own.cancel(); };
  caf::anon_send(b.start(), "poll"s);
  b.settle();
  BOOST_TEST(b.p.seen == (lines{"live", "done"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(W007_W005_requests_dropped_are_answered_and_the_number_is_told, Kind, kinds) {
  bench<Kind> b;
  b.p.cleans_up = true;
  b.start();
  b.own.cancel();
  b.settle();
  for (int i = 0; i != 2; ++i) {
    b.system().spawn([&b](caf::event_based_actor* self) {
      self->request(b.handle, caf::infinite, 1)
          .then([&b](int) { b.seen.push_back("answer"); }, [&b](caf::error& e) { b.seen.push_back(describe(e)); });
    });
  }
  b.settle();
  caf::anon_send(b.handle, 1);
  b.advance(1s);
  BOOST_TEST(b.seen == (lines{"dropped", "dropped"}), boost::test_tools::per_element());
  BOOST_TEST(b.told_lines() == lines{"dropped: messages unread at its end, 3"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(W007_W006_the_text_of_an_exception_is_in_the_reason, Kind, kinds) {
  bench<Kind> b;
  caf::anon_send(b.start(), "throw"s);
  b.settle();
  BOOST_REQUIRE(b.end);
  BOOST_TEST(describe(*b.end) == "runtime_error: std::runtime_error: disk on fire");
}

BOOST_FIXTURE_TEST_CASE(W007_a_typed_worker_has_a_typed_handle_and_is_asked_by_it, lab) {
  auto own = with_cancel(root());
  int answer = 0;
  auto typed_handle = spawn_in(system(), own.ctx(), [](typed_probe*) {
    return typed_probe::behavior_type{[](int x) { return x + 1; }, [](const std::string&) {}};
  });
  static_assert(std::is_same_v<decltype(typed_handle), typed_probe::handle_type>);
  spawn_in(system(), own.ctx(), [typed_handle, &answer](worker* self) {
    self->request(typed_handle, 1s, 41).then([&answer](int x) { answer = x; });
  });
  settle();
  BOOST_TEST(answer == 42);
  const auto names = caf::actor_cast<caf::abstract_actor*>(typed_handle)->message_types();
  BOOST_TEST(names.size() == 2u);
}

// What a typed worker does not accept does not compile.
static_assert(detail::answer_of<typed_probe::handle_type, int>::valid);
static_assert(!detail::answer_of<typed_probe::handle_type, double>::valid);

BOOST_AUTO_TEST_SUITE_END()
