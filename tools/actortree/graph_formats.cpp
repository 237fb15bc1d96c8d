// SPDX-License-Identifier: BSL-1.0
#include "graph_formats.hpp"

#include "supervisors/observe/drawn_graph.hpp"
#include "supervisors/tree_text.hpp"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

namespace actortree {

namespace {

using libactor::child_spec;
using libactor::observe::drawn_graph;

struct graph_node {
  const child_spec* spec;
  std::string path;
  std::size_t parent;  // its own place for the root
  std::size_t order;   // among its siblings, from 1
};

struct graph_edge {
  std::size_t from, to;
  const char* when;
};

struct tree_graph {
  std::vector<graph_node> nodes;  // parents first, siblings in start order
  std::vector<graph_edge> needs;
};

std::vector<const child_spec*> children_of(const child_spec& spec) {
  if (const auto* fixed = std::get_if<libactor::static_supervisor>(&spec.what))
    return start_order(*fixed);
  const auto* pool = std::get_if<libactor::dynamic_supervisor>(&spec.what);
  return pool != nullptr && pool->child ? std::vector<const child_spec*>{pool->child.get()}
                                        : std::vector<const child_spec*>{};
}

std::string name_of(const child_spec& spec) { return spec.id.empty() ? "*" : spec.id; }

void add(tree_graph& graph, const child_spec& spec, std::size_t parent, std::size_t order) {
  const auto place = graph.nodes.size();
  graph.nodes.push_back(
      {&spec, (place == 0 ? std::string() : graph.nodes[parent].path) + "/" + name_of(spec), parent, order});
  std::map<std::string_view, std::size_t> places;
  std::size_t next = 0;
  const auto children = children_of(spec);
  for (const auto* child : children) {
    places.emplace(child->id, graph.nodes.size());
    add(graph, *child, place, ++next);
  }
  for (const auto* child : children) {
    for (const auto& need : child->after)
      graph.needs.push_back({places.at(child->id), places.at(need.id), to_string(need.when)});
  }
}

tree_graph graph_of(const libactor::tree_spec& tree) {
  tree_graph graph;
  add(graph, tree.root, 0, 1);
  return graph;
}

std::string what_it_is(const child_spec& spec) {
  if (const auto* kind = std::get_if<libactor::kind_child>(&spec.what))
    return kind->kind;
  if (const auto* fixed = std::get_if<libactor::static_supervisor>(&spec.what))
    return to_string(fixed->strategy);
  return "dynamic";
}

std::string facts_of(const child_spec& spec) {
  return fmt::format("{}, stops in {}{}", to_string(spec.restart), to_string(spec.effective_shutdown()),
                     spec.enabled ? "" : ", not enabled");
}

std::set<std::string> paths_of(const libactor::stop_path& stop) {
  std::set<std::string> paths;
  for (const auto& step : stop.steps)
    paths.insert(step.path);
  return paths;
}

std::string sum_of(const libactor::stop_path& stop) {
  std::string text = "worst stop path: ";
  for (const auto& step : stop.steps)
    text += step.path + " " + libactor::to_string(step.limit) + " + ";
  return text + "kill_grace " + libactor::to_string(stop.kill_grace) + " = " + libactor::to_string(stop.sum);
}

drawn_graph drawn(const libactor::tree_spec& tree) {
  const auto graph = graph_of(tree);
  const auto stop = worst_stop_path(tree);
  const auto worst = paths_of(stop);
  drawn_graph result{sum_of(stop), {}, {}};
  for (const auto& n : graph.nodes)
    result.nodes.push_back({n.path,
                            {name_of(*n.spec), what_it_is(*n.spec), facts_of(*n.spec)},
                            !n.spec->is_supervisor(),
                            worst.contains(n.path)});
  for (std::size_t i = 1; i < graph.nodes.size(); ++i)
    result.edges.push_back({graph.nodes[i].parent, i, std::to_string(graph.nodes[i].order)});
  for (const auto& e : graph.needs)
    result.edges.push_back({e.from, e.to, "after " + std::string(e.when), true});
  return result;
}

nlohmann::ordered_json json_of(const child_spec& spec, const std::string& path) {
  nlohmann::ordered_json node{{"path", path}};
  if (!spec.id.empty())
    node["id"] = spec.id;
  const bool is_dynamic = std::holds_alternative<libactor::dynamic_supervisor>(spec.what);
  node["type"] = is_dynamic ? "dynamic_supervisor" : spec.is_supervisor() ? "supervisor" : "worker";
  node[spec.is_supervisor() ? "strategy" : "kind"] = what_it_is(spec);
  if (is_dynamic)
    node.erase("strategy");
  node["restart"] = to_string(spec.restart);
  node["shutdown"] = to_string(spec.effective_shutdown());
  node["enabled"] = spec.enabled;
  node["after"] = nlohmann::ordered_json::array();
  for (const auto& need : spec.after)
    node["after"].push_back({{"id", need.id}, {"when", to_string(need.when)}});
  if (const auto children = children_of(spec); spec.is_supervisor()) {
    auto& below = node["children"] = nlohmann::ordered_json::array();
    for (const auto* child : children)
      below.push_back(json_of(*child, path + "/" + name_of(*child)));
  }
  return node;
}

}  // namespace

std::string as_dot(const libactor::tree_spec& tree) { return libactor::observe::as_dot(drawn(tree)); }
std::string as_mermaid(const libactor::tree_spec& tree) { return libactor::observe::as_mermaid(drawn(tree)); }

std::string as_json(const libactor::tree_spec& tree) {
  const auto stop = worst_stop_path(tree);
  nlohmann::ordered_json path = nlohmann::ordered_json::array();
  for (const auto& step : stop.steps)
    path.push_back({{"path", step.path}, {"limit", libactor::to_string(step.limit)}});
  const nlohmann::ordered_json all{{"tree", json_of(tree.root, "/" + tree.root.id)},
                                   {"stop",
                                    {{"worst_path", std::move(path)},
                                     {"kill_grace", libactor::to_string(stop.kill_grace)},
                                     {"sum", libactor::to_string(stop.sum)},
                                     {"budget", libactor::to_string(tree.budget)}}}};
  return all.dump(2) + "\n";
}

}  // namespace actortree
