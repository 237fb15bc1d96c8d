// SPDX-License-Identifier: BSL-1.0
//
// Invariants
//  1. `places_[i]` is the node that `spec_place` numbers i: a node is entered before its children, and a child that is
//     no map has neither a spec nor a place.
//  2. What could not be decoded is in `unsound_`, and the spec has the default in its stead: faults that follow from it
//     are not reported.
#pragma once

#include "supervisors/child_catalog.hpp"
#include "supervisors/tree_spec.hpp"
#include "yaml/fields.hpp"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace libactor::yaml {

// Turns the nodes of a file into specs, and places in specs back into places in the file.
class tree_decoder {
 public:
  tree_decoder(scalar_reader& read, const child_catalog& catalog, std::size_t max_values)
      : read_(read), catalog_(catalog), values_left_(max_values * 10) {}

  // A later template of the same name wins.
  void add_template(const node& name, const node& map);
  void set_defaults(const node& map);
  // Reports the faults of templates and defaults that no node has: it is not used, or nodes have their own values.
  // Comes after `decode`.
  void check_shared();

  // False if the node is no map. `what`: the key that it stands under.
  bool decode(const node& n, child_spec& out, std::string_view what = "child");

  // Where a field of a node stands.
  struct located {
    position at;
    std::uint8_t layer = 0;
    bool found = false;  // false: it is not in the file, and `at` is the node's own place
    const node* key = nullptr;
  };
  located locate(std::size_t node, std::string_view field) const;
  // False if the field, or what it is part of, could not be decoded.
  bool is_sound(std::size_t node, std::string_view field) const;
  bool all_sound() const noexcept { return unsound_.empty(); }

  // Reports a fault of the spec at its place, unless it follows from one that is known.
  void report_fault(severity level, const spec_fault& fault);
  // Where `shutdown: {budget}` stands.
  void set_budget(const node& n) { budget_ = &n; }

 private:
  struct place_of_node {
    const node* map = nullptr;
    key_slots own;
    layered layers;
  };
  struct child_template {
    const node* name;
    const node* map;
    std::optional<key_slots> slots;  // sorted at the first use
  };

  void unsound(const std::string& field) { unsound_.emplace(current_, field); }
  bool spend(std::size_t values, const node& at);
  const child_template* find_template(const field& use);
  const key_slots& slots_of(child_template& t);

  void decode_type(const layered& l, child_spec& out);
  void reject_meaningless(const layered& l, const child_spec& out);
  void decode_supervisor(const layered& l, supervisor_spec& out);
  void decode_fixed(const layered& l, static_supervisor& out);
  void decode_dynamic(const layered& l, dynamic_supervisor& out);
  void check_layer(const node& map, std::size_t layer, const key_slots& slots);
  void decode_children(const field& f, static_supervisor& out);
  void decode_common(const layered& l, child_spec& out);
  void decode_limits(const layered& l, child_spec& out);
  void decode_kind(const layered& l, kind_child& out);
  void decode_after(const field& f, child_spec& out);
  void decode_context(const layered& l, child_spec& out);
  void decode_backoff(const layered& l, child_spec& out);
  void decode_watch(const layered& l, child_spec& out);
  void decode_address(const layered& l, child_spec& out);
  void decode_labels(const layered& l, child_spec& out);
  bool decode_arg(const node& n, const std::string& what, arg_type type, arg_value& out);
  bool decode_arg_item(const node& n, const std::string& what, bool is_integer, arg_value& out);
  bool decode_arg_list(const node& n, const std::string& what, arg_value& out);
  bool decode_arg_map(const node& n, const std::string& what, bool is_integer, arg_value& out);

  template <class Read, class T>
  void take(const field& f, const std::string& name, T& out, Read read);
  template <class Enum>
  void take_word(const field& f, const field_shape& shape, const std::string& name, Enum& out);
  std::optional<std::int64_t> whole(const node& n, const field_shape& shape);
  std::optional<duration> time(const node& n, const field_shape& shape);
  // The entries of a map-valued field whose keys are known; reports the unknown ones.
  std::vector<field> known_entries(const layered& l, key k);
  // Whether the field is there and is a map; a word that does not turn it off is reported.
  bool is_given_map(const field& f, key k);

  scalar_reader& read_;
  const child_catalog& catalog_;
  std::size_t values_left_;
  bool is_spent_ = false;
  std::map<std::string_view, child_template> templates_;
  std::vector<std::string_view> template_names_;  // once a suggestion is made of them
  const node* defaults_map_ = nullptr;
  std::optional<key_slots> defaults_;
  std::deque<place_of_node> places_;
  std::size_t current_ = 0;
  bool is_alone_ = false;  // what is decoded is no node: what it lacks, a node adds
  std::set<std::pair<std::size_t, std::string>> unsound_;
  const node* budget_ = nullptr;
};

}  // namespace libactor::yaml
