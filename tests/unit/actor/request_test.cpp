// SPDX-License-Identifier: BSL-1.0
// What a request between workers carries, and what it comes to when a context ends.
#include "lab.hpp"
#include "libactor/context_key.hpp"
#include "libactor/context_snapshot.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr trace_id some_trace{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

// Asks `server` when told to, and notes what comes of it.
auto asking(lab& world, caf::actor server, duration timeout = infinite) {
  return [&world, server, timeout](worker* self) -> caf::behavior {
    self->on_down_signal([self](const down_signal&) { self->after(1h, [self] { self->finish(); }); });
    return {[&world, server, timeout, self](const std::string&) {
      self->request(server, timeout, 1)
          .then([&world](int x) { world.seen.push_back("answer " + std::to_string(x)); },
                [&world](caf::error& e) { world.seen.push_back(describe(e)); });
    }};
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(requests)

BOOST_FIXTURE_TEST_CASE(W010_R14_a_request_carries_trace_id_remaining_time_and_cancellation, lab) {
  slow_server served;
  auto servers = with_cancel(root());
  auto clients = with_timeout(with_trace(root(), some_trace), 10s);
  auto server = spawn(servers.ctx(), served.body());
  auto client = spawn(clients.ctx(), asking(*this, server));
  caf::anon_send(client, "ask"s);
  settle();
  BOOST_REQUIRE(served.contexts.size() == 1u);
  const auto& ctx = served.contexts[0];
  BOOST_TEST((ctx.trace() == some_trace));
  BOOST_REQUIRE(ctx.deadline());
  BOOST_TEST((*ctx.deadline() == now() + 10s));
  BOOST_TEST(!ctx.done());
  clients.cancel(cause("the client hung up"));
  BOOST_TEST(ctx.done());
  BOOST_TEST(ctx.cause().text() == "the client hung up");
  BOOST_TEST(!servers.ctx().done());
  settle();
  BOOST_TEST(seen == lines{"canceled"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(R14_the_context_of_a_request_is_the_servers_too, lab) {
  slow_server served;
  auto servers = with_timeout(root(), 2s);
  auto clients = with_timeout(root(), 10s);
  auto server = spawn(servers.ctx(), served.body());
  auto client = spawn(clients.ctx(), asking(*this, server));
  caf::anon_send(client, "ask"s);
  settle();
  const auto& ctx = served.contexts.at(0);
  BOOST_TEST((*ctx.deadline() == now() + 2s));
  servers.cancel();
  BOOST_TEST(ctx.done());
  BOOST_TEST(!clients.ctx().done());
}

BOOST_FIXTURE_TEST_CASE(W010_the_timeout_of_a_request_is_part_of_its_context, lab) {
  slow_server served;
  auto own = with_cancel(root());
  auto server = spawn(own.ctx(), served.body());
  auto client = spawn(own.ctx(), asking(*this, server, 3s));
  caf::anon_send(client, "ask"s);
  advance(2999ms);
  BOOST_TEST(seen.empty());
  BOOST_TEST((*served.contexts.at(0).deadline() == now() + 1ms));
  BOOST_TEST(!served.contexts.at(0).done());
  advance(1ms);
  BOOST_TEST(served.contexts.at(0).error() == make_error_code(errc::deadline_exceeded));
  BOOST_TEST(seen == lines{"deadline_exceeded"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W010_cancellation_reaches_through_two_workers_and_ends_the_requests_between_them, lab) {
  slow_server last;
  auto own = with_cancel(root());
  auto clients = with_cancel(with_trace(root(), some_trace));
  auto store = spawn(own.ctx(), last.body());
  auto api = spawn(own.ctx(), [this, store](worker* self) -> caf::behavior {
    return {[this, self, store](int x) {
      auto promise = self->make_response_promise<int>();
      // The second request is made in the handler of the first one's answer, where the client's is still in hand.
      self->request(store, infinite, x).then([this, self, store, promise](int) mutable {
        seen.push_back("halfway");
        self->request(store, infinite, 2).then([promise](int y) mutable { promise.deliver(y); });
      });
      return promise;
    }};
  });
  auto client = spawn(clients.ctx(), asking(*this, api));
  caf::anon_send(client, "ask"s);
  settle();
  last.answer(0, 1);
  settle();
  BOOST_REQUIRE(last.contexts.size() == 2u);
  BOOST_TEST((last.contexts[1].trace() == some_trace));
  BOOST_TEST(!last.contexts[1].done());
  clients.cancel();
  BOOST_TEST(last.contexts[1].done());
  settle();
  BOOST_TEST(seen == (lines{"halfway", "canceled"}), boost::test_tools::per_element());
  // The worker in the middle had no handler of errors: that its client hung up is no reason for it to end.
  BOOST_TEST(!end);
  seen.clear();
  auto again = spawn(own.ctx(), asking(*this, api));
  caf::anon_send(again, "ask"s);
  settle();
  last.answer(2, 1);
  settle();
  last.answer(3, 7);
  settle();
  BOOST_TEST(seen == (lines{"halfway", "answer 7"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W010_a_request_under_a_context_that_is_done_is_not_sent, lab) {
  slow_server served;
  auto servers = with_cancel(root());
  auto clients = with_cancel(root());
  auto server = spawn(servers.ctx(), served.body());
  auto client = spawn(clients.ctx(), [this, server, &clients](worker* self) -> caf::behavior {
    self->on_down_signal([self](const down_signal&) { self->after(1s, [self] { self->finish(); }); });
    return {[this, self, server, &clients](const std::string&) {
      clients.cancel();
      self->request(server, infinite, 1).then([](int) {}, [this](caf::error& e) { seen.push_back(describe(e)); });
      self->request(server, 5s, 1).then([](int) {}, [this](caf::error& e) { seen.push_back(describe(e)); });
    }};
  });
  caf::anon_send(client, "ask"s);
  settle();
  BOOST_TEST(served.contexts.empty());
  BOOST_TEST(seen == (lines{"canceled", "canceled"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W010_without_a_request_in_hand_the_context_is_the_workers_own, lab) {
  auto own = with_cancel(root());
  bool same = false;
  auto handle = spawn(own.ctx(), [&same](worker* self) -> caf::behavior {
    same = self->request_ctx() == self->ctx();
    return {[&same, self](int) { same = same && self->request_ctx() == self->ctx(); }};
  });
  caf::anon_send(handle, 1);
  system().spawn([handle](caf::event_based_actor* self) { self->request(handle, caf::infinite, 2).then([] {}); });
  settle();
  BOOST_TEST(same);
}

BOOST_FIXTURE_TEST_CASE(W010_a_request_that_is_handed_on_keeps_its_requesters_context, lab) {
  slow_server served;
  auto own = with_cancel(root());
  auto clients = with_cancel(with_trace(root(), some_trace));
  auto server = spawn(own.ctx(), served.body());
  auto front = spawn(own.ctx(), [server](worker* self) -> caf::behavior {
    return {[self, server](int x) { return self->delegate(server, x + 1); }};
  });
  auto client = spawn(clients.ctx(), asking(*this, front));
  caf::anon_send(client, "ask"s);
  settle();
  BOOST_TEST((served.contexts.at(0).trace() == some_trace));
  served.answer(0, 5);
  settle();
  BOOST_TEST(seen == lines{"answer 5"}, boost::test_tools::per_element());
  clients.cancel();
  BOOST_TEST(served.contexts.at(0).done());
}

BOOST_FIXTURE_TEST_CASE(R14_between_two_runtimes_what_remains_of_the_time_counts_not_the_clock, lab) {
  context_runtime other{context_runtime::driver::virtual_};
  advance(1h);  // the clocks are an hour apart
  slow_server served;
  auto servers = with_cancel(other.background());
  auto clients = with_timeout(with_trace(root(), some_trace), 10s);
  auto server = spawn(servers.ctx(), served.body());
  auto client = spawn(clients.ctx(), asking(*this, server));
  caf::anon_send(client, "ask"s);
  settle();
  {
    const auto ctx = served.contexts.at(0);
    BOOST_TEST((*ctx.deadline() == other.now() + 10s));
    BOOST_TEST((ctx.trace() == some_trace));
    clients.cancel();
    BOOST_TEST(ctx.done());
  }
  settle();
  BOOST_TEST(seen == lines{"canceled"}, boost::test_tools::per_element());
  served.contexts.clear();
  servers.cancel();
  settle();
}

BOOST_FIXTURE_TEST_CASE(W011_an_answer_after_the_deadline_is_dropped_and_counted, lab) {
  slow_server served;
  auto own = with_cancel(root());
  auto server = spawn(own.ctx(), served.body());
  std::uint64_t late = 0;
  auto client = spawn_worker(system(), options(own.ctx()), [&](worker* self) -> caf::behavior {
    return {[&, self](const std::string& what) {
      late = self->late_answers();
      if (what == "end")
        self->finish();
      if (what == "ask")
        self->request(server, 1s, 1)
            .then([&](int) { seen.push_back("answer"); }, [&](caf::error& e) { seen.push_back(describe(e)); });
    }};
  });
  for (int i = 0; i != 3; ++i)
    caf::anon_send(client, "ask"s);
  settle();
  served.answer(0, 1);  // in time
  advance(1s);
  BOOST_TEST(seen == (lines{"answer", "deadline_exceeded", "deadline_exceeded"}), boost::test_tools::per_element());
  served.answer(1, 1);
  served.answer(2, 1);
  settle();
  caf::anon_send(client, "look"s);
  settle();
  BOOST_TEST(late == 2u);
  BOOST_TEST(seen.size() == 3u);
  caf::anon_send(client, "end"s);
  settle();
  BOOST_TEST(told_lines() == lines{"dropped: answers that came too late, 2"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(W011_a_timeout_that_nobody_handles_ends_the_worker, lab) {
  slow_server served;
  auto own = with_cancel(root());
  auto server = spawn(own.ctx(), served.body());
  auto client = spawn(own.ctx(), [server](worker* self) -> caf::behavior {
    return {[self, server](const std::string&) { self->request(server, 1s, 1).then([](int) {}); }};
  });
  caf::anon_send(client, "ask"s);
  advance(1s);
  BOOST_REQUIRE(end);
  BOOST_TEST(describe(*end) == "deadline_exceeded");
}

BOOST_FIXTURE_TEST_CASE(R14_requests_leave_nothing_behind_once_they_are_answered, lab) {
  auto own = with_cancel(root());
  auto clients = with_timeout(root(), 1h);
  auto echo = spawn(own.ctx(), [](worker* self) -> caf::behavior {
    return {[self](int x) { return self->request_ctx().done() ? -1 : x; }};
  });
  auto client = spawn(clients.ctx(), asking(*this, echo, 1min));
  settle();
  auto contexts = [this] { return take_snapshot(runtime().contexts()).nodes.size(); };
  const auto before = contexts();
  for (int i = 0; i != 100; ++i)
    caf::anon_send(client, "ask"s);
  settle();
  BOOST_TEST(seen.size() == 100u);
  BOOST_TEST(contexts() == before);
}

// R16: what would skip a kill does not compile.
template <class Self>
concept can_await = requires(Self* self, const caf::actor& to) {
  self->request(to, infinite, 1).await([](int) {});
};
template <class Self>
concept can_await_with_error = requires(Self* self, const caf::actor& to) {
  self->request(to, 5s, 1).await([](int) {}, [](caf::error&) {});
};
template <class Self>
concept can_then = requires(Self* self, const caf::actor& to) {
  self->request(to, infinite, 1).then([](int) {});
};

BOOST_AUTO_TEST_CASE(R16_await_is_deleted_in_workers_and_only_there) {
  BOOST_TEST(can_then<worker>);
  BOOST_TEST(can_await<caf::event_based_actor>);
  BOOST_TEST(!can_await<worker>);
  BOOST_TEST(!can_await<stateful_worker<std::string>>);
  BOOST_TEST(!can_await_with_error<worker>);
}

BOOST_AUTO_TEST_SUITE_END()
