// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(causes)

struct table : world {
  const cause p{"P"};
  const cause c{"C"};
  const cause t{"T"};

  static void check(const context& ctx, errc error, std::string_view text) {
    BOOST_TEST(ctx.error() == error);
    BOOST_TEST(ctx.cause().text() == text);
  }
};

BOOST_FIXTURE_TEST_CASE(C088_plain_cancel, table) {
  auto a = with_cancel(root);
  a.cancel();
  check(a.ctx(), errc::canceled, "canceled");
  BOOST_TEST((a.ctx().cause().origin() == cause_origin::explicit_));
}

BOOST_FIXTURE_TEST_CASE(C089_cancel_with_a_cause, table) {
  auto a = with_cancel(root);
  a.cancel(p);
  check(a.ctx(), errc::canceled, "P");
  BOOST_TEST(a.ctx().cause() == p);
}

BOOST_FIXTURE_TEST_CASE(C090_cancel_with_an_empty_cause, table) {
  auto a = with_cancel(root);
  a.cancel(cause{});
  check(a.ctx(), errc::canceled, "canceled");
}

BOOST_FIXTURE_TEST_CASE(C091_parent_then_child, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  a.cancel(p);
  b.cancel(c);
  check(b.ctx(), errc::canceled, "P");
}

BOOST_FIXTURE_TEST_CASE(C092_child_then_parent, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  b.cancel(c);
  a.cancel(p);
  check(b.ctx(), errc::canceled, "C");
  check(a.ctx(), errc::canceled, "P");
}

BOOST_FIXTURE_TEST_CASE(C093_parent_then_plain_child, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  a.cancel(p);
  b.cancel();
  check(b.ctx(), errc::canceled, "P");
}

BOOST_FIXTURE_TEST_CASE(C094_plain_child_then_parent, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  b.cancel();
  a.cancel(p);
  check(b.ctx(), errc::canceled, "canceled");
}

BOOST_FIXTURE_TEST_CASE(C095_plain_parent_then_child, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  a.cancel();
  b.cancel(c);
  check(b.ctx(), errc::canceled, "canceled");
}

BOOST_FIXTURE_TEST_CASE(C096_child_then_plain_parent, table) {
  auto a = with_cancel(root);
  auto b = with_cancel(a.ctx());
  b.cancel(c);
  a.cancel();
  check(b.ctx(), errc::canceled, "C");
}

BOOST_FIXTURE_TEST_CASE(C097_timeout_zero_then_cancel, table) {
  auto a = with_timeout(root, 0s);
  a.cancel();
  check(a.ctx(), errc::deadline_exceeded, "deadline exceeded");
  BOOST_TEST((a.ctx().cause().origin() == cause_origin::deadline));
}

BOOST_FIXTURE_TEST_CASE(C098_long_timeout_canceled, table) {
  auto a = with_timeout(root, 1h);
  a.cancel();
  check(a.ctx(), errc::canceled, "canceled");
}

BOOST_FIXTURE_TEST_CASE(C099_timeout_zero_with_cause_then_cancel, table) {
  auto a = with_timeout(root, 0s, t);
  a.cancel();
  check(a.ctx(), errc::deadline_exceeded, "T");
}

BOOST_FIXTURE_TEST_CASE(C100_C173_long_timeout_with_cause_canceled_early, table) {
  auto a = with_timeout(root, 1h, t);
  a.cancel();
  check(a.ctx(), errc::canceled, "canceled");
}

BOOST_FIXTURE_TEST_CASE(C101_expired_child_keeps_its_own, table) {
  auto a = with_cancel(root);
  auto b = with_timeout(a.ctx(), 1s, t);
  advance(1s);
  a.cancel(p);
  check(b.ctx(), errc::deadline_exceeded, "T");
}

BOOST_FIXTURE_TEST_CASE(C102_parent_canceled_before_the_childs_timeout, table) {
  auto a = with_cancel(root);
  auto b = with_timeout(a.ctx(), 1h, t);
  a.cancel(p);
  check(b.ctx(), errc::canceled, "P");
}

BOOST_FIXTURE_TEST_CASE(C103_C104_C105_without_cancel_has_neither, table) {
  auto a = with_cancel(root);
  auto expired = with_timeout(root, 0s);
  const auto of_root = without_cancel(background());
  const auto later = without_cancel(a.ctx());
  const auto before = without_cancel(expired.ctx());
  a.cancel(p);
  for (const auto& ctx : {of_root, later, before}) {
    BOOST_TEST(!ctx.done());
    BOOST_TEST(!ctx.error());
    BOOST_TEST(!ctx.cause());
  }
}

struct number : context_key<int> {};

BOOST_FIXTURE_TEST_CASE(C109_C110_C112_without_cancel_has_no_deadline_is_never_done_and_keeps_values, table) {
  auto a = with_timeout(with_value<number>(root, 3), 1s);
  const auto free = without_cancel(a.ctx());
  advance(2s);
  BOOST_TEST(!free.deadline().has_value());
  BOOST_TEST(!free.done());
  BOOST_TEST(*free.value<number>() == 3);
}

BOOST_AUTO_TEST_CASE(a_cause_carries_the_users_error_path_and_place) {
  const cause full{"no disk", cause_origin::signal, "/shop/store", std::make_error_code(std::errc::no_space_on_device)};
  BOOST_TEST(full.text() == "no disk");
  BOOST_TEST((full.origin() == cause_origin::signal));
  BOOST_TEST(full.path() == "/shop/store");
  BOOST_TEST((full.user_error() == std::errc::no_space_on_device));
  BOOST_TEST(full.where().line() != 0u);
  const cause copy = full;
  BOOST_TEST(copy == full);
  BOOST_TEST((cause{"x"} != cause{"x"}));
  std::ostringstream out;
  out << cause{};
  BOOST_TEST(out.str() == "none");
}

BOOST_AUTO_TEST_CASE(a_plain_cancel_says_where) {
  auto a = with_cancel(background());
  const auto line = __LINE__ + 1;
  a.cancel();
  BOOST_TEST(a.ctx().cause().where().line() == static_cast<unsigned>(line));
  BOOST_TEST(std::string{a.ctx().cause().where().file_name()}.ends_with("cause_test.cpp"));
}

BOOST_AUTO_TEST_SUITE_END()
