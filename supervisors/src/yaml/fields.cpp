// SPDX-License-Identifier: BSL-1.0
#include "yaml/fields.hpp"

#include <algorithm>
#include <unordered_set>

namespace libactor::yaml {

namespace {

// In the order of `key`.
constexpr std::array<key_info, key_count> table{{
    // name, in_template, in_defaults, for_worker, for_static, for_dynamic
    {"id", false, false, true, true, true},           {"use", false, false, true, true, true},
    {"kind", true, false, true, false, false},        {"args", true, false, true, false, false},
    {"children", false, false, false, true, false},   {"child", false, false, false, false, true},
    {"enabled", true, false, true, true, true},       {"significant", true, false, true, true, true},
    {"after", true, false, true, true, true},         {"restart", true, true, true, true, true},
    {"shutdown", true, true, true, true, true},       {"kill_grace", true, true, true, true, true},
    {"drain", true, true, true, false, false},        {"start_timeout", true, true, true, true, true},
    {"ready", true, true, true, false, false},        {"isolation", true, true, true, true, true},
    {"context", true, true, true, true, true},        {"backoff", true, true, true, true, true},
    {"watch", true, true, true, true, true},          {"address", true, true, true, true, true},
    {"labels", true, true, true, true, true},         {"strategy", true, true, false, true, true},
    {"intensity", true, true, false, true, true},     {"period", true, true, false, true, true},
    {"auto_shutdown", true, true, false, true, true}, {"on_giveup", true, true, false, true, true},
    {"start", true, true, false, true, false},        {"max_children", true, true, false, false, true},
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
