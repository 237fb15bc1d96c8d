// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <string>
#include <vector>

namespace libactor {

class child_catalog;

enum class overrun_action : std::uint8_t { abandon, wait };
const char* to_string(overrun_action) noexcept;

/// A whole tree as a value: what a YAML file, the builder and plain structs all come to.
struct tree_spec {
  child_spec root;
  duration budget = infinite;  ///< for the whole stop
  overrun_action on_overrun = overrun_action::abandon;
};

/// One fault of a specification. `field` names the member as YAML spells it (`shutdown`, `after`, `args.url`), so that a
/// loader can point at its place.
struct spec_fault {
  std::string path;   ///< of the node, such as `/shop/api`
  std::string field;  ///< empty: the node as a whole
  std::string text;   ///< what is wrong, with the value, and what to do
  std::string code;   ///< `Y31` …, the numbers of `docs/yaml.md`
  friend bool operator==(const spec_fault&, const spec_fault&) = default;
};

/// Every fault of a tree, in the order of its nodes; empty if it can be started. Starts nothing.
/// Complexity: O(nodes + dependencies).
std::vector<spec_fault> check(const tree_spec& tree, const child_catalog& catalog);

}  // namespace libactor
