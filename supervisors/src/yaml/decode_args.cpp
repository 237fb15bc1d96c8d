// SPDX-License-Identifier: BSL-1.0
#include "yaml/tree_decoder.hpp"

#include <algorithm>
#include <limits>

namespace libactor::yaml {

void tree_decoder::decode_kind(const layered& l, kind_child& out) {
  const auto kind = l.get(key::kind);
  if (auto name = read_.text(*kind.value, "kind"))
    out.kind = std::move(*name);
  else
    unsound("kind");
  const auto args = l.get(key::args);
  if (!args)
    return;
  if (!args.value->is_map()) {
    read_.wrong_type(*args.value, "args", "a map");
    unsound("args");
    return;
  }
  const auto* known = catalog_.find(out.kind);
  if (known == nullptr)
    return;
  for (const auto& f : merge(l.maps(key::args))) {
    const auto& name = f.key->text;
    const auto spec =
        std::find_if(known->args.begin(), known->args.end(), [&](const arg_spec& a) { return a.name == name; });
    auto& out_value = out.args[name];
    // An argument that the kind has not is refused by `check`, whatever its type.
    if (spec != known->args.end() && !decode_arg(*f.value, name, spec->type, out_value))
      unsound("args." + name);
  }
}

// Whether the item could be read, and then it is in `out`.
bool tree_decoder::decode_arg_item(const node& n, const std::string& what, bool is_integer, arg_value& out) {
  if (is_integer) {
    constexpr std::numeric_limits<std::int64_t> range;
    const auto value = read_.integer(n, what, range.min(), range.max());
    if (value)
      out = *value;
    return value.has_value();
  }
  auto value = read_.text(n, what);
  if (value)
    out = std::move(*value);
  return value.has_value();
}

bool tree_decoder::decode_arg_list(const node& n, const std::string& what, arg_value& out) {
  if (!n.is_sequence()) {
    read_.wrong_type(n, what, "a list of strings");
    return false;
  }
  arg_list list(n.items.size());
  bool good = true;
  for (std::size_t i = 0; i < list.size(); ++i)
    good = decode_arg_item(*n.items[i], what, false, list[i]) && good;
  out = std::move(list);
  return good;
}

bool tree_decoder::decode_arg_map(const node& n, const std::string& what, bool is_integer, arg_value& out) {
  if (!n.is_map()) {
    read_.wrong_type(n, what, is_integer ? "a map of whole numbers" : "a map of strings");
    return false;
  }
  arg_map map;
  bool good = true;
  for (const auto& entry : n.entries)
    good = decode_arg_item(*entry.value, entry.key->text, is_integer, map[entry.key->text]) && good;
  out = std::move(map);
  return good;
}

bool tree_decoder::decode_arg(const node& n, const std::string& what, arg_type type, arg_value& out) {
  const auto keep = [&](const auto& value) {
    if (value)
      out = *value;
    return value.has_value();
  };
  switch (type) {
    case arg_type::boolean:
      return keep(read_.boolean(n, what));
    case arg_type::integer:
      return decode_arg_item(n, what, true, out);
    case arg_type::real:
      return keep(read_.real(n, what));
    case arg_type::string:
      return decode_arg_item(n, what, false, out);
    case arg_type::duration:
      return keep(read_.time(n, what, true));
    case arg_type::string_list:
      return decode_arg_list(n, what, out);
    case arg_type::string_map:
      return decode_arg_map(n, what, false, out);
    case arg_type::integer_map:
      return decode_arg_map(n, what, true, out);
  }
  return false;
}

}  // namespace libactor::yaml
