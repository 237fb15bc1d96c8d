// SPDX-License-Identifier: BSL-1.0
#include "yaml/policy.hpp"

#include "yaml/facts.hpp"

#include <algorithm>

namespace libactor::yaml {

namespace {

using words_t = std::vector<std::string_view>;

std::string in_ticks(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i)
    result += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return result;
}

}  // namespace

bool matches_path(std::string_view pattern, std::string_view path) {
  // Backtracks to the last `*` and, where that can't grow over a `/`, to the last `**`: O(pattern · path).
  constexpr auto none = std::string_view::npos;
  std::size_t one_pattern = none, one_path = 0, many_pattern = none, many_path = 0;
  std::size_t p = 0, i = 0;
  while (i < path.size()) {
    if (pattern.substr(p, 2) == "**") {
      many_pattern = p += 2;
      many_path = i;
      one_pattern = none;
    } else if (p < pattern.size() && pattern[p] == '*') {
      one_pattern = ++p;
      one_path = i;
    } else if (p < pattern.size() && pattern[p] == path[i]) {
      ++p;
      ++i;
    } else if (one_pattern != none && path[one_path] != '/') {
      p = one_pattern;
      i = ++one_path;
    } else if (many_pattern != none) {
      one_pattern = none;
      p = many_pattern;
      i = ++many_path;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

void policy::add(const node& list) {
  if (!list.is_sequence()) {
    read_.wrong_type(list, "policy", "a list");
    return;
  }
  for (const auto* item : list.items) {
    rule r;
    if (add_rule(*item, r))
      rules_.push_back(std::move(r));
  }
}

bool policy::add_rule(const node& n, rule& out) {
  if (!n.is_map()) {
    invalid(n, "a rule must be a map");
    return false;
  }
  bool good = true;
  out.name = &n;
  for (const auto& [key, value] : n.entries) {
    if (key->text == "id") {
      auto id = read_.text(*value, "id");
      good = good && id.has_value();
      out.id = std::move(id).value_or("");
      out.name = value;
    } else if (key->text == "match") {
      good = read_match(*value, out) && good;
    } else if (key->text == "require") {
      good = read_terms(*value, out.require) && good;
    } else if (key->text == "forbid") {
      good = read_terms(*value, out.forbid) && good;
    } else if (key->text == "level") {
      const auto level = read_.word(*value, "level", field_of(rule_shape, "level").words());
      good = good && level.has_value();
      out.level = static_cast<severity>(level.value_or(0));
    } else {
      invalid(*key, "unknown key " + in_ticks(key->text) + " of a rule" +
                        read_.words().suggest(key->text, keys_of(rule_shape)));
      good = false;
    }
  }
  if (find_entry(n, "id") == nullptr) {
    invalid(n, "a rule needs an `id`");
    good = false;
  } else if (const auto [first, is_new] = ids_.emplace(out.id, out.name); !is_new && !out.id.empty()) {
    read_.faults().error("Y72", read_.at(*out.name), "a second rule with the id " + in_ticks(out.id),
                         {{read_.at(*first->second), "the first one is here"}});
    good = false;
  }
  if (find_entry(n, "require") == nullptr && find_entry(n, "forbid") == nullptr) {
    invalid(*out.name, "a rule needs `require` or `forbid`");
    good = false;
  }
  return good;
}

bool policy::read_match(const node& n, rule& out) {
  if (!n.is_map()) {
    invalid(n, "`match` must be a map");
    return false;
  }
  bool good = true;
  for (const auto& [key, value] : n.entries) {
    if (key->text == "type") {
      const auto& types = field_of(match_shape, "type").words();
      const auto type = read_.word(*value, "type", types);
      good = good && type.has_value();
      out.type = type ? types[*type] : "";
    } else if (key->text == "kind" || key->text == "path") {
      auto text = read_.text(*value, key->text);
      good = good && text.has_value();
      (key->text == "kind" ? out.kind : out.path) = std::move(text).value_or("");
    } else if (key->text == "labels" && value->is_map()) {
      for (const auto& label : value->entries) {
        auto text = read_.text(*label.value, label.key->text);
        good = good && text.has_value();
        out.labels.emplace(label.key->text, std::move(text).value_or(""));
      }
    } else if (key->text == "labels") {
      invalid(*value, "`labels` must be a map");
      good = false;
    } else {
      invalid(*key, "unknown key " + in_ticks(key->text) + " of `match`" +
                        read_.words().suggest(key->text, keys_of(match_shape)));
      good = false;
    }
  }
  return good;
}

bool policy::read_terms(const node& n, std::vector<term>& out) {
  if (!n.is_map() || n.entries.empty()) {
    invalid(n, "a rule's fields must be a map with at least one");
    return false;
  }
  bool good = true;
  for (const auto& entry : n.entries)
    good = read_term(entry, out.emplace_back()) && good;
  return good;
}

bool policy::read_term(const map_entry& entry, term& out) {
  out.field = entry.key->text;
  if (!kind_of_fact(out.field)) {
    invalid(*entry.key, "a rule can't name " + in_ticks(out.field) + read_.words().suggest(out.field, fact_names()));
    return false;
  }
  if (entry.value->is_map())
    return read_bounds(*entry.value, out);
  std::vector<const node*> values{entry.value};
  if (entry.value->is_sequence())
    values = entry.value->items;
  bool good = !values.empty();
  for (const auto* value : values)
    good = read_value(*value, out) && good;
  if (values.empty())
    invalid(*entry.value, "an empty list allows nothing");
  return good;
}

// One that the field can have: what it never is, a rule would forbid in vain.
bool policy::read_value(const node& n, term& out) {
  const auto kind = *kind_of_fact(out.field);
  const auto words = kind.words == nullptr ? words_t{} : kind.words();
  if (kind.type == fact_type::word && kind.words != nullptr) {
    const auto found = read_.word(n, out.field, words);
    if (found)
      out.one_of.emplace_back(words[*found]);
    return found.has_value();
  }
  auto text = read_.text(n, out.field);
  if (!text)
    return false;
  duration d{};
  const char* takes = nullptr;
  if (kind.type == fact_type::presence)
    takes = "`{present: true}` or `{present: false}`";
  else if (kind.type == fact_type::number && !is_decimal(*text))
    takes = "a whole number";
  else if (kind.type == fact_type::time && std::find(words.begin(), words.end(), *text) == words.end()) {
    if (parse_duration(*text, d) == duration_fault::none)
      text = libactor::to_string(d);
    else
      takes = "a duration such as 10s";
  }
  if (takes != nullptr) {
    invalid(n, in_ticks(out.field) + " takes " + takes);
    return false;
  }
  out.one_of.push_back(std::move(*text));
  return true;
}

bool policy::read_bounds(const node& map, term& out) {
  const auto type = kind_of_fact(out.field)->type;
  bool good = true;
  for (const auto& [key, value] : map.entries) {
    if (key->text == "present") {
      out.present = read_.boolean(*value, "present");
      good = good && out.present.has_value();
    } else if ((key->text == "min" || key->text == "max") && (type == fact_type::time || type == fact_type::number)) {
      auto& bound = key->text == "min" ? out.min : out.max;
      auto& text = key->text == "min" ? out.min_text : out.max_text;
      if (type == fact_type::number) {
        bound = read_.real(*value, key->text);
        text = bound ? value->text : "";
      } else if (const auto time = read_.time(*value, key->text, false)) {
        bound = static_cast<double>(time->count());
        text = libactor::to_string(*time);
      }
      good = good && bound.has_value();
    } else {
      invalid(*key, in_ticks(key->text) + " says nothing about " + in_ticks(out.field) +
                        read_.words().suggest(key->text, words_t{"min", "max", "present"}));
      good = false;
    }
  }
  if (good && map.entries.empty()) {
    invalid(map, "needs `min`, `max` or `present`");
    good = false;
  }
  if (good && out.min && out.max && *out.min > *out.max) {
    invalid(map, "`min` is more than `max`: nothing keeps this rule");
    good = false;
  }
  return good;
}

bool policy::matches(const rule& r, const child_spec& spec, const std::string& path) const {
  const auto* kind = std::get_if<kind_child>(&spec.what);
  if (r.type == "supervisor" && !spec.is_supervisor())
    return false;
  if (r.type == "worker" && spec.is_supervisor())
    return false;
  if (r.type == "process") {
    const auto* known = kind == nullptr ? nullptr : catalog_.find(kind->kind);
    if (known == nullptr || !known->is_process)
      return false;
  }
  if (!r.kind.empty() && (kind == nullptr || kind->kind != r.kind))
    return false;
  if (!r.path.empty() && !matches_path(r.path, path))
    return false;
  return std::all_of(r.labels.begin(), r.labels.end(), [&](const auto& label) {
    const auto found = spec.labels.find(label.first);
    return found != spec.labels.end() && found->second == label.second;
  });
}

void policy::apply_to(const child_spec& spec, const std::string& path, watched above, std::size_t& node,
                      tree_decoder& decoder) const {
  const auto here = node++;
  const bool says_itself = spec.unwatched || spec.watch;
  const watched here_watched =
      says_itself ? watched{spec.watch && !spec.unwatched ? &*spec.watch : nullptr, here} : above;
  const auto* watch = here_watched.by;
  const auto violated = [&](const rule& r, const term& t, std::string text) {
    const bool is_from_above = t.field.rfind("watch", 0) == 0;
    if (!decoder.is_sound(is_from_above ? here_watched.node : here, t.field))
      return;
    const auto at = decoder.locate(here, t.field);
    std::vector<report::pending_note> notes{{read_.at(*r.name), "the rule is here"}};
    if (at.layer != 0)
      notes.push_back({decoder.locate(here, "").at, "for this node"});
    read_.faults().add(r.level, "Y71", at.at, "rule " + in_ticks(r.id) + " " + std::move(text), std::move(notes));
  };
  const auto is_one_of = [](const term& t, const fact& f) {
    return std::find(t.one_of.begin(), t.one_of.end(), f.text) != t.one_of.end();
  };
  for (const auto& r : rules_) {
    if (!matches(r, spec, path))
      continue;
    for (const auto& t : r.require) {
      const auto f = fact_of(spec, watch, t.field);
      if (f.is == fact::state::meaningless)
        continue;
      const bool is_given = f.is == fact::state::given;
      const auto actual = is_given ? ", and here it is " + f.text : std::string(", and here it is not set");
      if (t.present && *t.present != is_given)
        violated(r, t, (*t.present ? "requires " : "wants no ") + in_ticks(t.field));
      if (!t.one_of.empty() && (!is_given || !is_one_of(t, f)))
        violated(r, t, "requires " + in_ticks(t.field) + " to be " + join(t.one_of) + actual);
      if (t.min && (!is_given || f.number < *t.min))
        violated(r, t, "requires " + in_ticks(t.field) + " to be at least " + t.min_text + actual);
      if (t.max && (!is_given || f.number > *t.max))
        violated(r, t, "requires " + in_ticks(t.field) + " to be at most " + t.max_text + actual);
    }
    for (const auto& t : r.forbid) {
      const auto f = fact_of(spec, watch, t.field);
      const bool is_given = f.is == fact::state::given;
      const bool in_bounds =
          (t.min || t.max) && is_given && (!t.min || f.number >= *t.min) && (!t.max || f.number <= *t.max);
      const bool is_present = t.present && f.is != fact::state::meaningless && *t.present == is_given;
      if (in_bounds || is_present || (is_given && is_one_of(t, f)))
        violated(r, t, "forbids " + in_ticks(t.field) + (is_given ? " to be " + f.text : " to be left out"));
    }
  }
  if (const auto* x = std::get_if<static_supervisor>(&spec.what)) {
    for (const auto& child : x->children)
      apply_to(child, path + "/" + child.id, here_watched, node, decoder);
  } else if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what); d != nullptr && d->child) {
    apply_to(*d->child, path + "/" + (d->child->id.empty() ? "*" : d->child->id), here_watched, node, decoder);
  }
}

void policy::apply(const tree_spec& tree, tree_decoder& decoder) const {
  std::size_t node = 0;
  if (!rules_.empty())
    apply_to(tree.root, "/" + tree.root.id, {}, node, decoder);
}

}  // namespace libactor::yaml
