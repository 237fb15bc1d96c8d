// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cxxabi.h>
#include <cstdlib>
#include <memory>
#include <string>
#include <typeinfo>

namespace libactor::detail {

/// The type's name as written in C++; the mangled one where it can't be read.
inline std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                         &std::free};
  return status == 0 ? name.get() : type.name();
}

}  // namespace libactor::detail
