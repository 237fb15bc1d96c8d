// SPDX-License-Identifier: BSL-1.0
#include "yaml/tree_decoder.hpp"

#include <algorithm>

namespace libactor::yaml {

namespace {

std::string name_of(key k) { return std::string(info_of(k).name); }

}  // namespace

template <class Read, class T>
void tree_decoder::take(const field& f, const std::string& name, T& out, Read read) {
  if (!f)
    return;
  if (auto value = read(*f.value))
    out = *value;
  else
    unsound(name);
}

template <class Enum>
void tree_decoder::take_word(const field& f, const field_shape& shape, const std::string& name, Enum& out) {
  take(f, name, out, [&](const node& n) -> std::optional<Enum> {
    const auto found = read_.word(n, shape.name, shape.words());
    return found ? std::optional(static_cast<Enum>(*found)) : std::nullopt;
  });
}

std::optional<std::int64_t> tree_decoder::whole(const node& n, const field_shape& shape) {
  return read_.integer(n, shape.name, shape.least, shape.most);
}

std::optional<duration> tree_decoder::time(const node& n, const field_shape& shape) {
  return read_.time(n, shape.name, may_be(shape, "infinity"));
}

void tree_decoder::add_template(const node& name, const node& map) { templates_[name.text] = {&name, &map, {}}; }

void tree_decoder::set_defaults(const node& map) {
  defaults_map_ = &map;
  defaults_ = sort_keys(map, map_role::tree_defaults, read_);
}

const key_slots& tree_decoder::slots_of(child_template& t) {
  if (!t.slots)
    t.slots = sort_keys(*t.map, map_role::child_template, read_);
  return *t.slots;
}

const tree_decoder::child_template* tree_decoder::find_template(const field& use) {
  const auto name = read_.text(*use.value, "use");
  if (!name) {
    unsound("kind");
    return nullptr;
  }
  const auto found = templates_.find(*name);
  if (found == templates_.end()) {
    if (template_names_.empty()) {
      for (const auto& [known, t] : templates_)
        template_names_.push_back(known);
    }
    read_.fault("Y32", *use.value, "unknown template `" + *name + "`" + read_.words().suggest(*name, template_names_));
    unsound("kind");  // the template might have had it
    return nullptr;
  }
  slots_of(found->second);
  return &found->second;
}

bool tree_decoder::spend(std::size_t values, const node& at) {
  if (values > values_left_ && !is_spent_) {
    is_spent_ = true;
    read_.fault("Y06", at, "templates and defaults add too many values to this tree");
  }
  values_left_ -= std::min(values, values_left_);
  return !is_spent_;
}

bool tree_decoder::decode(const node& n, child_spec& out, std::string_view what) {
  if (!n.is_map()) {
    read_.wrong_type(n, what, "a map");
    return false;
  }
  const auto before = current_;
  current_ = places_.size();
  auto& here = places_.emplace_back();
  here.map = &n;
  here.own = sort_keys(n, map_role::node, read_);
  here.layers.layers[0] = &here.own;
  const auto use = here.layers.get(key::use);
  if (use) {
    if (const auto* t = find_template(use); t != nullptr && spend(t->map->weight, n))
      here.layers.layers[1] = &*t->slots;
  }
  if (defaults_ && spend(defaults_map_->weight, n))
    here.layers.layers[2] = &*defaults_;
  decode_common(here.layers, out);
  decode_type(here.layers, out);
  reject_meaningless(here.layers, out);
  current_ = before;
  return true;
}

void tree_decoder::decode_type(const layered& l, child_spec& out) {
  std::array<field, 3> given{l.get(key::kind), l.get(key::children), l.get(key::child)};
  const auto count = std::count_if(given.begin(), given.end(), [](const field& f) { return bool(f); });
  if (count > 1) {
    unsound("kind");
    std::sort(given.begin(), given.end(), [](const field& a, const field& b) {
      return std::tuple(!a, a ? a.layer : 0, a ? a.key->offset : 0) <
             std::tuple(!b, b ? b.layer : 0, b ? b.key->offset : 0);
    });
    read_.faults().error("Y34", read_.at(*given[1].key),
                         "a child has one of `kind`, `children` and `child`, and this one has `" + given[0].key->text +
                             "` and `" + given[1].key->text + "`",
                         {{read_.at(*given[0].key), "`" + given[0].key->text + "` is here"}});
  }
  if (l.get(key::kind)) {
    decode_kind(l, out.what.emplace<kind_child>());
  } else if (const auto children = l.get(key::children)) {
    auto& supervisor = out.what.emplace<static_supervisor>();
    decode_fixed(l, supervisor);
    decode_children(children, supervisor);
  } else if (const auto child = l.get(key::child)) {
    auto& supervisor = out.what.emplace<dynamic_supervisor>();
    decode_dynamic(l, supervisor);
    auto model = std::make_shared<child_spec>();
    if (decode(*child.value, *model))
      supervisor.child = std::move(model);
    else
      unsound("child");
  }
}

void tree_decoder::reject_meaningless(const layered& l, const child_spec& out) {
  const bool is_static = std::holds_alternative<static_supervisor>(out.what);
  const bool is_dynamic = std::holds_alternative<dynamic_supervisor>(out.what);
  const bool is_worker = std::holds_alternative<kind_child>(out.what);
  if ((!is_static && !is_dynamic && !is_worker) || !is_sound(current_, "kind"))
    return;
  for (std::size_t i = 0; i < key_count; ++i) {
    const auto k = static_cast<key>(i);
    const auto& info = info_of(k);
    if ((is_worker && info.for_worker) || (is_static && info.for_static) || (is_dynamic && info.for_dynamic))
      continue;
    const auto f = l.get(k);
    if (!f || f.layer == 2)  // defaults are for those nodes for which they have a meaning
      continue;
    std::vector<report::pending_note> notes;
    if (f.layer == 1 && !is_alone_)
      notes.push_back({read_.at(*places_[current_].map), "the template is used here"});
    read_.faults().error("Y21", read_.at(*f.key),
                         "`" + f.key->text + "` has no meaning for a " +
                             (is_worker   ? "worker"
                              : is_static ? "supervisor with `children`"
                                          : "dynamic supervisor"),
                         std::move(notes));
    unsound(f.key->text);
  }
}

void tree_decoder::decode_supervisor(const layered& l, supervisor_spec& out) {
  take_word(l.get(key::strategy), info_of(key::strategy), "strategy", out.strategy);
  take(l.get(key::intensity), "intensity", out.intensity,
       [&](const node& n) { return whole(n, info_of(key::intensity)); });
  take(l.get(key::period), "period", out.period, [&](const node& n) { return time(n, info_of(key::period)); });
  take_word(l.get(key::auto_shutdown), info_of(key::auto_shutdown), "auto_shutdown", out.auto_shutdown);
  take_word(l.get(key::on_giveup), info_of(key::on_giveup), "on_giveup", out.on_giveup);
}

void tree_decoder::decode_fixed(const layered& l, static_supervisor& out) {
  decode_supervisor(l, out);
  take_word(l.get(key::start), info_of(key::start), "start", out.start);
}

void tree_decoder::decode_dynamic(const layered& l, dynamic_supervisor& out) {
  decode_supervisor(l, out);
  take(l.get(key::max_children), "max_children", out.max_children,
       [&](const node& n) -> std::optional<std::optional<std::uint64_t>> {
         if (read_.is_word(n, "infinity"))
           return std::optional<std::uint64_t>();
         const auto value = whole(n, info_of(key::max_children));
         return value ? std::optional(std::optional(static_cast<std::uint64_t>(*value))) : std::nullopt;
       });
}

void tree_decoder::decode_children(const field& f, static_supervisor& out) {
  if (!f.value->is_sequence()) {
    read_.wrong_type(*f.value, "children", "a list");
    unsound("children");
    return;
  }
  out.children.reserve(f.value->items.size());
  for (const auto* item : f.value->items) {
    if (!decode(*item, out.children.emplace_back())) {
      out.children.pop_back();
      unsound("children");
    }
  }
}

void tree_decoder::decode_common(const layered& l, child_spec& out) {
  take(l.get(key::id), "id", out.id, [&](const node& n) { return read_.text(n, "id"); });
  take_word(l.get(key::restart), info_of(key::restart), "restart", out.restart);
  take(l.get(key::significant), "significant", out.significant,
       [&](const node& n) { return read_.boolean(n, "significant"); });
  take(l.get(key::enabled), "enabled", out.enabled, [&](const node& n) { return read_.boolean(n, "enabled"); });
  take_word(l.get(key::isolation), info_of(key::isolation), "isolation", out.isolation);
  decode_limits(l, out);
  if (const auto after = l.get(key::after))
    decode_after(after, out);
  decode_context(l, out);
  decode_backoff(l, out);
  decode_watch(l, out);
  decode_address(l, out);
  decode_labels(l, out);
}

void tree_decoder::decode_limits(const layered& l, child_spec& out) {
  take(l.get(key::shutdown), "shutdown", out.shutdown, [&](const node& n) -> std::optional<shutdown_limit> {
    if (read_.is_word(n, "brutal_kill"))
      return shutdown_limit::brutal_kill();
    const auto value = time(n, info_of(key::shutdown));
    return value ? std::optional(shutdown_limit(*value)) : std::nullopt;
  });
  take(l.get(key::kill_grace), "kill_grace", out.kill_grace,
       [&](const node& n) { return time(n, info_of(key::kill_grace)); });
  take(l.get(key::start_timeout), "start_timeout", out.start_timeout,
       [&](const node& n) { return time(n, info_of(key::start_timeout)); });
  // What the defaults say of workers is not for supervisors.
  const bool is_supervisor = l.get(key::children) || l.get(key::child);
  const auto for_worker = [&](const field& f) { return f && !(is_supervisor && f.layer == 2); };
  if (const auto drain = l.get(key::drain); for_worker(drain) && !read_.is_word(*drain.value, info_of(key::drain).also))
    take(drain, "drain", out.drain, [&](const node& n) { return time(n, info_of(key::drain)); });
  if (const auto ready = l.get(key::ready); for_worker(ready) && is_given_map(ready, key::ready)) {
    out.awaits_ready = true;
    for (const auto& f : known_entries(l, key::ready))
      take(f, "ready.timeout", out.ready_timeout,
           [&](const node& n) { return time(n, field_of(ready_shape, "timeout")); });
  }
}

void tree_decoder::decode_after(const field& f, child_spec& out) {
  if (!f.value->is_sequence()) {
    read_.wrong_type(*f.value, "after", "a list");
    unsound("after");
    return;
  }
  for (std::size_t i = 0; i < f.value->items.size(); ++i) {
    const auto& item = *f.value->items[i];
    const auto name = "after[" + std::to_string(i) + "]";
    auto& edge = out.after.emplace_back();
    if (item.is_scalar()) {
      take(field{nullptr, &item, 0}, name, edge.id, [&](const node& n) { return read_.text(n, "after"); });
      continue;
    }
    if (!item.is_map()) {
      read_.wrong_type(item, "after", "an id, or a map with `id`");
      unsound(name);
      continue;
    }
    for (const auto& entry : item.entries) {
      if (entry.key->text == "id")
        take(field{entry.key, entry.value, 0}, name, edge.id, [&](const node& n) { return read_.text(n, "id"); });
      else if (entry.key->text == "when")
        take_word(field{entry.key, entry.value, 0}, field_of(after_shape, "when"), name + ".when", edge.when);
      else
        read_.fault("Y21", *entry.key,
                    "unknown key `" + entry.key->text + "` of `after`" +
                        read_.words().suggest(entry.key->text, keys_of(after_shape)));
    }
  }
}

bool tree_decoder::is_given_map(const field& f, key k) {
  const auto off = info_of(k).also;
  if (!f || f.value->is_map())
    return bool(f);
  if (f.value->is_scalar() && read_.is_word(*f.value, off))
    return false;
  read_.wrong_type(*f.value, info_of(k).name, "a map, or " + std::string(off));
  unsound(name_of(k));
  return false;
}

std::vector<field> tree_decoder::known_entries(const layered& l, key k) {
  const auto& names = keys_of(*info_of(k).map);
  auto entries = merge(l.maps(k));
  const auto is_unknown = [&](const field& f) {
    return std::find(names.begin(), names.end(), f.key->text) == names.end();
  };
  for (const auto& f : entries) {
    if (is_unknown(f))
      read_.fault(
          "Y21", *f.key,
          "unknown key `" + f.key->text + "` of `" + name_of(k) + "`" + read_.words().suggest(f.key->text, names));
  }
  entries.erase(std::remove_if(entries.begin(), entries.end(), is_unknown), entries.end());
  return entries;
}

void tree_decoder::decode_context(const layered& l, child_spec& out) {
  const auto given = l.get(key::context);
  if (!given)
    return;
  if (!given.value->is_map()) {
    read_.wrong_type(*given.value, "context", "a map");
    unsound("context");
    return;
  }
  std::array<field, 3> values{};
  std::size_t maps = 0;
  for (const auto& map : l.maps(key::context)) {
    const auto* entry = map ? find_entry(*map.value, "values") : nullptr;
    if (entry == nullptr)
      continue;
    if (entry->value->is_map()) {
      values[maps++] = {entry->key, entry->value, map.layer};
    } else {
      read_.wrong_type(*entry->value, "values", "a map");
      unsound("context.values");
    }
  }
  for (const auto& f : known_entries(l, key::context)) {
    if (f.key->text == "timeout")
      take(f, "context.timeout", out.context.timeout,
           [&](const node& n) { return time(n, field_of(context_shape, "timeout")); });
  }
  if (out.context.timeout == infinite)
    out.context.timeout.reset();
  for (const auto& f : merge(values)) {
    const auto* registered = catalog_.find_context_key(f.key->text);
    auto& value = out.context.values[f.key->text];
    if (registered != nullptr && !decode_arg(*f.value, f.key->text, registered->type, value))
      unsound("context.values." + f.key->text);
  }
}

void tree_decoder::decode_backoff(const layered& l, child_spec& out) {
  if (!is_given_map(l.get(key::backoff), key::backoff))
    return;
  auto& b = out.backoff.emplace();
  bool has_min = false, has_max = false;
  for (const auto& f : known_entries(l, key::backoff)) {
    const auto& name = f.key->text;
    const auto time = [&](const node& n) { return this->time(n, field_of(backoff_shape, name)); };
    const auto real = [&](const node& n) { return read_.real(n, name); };
    if (name == "min") {
      has_min = true;
      take(f, "backoff.min", b.min, time);
    } else if (name == "max") {
      has_max = true;
      take(f, "backoff.max", b.max, time);
    } else if (name == "factor") {
      take(f, "backoff.factor", b.factor, real);
    } else if (name == "jitter") {
      take(f, "backoff.jitter", b.jitter, real);
    } else if (name == "reset_after") {
      take(f, "backoff.reset_after", b.reset_after, time);
    }
  }
  for (const auto& [has, name] : {std::pair(has_min, "min"), std::pair(has_max, "max")}) {
    if (has || is_alone_)
      continue;
    read_.fault("Y22", *l.get(key::backoff).key, "`backoff` needs `" + std::string(name) + "`");
    unsound("backoff");
  }
}

void tree_decoder::decode_watch(const layered& l, child_spec& out) {
  const auto given = l.get(key::watch);
  if (!is_given_map(given, key::watch)) {
    out.unwatched = bool(given);
    return;
  }
  auto& w = out.watch.emplace();
  for (const auto& f : known_entries(l, key::watch)) {
    const auto& name = f.key->text;
    const auto field = "watch." + name;
    const auto time = [&](const node& n) { return this->time(n, field_of(watch_shape, name)); };
    const auto limit = [&](std::optional<std::uint64_t>& into) {
      if (!read_.is_word(*f.value, "infinity"))
        take(f, field, into, [&](const node& n) { return whole(n, field_of(watch_shape, name)); });
    };
    if (name == "stuck_after")
      take(f, field, w.stuck_after, time);
    else if (name == "grace")
      take(f, field, w.grace, time);
    else if (name == "action")
      take_word(f, field_of(watch_shape, "action"), field, w.action);
    else if (name == "max_mailbox")
      limit(w.max_mailbox);
    else if (name == "max_children")
      limit(w.max_children);
    else if (name == "max_restarts")
      limit(w.max_restarts);
  }
}

void tree_decoder::decode_address(const layered& l, child_spec& out) {
  if (!is_given_map(l.get(key::address), key::address))
    return;
  bool has_hold = false;
  for (const auto& f : known_entries(l, key::address)) {
    has_hold = has_hold || f.key->text == "hold";
    take(f, "address.hold", out.address_hold, [&](const node& n) { return time(n, field_of(address_shape, "hold")); });
  }
  if (!has_hold && !is_alone_)
    read_.fault("Y22", *l.get(key::address).key, "`address` is `refuse`, or a map with `hold`");
}

void tree_decoder::decode_labels(const layered& l, child_spec& out) {
  const auto given = l.get(key::labels);
  if (given && !given.value->is_map()) {
    read_.wrong_type(*given.value, "labels", "a map");
    unsound("labels");
    return;
  }
  for (const auto& f : merge(l.maps(key::labels))) {
    if (auto text = read_.text(*f.value, f.key->text))
      out.labels.emplace(f.key->text, std::move(*text));
    else
      unsound("labels." + f.key->text);
  }
}

}  // namespace libactor::yaml
