// SPDX-License-Identifier: BSL-1.0
// The entry point of every test executable; the test module has the program's name.
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>
#include <cerrno>

int main(int argc, char* argv[]) {
  const auto name_module = [] {
    boost::unit_test::framework::master_test_suite().p_name.value = program_invocation_short_name;
    return true;
  };
  return boost::unit_test::unit_test_main(name_module, argc, argv);
}
