// SPDX-License-Identifier: BSL-1.0
#include "scenario.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

namespace libactor::tests {

const char* to_string(fault what) noexcept {
  static constexpr const char* names[] = {"none",
                                          "throws in its start function",
                                          "throws in its body",
                                          "fails its second start",
                                          "declines",
                                          "never starts",
                                          "throws in a handler",
                                          "ends with an error",
                                          "ends normally",
                                          "ends with shutdown",
                                          "its deadline passes",
                                          "ignores its stop",
                                          "is slow to stop",
                                          "throws when asked to stop",
                                          "is killed from outside",
                                          "is told to exit from outside"};
  static_assert(std::size(names) == faults);
  return names[static_cast<unsigned>(what)];
}

namespace {

/// Asks, and takes off the count what is answered, with whatever.
void ask(world& in, const caf::actor& whom, supervisor_verb verb, const std::shared_ptr<int>& unanswered) {
  ++*unanswered;
  in.system().spawn([=](caf::event_based_actor* self) {
    self->request(whom, caf::infinite, verb)
        .then([=](const caf::actor&) { --*unanswered; },
              [=](const caf::error& why) {
                // An answer of another type counts as well.
                static_cast<void>(why);
                --*unanswered;
              });
  });
}

/// Shared by all start functions of a tree.
struct plan {
  std::string victim;
  fault what = fault::none;
};

/// Says when it begins and when it ends, and in between has its fault.
caf::behavior body(worker* self, fault what, std::uint32_t incarnation) {
  self->note("up");
  self->attach_functor([self](const caf::error&) { self->note("down"); });
  switch (what) {
    case fault::throws_in_body:
      throw std::runtime_error("no disk");
    case fault::fails_second_start:
      if (incarnation == 2)
        throw std::runtime_error("no disk");
      break;
    case fault::never_starts:
      return never_starts(self);
    case fault::ignores_stop:
      return ignores_stop(self);
    case fault::slow_to_stop:
      return slow_to_stop(self, 700ms);
    case fault::throws_when_asked_to_stop:
      self->on_down_signal([](const down_signal&) { throw std::logic_error("not now"); });
      break;
    default:
      break;
  }
  return ordinary(self);
}

start_function tracked(const std::shared_ptr<const plan>& all) {
  return [all](child_start& start) -> caf::expected<started_child> {
    const auto what = start.path() == all->victim ? all->what : fault::none;
    if (what == fault::throws_in_start_function)
      throw std::runtime_error("no start function");
    if (what == fault::declines)
      return start.decline();
    return start.spawn(body, what, start.incarnation());
  };
}

class maker {
 public:
  explicit maker(scenario& into)
      : made_(into), random_(into.seed), plan_(std::make_shared<plan>()), how_(static_cast<unsigned>(into.seed % 5)) {}

  void make() {
    bounded_ = one_in(3);
    auto root = one_for_one();
    root.intensity(50, 1s);
    if (how_ == 4)
      add_dynamic(root);
    else
      root.child(group("/root", "m", static_cast<strategy>(how_), true));
    settings(root);
    root.child_started_by("z", tracked(plan_));
    settings(root);
    made_.supervisors["/root"] = {false, strategy::one_for_one, start_mode::ordered, {"/root/m", "/root/z"}, {}};
    made_.tree = root.tree(bounded_ ? duration{200s} : infinite);
    choose_victim();
    if (plan_->what == fault::deadline_passes)
      give_deadline(made_.tree.root, "/root");
    add_acts();
  }

 private:
  std::size_t up_to(std::size_t n) { return static_cast<std::size_t>(random_() % (n + 1)); }
  bool one_in(std::size_t n) { return up_to(n - 1) == 0; }
  duration some_limit() { return std::vector<duration>{1s, 5s, 300ms}[up_to(2)]; }

  void settings(supervisor_builder& of) {
    if (one_in(8))
      of.shutdown(shutdown_limit::brutal_kill());
    else if (bounded_ && one_in(6))
      of.shutdown(shutdown_limit::infinity());  // the budget ends it
    else if (one_in(3))
      of.shutdown(some_limit());
    if (one_in(4))
      of.delays({50ms, 400ms, 2, 0.2, {}});
    of.kill_grace(200ms);
    of.start_timeout(one_in(2) ? duration{1s} : duration{3s});
  }

  restart_type some_restart() {
    static constexpr restart_type types[] = {restart_type::permanent, restart_type::permanent, restart_type::permanent,
                                             restart_type::transient, restart_type::temporary};
    return types[up_to(4)];
  }

  supervisor_builder group(const std::string& above, const std::string& id, strategy how, bool nests) {
    const auto path = above + "/" + id;
    auto g = supervisor_builder(how, id);
    if (one_in(3))
      g.intensity(static_cast<std::uint32_t>(up_to(2)), 5s);
    else
      g.intensity(20, 1s);
    shape seen{false, how, start_mode::ordered, {}, {}};
    if (how != strategy::rest_for_one && one_in(3))
      seen.mode = start_mode::graph;
    g.start_order(seen.mode);
    const bool shuts = one_in(6);
    if (shuts)
      g.auto_shutdown(one_in(2) ? auto_shutdown::any_significant : auto_shutdown::all_significant);
    const bool needs = seen.mode == start_mode::graph || how == strategy::one_for_dependents || one_in(4);
    const auto count = 2 + up_to(3);
    std::map<std::string, std::vector<std::string>> direct;
    for (std::size_t i = 0; i != count; ++i) {
      const auto name = std::string(1, static_cast<char>('a' + i));
      const auto child = path + "/" + name;
      if (nests && one_in(4))
        g.child(group(path, name, static_cast<strategy>(up_to(3)), false));
      else
        g.child_started_by(name, tracked(plan_));
      const auto type = some_restart();
      g.restart(type);
      if (shuts && type != restart_type::permanent && one_in(2))
        g.significant();
      settings(g);
      for (std::size_t earlier = 0; needs && earlier != i; ++earlier) {
        if (!one_in(3))
          continue;
        g.after(std::string(1, static_cast<char>('a' + earlier)));
        direct[seen.children[earlier]].push_back(child);
      }
      seen.children.push_back(child);
    }
    // In start order a dependent stands behind what it needs: from the back, each has all of its own already.
    for (auto i = seen.children.rbegin(); i != seen.children.rend(); ++i) {
      auto& all = seen.dependents[*i];
      for (const auto& child : direct[*i]) {
        all.push_back(child);
        const auto& further = seen.dependents[child];
        all.insert(all.end(), further.begin(), further.end());
      }
    }
    made_.supervisors[path] = std::move(seen);
    return g;
  }

  void add_dynamic(supervisor_builder& root) {
    child_spec model;
    model.id = "w";
    model.what = function_child{tracked(plan_)};
    model.restart = some_restart();
    model.shutdown = shutdown_limit(some_limit());
    model.kill_grace = 200ms;
    model.start_timeout = 1s;
    if (one_in(3))
      model.backoff = backoff_spec{50ms, 400ms, 2, 0.2, {}};
    supervisor_spec limits;
    limits.intensity = one_in(3) ? static_cast<std::uint32_t>(up_to(2)) : 20;
    limits.period = 5s;
    root.dynamic("m", std::move(model), {}, limits);
    shape seen;
    seen.dynamic = true;
    for (std::size_t i = 1; i <= 2 + up_to(3); ++i) {
      seen.children.push_back("/root/m/w#" + std::to_string(i));
      tell_supervisor("/root/m", supervisor_verb::start_child(), "start_child", 10 + up_to(30));
    }
    made_.supervisors["/root/m"] = std::move(seen);
  }

  // One child, or, for what comes from outside, a supervisor.
  void choose_victim() {
    std::vector<std::string> workers, all;
    for (const auto& [path, seen] : made_.supervisors) {
      for (const auto& child : seen.children) {
        all.push_back(child);
        if (!made_.supervisors.contains(child))
          workers.push_back(child);
      }
    }
    made_.what = plan_->what = static_cast<fault>(up_to(faults - 1));
    const bool outside = made_.what == fault::killed_from_outside || made_.what == fault::told_to_exit_from_outside ||
                         made_.what == fault::deadline_passes;
    const auto& from = outside ? all : workers;
    made_.victim = plan_->victim = from[up_to(from.size() - 1)];
  }

  void give_deadline(child_spec& at, const std::string& path) {
    if (path == made_.victim)
      at.context.timeout = 500ms;
    if (auto* fixed = std::get_if<static_supervisor>(&at.what)) {
      for (auto& child : fixed->children)
        give_deadline(child, path + "/" + child.id);
    } else if (auto* pool = std::get_if<dynamic_supervisor>(&at.what); pool && made_.victim.starts_with(path + "/")) {
      auto model = *pool->child;
      model.context.timeout = 500ms;
      pool->child = std::make_shared<const child_spec>(std::move(model));
    }
  }

  void add_act(std::uint64_t step, std::string words, std::function<void(world&)> run) {
    made_.acts.push_back({step, std::move(words), std::move(run)});
  }

  void tell_supervisor(const std::string& path, supervisor_verb verb, const std::string& name, std::uint64_t step) {
    add_act(step, name + " at " + path, [path, verb, unanswered = made_.unanswered](world& w) {
      if (auto to = w.runtime().supervisor(path))
        ask(w, to->handle(), verb, unanswered);
    });
  }

  void add_acts() {
    const auto words = [this]() -> const char* {
      switch (made_.what) {
        case fault::throws_in_handler:
          return "throw";
        case fault::ends_with_error:
        case fault::fails_second_start:
          return "error";
        case fault::ends_normally:
          return "normal";
        case fault::ends_with_shutdown:
          return "shutdown";
        default:
          return nullptr;
      }
    }();
    const auto victim = made_.victim;
    const auto times = 1 + (one_in(3) ? up_to(2) : 0);
    for (std::size_t i = 0; i != times; ++i) {
      const auto step = up_to(120);
      if (words != nullptr) {
        add_act(step, std::string(words) + " to " + victim, [=](world& w) {
          if (auto to = w.runtime().find(victim))
            caf::anon_send(*to, std::string(words));
        });
      } else if (made_.what == fault::killed_from_outside || made_.what == fault::told_to_exit_from_outside) {
        const auto reason = made_.what == fault::killed_from_outside
                                ? caf::error{caf::exit_reason::kill}
                                : (one_in(2) ? caf::error{caf::exit_reason::user_shutdown}
                                             : caf::make_error(caf::sec::invalid_argument));
        add_act(step, "an exit message to " + victim, [=](world& w) {
          if (auto to = w.runtime().find(victim))
            caf::anon_send(*to, caf::exit_msg{to->address(), reason});
        });
      }
    }
    if (one_in(2))
      add_administration();
    made_.stops_in_between = one_in(2);
    if (made_.stops_in_between)
      add_act(up_to(150), "stop", [](world& w) { w.runtime().request_stop({}); });
    std::stable_sort(made_.acts.begin(), made_.acts.end(), [](const act& a, const act& b) { return a.step < b.step; });
  }

  void add_administration() {
    for (std::size_t i = 0; i <= up_to(2); ++i) {
      auto at = std::next(made_.supervisors.begin(), static_cast<std::ptrdiff_t>(up_to(made_.supervisors.size() - 1)));
      const auto& [path, seen] = *at;
      const auto child = seen.children[up_to(seen.children.size() - 1)];
      const auto id = child.substr(child.rfind('/') + 1);
      const auto step = 20 + up_to(120);
      if (seen.dynamic) {
        made_.terminated.push_back(child);
        add_act(step, "terminate_child of " + child, [path = path, child, unanswered = made_.unanswered](world& w) {
          const auto to = w.runtime().supervisor(path);
          const auto whom = w.runtime().find(child);
          if (to && whom)
            ask(w, to->handle(), supervisor_verb::terminate_child(*whom), unanswered);
        });
        continue;
      }
      switch (up_to(3)) {
        case 0:
          made_.terminated.push_back(child);
          tell_supervisor(path, supervisor_verb::terminate_child(id), "terminate_child " + id, step);
          break;
        case 1:
          made_.terminated.push_back(child);
          tell_supervisor(path, supervisor_verb::terminate_child(id), "terminate_child " + id, step);
          tell_supervisor(path, supervisor_verb::restart_child(id), "restart_child " + id, step + up_to(40));
          break;
        case 2:
          tell_supervisor(path, supervisor_verb::restart_child(id), "restart_child " + id, step);
          break;
        case 3:
          made_.terminated.push_back(child);
          tell_supervisor(path, supervisor_verb::terminate_child(id), "terminate_child " + id, step);
          tell_supervisor(path, supervisor_verb::delete_child(id), "delete_child " + id, step + up_to(40));
          break;
      }
    }
  }

  scenario& made_;
  std::mt19937_64 random_;
  std::shared_ptr<plan> plan_;
  unsigned how_;
  bool bounded_ = false;
};

}  // namespace

scenario::scenario(std::uint64_t s) : seed(s) { maker{*this}.make(); }

std::string scenario::words() const {
  std::string text = "seed " + std::to_string(seed) + ": " + victim + " " + to_string(what);
  for (const auto& one : acts)
    text += "\n  after " + std::to_string(one.step) + " steps: " + one.words;
  for (const auto& [path, seen] : supervisors) {
    text += "\n  " + path + ": " + (seen.dynamic ? "dynamic" : libactor::to_string(seen.how)) + ", " +
            libactor::to_string(seen.mode);
    for (const auto& child : seen.children) {
      text += " " + child.substr(child.rfind('/') + 1);
      if (const auto i = seen.dependents.find(child); i != seen.dependents.end() && !i->second.empty()) {
        text += "(<";
        for (const auto& above : i->second)
          text += " " + above.substr(above.rfind('/') + 1);
        text += ")";
      }
    }
  }
  return text;
}

}  // namespace libactor::tests
