// SPDX-License-Identifier: BSL-1.0
#include "supervisors/child_catalog.hpp"

#include "supervisors/nearest_word.hpp"

#include <algorithm>
#include <stdexcept>

namespace libactor {

namespace {

const char* phrase(arg_type type) noexcept {
  switch (type) {
    case arg_type::boolean:
      return "true or false";
    case arg_type::integer:
      return "a whole number";
    case arg_type::real:
      return "a number";
    case arg_type::string:
      return "a string";
    case arg_type::duration:
      return "a duration";
    case arg_type::string_list:
      return "a list of strings";
    case arg_type::string_map:
      return "a map of strings";
    case arg_type::integer_map:
      return "a map of whole numbers";
  }
  return "?";
}

template <class T>
bool all_are(const arg_value& value) noexcept {
  const auto* map = value.get_if<arg_map>();
  return map != nullptr &&
         std::all_of(map->begin(), map->end(), [](const auto& x) { return x.second.template get_if<T>() != nullptr; });
}

// What of a value is outside of the range or the words that its declaration names; of a map, of one of its entries.
std::string range_fault(const arg_spec& spec, const std::string& name, const arg_value& value) {
  const auto* x = value.get_if<std::int64_t>();
  if (x == nullptr || ((!spec.least || *x >= *spec.least) && (!spec.most || *x <= *spec.most)))
    return {};
  const auto least = spec.least ? std::to_string(*spec.least) : std::string();
  const auto most = spec.most ? std::to_string(*spec.most) : std::string();
  return "`" + name + "` must be " +
         (!spec.most    ? least + " or more"
          : !spec.least ? most + " or less"
                        : least + " to " + most) +
         ", not " + std::to_string(*x);
}

// Whether there is no such fault.
bool check_values(const arg_spec& spec, const arg_value& value, std::vector<arg_fault>& faults) {
  const auto before = faults.size();
  const std::vector<std::string_view> words(spec.words.begin(), spec.words.end());
  const auto is_word = [&](std::string_view text) {
    return words.empty() || std::find(words.begin(), words.end(), text) != words.end();
  };
  nearest_word nearest;
  if (const auto* text = value.get_if<std::string>(); text != nullptr && !is_word(*text))
    faults.push_back({spec.name, "`" + spec.name + "` can't be `" + *text + "`" + nearest.suggest(*text, words)});
  if (auto fault = range_fault(spec, spec.name, value); !fault.empty())
    faults.push_back({spec.name, std::move(fault)});
  const auto* map = value.get_if<arg_map>();
  if (map == nullptr)
    return faults.size() == before;
  for (const auto& [key, entry] : *map) {
    if (!is_word(key))
      faults.push_back({spec.name, "`" + spec.name + "` has no `" + key + "`" + nearest.suggest(key, words)});
    else if (auto fault = range_fault(spec, key, entry); !fault.empty())
      faults.push_back({spec.name, std::move(fault)});
  }
  return faults.size() == before;
}

template <class Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> result;
  result.reserve(map.size());
  for (const auto& [name, ignored] : map)
    result.push_back(name);
  return result;
}

}  // namespace

const char* to_string(arg_type type) noexcept {
  switch (type) {
    case arg_type::boolean:
      return "boolean";
    case arg_type::integer:
      return "integer";
    case arg_type::real:
      return "real";
    case arg_type::string:
      return "string";
    case arg_type::duration:
      return "duration";
    case arg_type::string_list:
      return "string_list";
    case arg_type::string_map:
      return "string_map";
    case arg_type::integer_map:
      return "integer_map";
  }
  return "?";
}

bool has_type(const arg_value& value, arg_type type) noexcept {
  switch (type) {
    case arg_type::boolean:
      return value.get_if<bool>() != nullptr;
    case arg_type::integer:
      return value.get_if<std::int64_t>() != nullptr;
    case arg_type::real:
      return value.get_if<double>() != nullptr || value.get_if<std::int64_t>() != nullptr;
    case arg_type::string:
      return value.get_if<std::string>() != nullptr;
    case arg_type::duration:
      return value.get_if<duration>() != nullptr;
    case arg_type::string_list: {
      const auto* list = value.get_if<arg_list>();
      return list != nullptr && std::all_of(list->begin(), list->end(),
                                            [](const arg_value& x) { return x.get_if<std::string>() != nullptr; });
    }
    case arg_type::string_map:
      return all_are<std::string>(value);
    case arg_type::integer_map:
      return all_are<std::int64_t>(value);
  }
  return false;
}

child_catalog& child_catalog::add(child_kind kind) {
  if (kind.name.empty())
    throw std::invalid_argument("a kind needs a name");
  if (!kind.start)
    throw std::invalid_argument("kind `" + kind.name + "` has no start function");
  auto name = kind.name;
  if (!kinds_.emplace(name, std::move(kind)).second)
    throw std::invalid_argument("kind `" + name + "` is already in the catalog");
  return *this;
}

const child_kind* child_catalog::find(std::string_view name) const {
  const auto i = kinds_.find(name);
  return i == kinds_.end() ? nullptr : &i->second;
}

std::vector<std::string> child_catalog::names() const { return keys(kinds_); }

child_catalog& child_catalog::add_context_key(context_value_kind key) {
  if (key.name.empty())
    throw std::invalid_argument("a context key needs a name");
  if (!key.derive)
    throw std::invalid_argument("context key `" + key.name + "` has no derive function");
  auto name = key.name;
  if (!context_keys_.emplace(name, std::move(key)).second)
    throw std::invalid_argument("context key `" + name + "` is already in the catalog");
  return *this;
}

const context_value_kind* child_catalog::find_context_key(std::string_view name) const {
  const auto i = context_keys_.find(name);
  return i == context_keys_.end() ? nullptr : &i->second;
}

std::vector<std::string> child_catalog::context_key_names() const { return keys(context_keys_); }

child_args check_args(const child_kind& kind, const arg_map& given, std::vector<arg_fault>& faults) {
  const auto before = faults.size();
  std::size_t declared = 0;  // of those given
  arg_map values;
  for (const auto& spec : kind.args) {
    const auto i = given.find(spec.name);
    declared += i == given.end() ? 0 : 1;
    if (i == given.end()) {
      if (!spec.default_value.empty())
        values.emplace(spec.name, spec.default_value);
      else if (spec.required)
        faults.push_back(
            {spec.name, "`" + kind.name + "` needs the argument `" + spec.name + "`, " + phrase(spec.type)});
    } else if (!has_type(i->second, spec.type)) {
      faults.push_back({spec.name, "`" + spec.name + "` must be " + phrase(spec.type)});
    } else if (!check_values(spec, i->second, faults)) {
      continue;
    } else if (const auto* whole = i->second.get_if<std::int64_t>(); whole != nullptr && spec.type == arg_type::real) {
      values.emplace(spec.name, static_cast<double>(*whole));
    } else {
      values.emplace(spec.name, i->second);
    }
  }
  const bool is_readable = faults.size() == before;
  if (declared < given.size()) {
    std::vector<std::string_view> known;
    for (const auto& spec : kind.args)
      known.push_back(spec.name);
    nearest_word words;
    for (const auto& [name, value] : given) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        faults.push_back({name, "`" + kind.name + "` has no argument `" + name + "`" + words.suggest(name, known)});
    }
  }
  child_args result(std::move(values));
  if (kind.check && is_readable) {
    auto further = kind.check(result);
    faults.insert(faults.end(), std::make_move_iterator(further.begin()), std::make_move_iterator(further.end()));
  }
  return result;
}

}  // namespace libactor
