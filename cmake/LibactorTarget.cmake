# libactor_library(<name> SOURCES … PUBLIC … PRIVATE …): a library libactor-<name> with the alias libactor::<name>,
# its public headers in include/ beside the calling CMakeLists.txt's folder.
include(GNUInstallDirs)

function(libactor_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${LIBACTOR_WERROR}>:-Werror>)
  if(CMAKE_UNITY_BUILD)  # where g++ takes a source file for a header, whose classes could have two definitions
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(LIBACTOR_SANITIZE)
    string(REPLACE ";" "," sanitizers "${LIBACTOR_SANITIZE}")
    target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
    if("address" IN_LIST LIBACTOR_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
      target_compile_definitions(${target} PRIVATE __SANITIZE_ADDRESS__)  # g++ says so by itself
    endif()
  endif()
endfunction()

# libactor_precompile(<target> <header>…): parses these headers once for the target. What they cost is most of a build:
# CAF's take over a second for each file. scripts/check-consumer leaves them out (LIBACTOR_PCH=OFF), and so finds a
# missing include.
function(libactor_precompile target)
  if(LIBACTOR_PCH)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
# The same, once for all targets that say the same `kind`, and that are compiled with the same options and definitions.
function(libactor_precompile_once kind target)
  if(NOT LIBACTOR_PCH)
    return()
  endif()
  get_property(owner GLOBAL PROPERTY libactor_${kind})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY libactor_${kind} ${target})
  endif()
endfunction()
set(libactor_caf_headers <caf/actor_system.hpp> <caf/actor_system_config.hpp> <caf/event_based_actor.hpp>
    <caf/stateful_actor.hpp> <caf/send.hpp> <functional> <map> <memory> <mutex> <optional> <string> <unordered_map> <vector>)

function(libactor_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE;INCLUDE" ${ARGN})
  set(target libactor-${name})
  add_library(${target} ${ARG_SOURCES})
  add_library(libactor::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME actor-${name} POSITION_INDEPENDENT_CODE ON DEFINE_SYMBOL "" INSTALL_RPATH "$ORIGIN"
                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${ARG_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  libactor_compile_options(${target})
  libactor_install_library(${name})
endfunction()
