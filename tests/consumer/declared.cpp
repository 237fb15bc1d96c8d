// SPDX-License-Identifier: BSL-1.0
// A tree from a YAML text; an embedder without the layer has no such program.
#include <supervisors/child_catalog.hpp>
#include <supervisors/yaml/load.hpp>

#include <iostream>

int main() {
  libactor::child_catalog catalog;
  const auto loaded = libactor::yaml::load_text("schema: 1\ntree: {id: shop, children: []}\n", "shop.yaml", catalog);
  std::cout << (loaded.tree ? loaded.tree->root.id : "no tree") << '\n';
  return loaded.tree && loaded.tree->root.id == "shop" ? 0 : 1;
}
