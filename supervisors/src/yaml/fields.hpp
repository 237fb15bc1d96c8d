// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/scalars.hpp"
#include "yaml/shapes.hpp"

#include <array>
#include <string_view>

namespace libactor::yaml {

// The keys of a node of the tree.
enum class key : std::uint8_t {
  id,
  use,
  kind,
  args,
  children,
  child,
  enabled,
  significant,
  after,
  restart,
  shutdown,
  kill_grace,
  drain,
  start_timeout,
  ready,
  isolation,
  context,
  backoff,
  watch,
  address,
  labels,
  strategy,
  intensity,
  period,
  auto_shutdown,
  on_giveup,
  start,
  max_children,
};
inline constexpr std::size_t key_count = 28;

// What a key's value is, where the key may stand, and for what it has a meaning.
struct key_info : field_shape {
  bool in_template;
  bool in_defaults;
  bool for_worker;
  bool for_static;   // a supervisor with `children`
  bool for_dynamic;  // a supervisor with `child`
};
const key_info& info_of(key k) noexcept;

enum class map_role : std::uint8_t { node, child_template, tree_defaults };
// The keys that such a map may have, in the order of the table.
const std::vector<std::string_view>& keys_of(map_role role);
std::optional<key> find_key(std::string_view name) noexcept;

// A value, where it stands, and from which layer it comes.
struct field {
  const node* key = nullptr;
  const node* value = nullptr;
  std::uint8_t layer = 0;  // 0 the node itself, 1 its template, 2 the defaults
  explicit operator bool() const noexcept { return value != nullptr; }
};

// The entries of one map by key.
struct key_slots {
  std::array<map_entry, key_count> slots{};
  map_entry operator[](key k) const noexcept { return slots[static_cast<std::size_t>(k)]; }
};
// Reports unknown keys, with the nearest that this role has.
key_slots sort_keys(const node& map, map_role role, scalar_reader& read);

// A node of the tree with what its template and the defaults add to it.
struct layered {
  std::array<const key_slots*, 3> layers{};

  // The nearest layer's.
  field get(key k) const noexcept;
  // From each layer whose value is a map, nearest first, up to the first whose value is not.
  std::array<field, 3> maps(key k) const noexcept;
};

// The entries of several maps merged by key, nearest first; keys in the order in which they are met.
std::vector<field> merge(const std::array<field, 3>& maps);

}  // namespace libactor::yaml
