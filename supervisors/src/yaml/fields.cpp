// SPDX-License-Identifier: BSL-1.0
#include "yaml/fields.hpp"

#include "supervisors/child_spec.hpp"

#include <algorithm>
#include <unordered_set>

namespace libactor::yaml {

namespace {

// For what a key has a meaning: workers, supervisors with `children`, those with `child`.
constexpr unsigned worker = 1, fixed = 2, dynamic = 4, supervisors = fixed | dynamic, all = worker | supervisors;
// Where it may stand besides nodes.
constexpr unsigned nowhere = 0, in_templates = 1, in_defaults = 2, both = in_templates | in_defaults;

constexpr key_info on(unsigned places, unsigned nodes, field_shape shape) {
  return {shape,
          (places & in_templates) != 0,
          (places & in_defaults) != 0,
          (nodes & worker) != 0,
          (nodes & fixed) != 0,
          (nodes & dynamic) != 0};
}

// In the order of `key`.
constexpr std::array<key_info, key_count> table{{
    on(nowhere, all,
       {.name = "id", .type = value_type::id, .doc = "its name, unique among its siblings", .required = true}),
    on(nowhere, all,
       {.name = "use",
        .type = value_type::text,
        .doc = "the template whose fields it has, where it has none of its own"}),
    on(in_templates, worker, {.name = "kind", .type = value_type::kind, .doc = "the kind of worker"}),
    on(in_templates, worker, {.name = "args", .type = value_type::args, .doc = "the arguments of the kind"}),
    on(nowhere, fixed, {.name = "children", .type = value_type::nodes, .doc = "a supervisor of these"}),
    on(nowhere, dynamic,
       {.name = "child",
        .type = value_type::child_template,
        .doc = "a dynamic supervisor of any number of children like this one"}),
    on(in_templates, all,
       {.name = "enabled", .type = value_type::boolean, .doc = "whether it is part of the tree", .preset = "true"}),
    on(in_templates, all,
       {.name = "significant",
        .type = value_type::boolean,
        .doc = "whether its end counts for its supervisor's auto_shutdown",
        .preset = "false"}),
    on(in_templates, all,
       {.name = "after",
        .type = value_type::dependencies,
        .doc = "siblings that must have come first",
        .map = &after_shape}),
    on(both, all,
       {.name = "restart",
        .type = value_type::word,
        .doc = "which of its ends restart it: all, abnormal ones, none",
        .preset = "permanent",
        .words = words_of<restart_type, restart_type::temporary>}),
    on(both, all,
       {.name = "shutdown",
        .type = value_type::time,
        .doc = "how long it may take to stop once asked; by default 5s for a worker, infinity for a supervisor",
        .also = "infinity brutal_kill"}),
    on(both, all,
       {.name = "kill_grace",
        .type = value_type::time,
        .doc = "how long its end is waited for after a kill",
        .preset = "1s"}),
    on(both, worker,
       {.name = "drain",
        .type = value_type::time,
        .doc = "how long its backlog is served after its stop was asked, inside shutdown",
        .preset = "none",
        .also = "none"}),
    on(both, all,
       {.name = "start_timeout",
        .type = value_type::time,
        .doc = "how long its start may take; by default 5s for a worker, infinity for a supervisor",
        .also = "infinity",
        .least = 1}),
    on(both, worker,
       {.name = "ready",
        .type = value_type::map,
        .doc = "its start is complete when it says so; none: when it runs",
        .preset = "none",
        .also = "none",
        .map = &ready_shape}),
    on(both, all,
       {.name = "isolation",
        .type = value_type::word,
        .doc = "where its handlers run",
        .preset = "shared",
        .words = words_of<isolation, isolation::process>}),
    on(both, all,
       {.name = "context",
        .type = value_type::map,
        .doc = "what its context has besides its supervisor's",
        .map = &context_shape}),
    on(both, all,
       {.name = "backoff",
        .type = value_type::map,
        .doc = "delays its own restarts",
        .preset = "none",
        .also = "none",
        .map = &backoff_shape}),
    on(both, all,
       {.name = "watch",
        .type = value_type::map,
        .doc = "what the watchdog looks for",
        .preset = "off",
        .also = "off",
        .map = &watch_shape}),
    on(both, all,
       {.name = "address",
        .type = value_type::map,
        .doc = "what becomes of a message to its address while there is no incarnation",
        .preset = "refuse",
        .also = "refuse",
        .map = &address_shape}),
    on(both, all, {.name = "labels", .type = value_type::labels, .doc = "words for policies"}),
    on(both, supervisors,
       {.name = "strategy",
        .type = value_type::word,
        .doc = "which children the end of one restarts",
        .preset = "one_for_one",
        .words = words_of<strategy, strategy::one_for_dependents>}),
    on(both, supervisors,
       {.name = "intensity",
        .type = value_type::whole,
        .doc = "more restarts than this within period are too many",
        .preset = "1",
        .most = std::numeric_limits<std::uint32_t>::max()}),
    on(both, supervisors,
       {.name = "period",
        .type = value_type::time,
        .doc = "the time over which restarts are counted",
        .preset = "5s",
        .least = 1}),
    on(both, supervisors,
       {.name = "auto_shutdown",
        .type = value_type::word,
        .doc = "whether the end of significant children ends it",
        .preset = "never",
        .words = words_of<auto_shutdown, auto_shutdown::all_significant>}),
    on(both, supervisors,
       {.name = "on_giveup",
        .type = value_type::word,
        .doc = "what it does at its limit of restarts: end, or pause restarts",
        .preset = "escalate",
        .words = words_of<giveup_action, giveup_action::suspend>}),
    on(both, fixed,
       {.name = "start",
        .type = value_type::word,
        .doc = "children start in the order of the file, or by their dependencies alone",
        .preset = "ordered",
        .words = words_of<start_mode, start_mode::graph>}),
    on(both, dynamic,
       {.name = "max_children",
        .type = value_type::whole,
        .doc = "how many children there may be at once",
        .preset = "infinity",
        .also = "infinity"}),
}};

bool has_role(const key_info& info, map_role role) noexcept {
  switch (role) {
    case map_role::node:
      return true;
    case map_role::child_template:
      return info.in_template;
    case map_role::tree_defaults:
      return info.in_defaults;
  }
  return false;
}

std::vector<std::string_view> collect(map_role role) {
  std::vector<std::string_view> names;
  for (const auto& info : table) {
    if (has_role(info, role))
      names.push_back(info.name);
  }
  return names;
}

}  // namespace

const key_info& info_of(key k) noexcept { return table[static_cast<std::size_t>(k)]; }

const std::vector<std::string_view>& keys_of(map_role role) {
  static const std::array all{collect(map_role::node), collect(map_role::child_template),
                              collect(map_role::tree_defaults)};
  return all[static_cast<std::size_t>(role)];
}

std::optional<key> find_key(std::string_view name) noexcept {
  for (std::size_t i = 0; i < key_count; ++i) {
    if (table[i].name == name)
      return static_cast<key>(i);
  }
  return {};
}

key_slots sort_keys(const node& map, map_role role, scalar_reader& read) {
  key_slots result;
  for (const auto& entry : map.entries) {
    const auto k = find_key(entry.key->text);
    if (k && has_role(info_of(*k), role)) {
      result.slots[static_cast<std::size_t>(*k)] = entry;
      continue;
    }
    const char* where = role == map_role::child_template  ? " of a template"
                        : role == map_role::tree_defaults ? " of `defaults`"
                                                          : "";
    read.fault(
        "Y21", *entry.key,
        (k ? "`" + entry.key->text + "` can't be a key" + where
           : "unknown key `" + entry.key->text + "`" + where + read.words().suggest(entry.key->text, keys_of(role))));
  }
  return result;
}

field layered::get(key k) const noexcept {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] != nullptr && (*layers[i])[k].value != nullptr)
      return {(*layers[i])[k].key, (*layers[i])[k].value, static_cast<std::uint8_t>(i)};
  }
  return {};
}

std::array<field, 3> layered::maps(key k) const noexcept {
  std::array<field, 3> result{};
  std::size_t n = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] == nullptr || (*layers[i])[k].value == nullptr)
      continue;
    if (!(*layers[i])[k].value->is_map())
      break;
    result[n++] = {(*layers[i])[k].key, (*layers[i])[k].value, static_cast<std::uint8_t>(i)};
  }
  return result;
}

std::vector<field> merge(const std::array<field, 3>& maps) {
  std::vector<field> result;
  std::unordered_set<std::string_view> seen;
  const bool is_single = !maps[1];
  for (const auto& map : maps) {
    if (!map)
      break;
    for (const auto& entry : map.value->entries) {
      if (is_single || seen.insert(entry.key->text).second)
        result.push_back({entry.key, entry.value, map.layer});
    }
  }
  return result;
}

}  // namespace libactor::yaml
