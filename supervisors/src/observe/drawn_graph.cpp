// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/drawn_graph.hpp"

#include <algorithm>
#include <string_view>

namespace libactor::observe {

namespace {

std::string dot_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text)
    result += c == '"' || c == '\\' ? std::string("\\") + c : c == '\n' ? std::string(" ") : std::string(1, c);
  return result + "\"";
}

std::string mermaid_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\"#<>&`\\|\n").find(c) != std::string_view::npos)
      result += "#" + std::to_string(static_cast<int>(c)) + ";";
    else
      result += c;
  }
  return result;
}

// Each format has a line break of its own, which stands outside of what is escaped.
template <class Escape>
std::string joined(const std::vector<std::string>& lines, const char* line_break, Escape escape) {
  std::string text;
  for (const auto& line : lines)
    text += (text.empty() ? "" : line_break) + escape(line);
  return text;
}

std::string dot_label(const std::vector<std::string>& lines) {
  return '"' +
         joined(lines, "\\n",
                [](const std::string& line) {
                  const auto quoted = dot_quoted(line);
                  return quoted.substr(1, quoted.size() - 2);
                }) +
         '"';
}

bool is_number(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string listed(const std::vector<std::string>& attributes) {
  std::string text;
  for (const auto& one : attributes)
    text += (text.empty() ? " [" : ", ") + one;
  return text.empty() ? text : text + "]";
}

}  // namespace

std::string as_dot(const drawn_graph& graph) {
  std::string text = "digraph tree {\n  node [shape=box];\n";
  if (!graph.title.empty())
    text += "  label=" + dot_quoted(graph.title) + ";\n";
  for (const auto& node : graph.nodes) {
    std::vector<std::string> attributes{"label=" + dot_label(node.lines)};
    if (node.rounded || node.dashed)
      attributes.push_back(!node.dashed ? "style=rounded" : node.rounded ? "style=\"rounded,dashed\"" : "style=dashed");
    if (node.thick)
      attributes.emplace_back("penwidth=3");
    text += "  " + dot_quoted(node.name) + listed(attributes) + ";\n";
  }
  for (const auto& edge : graph.edges) {
    std::vector<std::string> attributes;
    if (edge.dotted)
      attributes = {"style=dotted", "constraint=false"};
    if (!edge.label.empty())
      attributes.push_back("label=" + (is_number(edge.label) ? edge.label : dot_quoted(edge.label)));
    text += "  " + dot_quoted(graph.nodes[edge.from].name) + " -> " + dot_quoted(graph.nodes[edge.to].name) +
            listed(attributes) + ";\n";
  }
  return text + "}\n";
}

std::string as_mermaid(const drawn_graph& graph) {
  std::string text;
  if (!graph.title.empty()) {
    auto title = graph.title;
    std::replace(title.begin(), title.end(), '\n', ' ');  // a comment ends with its line
    text += "%% " + title + "\n";
  }
  text += "flowchart TD\n";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    text += "  n" + std::to_string(i) + (node.rounded ? "(\"" : "[\"") + joined(node.lines, "<br>", mermaid_escaped) +
            (node.rounded ? "\")\n" : "\"]\n");
  }
  for (const auto& edge : graph.edges) {
    text += "  n" + std::to_string(edge.from) + (edge.dotted ? " -.->" : " -->");
    if (!edge.label.empty())
      text += "|" + mermaid_escaped(edge.label) + "|";
    text += " n" + std::to_string(edge.to) + "\n";
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    if (node.thick || node.dashed)
      text += "  style n" + std::to_string(i) + " " + (node.thick ? "stroke-width:3px" : "") +
              (node.thick && node.dashed ? "," : "") + (node.dashed ? "stroke-dasharray:4" : "") + "\n";
  }
  return text;
}

}  // namespace libactor::observe
