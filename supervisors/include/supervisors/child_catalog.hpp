// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libactor {

class context;

/// The types that arguments of a kind may have. A list or map of strings is what commands and environments are.
enum class arg_type : std::uint8_t { boolean, integer, real, string, duration, string_list, string_map, integer_map };
const char* to_string(arg_type) noexcept;

/// Declares one argument of a kind.
struct arg_spec {
  std::string name;
  arg_type type = arg_type::string;
  bool required = false;
  arg_value default_value{};  ///< empty: none
  std::string doc{};          ///< one line, for the schema and the help
  /// Of integers, and of the values of maps of them: the range.
  std::optional<std::int64_t> least{}, most{};
  /// Of strings: the only ones that it may be; of maps: the only keys. Empty: any.
  std::vector<std::string> words{};
};

/// A fault in the arguments of a child. `name` is the argument's; `text` names it too, for it may stand alone.
struct arg_fault {
  std::string name;
  std::string text;
};

/// A kind of child that trees can name.
struct child_kind {
  std::string name;  ///< such as `demo.worker` or `process`
  std::string doc;   ///< one line
  std::vector<arg_spec> args;
  start_function start;     ///< reads `child_start::args()`
  bool is_process = false;  ///< its incarnations are operating-system processes
  std::function<bool(const child_args&)>
      reports_ready{};  ///< whether children with these arguments report readiness; empty: never
  std::function<std::vector<arg_fault>(const child_args&)>
      check{};  ///< further rules, after types were checked; may be empty
};

/// A context value that trees can set by name.
struct context_value_kind {
  std::string name;                                                   ///< such as `zone`
  arg_type type = arg_type::string;                                   ///< which values it takes
  std::string doc;                                                    ///< one line
  std::function<context(const context&, const arg_value&)> derive{};  ///< binds a value, which has this type
};

/// What trees can be made of: kinds, and keys of context values, by name. A value without global state; not thread-safe
/// while it is filled, and thread-safe after.
class child_catalog {
 public:
  /// Adds a kind. Throws: std::invalid_argument for a name that is taken or empty, or a kind without a start function.
  child_catalog& add(child_kind kind);

  /// Null if there is none of that name.
  const child_kind* find(std::string_view name) const;

  /// All names, sorted.
  std::vector<std::string> names() const;

  /// Registers a context value under a name. Throws: std::invalid_argument for a name that is taken or empty, or
  /// without a `derive` function.
  child_catalog& add_context_key(context_value_kind key);

  /// Null if there is none of that name.
  const context_value_kind* find_context_key(std::string_view name) const;

  /// All names of context values, sorted.
  std::vector<std::string> context_key_names() const;

 private:
  std::map<std::string, child_kind, std::less<>> kinds_;
  std::map<std::string, context_value_kind, std::less<>> context_keys_;
};

/// Whether a value has the type; an integer is a real, and an empty list is a list of strings.
bool has_type(const arg_value& value, arg_type type) noexcept;

/// Checks arguments against the kind's declaration (types, ranges, words) and fills in defaults; an integer that is
/// given for a real becomes one. `faults` gets what is wrong. Complexity: O(arguments). The result is what a factory
/// may read only if there are no faults.
child_args check_args(const child_kind& kind, const arg_map& given, std::vector<arg_fault>& faults);

}  // namespace libactor
