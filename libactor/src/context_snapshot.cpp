// SPDX-License-Identifier: BSL-1.0
#include "libactor/context_snapshot.hpp"

#include "context_node.hpp"
#include "runtime_core.hpp"

#include <algorithm>
#include <ostream>
#include <unordered_map>

namespace libactor {

namespace {

using namespace detail;

struct collector {
  runtime_core& core;
  context_snapshot& out;
  std::int64_t now_ms;
};

// The node is pinned.
void add(collector& to, context_node& node) {
  context_info info;
  info.id = id_of(node);
  info.parent = node.parent != nullptr ? id_of(*node.parent) : 0;
  info.kind = node.what();
  auto& lifeline = *node.lifeline();
  info.done = lifeline.is_done();
  if (info.done)
    info.why = cause_access::share(lifeline.why);
  // What was derived during the scan may be younger than its begin.
  info.age = std::chrono::milliseconds{std::max<std::int64_t>(to.now_ms - static_cast<std::int64_t>(node.born()), 0)};
  if (info.kind == context_kind::deadline)
    info.due = time_point{duration{node.due.load(std::memory_order_relaxed)}};
  if (info.kind == context_kind::value)
    info.key = key_name(payload_of(node).type->signature);
  info.where = node.where();
  info.handles = node.refs.load(std::memory_order_relaxed);
  to.out.nodes.push_back(std::move(info));
}

void visit(void* data, node_head& head) {
  if (!try_pin(head))
    return;
  auto& to = *static_cast<collector*>(data);
  auto& node = static_cast<context_node&>(head);
  try {
    if (node.core == &to.core)
      add(to, node);
  } catch (...) {
    unpin(node);
    throw;
  }
  unpin(node);
}

}  // namespace

context_snapshot take_snapshot(context_runtime& runtime) {
  auto& core = runtime_core::of(runtime);
  context_snapshot all;
  all.taken = runtime.now();
  collector to{core, all, std::chrono::floor<std::chrono::milliseconds>(all.taken.time_since_epoch()).count()};
  add(to, core.root);
  node_pool::each_live(&visit, &to);
  std::unordered_map<std::uint64_t, std::size_t> index;
  for (std::size_t i = 0; i < all.nodes.size(); ++i)
    index.emplace(all.nodes[i].id, i);
  for (std::size_t i = 1; i < all.nodes.size(); ++i) {
    const auto found = index.find(all.nodes[i].parent);
    // A parent's memory may have been used anew between two looks, even for something below: a parent is older.
    const bool known = found != index.end() && found->second != i && all.nodes[found->second].age >= all.nodes[i].age;
    all.nodes[known ? found->second : 0].children.push_back(i);
  }
  return all;
}

std::ostream& operator<<(std::ostream& out, const context_snapshot& all) {
  struct line {
    std::size_t index;
    std::size_t depth;
  };
  std::vector<line> to_do;
  std::vector<bool> seen(all.nodes.size());
  if (!all.nodes.empty())
    to_do.push_back({0, 0});
  while (!to_do.empty()) {
    const auto [index, depth] = to_do.back();
    to_do.pop_back();
    if (seen[index])
      continue;
    seen[index] = true;
    const auto& node = all.nodes[index];
    out << std::string(2 * depth, ' ') << to_string(node.kind);
    if (!node.key.empty())
      out << '(' << node.key << ')';
    out << " age=" << std::chrono::duration_cast<std::chrono::milliseconds>(node.age).count() << "ms";
    if (node.due)
      out << " due=" << std::chrono::duration_cast<std::chrono::milliseconds>(*node.due - all.taken).count() << "ms";
    if (node.done)
      out << " done(" << node.why << ')';
    if (node.where.line() != 0)
      out << " at " << node.where.file_name() << ':' << node.where.line();
    out << '\n';
    for (auto child = node.children.rbegin(); child != node.children.rend(); ++child)
      to_do.push_back({*child, depth + 1});
  }
  return out;
}

}  // namespace libactor
