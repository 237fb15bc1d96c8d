// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_catalog.hpp"
#include "supervisors/child_start.hpp"
#include "supervisors/tree_spec.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Specs for tests of what is known before anything starts.

inline libactor::start_function no_start() {
  return [](libactor::child_start&) -> caf::expected<libactor::started_child> {
    throw std::logic_error("tests of specs start nothing");
  };
}

inline libactor::child_spec leaf(std::string id) {
  libactor::child_spec spec;
  spec.id = std::move(id);
  spec.what = libactor::function_child{no_start()};
  return spec;
}

inline libactor::child_spec leaf_after(std::string id, std::vector<libactor::dependency> after) {
  auto spec = leaf(std::move(id));
  spec.after = std::move(after);
  return spec;
}

inline libactor::child_spec supervisor(std::string id, std::vector<libactor::child_spec> children) {
  libactor::child_spec spec;
  spec.id = std::move(id);
  libactor::static_supervisor what;
  what.children = std::move(children);
  spec.what = std::move(what);
  return spec;
}

inline libactor::child_spec dynamic(std::string id, libactor::child_spec model) {
  libactor::child_spec spec;
  spec.id = std::move(id);
  libactor::dynamic_supervisor what;
  what.child = std::make_shared<libactor::child_spec>(std::move(model));
  spec.what = std::move(what);
  return spec;
}

inline libactor::static_supervisor& children_of(libactor::child_spec& spec) {
  return std::get<libactor::static_supervisor>(spec.what);
}

// The faults of a tree, one a line: code, path, field, text.
inline std::string faults_of(libactor::child_spec root, const libactor::child_catalog& catalog = {},
                             libactor::duration budget = libactor::infinite) {
  std::string out;
  for (const auto& f : check({std::move(root), budget, libactor::overrun_action::abandon}, catalog))
    out += f.code + " " + f.path + " " + f.field + ": " + f.text + "\n";
  return out;
}
