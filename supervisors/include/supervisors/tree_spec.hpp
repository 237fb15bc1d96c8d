// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace libactor {

class child_catalog;

enum class overrun_action : std::uint8_t { abandon, wait };
const char* to_string(overrun_action) noexcept;

/// A whole tree as a value: what a YAML file, the builder and plain structs all come to.
struct tree_spec {
  child_spec root;             ///< its `restart` and `backoff` say nothing: the tree ends with it
  duration budget = infinite;  ///< for the whole stop
  overrun_action on_overrun = overrun_action::abandon;
  friend bool operator==(const tree_spec&, const tree_spec&) = default;
};

/// A place in a specification. `field` names the member as YAML spells it (`shutdown`, `after[1].id`, `args.url`);
/// empty: the node as a whole. `node` counts in the order of the file, parents before children, the root is 0; a
/// dynamic supervisor's template is its one child.
struct spec_place {
  static constexpr std::size_t tree = static_cast<std::size_t>(-1);  ///< `node` of what belongs to no node
  std::size_t node = tree;
  std::string field{};
  friend bool operator==(const spec_place&, const spec_place&) = default;
};

/// A second place that a fault is about.
struct spec_note {
  spec_place at;
  std::string text;
  friend bool operator==(const spec_note&, const spec_note&) = default;
};

/// One fault of a specification, or one doubt about it.
struct spec_fault {
  std::string path;   ///< of the node, such as `/shop/api`; `/shop/workers/*` for a template without an id
  std::string field;  ///< as in `spec_place`
  std::string text;   ///< what is wrong, with the value, and what to do
  std::string code;   ///< `Y31` …, the numbers of `docs/yaml.md`
  std::size_t node = spec_place::tree;
  std::vector<spec_note> notes{};
  friend bool operator==(const spec_fault&, const spec_fault&) = default;
};

/// Every fault of a tree, in the order of its nodes; empty if it can be started. Starts nothing.
/// Complexity: O(nodes + dependencies), times the depth where the budget is too short.
std::vector<spec_fault> check(const tree_spec& tree, const child_catalog& catalog);

/// What can be started, and yet is probably not meant: a limit that cuts another one short, a backoff that defeats its
/// limit of restarts, a permanent process that ends by itself. In the order of the nodes.
/// Complexity: O(nodes + dependencies).
std::vector<spec_fault> find_doubts(const tree_spec& tree, const child_catalog& catalog);

}  // namespace libactor
