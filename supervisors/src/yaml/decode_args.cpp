// SPDX-License-Identifier: BSL-1.0
#include "yaml/tree_decoder.hpp"

#include <algorithm>

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
    const auto field = "args." + name;
    // An argument that the kind has not is refused by `check`, whatever its type.
    auto value = spec == known->args.end() ? arg_value(f.value->text) : decode_arg(*f.value, name, spec->type, field);
    if (value)
      out.args.emplace(name, std::move(*value));
    else
      out.args.emplace(name, arg_value());
  }
}

std::optional<arg_value> tree_decoder::decode_arg_item(const node& n, const std::string& what, bool is_integer) {
  if (is_integer) {
    const auto value =
        read_.integer(n, what, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    return value ? std::optional<arg_value>(*value) : std::nullopt;
  }
  auto value = read_.text(n, what);
  return value ? std::optional<arg_value>(std::move(*value)) : std::nullopt;
}

std::optional<arg_value> tree_decoder::decode_arg(const node& n, const std::string& what, arg_type type,
                                                  std::string field) {
  const auto sound = [&](auto&& value) -> std::optional<arg_value> {
    if (value)
      return arg_value(std::move(*value));
    unsound(field);
    return {};
  };
  switch (type) {
    case arg_type::boolean:
      return sound(read_.boolean(n, what));
    case arg_type::integer:
      return sound(decode_arg_item(n, what, true));
    case arg_type::real:
      return sound(read_.real(n, what));
    case arg_type::string:
      return sound(read_.text(n, what));
    case arg_type::duration:
      return sound(read_.time(n, what, true));
    case arg_type::string_list: {
      if (!n.is_sequence()) {
        read_.wrong_type(n, what, "a list of strings");
        unsound(field);
        return {};
      }
      arg_list list;
      for (const auto* item : n.items) {
        auto value = decode_arg_item(*item, what, false);
        if (!value)
          unsound(field);
        else
          list.push_back(std::move(*value));
      }
      return arg_value(std::move(list));
    }
    case arg_type::string_map:
    case arg_type::integer_map: {
      const bool is_integer = type == arg_type::integer_map;
      if (!n.is_map()) {
        read_.wrong_type(n, what, is_integer ? "a map of whole numbers" : "a map of strings");
        unsound(field);
        return {};
      }
      arg_map map;
      for (const auto& entry : n.entries) {
        auto value = decode_arg_item(*entry.value, entry.key->text, is_integer);
        if (!value)
          unsound(field);
        else
          map.emplace(entry.key->text, std::move(*value));
      }
      return arg_value(std::move(map));
    }
  }
  return {};
}

}  // namespace libactor::yaml
