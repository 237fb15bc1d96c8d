// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace libactor::observe {

/// A graph as it is to be drawn. Texts may hold anything; what would be markup is escaped.
struct drawn_graph {
  struct node {
    std::string name;                ///< unique; Graphviz's id
    std::vector<std::string> lines;  ///< of its label
    bool rounded = false;
    bool thick = false;
    bool dashed = false;
  };
  struct edge {
    std::size_t from = 0, to = 0;  ///< indices of nodes
    std::string label{};           ///< words or a number; empty: none
    bool dotted = false;           ///< does not bear on where nodes stand
  };

  std::string title;
  std::vector<node> nodes;
  std::vector<edge> edges;
};

/// For Graphviz.
std::string as_dot(const drawn_graph& graph);
/// For Mermaid.
std::string as_mermaid(const drawn_graph& graph);

}  // namespace libactor::observe
