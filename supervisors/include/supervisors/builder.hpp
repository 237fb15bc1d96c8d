// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/violation.hpp"
#include "supervisors/child_start.hpp"
#include "supervisors/tree_spec.hpp"

#include <string>
#include <tuple>
#include <utility>

namespace libactor {

/// A start function that spawns a worker with the body `fun(self, xs...)`; each incarnation gets its own copies.
template <class Fun, class... Ts>
start_function starts(Fun fun, Ts... xs) {
  return [fun = std::move(fun), args = std::make_tuple(std::move(xs)...)](child_start& start) {
    return std::apply([&](const auto&... ys) { return start.spawn(fun, ys...); }, args);
  };
}

/// Builds a supervisor and its children in the order of the calls. `child` adds one; the setters after it, up to the
/// next `child`, are that child's. The result is a plain `child_spec`, which is checked by `check` alone. Requires: a
/// child comes before its setters.
class supervisor_builder {
 public:
  explicit supervisor_builder(libactor::strategy how, std::string id = "root") {
    self_.id = std::move(id);
    part().strategy = how;
  }

  // -- the supervisor itself
  supervisor_builder& intensity(std::uint32_t restarts, duration period) {
    part().intensity = restarts;
    part().period = period;
    return *this;
  }
  supervisor_builder& on_giveup(giveup_action what) { return part().on_giveup = what, *this; }
  supervisor_builder& auto_shutdown(libactor::auto_shutdown when) { return part().auto_shutdown = when, *this; }
  supervisor_builder& start_order(start_mode how) { return part().start = how, *this; }

  // -- children
  /// A worker with the body `fun(self, xs...)`.
  template <class Fun, class... Ts>
  supervisor_builder& child(std::string id, Fun fun, Ts... xs) {
    return add(std::move(id), function_child{starts(std::move(fun), std::move(xs)...)});
  }
  /// A child with a start function of its own.
  supervisor_builder& child_started_by(std::string id, start_function start) {
    return add(std::move(id), function_child{std::move(start)});
  }
  /// A worker of a kind from the catalog.
  supervisor_builder& kind(std::string id, std::string name, arg_map args = {}) {
    return add(std::move(id), kind_child{std::move(name), std::move(args)});
  }
  /// A supervisor.
  supervisor_builder& child(const supervisor_builder& below) {
    part().children.push_back(below.self_);
    return *this;
  }
  /// A dynamic supervisor of children like `model`, with its own limit of restarts in `limits`.
  supervisor_builder& dynamic(std::string id, child_spec model, std::optional<std::uint64_t> max_children = {},
                              const supervisor_spec& limits = {}) {
    dynamic_supervisor pool;
    static_cast<supervisor_spec&>(pool) = limits;
    pool.child = std::make_shared<const child_spec>(std::move(model));
    pool.max_children = max_children;
    return add(std::move(id), std::move(pool));
  }

  // -- the child that was added last
  supervisor_builder& restart(restart_type when) { return last().restart = when, *this; }
  supervisor_builder& shutdown(duration limit) { return last().shutdown = shutdown_limit(limit), *this; }
  supervisor_builder& shutdown(shutdown_limit limit) { return last().shutdown = limit, *this; }
  supervisor_builder& kill_grace(duration limit) { return last().kill_grace = limit, *this; }
  supervisor_builder& drain(duration limit) { return last().drain = limit, *this; }
  supervisor_builder& start_timeout(duration limit) { return last().start_timeout = limit, *this; }
  supervisor_builder& awaits_ready(std::optional<duration> limit = {}) {
    last().awaits_ready = true;
    last().ready_timeout = limit;
    return *this;
  }
  supervisor_builder& significant() { return last().significant = true, *this; }
  supervisor_builder& timeout(duration limit) { return last().context.timeout = limit, *this; }
  supervisor_builder& deadline(time_point at) { return last().context.deadline = at, *this; }
  supervisor_builder& delays(backoff_spec how) { return last().backoff = how, *this; }
  supervisor_builder& isolation(libactor::isolation where) { return last().isolation = where, *this; }
  supervisor_builder& enabled(bool whether) { return last().enabled = whether, *this; }
  /// Messages to its address are held for `limit` while there is no incarnation.
  supervisor_builder& address_hold(duration limit) { return last().address_hold = limit, *this; }
  /// A value of its context, by a name that the catalog registers.
  supervisor_builder& value(std::string name, arg_value what) {
    last().context.values.insert_or_assign(std::move(name), std::move(what));
    return *this;
  }
  supervisor_builder& label(std::string key, std::string text) {
    last().labels.insert_or_assign(std::move(key), std::move(text));
    return *this;
  }
  supervisor_builder& watch(watch_spec how) { return last().watch = how, *this; }
  /// Neither it nor what is below it is watched.
  supervisor_builder& unwatched() { return last().unwatched = true, *this; }
  /// Watches the supervisor itself and all below it that say nothing of their own.
  supervisor_builder& watch_all(watch_spec how) { return self_.watch = how, *this; }
  supervisor_builder& after(std::string id, dependency_state when = dependency_state::started) {
    last().after.push_back({std::move(id), when});
    return *this;
  }

  const child_spec& spec() const noexcept { return self_; }
  tree_spec tree(duration budget = infinite, overrun_action on_overrun = overrun_action::abandon) const {
    return {self_, budget, on_overrun};
  }

 private:
  template <class What>
  supervisor_builder& add(std::string id, What what) {
    child_spec c;
    c.id = std::move(id);
    c.what = std::move(what);
    part().children.push_back(std::move(c));
    return *this;
  }
  static_supervisor& part() {
    if (self_.what.index() == 0)
      self_.what = static_supervisor{};
    return std::get<static_supervisor>(self_.what);
  }
  child_spec& last() {
    if (part().children.empty())
      violated("what is said of a child comes after `child`");
    return part().children.back();
  }

  child_spec self_;
};

inline supervisor_builder one_for_one(std::string id = "root") {
  return supervisor_builder(strategy::one_for_one, std::move(id));
}
inline supervisor_builder one_for_all(std::string id = "root") {
  return supervisor_builder(strategy::one_for_all, std::move(id));
}
inline supervisor_builder rest_for_one(std::string id = "root") {
  return supervisor_builder(strategy::rest_for_one, std::move(id));
}
inline supervisor_builder one_for_dependents(std::string id = "root") {
  return supervisor_builder(strategy::one_for_dependents, std::move(id));
}

/// A worker's specification, for the template of a dynamic supervisor or for `start_child`.
template <class Fun, class... Ts>
child_spec worker_spec(std::string id, Fun fun, Ts... xs) {
  child_spec c;
  c.id = std::move(id);
  c.what = function_child{starts(std::move(fun), std::move(xs)...)};
  return c;
}

}  // namespace libactor
