# Install rules, and the CMake package that find_package(libactor) finds. Each library has an export set of its own, so
# that a program needs only what the components that it asks for need.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(LIBACTOR_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/libactor")

# Where a library's public headers are; a layer's folder inside another's belongs to that layer.
function(libactor_install_headers name)
  set(layers testkit observe yaml process)
  if(name STREQUAL "context")
    set(from libactor/include/libactor)
    set(not_its "/actor$")
  elseif(name STREQUAL "actor")
    set(from libactor/include/libactor/actor)
  elseif(name STREQUAL "supervisors")
    set(from supervisors/include/supervisors)
    list(JOIN layers "|" not_its)
    set(not_its "/(${not_its})$")
  else()
    set(from "supervisors/include/supervisors/${name}")
  endif()
  cmake_path(GET from PARENT_PATH below)
  string(REGEX REPLACE "^[a-z]+/include/?" "" below "${below}")
  if(not_its)
    set(exclude REGEX "${not_its}" EXCLUDE)
  endif()
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${from}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/${below}" ${exclude})
endfunction()

# libactor_install_library(<name>): the target libactor-<name>, its headers, and its part of the package.
function(libactor_install_library name)
  if(NOT LIBACTOR_INSTALL)
    return()
  endif()
  install(TARGETS libactor-${name} EXPORT libactor-${name})
  install(EXPORT libactor-${name} NAMESPACE libactor:: FILE libactor-${name}.cmake DESTINATION "${LIBACTOR_PACKAGE_DIR}")
  libactor_install_headers(${name})
endfunction()

function(libactor_install_package)
  if(NOT LIBACTOR_INSTALL)
    return()
  endif()
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/libactor-config.cmake.in"
    "${PROJECT_BINARY_DIR}/libactor-config.cmake" INSTALL_DESTINATION "${LIBACTOR_PACKAGE_DIR}")
  # Before 1.0, another minor version is another interface.
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/libactor-config-version.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/libactor-config.cmake" "${PROJECT_BINARY_DIR}/libactor-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake" DESTINATION "${LIBACTOR_PACKAGE_DIR}")
endfunction()
