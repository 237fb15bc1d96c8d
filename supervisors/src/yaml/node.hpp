// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/source.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace libactor::yaml {

struct node;

struct map_entry {
  const node* key;  // a scalar
  const node* value;
};

// One value of a file. Keys of a map are scalars and differ. An alias is a node of its own, with a place of its own,
// that shares what is below the node it names; there are no cycles.
struct node {
  enum class type : std::uint8_t { null, scalar, sequence, map };

  type is = type::null;
  bool quoted = false;  // a scalar in quotes, or a block
  bool faulty = false;  // stands for what is reported already: no further fault is
  std::uint32_t file = 0;
  std::uint32_t offset = 0;
  bool is_alias = false;
  std::uint32_t end = 0;     // behind the closing quote, or the alias's name; else 0
  std::uint32_t height = 0;  // levels below
  std::uint32_t weight = 1;  // values in it, itself included, aliases expanded; more for a long text
  std::string text{};
  std::vector<const node*> items{};
  std::vector<map_entry> entries{};

  bool is_map() const noexcept { return is == type::map; }
  bool is_scalar() const noexcept { return is == type::scalar; }
  bool is_sequence() const noexcept { return is == type::sequence; }
};

// The entry with this key, or null. Complexity: O(entries).
inline const map_entry* find_entry(const node& map, std::string_view key) noexcept {
  for (const auto& entry : map.entries) {
    if (entry.key->text == key)
      return &entry;
  }
  return nullptr;
}

// A node's place, with the length of its text where it stands so in the source.
position position_of(const node& n, const source& file) noexcept;

// "a map", "a list", "nothing", "a quoted string", …
const char* describe(const node& n) noexcept;

struct parse_limits {
  std::size_t max_values;
  std::size_t max_depth;
};

// Parses the first document of a file into `arena`; null if there is none, or it has a fault that ends the pass.
const node* parse(std::uint32_t file, const parse_limits& limits, std::deque<node>& arena, report& faults);

}  // namespace libactor::yaml
