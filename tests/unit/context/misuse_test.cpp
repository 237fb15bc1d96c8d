// SPDX-License-Identifier: BSL-1.0
#include "../violation.hpp"
#include "fixture.hpp"

#include "libactor/after_cancel.hpp"
#include "libactor/budget.hpp"
#include "libactor/violation.hpp"

#include <csignal>
#include <exception>

#include <sys/wait.h>
#include <unistd.h>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(misuse)

BOOST_AUTO_TEST_CASE(C084_deriving_from_an_empty_or_moved_from_context_calls_the_handler) {
  BOOST_TEST(!is_violation([] {}));
  struct number : context_key<int> {};
  context moved_from = with_cancel(background()).commit();
  const auto kept = std::move(moved_from);
  for (const auto* ctx : {&moved_from}) {
    BOOST_TEST(!static_cast<bool>(*ctx));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_cancel(*ctx)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_timeout(*ctx, 1s)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_value<number>(*ctx, 1)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_trace(*ctx, {})); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_boundary(*ctx)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(without_cancel(*ctx)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(shielded(*ctx, 1s)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(merged(*ctx, kept)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(merged(kept, *ctx)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(after_cancel(*ctx, [] {})); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(with_share(*ctx, 2)); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(ctx->done()); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(ctx->error()); }));
    BOOST_TEST(is_violation([&] { static_cast<void>(ctx->value<number>()); }));
    BOOST_TEST(is_violation([&] { ctx->wait(); }));
  }
}

BOOST_AUTO_TEST_CASE(C084_the_default_handler_ends_the_program_and_one_that_returns_does_too) {
  const auto ends_by_abort = [](violation_handler handler) {
    const auto child = ::fork();
    if (child == 0) {
      ::close(STDERR_FILENO);
      std::signal(SIGABRT, SIG_DFL);
      std::set_terminate(std::abort);
      set_violation_handler(handler);
      static_cast<void>(context{}.done());
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  };
  BOOST_TEST(ends_by_abort(nullptr));
  BOOST_TEST(ends_by_abort([](const char*) {}));
  BOOST_TEST(ends_by_abort([](const char*) { throw 1; }));
}

BOOST_AUTO_TEST_CASE(the_handler_can_be_replaced_and_restored) {
  const violation_handler mine = [](const char*) {};
  const auto original = set_violation_handler(mine);
  BOOST_TEST((original != nullptr));
  BOOST_TEST((set_violation_handler(nullptr) == mine));
  BOOST_TEST((set_violation_handler(original) == original));
}

BOOST_AUTO_TEST_CASE(R30_under_the_free_background_deadlines_callbacks_and_shields_are_refused) {
  auto free = with_cancel(background());
  BOOST_TEST(is_violation([&] { static_cast<void>(with_timeout(free.ctx(), 1s)); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(with_deadline(free.ctx(), time_point{}, {})); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(shielded(free.ctx(), 1s)); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(after_cancel(free.ctx(), [] {})); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(free.ctx().wait_for(1s)); }));
}

BOOST_FIXTURE_TEST_CASE(moving_a_deadline_where_there_is_none_and_misused_clocks_are_refused, world) {
  auto plain = with_cancel(root);
  BOOST_TEST(is_violation([&] { plain.move_deadline(now() + 1s); }));
  scope empty;
  BOOST_TEST(is_violation([&] { empty.move_deadline(now() + 1s); }));
  advance(1s);
  BOOST_TEST(is_violation([&] { runtime.advance_to(now() - 1ns); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(with_share(root, 0)); }));
  BOOST_TEST(is_violation([&] { static_cast<void>(with_reserve(root, -1s)); }));
  BOOST_TEST(is_violation([] {
    context_runtime steady;
    static_cast<void>(steady.next_due());
  }));
}

BOOST_AUTO_TEST_CASE(a_throwing_callback_calls_the_handler) {
  BOOST_TEST(is_violation([] {
    world w;
    auto a = with_cancel(w.root);
    const auto callback = after_cancel(a.ctx(), [] { throw std::runtime_error{"no"}; });
    a.cancel();
    w.runtime.run_callbacks();
  }));
  BOOST_TEST(is_violation([] {
    world w;
    const auto listener = w.runtime.subscribe([](const context_event&) { throw std::runtime_error{"no"}; });
    auto a = with_cancel(w.root);
  }));
}

BOOST_AUTO_TEST_CASE(empty_scopes_and_contexts_can_be_tested_assigned_and_destroyed) {
  scope none;
  none.cancel();
  none.cancel_now();
  BOOST_TEST(!static_cast<bool>(none));
  BOOST_TEST(!static_cast<bool>(none.commit()));
  context empty;
  context copy = empty;
  empty = std::move(copy);
  empty = background();
  BOOST_TEST(!empty.done());
}

BOOST_AUTO_TEST_SUITE_END()
