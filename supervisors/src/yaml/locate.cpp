// SPDX-License-Identifier: BSL-1.0
//
// From places in a spec back to places in the file.
#include "yaml/tree_decoder.hpp"

#include <algorithm>
#include <charconv>

namespace libactor::yaml {

namespace {

// Takes `name`, `.name` or `[3]` off the front of a field's name.
std::string_view next_segment(std::string_view& field) {
  if (!field.empty() && field[0] == '.')
    field.remove_prefix(1);
  const auto end = std::min(field.find_first_of(".[", 1), field.size());
  const auto segment = field.substr(0, end);
  field.remove_prefix(end);
  return segment;
}

// The end of an argument's name is the end of the field: such names may have dots.
field entry_of(const field& in, std::string_view name) {
  const auto* entry = in.value->is_map() ? find_entry(*in.value, name) : nullptr;
  return entry == nullptr ? field{} : field{entry->key, entry->value, in.layer};
}

}  // namespace

tree_decoder::located tree_decoder::locate(std::size_t node, std::string_view field_name) const {
  const auto& here = places_[node];
  const auto id = here.layers.get(key::id);
  const located whole{read_.at(id && id.value->is_scalar() ? *id.value : *here.map), 0, false};
  if (field_name.empty())
    return {whole.at, 0, true};
  auto rest = field_name;
  const auto k = find_key(next_segment(rest));
  auto f = k ? here.layers.get(*k) : field{};
  if (!f && k == key::args) {
    f = here.layers.get(key::kind);
    return f ? located{read_.at(*f.value), f.layer, false} : whole;
  }
  if (!f)
    return whole;
  bool is_complete = true;
  std::size_t step = 0;
  while (!rest.empty() && is_complete) {
    field deeper;
    if (rest[0] == '[') {
      std::size_t index = 0;
      std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
      next_segment(rest);
      if (f.value->is_sequence() && index < f.value->items.size())
        deeper = {nullptr, f.value->items[index], f.layer};
    } else if (step == 0) {
      // The first level is merged from all layers, and so are a context's values.
      const auto whole_rest = rest.substr(1);
      const auto name = next_segment(rest);
      const auto below = rest.substr(std::min<std::size_t>(1, rest.size()));
      bool is_there = false;
      for (const auto& map : here.layers.maps(*k)) {
        if (is_there || !map)
          break;
        if (const auto whole_entry = entry_of(map, whole_rest)) {
          deeper = whole_entry;
          rest = {};
          is_there = true;
        } else if (const auto part = entry_of(map, name)) {
          is_there = below.empty() || entry_of(part, below);
          if (!deeper || is_there)
            deeper = part;
        }
      }
    } else {
      deeper = entry_of(f, rest.substr(1));
      if (deeper)
        rest = {};
      else
        deeper = entry_of(f, next_segment(rest));
    }
    ++step;
    if (deeper)
      f = deeper;
    else if (!f.value->is_scalar())  // `after: [x]` has its id in itself
      is_complete = false;
  }
  const bool points_at_value = f.key == nullptr || f.value->is_scalar();
  return {read_.at(points_at_value ? *f.value : *f.key), f.layer, is_complete, f.key};
}

bool tree_decoder::is_sound(std::size_t node, std::string_view field) const {
  if (unsound_.empty())
    return true;
  for (;;) {
    if (unsound_.count({node, std::string(field)}) != 0)
      return false;
    const auto cut = field.find_last_of(".[");
    if (cut == std::string_view::npos)
      return true;
    field = field.substr(0, cut);
  }
}

void tree_decoder::report_fault(severity level, const spec_fault& fault) {
  if (fault.node == spec_place::tree) {
    if (fault.code == "Y41" && !all_sound())
      return;
    std::vector<report::pending_note> notes;
    for (const auto& n : fault.notes)
      notes.push_back({locate(n.at.node, n.at.field).at, n.text});
    if (budget_ != nullptr)
      read_.faults().add(level, fault.code.c_str(), read_.at(*budget_), fault.text, std::move(notes));
    return;
  }
  if (!is_sound(fault.node, fault.field))
    return;
  for (const auto& n : fault.notes) {
    if (!is_sound(n.at.node, n.at.field))
      return;
  }
  auto main = locate(fault.node, fault.field);
  // A name that nobody knows is shown itself; a value that is refused, as the value.
  const bool is_unknown = (fault.code == "Y33" && fault.text.find("has no argument") != std::string::npos) ||
                          (fault.code == "Y32" && fault.field.rfind("context.", 0) == 0);
  if (is_unknown && main.found && main.key != nullptr)
    main.at = read_.at(*main.key);
  std::vector<report::pending_note> notes;
  for (const auto& n : fault.notes) {
    const auto at = locate(n.at.node, n.at.field);
    if (at.found)
      notes.push_back({at.at, n.text});
  }
  if (main.layer != 0)
    notes.push_back({locate(fault.node, "").at, "for this node"});
  read_.faults().add(level, fault.code.c_str(), main.at, fault.text, std::move(notes));
}

void tree_decoder::check_layer(const node& map, std::size_t layer, const key_slots& slots) {
  current_ = places_.size();
  auto& scratch = places_.emplace_back();
  scratch.map = &map;
  scratch.layers.layers[layer] = &slots;
  child_spec ignored;
  decode_common(scratch.layers, ignored);
  if (scratch.layers.get(key::kind)) {
    decode_kind(scratch.layers, ignored.what.emplace<kind_child>());
    reject_meaningless(scratch.layers, ignored);
    return;
  }
  decode_fixed(scratch.layers, ignored.what.emplace<static_supervisor>());
  decode_dynamic(scratch.layers, ignored.what.emplace<dynamic_supervisor>());
}

void tree_decoder::check_shared() {
  is_alone_ = true;
  for (auto& [name, t] : templates_)
    check_layer(*t.map, 1, slots_of(t));
  if (defaults_)
    check_layer(*defaults_map_, 2, *defaults_);
}

}  // namespace libactor::yaml
