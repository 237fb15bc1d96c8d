// SPDX-License-Identifier: BSL-1.0
#include "yaml/facts.hpp"

#include "supervisors/child_spec.hpp"

#include <algorithm>
#include <array>

namespace libactor::yaml {

namespace {

fact absent() { return {fact::state::absent}; }
fact words(std::string text) { return {fact::state::given, std::move(text)}; }
fact flag(bool value) { return words(value ? "true" : "false"); }
fact number(std::uint64_t value) { return {fact::state::given, std::to_string(value), static_cast<double>(value)}; }
fact time(duration value) {
  return {fact::state::given, libactor::to_string(value), static_cast<double>(value.count())};
}
fact time(const std::optional<duration>& value) { return value ? time(*value) : absent(); }
fact presence(bool is_there) { return is_there ? words("present") : absent(); }

template <class Get>
fact of_supervisor(const child_spec& spec, Get get) {
  if (const auto* x = std::get_if<static_supervisor>(&spec.what))
    return get(*x);
  if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what))
    return get(*d);
  return {};
}

const word_list& flags() {
  static const word_list all{"true", "false"};
  return all;
}
const word_list& limits() {
  static const word_list all{"infinity"};
  return all;
}
const word_list& stops() {
  static const word_list all{"infinity", "brutal_kill"};
  return all;
}

struct entry {
  std::string_view name;
  fact_kind kind;
  fact (*get)(const child_spec&);
};

constexpr std::array<entry, 23> facts{{
    {"kind",
     {fact_type::word},
     [](const child_spec& s) {
       const auto* k = std::get_if<kind_child>(&s.what);
       return k == nullptr ? fact{} : words(k->kind);
     }},
    {"restart",
     {fact_type::word, words_of<restart_type, restart_type::temporary>},
     [](const child_spec& s) { return words(to_string(s.restart)); }},
    {"isolation",
     {fact_type::word, words_of<isolation, isolation::process>},
     [](const child_spec& s) { return words(to_string(s.isolation)); }},
    {"significant", {fact_type::word, flags}, [](const child_spec& s) { return flag(s.significant); }},
    {"enabled", {fact_type::word, flags}, [](const child_spec& s) { return flag(s.enabled); }},
    {"shutdown",
     {fact_type::time, stops},
     [](const child_spec& s) {
       const auto limit = s.effective_shutdown();
       return fact{fact::state::given, to_string(limit), static_cast<double>(limit.limit().count())};
     }},
    {"kill_grace", {fact_type::time}, [](const child_spec& s) { return time(s.kill_grace); }},
    {"drain", {fact_type::time}, [](const child_spec& s) { return s.is_supervisor() ? fact{} : time(s.drain); }},
    {"start_timeout", {fact_type::time, limits}, [](const child_spec& s) { return time(s.effective_start_timeout()); }},
    {"ready",
     {fact_type::presence},
     [](const child_spec& s) { return s.is_supervisor() ? fact{} : presence(s.awaits_ready); }},
    {"ready.timeout",
     {fact_type::time, limits},
     [](const child_spec& s) {
       return s.is_supervisor() ? fact{}
              : s.awaits_ready  ? time(s.ready_timeout.value_or(s.effective_start_timeout()))
                                : absent();
     }},
    {"context.timeout", {fact_type::time}, [](const child_spec& s) { return time(s.context.timeout); }},
    {"address.hold", {fact_type::time}, [](const child_spec& s) { return time(s.address_hold); }},
    {"backoff", {fact_type::presence}, [](const child_spec& s) { return presence(s.backoff.has_value()); }},
    {"backoff.min", {fact_type::time}, [](const child_spec& s) { return s.backoff ? time(s.backoff->min) : absent(); }},
    {"backoff.max", {fact_type::time}, [](const child_spec& s) { return s.backoff ? time(s.backoff->max) : absent(); }},
    {"strategy",
     {fact_type::word, words_of<strategy, strategy::one_for_dependents>},
     [](const child_spec& s) { return of_supervisor(s, [](const auto& x) { return words(to_string(x.strategy)); }); }},
    {"intensity",
     {fact_type::number},
     [](const child_spec& s) { return of_supervisor(s, [](const auto& x) { return number(x.intensity); }); }},
    {"period",
     {fact_type::time},
     [](const child_spec& s) { return of_supervisor(s, [](const auto& x) { return time(x.period); }); }},
    {"auto_shutdown",
     {fact_type::word, words_of<auto_shutdown, auto_shutdown::all_significant>},
     [](const child_spec& s) {
       return of_supervisor(s, [](const auto& x) { return words(to_string(x.auto_shutdown)); });
     }},
    {"on_giveup",
     {fact_type::word, words_of<giveup_action, giveup_action::suspend>},
     [](const child_spec& s) { return of_supervisor(s, [](const auto& x) { return words(to_string(x.on_giveup)); }); }},
    {"start",
     {fact_type::word, words_of<start_mode, start_mode::graph>},
     [](const child_spec& s) {
       const auto* x = std::get_if<static_supervisor>(&s.what);
       return x == nullptr ? fact{} : words(to_string(x->start));
     }},
    {"max_children",
     {fact_type::number},
     [](const child_spec& s) {
       const auto* d = std::get_if<dynamic_supervisor>(&s.what);
       return d == nullptr ? fact{} : d->max_children ? number(*d->max_children) : absent();
     }},
}};

// Of what watches the node, which may be its supervisor's; null: nothing does.
struct watch_entry {
  std::string_view name;
  fact_kind kind;
  fact (*get)(const watch_spec&);
};

constexpr std::array<watch_entry, 4> watch_table{{
    {"watch", {fact_type::presence}, [](const watch_spec&) { return presence(true); }},
    {"watch.action",
     {fact_type::word, words_of<watch_action, watch_action::replace>},
     [](const watch_spec& w) { return words(to_string(w.action)); }},
    {"watch.stuck_after", {fact_type::time}, [](const watch_spec& w) { return time(w.stuck_after); }},
    {"watch.grace", {fact_type::time}, [](const watch_spec& w) { return time(w.grace); }},
}};

constexpr std::string_view label_prefix = "labels.";

template <class Table>
auto* find(const Table& in, std::string_view name) {
  const auto i = std::find_if(in.begin(), in.end(), [&](const auto& e) { return e.name == name; });
  return i == in.end() ? nullptr : &*i;
}

}  // namespace

std::vector<std::string_view> fact_names() {
  std::vector<std::string_view> names;
  for (const auto& e : facts)
    names.push_back(e.name);
  for (const auto& e : watch_table)
    names.push_back(e.name);
  return names;
}

std::optional<fact_kind> kind_of_fact(std::string_view name) {
  if (name.substr(0, label_prefix.size()) == label_prefix && name.size() > label_prefix.size())
    return fact_kind{};
  if (const auto* w = find(watch_table, name))
    return w->kind;
  const auto* e = find(facts, name);
  return e == nullptr ? std::nullopt : std::optional(e->kind);
}

fact fact_of(const child_spec& spec, const watch_spec* watch, std::string_view name) {
  if (const auto* w = find(watch_table, name))
    return watch == nullptr ? absent() : w->get(*watch);
  if (const auto* e = find(facts, name))
    return e->get(spec);
  const auto label = spec.labels.find(std::string(name.substr(std::min(label_prefix.size(), name.size()))));
  return label == spec.labels.end() ? absent() : words(label->second);
}

}  // namespace libactor::yaml
