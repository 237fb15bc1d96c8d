// SPDX-License-Identifier: BSL-1.0
//
// What a tree file may say: each map's keys with their types, words, ranges, defaults and meanings. The loader takes
// its known keys, words and ranges from these tables, and the JSON Schema is made of them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace libactor::yaml {

enum class value_type : std::uint8_t {
  text,
  id,    // of a node: a part of paths
  kind,  // of a worker, by its name in the catalog
  boolean,
  whole,
  real,
  time,
  word,          // one of `words`
  version,       // of the file's schema: 1
  map,           // of `map`
  dependencies,  // a list of ids, or of maps of `map`
  args,          // as the kind declares them
  values,        // of a context, as the catalog declares them
  labels,        // strings by name
  node,
  nodes,
  child_template,  // a node that needs no id
  files,
  variables,
  templates,
  defaults,
  rules,  // a list of maps of `map`
  terms,  // what a rule says of fields
};

using word_list = std::vector<std::string_view>;
struct map_shape;

struct field_shape {
  std::string_view name;
  value_type type;
  std::string_view doc;       // one line
  std::string_view preset{};  // the default, as a file would spell it
  std::string_view also{};    // words that stand in the value's place, with spaces between
  const word_list& (*words)() = nullptr;
  const map_shape* map = nullptr;
  std::int64_t least = 0, most = std::numeric_limits<std::int64_t>::max();  // of whole numbers
  bool required = false;
};

struct map_shape {
  std::string_view name;
  std::span<const field_shape> fields;
};

extern const map_shape file_shape, stop_shape, after_shape, ready_shape, context_shape, backoff_shape, watch_shape,
    address_shape, rule_shape, match_shape;

// Keys of an included file; they are keys of `file_shape` too.
const word_list& included_keys();
// The keys of a map, in the order of its table. Complexity: O(1) after the first call.
const word_list& keys_of(const map_shape& shape);
// Requires: the shape has this key.
const field_shape& field_of(const map_shape& shape, std::string_view name) noexcept;

// Whether this word may stand in the value's place.
bool may_be(const field_shape& shape, std::string_view word) noexcept;

// The words of an enumeration as trees spell them, up to `last`; their places are the enumerators' values.
template <class Enum, Enum last>
const word_list& words_of() {
  static const word_list all = [] {
    word_list words;
    for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i)
      words.emplace_back(to_string(static_cast<Enum>(i)));
    return words;
  }();
  return all;
}

}  // namespace libactor::yaml
