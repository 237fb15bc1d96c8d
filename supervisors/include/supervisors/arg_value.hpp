// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "libactor/violation.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace libactor {

class arg_value;
using arg_list = std::vector<arg_value>;
using arg_map = std::map<std::string, arg_value, std::less<>>;

/// One argument of a child as a tree file or a program gives it: plain data, compared by value.
class arg_value {
 public:
  using storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, duration, arg_list, arg_map>;

  arg_value() = default;
  arg_value(bool x) : data_(x) {}
  arg_value(int x) : data_(std::int64_t{x}) {}
  arg_value(std::int64_t x) : data_(x) {}
  arg_value(double x) : data_(x) {}
  arg_value(const char* x) : data_(std::string(x)) {}
  arg_value(std::string x) : data_(std::move(x)) {}
  arg_value(duration x) : data_(x) {}
  arg_value(arg_list x) : data_(std::move(x)) {}
  arg_value(arg_map x) : data_(std::move(x)) {}

  const storage& data() const noexcept { return data_; }
  bool empty() const noexcept { return data_.index() == 0; }

  /// The value if it has this type, else null.
  template <class T>
  const T* get_if() const noexcept {
    return std::get_if<T>(&data_);
  }

  friend bool operator==(const arg_value&, const arg_value&) = default;

 private:
  storage data_;
};

/// The checked arguments of one child: every declared argument that was given or has a default is there, with the
/// declared type, so that a factory reads without checking.
class child_args {
 public:
  child_args() = default;
  explicit child_args(arg_map values) : values_(std::move(values)) {}

  /// Requires: the kind declares `name` with the type T and it is required or has a default.
  template <class T>
  const T& get(std::string_view name) const {
    const auto i = values_.find(name);
    if (i == values_.end())
      violated("an argument that is read without looking is required, or has a default");
    return std::get<T>(i->second.data());
  }

  /// Null where the argument was not given. Requires: the kind declares `name` with the type T.
  template <class T>
  const T* find(std::string_view name) const {
    auto i = values_.find(name);
    return i == values_.end() ? nullptr : i->second.template get_if<T>();
  }

  const arg_map& values() const noexcept { return values_; }

 private:
  arg_map values_;
};

}  // namespace libactor
