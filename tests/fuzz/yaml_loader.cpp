// SPDX-License-Identifier: BSL-1.0
//
// Fuzzes the loader of tree files: whatever the bytes are, it returns a tree or diagnostics, and both can be rendered.
#include "demo_catalog.hpp"
#include "supervisors/tree_text.hpp"
#include "supervisors/yaml/load.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto catalog = demo_catalog();
  libactor::yaml::load_options options;
  options.environment = [](std::string_view name) {
    return name == "POOL" ? std::optional<std::string>("8") : std::nullopt;
  };
  const auto result =
      libactor::yaml::load_text({reinterpret_cast<const char*>(data), size}, "fuzz.yaml", catalog, options);
  const auto text = libactor::yaml::render(result.diagnostics) + libactor::yaml::render_json(result.diagnostics);
  bool has_errors = false;
  for (const auto& d : result.diagnostics)
    has_errors = has_errors || d.level == libactor::yaml::severity::error;
  // A tree comes exactly where there is no error, and `check` agrees.
  if (has_errors == result.tree.has_value() || text.empty())
    std::abort();
  if (result.tree && (!check(*result.tree, catalog).empty() || tree_text(*result.tree).empty()))
    std::abort();
  return 0;
}
