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

namespace {

struct tagged {
  virtual ~tagged() = default;
  int tag = 7;
};
// Where the exception is not at the beginning of the object, and where only the object knows where it is.
struct beside : tagged, std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct shared_base : virtual std::exception {
  const char* what() const noexcept override { return "shared"; }
};
struct below : tagged, shared_base {};
struct hidden : private std::exception {};

}  // namespace

BOOST_AUTO_TEST_CASE(an_exception_says_its_type_and_words_wherever_it_stands_in_the_object) {
  auto reason_of = [](auto&& what) { return describe(make_error(std::make_exception_ptr(what))); };
  BOOST_TEST(reason_of(beside("no disk")).ends_with("beside: no disk"));
  BOOST_TEST(reason_of(below()).ends_with("below: shared"));
  BOOST_TEST(reason_of(hidden()) == "runtime_error: unknown exception");
  BOOST_TEST(reason_of("words") == "runtime_error: unknown exception");
  BOOST_TEST(describe(make_error(std::exception_ptr())) == "runtime_error: unknown exception");
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
