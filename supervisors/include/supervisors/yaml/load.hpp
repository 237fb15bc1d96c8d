// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/tree_spec.hpp"
#include "supervisors/yaml/diagnostic.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libactor {
class child_catalog;
}

namespace libactor::yaml {

struct load_options {
  /// Larger files are refused before they are read; it limits the file and all that it includes together too, and
  /// what substitution makes of their values.
  std::size_t max_bytes = 16 * 1024 * 1024;
  /// How many maps, lists and scalars a file may have, aliases expanded; and ten times as many may be added to the
  /// nodes of the tree by templates and defaults.
  std::size_t max_values = 1'000'000;
  /// How deep maps and lists may be nested.
  std::size_t max_depth = 200;
  /// Further diagnostics are counted, not listed.
  std::size_t max_diagnostics = 1'000;
  /// Included files must lie in this folder, links resolved. Empty: the folder of the loaded file; none for a text.
  std::string root{};
  /// What `${env:NAME}` reads. Empty: the process's environment.
  std::function<std::optional<std::string>(std::string_view name)> environment{};
};

/// What loading came to: a tree that can be started, or errors. Warnings come with either.
struct load_result {
  std::optional<tree_spec> tree;
  std::vector<diagnostic> diagnostics;  ///< by file, in the order of loading, then by place
  explicit operator bool() const noexcept { return tree.has_value(); }
};

/// Loads a tree file. All faults are found in one pass, except that a syntax error ends the pass through its file.
/// Starts nothing. Every fault of the file is a diagnostic: only allocation throws. Thread-safe for a catalog that
/// nobody changes. Complexity: O(size of the files + nodes + dependencies).
load_result load_file(const std::string& path, const child_catalog& catalog, const load_options& options = {});

/// The same for a text; `name` stands for the file in diagnostics.
load_result load_text(std::string_view text, std::string name, const child_catalog& catalog,
                      const load_options& options = {});

}  // namespace libactor::yaml
