# libactor_test(<name> SOURCES … LIBS …): a Boost.Test executable test_<name>, registered with CTest as one test.
# Its cases are logged one by one to test-results/<name>.xml in the build tree, where scripts/test counts them.
function(libactor_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;ARGS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(LIBACTOR_SANITIZE)
    math(EXPR ARG_TIMEOUT "4 * ${ARG_TIMEOUT}")  # what the sanitizers cost
  endif()
  find_package(Boost 1.74 REQUIRED COMPONENTS unit_test_framework)
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/test-results")
  # The entry point is a library of its own: a source file's definitions can't differ from target to target.
  add_library(test_${name}_main OBJECT ${PROJECT_SOURCE_DIR}/tests/boost_main.cpp)
  target_compile_definitions(test_${name}_main PRIVATE BOOST_TEST_DYN_LINK BOOST_TEST_MODULE=${name})
  target_link_libraries(test_${name}_main PRIVATE Boost::unit_test_framework)
  libactor_compile_options(test_${name}_main)
  add_executable(test_${name} ${ARG_SOURCES} $<TARGET_OBJECTS:test_${name}_main>)
  target_compile_definitions(test_${name} PRIVATE BOOST_TEST_DYN_LINK)
  target_link_libraries(test_${name} PRIVATE ${ARG_LIBS} Boost::unit_test_framework)
  libactor_compile_options(test_${name})
  # Boost.Test's macros take longer to optimise than they ever take to run.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  set(headers <boost/test/unit_test.hpp> <functional> <optional> <string> <thread> <vector>)
  if(ARG_LIBS MATCHES "libactor::(supervisors|testkit)")
    list(APPEND headers ${libactor_caf_headers} <supervisors/child_start.hpp>)
  endif()
  libactor_precompile(test_${name} ${headers})
  add_test(NAME ${name} COMMAND test_${name}
           "--logger=HRF,error,stdout:JUNIT,error,${CMAKE_BINARY_DIR}/test-results/${name}.xml" ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
