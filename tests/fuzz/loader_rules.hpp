// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_catalog.hpp"
#include "supervisors/tree_text.hpp"
#include "supervisors/yaml/load.hpp"

#include <string>
#include <string_view>

// What holds of the loader whatever the bytes are: it returns a tree or diagnostics, never both an error and a tree;
// all can be rendered; `check` agrees with it. What is broken, in words; empty: nothing.
inline std::string broken_rule(std::string_view bytes) {
  static const auto catalog = demo_catalog();
  libactor::yaml::load_options options;
  options.environment = [](std::string_view name) {
    return name == "POOL" ? std::optional<std::string>("8") : std::nullopt;
  };
  const auto result = libactor::yaml::load_text(bytes, "fuzz.yaml", catalog, options);
  const auto text = render(result.diagnostics) + render_json(result.diagnostics) + render_github(result.diagnostics);
  bool has_errors = false;
  for (const auto& d : result.diagnostics)
    has_errors = has_errors || d.level == libactor::yaml::severity::error;
  if (text.empty())
    return "nothing is rendered";
  if (has_errors == result.tree.has_value())
    return has_errors ? "a tree comes with errors" : "neither a tree nor an error comes";
  if (result.tree && !check(*result.tree, catalog).empty())
    return "a tree comes that has faults";
  if (result.tree && tree_text(*result.tree).empty())
    return "a tree can't be shown";
  return {};
}
