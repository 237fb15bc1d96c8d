// SPDX-License-Identifier: BSL-1.0
#include "supervisors/yaml/schema.hpp"

#include "supervisors/child_catalog.hpp"
#include "supervisors/child_spec.hpp"
#include "yaml/facts.hpp"
#include "yaml/fields.hpp"
#include "yaml/shapes.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace libactor::yaml {

namespace {

using json = nlohmann::ordered_json;

// The name is any word of the catalog's: it is written as in a JSON pointer in a URI (RFC 6901, section 6).
json refer(const std::string& name) {
  std::string pointer;
  for (const char c : name) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.')
      pointer += c;
    else
      pointer += code;
  }
  return {{"$ref", "#/$defs/" + pointer}};
}
json any_of(std::initializer_list<json> all) { return {{"anyOf", json::array_t(all)}}; }
json refuse(json what) { return {{"not", std::move(what)}}; }
json has(std::string_view key) { return {{"required", json::array({std::string(key)})}}; }
json either_of_keys(std::initializer_list<std::string_view> keys) {
  json all = json::array();
  for (const auto key : keys)
    all.push_back(has(key));
  return {{"anyOf", std::move(all)}};
}

// A scalar of which substitution may still make anything.
json substituted(json plain) { return any_of({std::move(plain), refer("substitution")}); }

template <class Words>
json one_of_words(const Words& words) {
  json all = json::array();
  for (const auto& word : words)
    all.push_back(std::string(word));
  return {{"enum", std::move(all)}};
}

word_list split(std::string_view words) {
  word_list all;
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    all.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return all;
}

// As many digits as can matter: more is over the limit of 100 years, or finer than a nanosecond.
constexpr auto duration_pattern =
    "^0*([0-9]{1,19}(\\.0+)?ns|[0-9]{1,16}(\\.[0-9]{1,3}0*)?us|[0-9]{1,13}(\\.[0-9]{1,6}0*)?ms|"
    "[0-9]{1,10}(\\.[0-9]{1,9}0*)?s|[0-9]{1,9}(\\.[0-9]{1,10}0*)?m|[0-9]{1,7}(\\.[0-9]{1,11}0*)?h)$";

class schema_writer {
 public:
  explicit schema_writer(const child_catalog& catalog) : catalog_(catalog) {}

  json write() {
    json all{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
             {"title", "A supervision tree"},
             {"description", "A tree file, as actortree runs it"}};
    all.update(map_of(file_shape));
    // Where nothing is merged in, what is required must stand in the node itself.
    all["if"] = refuse(has("defaults"));
    all["then"] = {{"properties", {{"tree", refer("complete_node")}}}};
    json& defs = all["$defs"];
    defs["substitution"] = {{"type", "string"}, {"pattern", "\\$\\{"}};
    defs["text"] = {{"type", {"string", "number", "boolean"}}};
    defs["id"] = {{"type", {"string", "number", "boolean"}},
                  {"pattern", "^[^/\\u0000-\\u0020\\u007f]{1,200}$|\\$\\{"},
                  {"not", {{"enum", {".", ".."}}}}};
    defs["texts"] = {{"type", "object"}, {"additionalProperties", refer("text")}};
    defs["duration"] = {{"type", "string"}, {"pattern", duration_pattern}};
    defs["positive_duration"] = {{"$ref", "#/$defs/duration"}, {"pattern", "[1-9]"}};
    defs["node"] = node();
    defs["child_template"] = node_fields(map_role::node, true);
    defs["template"] = node_fields(map_role::child_template, false);
    defs["defaults"] = node_fields(map_role::tree_defaults, false);
    defs["complete_node"] = complete_node();
    defs["terms"] = terms();
    for (const auto& name : catalog_.names())
      defs["args of " + name] = args_of(*catalog_.find(name));
    return all;
  }

 private:
  json map_of(const map_shape& shape) const {
    json properties = json::object(), required = json::array();
    for (const auto& f : shape.fields) {
      properties[std::string(f.name)] = field(f);
      // A part of a map that is merged may come from a template: see `complete_node`.
      if (f.required && &shape != &backoff_shape && &shape != &address_shape)
        required.push_back(std::string(f.name));
    }
    json result{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty())
      result["required"] = std::move(required);
    if (&shape == &rule_shape)
      result.update(either_of_keys({"require", "forbid"}));
    return result;
  }

  json field(const field_shape& f) const {
    json result = type_of(f);
    if (!f.also.empty()) {
      json plain = one_of_words(split(f.also));
      result = any_of({std::move(result), std::move(plain)});
      if (f.type == value_type::map)
        result["anyOf"].push_back(refer("substitution"));
    }
    result["description"] = std::string(f.doc);
    if (!f.preset.empty()) {
      const auto value = json::parse(f.preset, nullptr, false);
      result["default"] = value.is_discarded() ? json(std::string(f.preset)) : value;
    }
    return result;
  }

  json type_of(const field_shape& f) const {
    switch (f.type) {
      case value_type::text:
        return refer("text");
      case value_type::id:
        return refer("id");
      case value_type::kind:
        return kinds();
      case value_type::boolean:
        return substituted({{"type", "boolean"}});
      case value_type::whole: {
        json number{{"type", "integer"}, {"minimum", f.least}};
        if (f.most != std::numeric_limits<std::int64_t>::max())
          number["maximum"] = f.most;
        return substituted(std::move(number));
      }
      case value_type::real: {
        json number{{"type", "number"}, {"minimum", f.least}};
        if (f.most != std::numeric_limits<std::int64_t>::max())
          number["maximum"] = f.most;
        return substituted(std::move(number));
      }
      case value_type::time:
        return substituted(refer(f.least > 0 ? "positive_duration" : "duration"));
      case value_type::word:
        return substituted(one_of_words(f.words()));
      case value_type::version:
        return substituted({{"const", f.least}});
      case value_type::map:
        return map_of(*f.map);
      case value_type::dependencies:
        return {{"type", "array"}, {"items", any_of({refer("text"), map_of(*f.map)})}};
      case value_type::args:
        return {{"type", "object"}};
      case value_type::values:
        return context_values();
      case value_type::labels:
        return refer("texts");
      case value_type::node:
        return refer("node");
      case value_type::nodes:
        return {{"type", "array"}, {"items", refer("node")}};
      case value_type::child_template:
        return refer("child_template");
      case value_type::files:
        return {{"type", "array"}, {"items", refer("text")}};
      case value_type::variables:
        return refer("texts");
      case value_type::templates:
        return {{"type", "object"}, {"additionalProperties", refer("template")}};
      case value_type::defaults:
        return refer("defaults");
      case value_type::rules:
        return {{"type", "array"}, {"items", map_of(*f.map)}};
      case value_type::terms:
        return refer("terms");
    }
    return true;
  }

  json kinds() const {
    json known = json::array();
    for (const auto& name : catalog_.names())
      known.push_back({{"const", name}, {"description", catalog_.find(name)->doc}});
    known.push_back(refer("substitution"));
    return {{"anyOf", std::move(known)}};
  }

  json node() const {
    auto result = node_fields(map_role::node, true);
    result["required"] = json::array({"id"});
    return result;
  }

  // The keys of a node, and what follows from what it is. Its kind may come from a template.
  json node_fields(map_role role, bool is_node) const {
    json properties = json::object();
    for (const auto name : keys_of(role))
      properties[std::string(name)] = field(info_of(*find_key(name)));
    json result{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (role == map_role::tree_defaults)
      return result;
    json& rules = result["allOf"] = json::array();
    if (is_node)
      rules.push_back({{"if", refuse(has("use"))}, {"then", either_of_keys({"kind", "children", "child"})}});
    rules.push_back({{"if", has("kind")}, {"then", without(&key_info::for_worker)}});
    if (is_node) {
      rules.push_back({{"if", has("children")}, {"then", without(&key_info::for_static)}});
      rules.push_back({{"if", has("child")}, {"then", without(&key_info::for_dynamic)}});
    }
    for (const auto& name : catalog_.names())
      add_kind(rules, *catalog_.find(name), is_node);
    return result;
  }

  json without(bool key_info::*meaning) const {
    json none = json::object();
    for (std::size_t i = 0; i < key_count; ++i) {
      const auto& info = info_of(static_cast<key>(i));
      if (!(info.*meaning))
        none[std::string(info.name)] = false;
    }
    return {{"properties", std::move(none)}};
  }

  void add_kind(json& rules, const child_kind& kind, bool is_node) const {
    json is_it = has("kind");
    is_it["properties"] = {{"kind", {{"const", kind.name}}}};
    rules.push_back({{"if", is_it}, {"then", {{"properties", {{"args", refer("args of " + kind.name)}}}}}});
    json needed = json::array();
    for (const auto& arg : kind.args) {
      if (arg.required)
        needed.push_back(arg.name);
    }
    if (!is_node || needed.empty())
      return;
    // A template's arguments are merged in.
    json alone = std::move(is_it);
    alone["not"] = has("use");
    json complete = has("args");
    complete["properties"] = {{"args", {{"required", std::move(needed)}}}};
    rules.push_back({{"if", std::move(alone)}, {"then", std::move(complete)}});
  }

  json args_of(const child_kind& kind) const {
    json properties = json::object();
    for (const auto& arg : kind.args) {
      auto& property = properties[arg.name] = value_of(arg);
      if (!arg.doc.empty())
        property["description"] = arg.doc;
      if (auto preset = preset_of(arg.default_value); !preset.is_null())
        property["default"] = std::move(preset);
    }
    return {{"type", "object"},
            {"description", "arguments of `" + kind.name + "`: " + kind.doc},
            {"properties", std::move(properties)},
            {"additionalProperties", false}};
  }

  static json preset_of(const arg_value& value) {
    if (const auto* x = value.get_if<bool>())
      return *x;
    if (const auto* x = value.get_if<std::int64_t>())
      return *x;
    if (const auto* x = value.get_if<double>())
      return *x;
    if (const auto* x = value.get_if<std::string>())
      return *x;
    if (const auto* x = value.get_if<duration>())
      return libactor::to_string(*x);
    return nullptr;
  }

  static json integer_of(const arg_spec& arg) {
    json number{{"type", "integer"}};
    if (arg.least)
      number["minimum"] = *arg.least;
    if (arg.most)
      number["maximum"] = *arg.most;
    return substituted(std::move(number));
  }

  static json value_of(const arg_spec& arg) {
    json value = value_of_type(arg);
    if (arg.words.empty())
      return value;
    if (arg.type == arg_type::string) {
      json all = one_of_words(arg.words);
      for (const auto& word : arg.words) {
        // Without quotes it is no string.
        if (auto plain = json::parse(word, nullptr, false); plain.is_number() || plain.is_boolean())
          all["enum"].push_back(std::move(plain));
      }
      return substituted(std::move(all));
    }
    // Of a map; keys are not substituted.
    return {{"allOf", json::array({std::move(value)})}, {"propertyNames", one_of_words(arg.words)}};
  }

  static json value_of_type(const arg_spec& arg) {
    switch (arg.type) {
      case arg_type::boolean:
        return substituted({{"type", "boolean"}});
      case arg_type::integer:
        return integer_of(arg);
      case arg_type::real:
        return substituted({{"type", "number"}});
      case arg_type::string:
        return refer("text");
      case arg_type::duration:
        return any_of({refer("duration"), {{"const", "infinity"}}, refer("substitution")});
      case arg_type::string_list:
        return {{"type", "array"}, {"items", refer("text")}};
      case arg_type::string_map:
        return refer("texts");
      case arg_type::integer_map:
        return {{"type", "object"}, {"additionalProperties", integer_of(arg)}};
    }
    return true;
  }

  json context_values() const {
    json properties = json::object();
    for (const auto& name : catalog_.context_key_names()) {
      const auto* known = catalog_.find_context_key(name);
      auto& property = properties[name] = value_of({.name = name, .type = known->type});
      property["description"] = known->doc;
    }
    return {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  }

  // A node in a file without defaults: what no template can add either must be there.
  static json complete_node() {
    json own = json::object();
    for (const auto k : {key::backoff, key::address}) {
      json needed = json::array();
      for (const auto& f : info_of(k).map->fields) {
        if (f.required)
          needed.push_back(std::string(f.name));
      }
      own[std::string(info_of(k).name)] = any_of({refuse({{"type", "object"}}), {{"required", std::move(needed)}}});
    }
    return {{"if", refuse(has("use"))},
            {"then", {{"properties", std::move(own)}}},
            {"properties", {{"children", {{"items", refer("complete_node")}}}, {"child", refer("complete_node")}}}};
  }

  // What a rule may say of each field.
  static json terms() {
    json properties = json::object();
    for (const auto name : fact_names())
      properties[std::string(name)] = term(*kind_of_fact(name));
    return {{"type", "object"},
            {"minProperties", 1},
            {"properties", std::move(properties)},
            {"patternProperties", {{"^labels\\..", term({})}}},
            {"additionalProperties", false}};
  }

  static json term(const fact_kind& kind) {
    const auto type = kind.type;
    json bounds{{"present", substituted({{"type", "boolean"}})}};
    if (type == fact_type::time || type == fact_type::number) {
      json bound = type == fact_type::time ? substituted(refer("duration")) : substituted({{"type", "number"}});
      bounds["min"] = bound;
      bounds["max"] = std::move(bound);
    }
    json map{{"type", "object"}, {"minProperties", 1}, {"properties", bounds}, {"additionalProperties", false}};
    if (type == fact_type::presence)
      return map;
    const json value = value_of_term(kind);
    return any_of({value, {{"type", "array"}, {"items", value}, {"minItems", 1}}, std::move(map)});
  }

  // What one value of a field may be in a rule; of any word, in quotes or not.
  static json value_of_term(const fact_kind& kind) {
    const auto words = kind.words == nullptr ? word_list{} : kind.words();
    if (kind.type == fact_type::word && words.empty())
      return refer("text");
    json all{{"anyOf", json::array({refer("substitution")})}};
    if (kind.type == fact_type::time)
      all["anyOf"].push_back(refer("duration"));
    if (kind.type == fact_type::number) {
      all["anyOf"].push_back({{"type", "integer"}, {"minimum", 0}});
      all["anyOf"].push_back({{"type", "string"}, {"pattern", "^(0|[1-9][0-9]*)$"}});
    }
    if (!words.empty())
      all["anyOf"].push_back(one_of_words(words));
    if (std::find(words.begin(), words.end(), "true") != words.end())
      all["anyOf"].push_back({{"type", "boolean"}});
    return all;
  }

  const child_catalog& catalog_;
};

}  // namespace

std::string json_schema(const child_catalog& catalog) { return schema_writer(catalog).write().dump(2) + "\n"; }

}  // namespace libactor::yaml
