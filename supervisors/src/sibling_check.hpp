// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "spec_walk.hpp"
#include "supervisors/nearest_word.hpp"

#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace libactor {

// Checks what concerns the children of one supervisor together: their ids and what they wait for.
// Complexity of a run: O(children + dependencies); the first unknown dependency costs one walk through the whole tree.
class sibling_check {
 public:
  sibling_check(const child_spec& root, nearest_word& words) : root_(root), words_(words) {}

  // `nodes` are the numbers of the children; `at` stands at their supervisor.
  void run(const static_supervisor& parent, const std::vector<std::size_t>& nodes, const spec_walk& at,
           std::vector<spec_fault>& faults);

 private:
  struct run_state;
  void check_edge(run_state& state, std::size_t child, std::size_t edge);
  void check_cycles(run_state& state);
  bool is_elsewhere(std::string_view id);

  const child_spec& root_;
  nearest_word& words_;
  std::optional<std::unordered_set<std::string_view>> all_ids_;
};

}  // namespace libactor
