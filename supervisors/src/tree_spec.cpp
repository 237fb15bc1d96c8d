// SPDX-License-Identifier: BSL-1.0
#include "supervisors/tree_spec.hpp"

#include "sibling_check.hpp"
#include "spec_walk.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/nearest_word.hpp"

#include <algorithm>

namespace libactor {

namespace {

std::string quoted(std::string_view word) { return "`" + std::string(word) + "`"; }

// Empty if the id may be part of a path.
std::string fault_of_id(std::string_view id) {
  if (id.size() > 200)
    return "an id has at most 200 bytes, this one has " + std::to_string(id.size());
  if (id == "." || id == "..")
    return quoted(id) + " can't be an id";
  for (const unsigned char c : id) {
    if (c == '/')
      return "id " + quoted(id) + ": an id can't contain `/`, which separates the ids of a path";
    if (c <= ' ' || c == 0x7f)
      return "id " + quoted(id) + ": an id can't contain spaces or control characters";
  }
  return {};
}

class checker {
 public:
  checker(const tree_spec& tree, const child_catalog& catalog)
      : tree_(tree), catalog_(catalog), siblings_(tree.root, words_) {}

  std::vector<spec_fault> run() {
    if (tree_.budget <= duration{})
      tree_fault("shutdown.budget", "Y26", "the shutdown budget must be longer than 0, not " + to_string(tree_.budget));
    else if (is_too_long(tree_.budget))
      tree_fault("shutdown.budget", "Y25", too_long("shutdown.budget"));
    visit(tree_.root, nullptr, spec_place::tree, false);
    check_budget();
    return std::move(faults_);
  }

 private:
  void tree_fault(std::string field, const char* code, std::string text, std::vector<spec_note> notes = {}) {
    faults_.push_back({"", std::move(field), std::move(text), code, spec_place::tree, std::move(notes)});
  }

  void fault(std::string field, const char* code, std::string text, std::vector<spec_note> notes = {}) {
    faults_.push_back({at_.path(), std::move(field), std::move(text), code, node_, std::move(notes)});
  }

  spec_note note(std::string field, std::string text) const { return {{node_, std::move(field)}, std::move(text)}; }

  // `above`: the number of the parent, which a root has not.
  void visit(const child_spec& spec, const supervisor_spec* parent, std::size_t above, bool is_template) {
    const auto node = at_.node++;
    node_ = node;
    at_.chain.push_back(&spec);
    if (spec.id.empty() && !is_template)
      fault("id", "Y22", "a child needs an `id`");
    else if (auto text = fault_of_id(spec.id); !text.empty())
      fault("id", "Y26", std::move(text));
    check_words(spec);
    check_times(spec);
    check_backoff(spec);
    check_significance(spec, parent, above, is_template);
    check_what(spec);
    check_context(spec);
    if (parent == nullptr || is_template) {
      if (!spec.enabled)
        fault("enabled", "Y21",
              std::string(parent == nullptr ? "the root" : "the template of a dynamic supervisor") +
                  " can't be disabled: disable " + (parent == nullptr ? "what is below it" : "the supervisor"));
      for (std::size_t i = 0; i < spec.after.size(); ++i)
        fault("after[" + std::to_string(i) + "].id", "Y36",
              std::string(parent == nullptr ? "the root" : "the template of a dynamic supervisor") +
                  " has no siblings that it could start after");
    }
    if (const auto* x = std::get_if<static_supervisor>(&spec.what)) {
      visit_children(*x, node);
    } else if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what); d != nullptr && d->child) {
      visit(*d->child, d, node, true);
    }
    at_.chain.pop_back();
  }

  void visit_children(const static_supervisor& parent, std::size_t node) {
    const auto first = faults_.size();
    std::vector<std::size_t> nodes;
    nodes.reserve(parent.children.size());
    for (const auto& child : parent.children) {
      nodes.push_back(at_.node);
      visit(child, &parent, node, false);
    }
    siblings_.run(parent, nodes, at_, faults_);
    if (faults_.size() > first)
      std::stable_sort(faults_.begin() + static_cast<std::ptrdiff_t>(first), faults_.end(),
                       [](const spec_fault& a, const spec_fault& b) { return a.node < b.node; });
  }

  template <class Enum>
  void check_word(Enum value, Enum last, const char* field) {
    if (static_cast<unsigned>(value) > static_cast<unsigned>(last))
      fault(field, "Y24", std::to_string(static_cast<unsigned>(value)) + " is not a value of `" + field + "`");
  }

  void check_words(const child_spec& spec) {
    check_word(spec.restart, restart_type::temporary, "restart");
    check_word(spec.isolation, isolation::process, "isolation");
    if (spec.watch)
      check_word(spec.watch->action, watch_action::replace, "watch.action");
    for (const auto& edge : spec.after)
      check_word(edge.when, dependency_state::completed, "after");
    if (const auto* x = as_supervisor(spec)) {
      check_word(x->strategy, strategy::one_for_dependents, "strategy");
      check_word(x->auto_shutdown, auto_shutdown::all_significant, "auto_shutdown");
      check_word(x->on_giveup, giveup_action::suspend, "on_giveup");
    }
    if (const auto* x = std::get_if<static_supervisor>(&spec.what))
      check_word(x->start, start_mode::graph, "start");
  }

  enum class lower { zero, above_zero };

  void check_time(duration value, const char* field, lower least, bool may_be_infinite) {
    if (value < duration{})
      fault(field, "Y25", quoted(field) + " is negative: " + to_string(value));
    else if (value == duration{} && least == lower::above_zero)
      fault(field, "Y26", quoted(field) + " must be longer than 0");
    else if (value == infinite && !may_be_infinite)
      fault(field, "Y26", quoted(field) + " must be finite");
    else if (is_too_long(value))
      fault(field, "Y25", too_long(field));
  }

  static bool is_too_long(duration value) { return value > longest_time && value != infinite; }
  static std::string too_long(const char* field) { return quoted(field) + " is too long: at most 100 years"; }

  void check_time(const std::optional<duration>& value, const char* field, lower least, bool may_be_infinite) {
    if (value)
      check_time(*value, field, least, may_be_infinite);
  }

  void check_times(const child_spec& spec) {
    const auto limit = spec.effective_shutdown();
    if (limit.limit() < duration{})
      fault("shutdown", "Y25", "`shutdown` is negative: " + to_string(limit.limit()));
    else if (is_too_long(limit.limit()))
      fault("shutdown", "Y25", too_long("shutdown"));
    check_time(spec.kill_grace, "kill_grace", lower::zero, false);
    check_time(spec.drain, "drain", lower::zero, false);
    check_time(spec.start_timeout, "start_timeout", lower::above_zero, true);
    check_time(spec.ready_timeout, "ready.timeout", lower::above_zero, true);
    check_time(spec.address_hold, "address.hold", lower::zero, false);
    check_time(spec.context.timeout, "context.timeout", lower::above_zero, true);
    if (spec.watch) {
      check_time(spec.watch->stuck_after, "watch.stuck_after", lower::above_zero, false);
      check_time(spec.watch->grace, "watch.grace", lower::above_zero, false);
    }
    if (spec.drain && spec.is_supervisor())
      fault("drain", "Y21", "`drain` has no meaning for a supervisor");
    else if (spec.drain && !limit.is_infinite() && *spec.drain > limit.limit() && limit.limit() >= duration{})
      fault("drain", "Y42",
            "`drain` (" + to_string(*spec.drain) + ") is longer than `shutdown` (" + to_string(limit) +
                "), in which it must end",
            {note("shutdown", spec.shutdown ? "`shutdown` is set here" : "`shutdown` has its default")});
  }

  void check_backoff(const child_spec& spec) {
    if (!spec.backoff)
      return;
    const auto& b = *spec.backoff;
    check_time(b.min, "backoff.min", lower::above_zero, false);
    check_time(b.max, "backoff.max", lower::above_zero, false);
    check_time(b.reset_after, "backoff.reset_after", lower::above_zero, true);
    if (b.min > b.max && b.max > duration{})
      fault("backoff.min", "Y26", "`min` (" + to_string(b.min) + ") is longer than `max` (" + to_string(b.max) + ")",
            {note("backoff.max", "`max` is set here")});
    if (!(b.factor >= 1 && b.factor <= 1e6))
      fault("backoff.factor", "Y26", "`factor` must be between 1 and 1000000");
    if (!(b.jitter >= 0 && b.jitter <= 1))
      fault("backoff.jitter", "Y26", "`jitter` must be between 0 and 1: a fraction of the delay");
  }

  void check_significance(const child_spec& spec, const supervisor_spec* parent, std::size_t above, bool is_template) {
    if (!spec.significant)
      return;
    if (is_template) {
      fault("significant", "Y40", "children of a dynamic supervisor can't be significant");
      return;
    }
    if (spec.restart == restart_type::permanent)
      fault("significant", "Y39",
            "a significant child must be transient or temporary: a permanent one never ends for good",
            {note("restart", "`restart` is permanent here")});
    if (parent == nullptr)
      fault("significant", "Y39", "the root has no supervisor whose end it could decide");
    else if (parent->auto_shutdown == auto_shutdown::never)
      fault("significant", "Y39",
            "significant children need a supervisor whose `auto_shutdown` is any_significant or all_significant",
            {{{above, "auto_shutdown"}, "`auto_shutdown` is never here"}});
  }

  static constexpr auto remedy = ": `thread` gives it a thread, and `kind: process` runs a program";

  void check_what(const child_spec& spec) {
    if (const auto* x = as_supervisor(spec)) {
      check_supervisor(spec, *x);
    } else if (const auto* k = std::get_if<kind_child>(&spec.what)) {
      check_kind(spec, *k);
    } else if (const auto* f = std::get_if<function_child>(&spec.what)) {
      if (!f->start)
        fault("", "Y34", "the start function is empty");
      if (spec.isolation == isolation::process)
        fault("isolation", "Y43", std::string("a function of this program can't run in a process of its own") + remedy);
    } else {
      fault("kind", "Y34", "a child needs exactly one of `kind`, `children` and `child`");
    }
  }

  void check_supervisor(const child_spec& spec, const supervisor_spec& x) {
    if (spec.isolation == isolation::process)
      fault("isolation", "Y43",
            "a supervisor can't run in a process of its own: leave it out, and give one to its children");
    check_time(x.period, "period", lower::above_zero, true);
    if (const auto* d = std::get_if<dynamic_supervisor>(&spec.what)) {
      if (x.auto_shutdown != auto_shutdown::never)
        fault("auto_shutdown", "Y40",
              "a dynamic supervisor has no significant children, so `auto_shutdown` can't be set");
      if (x.strategy != strategy::one_for_one)
        fault("strategy", "Y24",
              "the children of a dynamic supervisor don't know each other: its `strategy` must be one_for_one");
      if (!d->child)
        fault("child", "Y22", "a dynamic supervisor needs a template, `child`");
    } else if (const auto* s = std::get_if<static_supervisor>(&spec.what)) {
      if (s->start == start_mode::graph && x.strategy == strategy::rest_for_one)
        fault("strategy", "Y37", "under `start: graph` there is no order of which a rest could be restarted",
              {note("start", "`start` is graph here")});
    }
  }

  void check_kind(const child_spec& spec, const kind_child& x) {
    const auto* kind = catalog_.find(x.kind);
    if (kind == nullptr) {
      if (kind_names_.empty())
        kind_names_ = catalog_.names();
      fault("kind", "Y32", "unknown kind " + quoted(x.kind) + words_.suggest(x.kind, kind_names_));
      return;
    }
    arg_faults_.clear();
    const auto args = check_args(*kind, x.args, arg_faults_);
    for (auto& f : arg_faults_)
      fault("args." + f.name, "Y33", std::move(f.text));
    if (spec.isolation == isolation::process && !kind->is_process)
      fault("isolation", "Y43", quoted(x.kind) + " runs in this program and can't have a process of its own" + remedy);
    if (spec.awaits_ready && arg_faults_.empty() && !(kind->reports_ready && kind->reports_ready(args)))
      fault("ready", "Y38",
            kind->reports_ready ? "with these arguments " + quoted(x.kind) + " never reports that it is ready"
                                : quoted(x.kind) + " never reports that it is ready");
  }

  void check_context(const child_spec& spec) {
    for (const auto& [name, value] : spec.context.values) {
      const auto* key = catalog_.find_context_key(name);
      if (key == nullptr)
        unknown_context_key(name);
      else if (!has_type(value, key->type))
        fault("context.values." + name, "Y23", quoted(name) + " must be of type " + to_string(key->type));
    }
  }

  void unknown_context_key(const std::string& name) {
    fault("context.values." + name, "Y32",
          "unknown context key " + quoted(name) + words_.suggest(name, catalog_.context_key_names()));
  }

  void check_budget() {
    if (tree_.budget == infinite || tree_.budget <= duration{})
      return;
    spec_walk walk;
    const auto grace = std::max(tree_.root.kill_grace, duration{});
    const auto sum = add_saturated(worst_stop(tree_.root, walk, nullptr), grace);
    if (sum <= tree_.budget)
      return;
    std::vector<stop_step> steps;
    walk = {};
    worst_stop(tree_.root, walk, &steps);
    std::vector<spec_note> notes;
    const auto longest = std::max_element(steps.begin(), steps.end(),
                                          [](const stop_step& a, const stop_step& b) { return a.limit < b.limit; });
    if (longest != steps.end())
      notes.push_back({{longest->node, "id"}, "the longest step of it is " + longest->path});
    tree_fault("shutdown.budget", "Y41",
               "the shutdown budget (" + to_string(tree_.budget) +
                   ") is shorter than the worst stop path: " + sum_text(steps, grace, sum),
               std::move(notes));
  }

  const tree_spec& tree_;
  const child_catalog& catalog_;
  spec_walk at_;
  std::size_t node_ = 0;
  nearest_word words_;
  std::vector<std::string> kind_names_;
  std::vector<arg_fault> arg_faults_;
  std::vector<spec_fault> faults_;
  sibling_check siblings_;
};

}  // namespace

std::vector<spec_fault> check(const tree_spec& tree, const child_catalog& catalog) {
  return checker(tree, catalog).run();
}

}  // namespace libactor
