// SPDX-License-Identifier: BSL-1.0
#include "sibling_check.hpp"

#include <algorithm>

namespace libactor {

namespace {

std::string field_of(std::size_t edge, const char* member) { return "after[" + std::to_string(edge) + "]." + member; }

void collect_ids(const child_spec& spec, std::unordered_set<std::string_view>& ids) {
  ids.insert(spec.id);
  if (const auto* x = std::get_if<static_supervisor>(&spec.what)) {
    for (const auto& child : x->children)
      collect_ids(child, ids);
  } else if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what); d != nullptr && d->child) {
    collect_ids(*d->child, ids);
  }
}

}  // namespace

struct sibling_check::run_state {
  const static_supervisor& parent;
  const std::vector<std::size_t>& nodes;
  const spec_walk& at;
  std::vector<spec_fault>& faults;
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<std::string_view> ids;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> edges;  // of each child: (sibling, place in `after`)
  std::vector<std::size_t> component;  // children that wait for each other have the same

  void fault(std::size_t child, std::string field, const char* code, std::string text,
             std::vector<spec_note> notes = {}) {
    auto path = at.path() + "/" + parent.children[child].id;
    faults.push_back({std::move(path), std::move(field), std::move(text), code, nodes[child], std::move(notes)});
  }
};

void sibling_check::run(const static_supervisor& parent, const std::vector<std::size_t>& nodes, const spec_walk& at,
                        std::vector<spec_fault>& faults) {
  const auto n = parent.children.size();
  run_state state{parent, nodes, at, faults, {}, {}, {}, {}};
  state.places.reserve(n);
  bool any_edges = false;
  for (std::size_t i = 0; i < n; ++i) {
    const auto& child = parent.children[i];
    any_edges = any_edges || !child.after.empty();
    if (child.id.empty())
      continue;
    const auto [first, is_new] = state.places.emplace(child.id, i);
    if (is_new)
      state.ids.push_back(child.id);
    else
      state.fault(i, "id", "Y31", "duplicate id `" + child.id + "`: ids must differ among siblings",
                  {{{nodes[first->second], "id"}, "`" + child.id + "` is first used here"}});
  }
  if (!any_edges)
    return;
  state.edges.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto& after = parent.children[i].after;
    for (std::size_t k = 0; k < after.size(); ++k) {
      const auto j = state.places.find(after[k].id);
      if (j != state.places.end())
        state.edges[i].emplace_back(j->second, k);
    }
  }
  check_cycles(state);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < parent.children[i].after.size(); ++k)
      check_edge(state, i, k);
  }
}

void sibling_check::check_edge(run_state& state, std::size_t child, std::size_t edge) {
  const auto& dep = state.parent.children[child].after[edge];
  const auto name = "`" + dep.id + "`";
  const auto found = state.places.find(dep.id);
  if (dep.id.empty()) {
    state.fault(child, field_of(edge, "id"), "Y22", "a dependency needs the `id` of a sibling");
    return;
  }
  if (found == state.places.end()) {
    if (is_elsewhere(dep.id))
      state.fault(child, field_of(edge, "id"), "Y36",
                  name + " is not a sibling: `after` names children of the same supervisor");
    else
      state.fault(child, field_of(edge, "id"), "Y32", "unknown dependency " + name + words_.suggest(dep.id, state.ids));
    return;
  }
  const auto target = found->second;
  const auto& sibling = state.parent.children[target];
  const auto there = [&](const char* field, std::string text) {
    return std::vector<spec_note>{{{state.nodes[target], field}, std::move(text)}};
  };
  if (!sibling.enabled && state.parent.children[child].enabled)
    state.fault(child, field_of(edge, "id"), "Y36", name + " is disabled, so nothing can start after it",
                {{{state.nodes[target], "enabled"}, name + " is disabled here"},
                 {{state.nodes[child], "enabled"}, "`" + state.parent.children[child].id + "` is enabled here"}});
  if (state.parent.start == start_mode::ordered && target > child && state.component[target] != state.component[child])
    state.fault(
        child, field_of(edge, "id"), "Y37",
        name + " comes later, and `start: ordered` follows the order of the file: move it up, or use `start: graph`",
        {{{state.nodes[target], "id"}, name + " is here"}, {{state.nodes[0] - 1, "start"}, "`start` is ordered here"}});
  if (dep.when == dependency_state::ready && !sibling.is_supervisor() && !sibling.awaits_ready)
    state.fault(
        child, field_of(edge, "when"), "Y38",
        name + " doesn't report readiness: give it `ready`, or wait for `started`",
        {{{state.nodes[target], "id"}, name + " is here"}, {{state.nodes[target], "ready"}, "`ready` is none here"}});
  if (dep.when == dependency_state::completed && sibling.restart == restart_type::permanent)
    state.fault(child, field_of(edge, "when"), "Y38",
                name + " is permanent and never completes: make it transient or temporary",
                there("restart", name + " is permanent here"));
}

// Tarjan's strongly connected components, without recursion; of each that is a cycle, one shortest way round is
// reported.
void sibling_check::check_cycles(run_state& state) {
  const auto n = state.edges.size();
  constexpr auto unseen = static_cast<std::size_t>(-1);
  state.component.assign(n, unseen);
  std::vector<std::size_t> index(n, unseen), low(n), next_edge(n), stack, path;
  std::size_t counter = 0;
  const auto report = [&](std::size_t first) {
    std::unordered_map<std::size_t, std::pair<std::size_t, std::size_t>> reached;  // child: (from, place in `after`)
    std::vector<std::size_t> queue{first};
    for (std::size_t q = 0; q < queue.size() && reached.count(first) == 0; ++q) {
      for (const auto& [to, k] : state.edges[queue[q]]) {
        if (state.component[to] == state.component[first] && reached.try_emplace(to, queue[q], k).second)
          queue.push_back(to);
      }
    }
    std::vector<std::pair<std::size_t, std::size_t>> way;  // edges, backwards
    auto at = first;
    do {
      way.push_back(reached.at(at));
      at = way.back().first;
    } while (at != first);
    std::reverse(way.begin(), way.end());
    std::string text = "dependency cycle: ";
    for (const auto& [child, k] : way)
      text += state.parent.children[child].id + " -> ";
    text += state.parent.children[first].id;
    std::vector<spec_note> notes;
    for (std::size_t i = 1; i < way.size() && i <= 5; ++i)
      notes.push_back({{state.nodes[way[i].first], field_of(way[i].second, "id")},
                       "`" + state.parent.children[way[i].first].id + "` waits for `" +
                           state.parent.children[way[i].first].after[way[i].second].id + "` here"});
    state.fault(first, field_of(way.front().second, "id"), "Y35", std::move(text), std::move(notes));
  };
  for (std::size_t root = 0; root < n; ++root) {
    if (index[root] != unseen)
      continue;
    path.push_back(root);
    while (!path.empty()) {
      const auto i = path.back();
      if (index[i] == unseen) {
        index[i] = low[i] = counter++;
        stack.push_back(i);
      }
      if (next_edge[i] < state.edges[i].size()) {
        const auto to = state.edges[i][next_edge[i]++].first;
        if (index[to] == unseen)
          path.push_back(to);
        else if (state.component[to] == unseen)
          low[i] = std::min(low[i], index[to]);
        continue;
      }
      path.pop_back();
      if (!path.empty())
        low[path.back()] = std::min(low[path.back()], low[i]);
      if (low[i] != index[i])
        continue;
      const auto begin = std::find(stack.rbegin(), stack.rend(), i).base() - 1;
      auto first = *std::min_element(begin, stack.end());
      const auto is_cycle = stack.end() - begin > 1 || std::any_of(state.edges[i].begin(), state.edges[i].end(),
                                                                   [&](auto& e) { return e.first == i; });
      for (auto k = begin; k != stack.end(); ++k)
        state.component[*k] = i;
      stack.erase(begin, stack.end());
      if (is_cycle)
        report(first);
    }
  }
}

bool sibling_check::is_elsewhere(std::string_view id) {
  if (id.find('/') != std::string_view::npos)
    return true;
  if (!all_ids_) {
    all_ids_.emplace();
    collect_ids(root_, *all_ids_);
  }
  return all_ids_->count(id) != 0;
}

}  // namespace libactor
