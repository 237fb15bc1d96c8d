// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/snapshot_formats.hpp"

#include "json_text.hpp"
#include "rounded.hpp"
#include "supervisors/observe/drawn_graph.hpp"

#include <algorithm>
#include <array>

namespace libactor::observe {

namespace {

bool has_incarnation(const tree_node& node) { return node.actor != 0; }

std::string kind_of(const tree_node& node) { return node.kind.empty() ? to_string(node.what) : node.kind; }

// Such as `background.boundary.deadline(+2s).cancel`.
std::string chain_text(const tree_node& node, time_point taken) {
  std::string text;
  for (auto link = node.chain.rbegin(); link != node.chain.rend(); ++link) {
    text += (text.empty() ? "" : ".") + std::string(to_string(link->kind));
    if (link->due)
      text += "(" + std::string(*link->due < taken ? "" : "+") + rounded(*link->due - taken) + ")";
  }
  return text;
}

std::string id_of(const tree_node& node) { return node.path.substr(node.path.rfind('/') + 1); }

std::string busy_text(const tree_node& node) {
  if (!node.busy)
    return has_incarnation(node) ? "no" : "";
  return node.busy_for ? rounded(*node.busy_for) : "yes";
}

constexpr std::size_t columns = 8;
using row = std::array<std::string, columns>;

row row_of(const tree_node& node) {
  return {node.path,
          kind_of(node),
          to_string(node.state),
          node.incarnation == 0 ? "" : "#" + std::to_string(node.incarnation),
          std::to_string(node.restarts),
          has_incarnation(node) ? rounded(node.age) : "",
          busy_text(node),
          node.mailbox ? std::to_string(*node.mailbox) : ""};
}

// What only few nodes have, on lines of its own.
std::string more_of(const tree_node& node, time_point taken) {
  std::string text;
  const auto add = [&](const char* head, const std::string& words) {
    if (!words.empty())
      text += "    " + std::string(head) + " " + words + "\n";
  };
  add("handles", node.message_type.empty() ? "" : node.message_type + ", on thread " + std::to_string(node.thread));
  add("context", chain_text(node, taken));
  add("deadline", node.deadline ? "in " + rounded(*node.deadline - taken) : "");
  add("done:", node.cause);
  add("trace", node.trace ? libactor::to_string(node.trace) : "");
  return text;
}

json json_of_node(const tree_node& node, time_point taken) {
  json one{{"path", node.path}, {"type", to_string(node.what)}};
  if (!node.kind.empty())
    one["kind"] = node.kind;
  one["state"] = to_string(node.state);
  one["incarnation"] = node.incarnation;
  one["restarts"] = node.restarts;
  if (!has_incarnation(node))
    return one;
  one["actor"] = node.actor;
  one["age_ns"] = node.age.count();
  one["busy"] = node.busy;
  if (node.busy_for)
    one["busy_ns"] = node.busy_for->count();
  if (!node.message_type.empty())
    one["message_type"] = node.message_type;
  if (node.thread != 0)
    one["thread"] = node.thread;
  if (node.mailbox)
    one["mailbox"] = *node.mailbox;
  if (!node.chain.empty()) {
    auto& chain = one["context"] = json::array();
    for (const auto& link : node.chain)
      chain.push_back(json_of(link, taken));
  }
  if (node.deadline)
    one["left_ns"] = (*node.deadline - taken).count();
  if (!node.cause.empty())
    one["cause"] = node.cause;
  if (node.trace)
    one["trace"] = libactor::to_string(node.trace);
  return one;
}

drawn_graph graph_of(const tree_snapshot& tree) {
  drawn_graph graph;
  for (std::size_t i = 0; i != tree.nodes.size(); ++i) {
    const auto& node = tree.nodes[i];
    drawn_graph::node drawn{node.path, {id_of(node), kind_of(node)}, node.what != tree_node::type::supervisor};
    auto state = std::string(to_string(node.state));
    if (node.incarnation > 1)
      state += " #" + std::to_string(node.incarnation);
    if (has_incarnation(node))
      state += ", " + rounded(node.age);
    drawn.lines.push_back(state);
    if (node.busy)
      drawn.lines.push_back("busy" + (node.busy_for ? " " + rounded(*node.busy_for) : "") +
                            (node.message_type.empty() ? "" : ": " + node.message_type));
    if (node.mailbox.value_or(0) != 0)
      drawn.lines.push_back(std::to_string(*node.mailbox) + " unread");
    if (!node.chain.empty())
      drawn.lines.push_back(chain_text(node, tree.taken));
    if (node.trace)
      drawn.lines.push_back("trace " + libactor::to_string(node.trace));
    drawn.thick = node.busy;
    drawn.dashed = !has_incarnation(node);
    graph.nodes.push_back(std::move(drawn));
    if (i != 0)
      graph.edges.push_back({node.parent, i});
  }
  return graph;
}

}  // namespace

std::string as_text(const tree_snapshot& tree, wall_time at) {
  const row head{"PATH", "KIND", "STATE", "", "RESTARTS", "AGE", "BUSY", "UNREAD"};
  std::vector<row> rows;
  rows.reserve(tree.nodes.size());
  row widest = head;  // of which only the lengths count
  for (const auto& node : tree.nodes) {
    rows.push_back(row_of(node));
    for (std::size_t i = 0; i != columns; ++i) {
      if (rows.back()[i].size() > widest[i].size())
        widest[i] = rows.back()[i];
    }
  }
  const auto line_of = [&](const row& cells) {
    std::string line;
    for (std::size_t i = 0; i != columns; ++i)
      line.append(i == 0 ? 0 : 2, ' ').append(cells[i]).append(widest[i].size() - cells[i].size(), ' ');
    return line.erase(line.find_last_not_of(' ') + 1) + "\n";
  };
  auto text = to_string(at) + ", " + std::to_string(tree.nodes.size()) + " nodes\n" + line_of(head);
  for (std::size_t i = 0; i != rows.size(); ++i)
    text += line_of(rows[i]) + more_of(tree.nodes[i], tree.taken);
  return text;
}

std::string as_json(const tree_snapshot& tree, wall_time at, int indent) {
  json all{{"time", to_string(at)}};
  auto& nodes = all["nodes"] = json::array();
  for (const auto& node : tree.nodes)
    nodes.push_back(json_of_node(node, tree.taken));
  return dump(all, indent) + '\n';
}

std::string as_dot(const tree_snapshot& tree) { return as_dot(graph_of(tree)); }
std::string as_mermaid(const tree_snapshot& tree) { return as_mermaid(graph_of(tree)); }

std::string as_text(const std::vector<running_handler>& handlers) {
  auto text = std::to_string(handlers.size()) + (handlers.size() == 1 ? " handler runs\n" : " handlers run\n");
  for (const auto& one : handlers) {
    text += "\n" + one.path + (one.incarnation > 1 ? " #" + std::to_string(one.incarnation) : "") +
            (one.message_type.empty() ? "" : ", handles " + one.message_type) + ", on thread " +
            std::to_string(one.thread) + (one.busy_for ? ", for " + rounded(*one.busy_for) : "") + "\n";
    for (const auto& frame : one.stack)
      text += "    " + shortened(libactor::to_string(frame)) + "\n";
    if (one.stack.empty())
      text += "    no stack: the thread did not answer\n";
  }
  return text;
}

std::string as_json(const std::vector<running_handler>& handlers, int indent) {
  auto all = json::array();
  for (const auto& one : handlers) {
    json item{{"path", one.path}, {"incarnation", one.incarnation}, {"actor", one.actor}};
    if (!one.message_type.empty())
      item["message_type"] = one.message_type;
    if (one.busy_for)
      item["busy_ns"] = one.busy_for->count();
    item["thread"] = one.thread;
    auto& stack = item["stack"] = json::array();
    for (const auto& frame : one.stack)
      stack.push_back(json_of(frame));
    all.push_back(std::move(item));
  }
  return dump(all, indent) + '\n';
}

}  // namespace libactor::observe
