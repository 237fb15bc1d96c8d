// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/node.hpp"

#include "supervisors/nearest_word.hpp"

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace libactor::yaml {

// What a scalar comes to once its `${…}` are replaced.
struct scalar_value {
  std::string_view text;
  bool plain;                // may be a number or a boolean: not quoted, or wholly one `${…}`
  bool substituted = false;  // `text` differs from what the file says
};

// The variables of a tree file and those it includes, and the substitution of `${env:NAME}`, `${var:name}`, each with
// an optional `:-default`, in its scalars. `$${` stands for `${`. Values may use other variables.
class variables {
 public:
  using environment = std::function<std::optional<std::string>(std::string_view)>;

  // `max_bytes`: of text that substitution makes, each time that it is asked for.
  variables(report& faults, environment env, std::size_t max_bytes)
      : faults_(faults), env_(std::move(env)), max_bytes_(max_bytes), bytes_left_(max_bytes) {}

  // A later definition of a name wins. Requires: nothing has been expanded yet.
  void define(const node& key, const node& value);
  // Reports the faults of definitions that nothing uses.
  void check_all();
  // Empty if there is a fault, which is reported. The result is valid as long as this object.
  std::optional<scalar_value> expand(const node& scalar);
  // The same where it was expanded before; expands nothing.
  std::optional<scalar_value> expanded(const node& scalar) const;

 private:
  struct variable {
    const node* key;
    const node* value;
    bool is_open = false;  // being expanded: a use now is a cycle
  };
  struct expansion;

  const std::optional<scalar_value>& substituted(const node& scalar);
  bool append(expansion& e, std::string_view text, std::string& out, bool& whole);
  bool append_reference(expansion& e, std::string_view reference, std::string& out);
  bool append_variable(expansion& e, std::string_view name, const std::string_view* fallback, std::string& out);
  bool append_nested(expansion& e, std::string_view text, std::string& out);
  bool enter(expansion& e);
  bool spend(std::size_t bytes, const node& at);
  void fault(expansion& e, const char* code, std::string text, bool is_closed = true);

  report& faults_;
  environment env_;
  nearest_word words_;
  std::unordered_map<std::string_view, variable> known_;
  std::vector<std::string_view> names_;  // of `known_`, sorted, once a suggestion is made of them
  std::unordered_map<const node*, std::optional<scalar_value>> done_;
  std::deque<std::string> texts_;
  int depth_ = 0;
  const std::size_t max_bytes_;
  std::size_t bytes_left_;
  bool is_spent_ = false;
};

}  // namespace libactor::yaml
