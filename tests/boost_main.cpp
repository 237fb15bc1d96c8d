// SPDX-License-Identifier: BSL-1.0
// The entry point of every test executable; the build defines BOOST_TEST_MODULE for this file alone.
#include <boost/test/unit_test.hpp>
