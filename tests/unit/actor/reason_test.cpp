// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/reason.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <stdexcept>

using namespace libactor;

BOOST_AUTO_TEST_SUITE(reasons)

BOOST_AUTO_TEST_CASE(the_table_of_endings_tells_normal_shutdown_and_abnormal_apart) {
  BOOST_TEST((ending_of({}) == ending::normal));
  BOOST_TEST((ending_of(make_error(caf::exit_reason::normal)) == ending::normal));
  BOOST_TEST((ending_of(caf::exit_reason::user_shutdown) == ending::shutdown));
  BOOST_TEST((ending_of(make_error(errc::shutdown, "for the night")) == ending::shutdown));
  for (const auto code : {errc::deadline_exceeded, errc::canceled, errc::abandoned, errc::gave_up, errc::start_failed})
    BOOST_TEST((ending_of(make_error(code)) == ending::abnormal));
  BOOST_TEST((ending_of(make_error(errc::exit_status, 3)) == ending::abnormal));
  BOOST_TEST((ending_of(caf::exit_reason::kill) == ending::abnormal));
  BOOST_TEST((ending_of(caf::sec::runtime_error) == ending::abnormal));
}

BOOST_AUTO_TEST_CASE(a_reason_is_described_with_its_name_and_its_words) {
  BOOST_TEST(describe({}) == "normal");
  BOOST_TEST(describe(caf::exit_reason::user_shutdown) == "user_shutdown");
  BOOST_TEST(describe(caf::exit_reason::kill) == "kill");
  BOOST_TEST(describe(make_error(errc::deadline_exceeded)) == "deadline_exceeded");
  BOOST_TEST(describe(make_error(errc::exit_status, 3)) == "exit_status: 3");
  BOOST_TEST(describe(make_error(std::make_exception_ptr(std::out_of_range("no such row")))) ==
             "runtime_error: std::out_of_range: no such row");
  BOOST_TEST(describe(make_error(std::make_exception_ptr(42))) == "runtime_error: unknown exception");
}

BOOST_AUTO_TEST_SUITE_END()
