// SPDX-License-Identifier: BSL-1.0
#include "model.hpp"

#include "libactor/actor/lifeline.hpp"
#include "libactor/actor/spawn.hpp"
#include "libactor/scope.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>

#include <array>
#include <memory>

namespace libactor::tests {

using namespace testkit;

const char* to_string(bug what) noexcept {
  constexpr std::array<const char*, bugs> names{"none",
                                                "stops_in_start_order",
                                                "asks_all_at_once",
                                                "goes_on_at_any_end",
                                                "does_not_wait_for_the_last",
                                                "restarts_during_stop",
                                                "forgets_a_child",
                                                "forgets_a_grandchild",
                                                "cancels_a_sibling",
                                                "kills_at_once",
                                                "kills_before_grace",
                                                "never_kills",
                                                "kills_by_the_wrong_clock",
                                                "kill_timer_outlives_child",
                                                "stale_down_ends_the_next",
                                                "restarts_before_the_end",
                                                "restarts_backwards",
                                                "starts_two",
                                                "delayed_restart_outlives_stop",
                                                "start_goes_on_after_stop",
                                                "stop_misses_the_newest",
                                                "crash_ends_the_stop",
                                                "asks_the_dead",
                                                "loses_a_stop_while_it_restarts",
                                                "restart_forgets_the_rest"};
  return names[static_cast<std::size_t>(what)];
}

namespace {

constexpr auto shutdown = 2s;

using kill_due = caf::atom_constant<caf::atom("kill")>;
using go_on = caf::atom_constant<caf::atom("goon")>;
using restart_due = caf::atom_constant<caf::atom("restart")>;

/// Handles that outlive the model: an actor that nobody holds ends by itself.
/// Held by the trial alone: what an actor holds may hold the actor.
using kept_actors = std::weak_ptr<std::vector<caf::actor>>;

/// A worker, which ends when it is told to crash; one that is stubborn ignores its down-signal.
caf::behavior child_body(worker* self, bool stubborn, bool slow, std::shared_ptr<event_sink> sink, kept_actors kept,
                         bool has_child) {
  if (stubborn)
    self->on_down_signal([](const down_signal&) {});
  else if (slow)
    self->on_down_signal(
        [self](const down_signal&) { self->after(1500ms, [self] { self->finish(caf::exit_reason::user_shutdown); }); });
  if (has_child) {
    // What it starts ends with it, or, where that was forgotten, with nobody.
    worker_options options;
    options.ctx = self->ctx().runtime()->background();
    options.line = std::make_shared<lifeline>(self->line().path() + "/own", 1, caf::weak_actor_ptr{}, 0, sink);
    const auto all = kept.lock();
    if (all == nullptr)
      return {};  // the trial is over
    all->push_back(
        spawn_worker(self->system(), std::move(options), [](worker*) -> caf::behavior { return {[](int) {}}; }));
  }
  return {[self](const std::string&) { self->quit(caf::sec::runtime_error); }};
}

class model final : public caf::event_based_actor {
 public:
  model(caf::actor_config& cfg, trial& in, kept_actors kept, bug what, std::size_t stubborn, std::size_t slow)
      : caf::event_based_actor(cfg),
        contexts_(in.runtime().contexts()),
        sink_(in.sink()),
        kept_(std::move(kept)),
        bug_(what),
        stubborn_(stubborn),
        slow_(slow) {}

  caf::behavior make_behavior() override {
    set_down_handler([this](caf::down_msg& down) { ended(down); });
    next_ = 0;
    send(this, go_on::value);
    return {[this](go_on) { go(); },
            [this](kill_due, std::size_t i, std::uint32_t incarnation) { kill_late(i, incarnation); },
            [this](restart_due) { restart_now(); },
            [this](const std::string& what) {
              if (what == "stop")
                stop();
              else if (children_[1].handle)
                send(children_[1].handle, what);
            }};
  }

 private:
  struct child {
    std::string path;
    caf::actor handle{};
    scope own{};
    std::uint32_t incarnation = 0;
    bool asked = false;
  };

  void tell(event_kind kind, const child& c) {
    event what;
    what.kind = kind;
    what.at = contexts_.now();
    what.path = c.path;
    what.actor = c.handle ? c.handle->id() : 0;
    what.incarnation = c.incarnation;
    sink_->on_event(what);
  }

  void start(std::size_t i) {
    auto& c = children_[i];
    ++c.incarnation;
    c.asked = false;
    tell(event_kind::start_asked, c);
    c.own = with_cancel(contexts_.background());
    worker_options options;
    options.ctx = c.own.ctx();
    options.line = std::make_shared<lifeline>(c.path, c.incarnation, caf::weak_actor_ptr{}, 0, sink_);
    c.handle = spawn_worker(system(), std::move(options), child_body, i == stubborn_, i == slow_, sink_, kept_,
                            bug_ == bug::forgets_a_grandchild && i == 2);
    if (const auto all = kept_.lock())  // else the trial is over
      all->push_back(c.handle);
    monitor(c.handle);
    if (bug_ == bug::stale_down_ends_the_next)
      monitor(c.handle);
    tell(event_kind::started, c);
  }

  // Starts what is to be started, one a step.
  void go() {
    if (stopping_ && bug_ != bug::start_goes_on_after_stop)
      return;
    const auto order = bug_ == bug::restarts_backwards && restarts_ != 0 ? 2 - next_ : next_;
    if (next_ == 3)
      return;
    if (!children_[order].handle)
      start(order);
    if (++next_ != 3)
      send(this, go_on::value);
  }

  void ask(std::size_t i) {
    auto& c = children_[i];
    c.asked = true;
    tell(event_kind::stop_asked, c);
    c.own.cancel();
    if (bug_ == bug::kills_at_once)
      kill(i);
    else if (bug_ == bug::kills_by_the_wrong_clock)
      delayed_send(this, std::max(duration{}, stop_began_ + shutdown - contexts_.now()), kill_due::value, i,
                   c.incarnation);
    else if (bug_ != bug::never_kills)
      delayed_send(this, bug_ == bug::kills_before_grace ? 1s : shutdown, kill_due::value, i, c.incarnation);
    if (bug_ == bug::cancels_a_sibling && i != 0 && children_[i - 1].handle)
      ask(i - 1);
  }

  void kill(std::size_t i) {
    tell(event_kind::killed, children_[i]);
    send_exit(children_[i].handle, caf::exit_reason::kill);
  }

  void kill_late(std::size_t i, std::uint32_t incarnation) {
    const auto& c = children_[i];
    if (c.handle && (c.incarnation == incarnation || bug_ == bug::kill_timer_outlives_child))
      kill(i);
  }

  void stop() {
    if (stopping_ || (bug_ == bug::loses_a_stop_while_it_restarts && restarting_))
      return;
    stopping_ = true;
    tell(event_kind::stop_asked, {"/m"});
    restarting_ = restarting_ && bug_ == bug::delayed_restart_outlives_stop;
    stop_began_ = contexts_.now();
    last_known_ = next_ == 0 ? 0 : next_ - (bug_ == bug::stop_misses_the_newest && next_ != 3 ? 1 : 0);
    stop_next();
  }

  // Asks the next of those that live, or ends.
  void stop_next() {
    if (bug_ == bug::asks_all_at_once) {
      for (std::size_t i = 3; i-- != 0;) {
        if (children_[i].handle && !children_[i].asked)
          ask(i);
      }
    }
    for (std::size_t n = 0; n != 3; ++n) {
      const auto i = bug_ == bug::stops_in_start_order ? n : 2 - n;
      auto& c = children_[i];
      if ((bug_ == bug::forgets_a_child && i == 1) ||
          (bug_ == bug::stop_misses_the_newest && i >= last_known_ && stopping_))
        continue;
      if (bug_ == bug::asks_the_dead && c.incarnation != 0 && !c.handle && !c.asked) {
        c.asked = true;
        return;  // and waits
      }
      if (!c.handle)
        continue;
      if (!c.asked)
        ask(i);
      if (bug_ == bug::does_not_wait_for_the_last && stopping_)
        leave();
      return;
    }
    if (stopping_)
      leave();
    else
      restart_later();
  }

  void leave() {
    if (bug_ == bug::delayed_restart_outlives_stop && due_)
      return;
    for (auto& c : children_) {
      c.handle = nullptr;
      c.own.disarm();
    }
    quit();
  }

  void ended(const caf::down_msg& down) {
    std::size_t who = 3;
    for (std::size_t i = 0; i != 3; ++i) {
      if (children_[i].handle && children_[i].handle.address() == down.source)
        who = i;
    }
    if (who == 3) {
      if (bug_ == bug::stale_down_ends_the_next && children_[1].handle)
        children_[1].handle = nullptr;
      return;
    }
    const bool expected = children_[who].asked;
    children_[who].handle = nullptr;
    if (stopping_) {
      if (bug_ == bug::restarts_during_stop && !expected)
        return start(who);
      if (bug_ == bug::crash_ends_the_stop && !expected)
        return leave();
      if (bug_ == bug::goes_on_at_any_end) {
        for (std::size_t i = 3; i-- != 0;) {
          if (children_[i].handle && !children_[i].asked)
            return ask(i);
        }
      }
      return stop_next();
    }
    if (!expected) {
      restarting_ = true;
      if (bug_ == bug::restart_forgets_the_rest || bug_ == bug::stale_down_ends_the_next) {
        restarting_ = false;
        return start(who);
      }
      if (bug_ == bug::starts_two) {
        restarting_ = false;
        start(who);
        return start(who);
      }
      if (bug_ == bug::restarts_before_the_end)
        return restart_later();
    }
    stop_next();
  }

  // Once all are down, and a moment later.
  void restart_later() {
    if (!std::exchange(due_, true))
      delayed_send(this, 100ms, restart_due::value);
  }

  void restart_now() {
    due_ = false;
    if (stopping_ && bug_ != bug::delayed_restart_outlives_stop)
      return;
    restarting_ = false;
    ++restarts_;
    if (bug_ == bug::restarts_before_the_end) {
      for (auto& c : children_)
        c.handle = nullptr;
    }
    next_ = 0;
    if (stopping_) {
      start(0);
      return;
    }
    send(this, go_on::value);
  }

  context_runtime& contexts_;
  std::shared_ptr<event_sink> sink_;
  kept_actors kept_;
  const bug bug_;
  const std::size_t stubborn_, slow_;
  std::array<child, 3> children_{child{"/m/a"}, child{"/m/b"}, child{"/m/c"}};
  std::size_t next_ = 0;
  std::size_t last_known_ = 3;
  std::uint32_t restarts_ = 0;
  bool stopping_ = false;
  bool restarting_ = false;
  bool due_ = false;
  time_point stop_began_{};
};

/// A kill comes no earlier than the child's time to stop is over.
property patience() {
  return {"a child has its time to stop", [](const history& of) -> std::optional<finding> {
            for (std::size_t i = 0; i != of.all.size(); ++i) {
              if (of.all[i].what != happening::killed)
                continue;
              std::optional<std::size_t> asked;
              for (std::size_t j = 0; j != i; ++j) {
                if (of.all[j].what == happening::stop_asked && of.all[j].path == of.all[i].path &&
                    of.all[j].incarnation == of.all[i].incarnation)
                  asked = j;
              }
              if (!asked || of.all[i].at - of.all[*asked].at < shutdown)
                return finding{of.all[i].path + " is killed before its time", asked, i};
            }
            return std::nullopt;
          }};
}

}  // namespace

void run_model(trial& t, bug what) {
  auto tree = one_for_all("m");
  for (const auto* id : {"a", "b", "c"})
    tree.child(id, ordinary).shutdown(shutdown);
  t.is_about(tree.tree());
  t.must(patience());
  t.must(everything_stopped());
  t.must(within(shutdown, {happening::stop_asked, "/m/*"}, {happening::stopped, "/m/*"}));
  t.must(happens_before({happening::started, "/m/a"}, {happening::start_asked, "/m/b"}));
  t.must(happens_before({happening::started, "/m/b"}, {happening::start_asked, "/m/c"}));
  t.must({"those that start again start in order", [](const history& of) -> std::optional<finding> {
            std::optional<std::size_t> last;
            for (std::size_t i = 0; i != of.all.size(); ++i) {
              if (of.all[i].what != happening::start_asked)
                continue;
              if (last && of.all[*last].incarnation == of.all[i].incarnation && of.all[*last].path > of.all[i].path)
                return finding{of.all[i].path + " starts after " + of.all[*last].path, last, i};
              if (last && of.all[i].incarnation > of.all[*last].incarnation && of.all[i].path != "/m/a")
                return finding{of.all[i].path + " starts again, and not /m/a first", last, i};
              last = i;
            }
            return std::nullopt;
          }});
  const auto kind = t.choose(3, "what one is like");
  const auto kept = std::make_shared<std::vector<caf::actor>>();
  t.must({"holds what the run makes", [kept](const history&) { return std::optional<finding>{}; }});
  const caf::actor self = caf::actor_cast<caf::actor>(t.system().spawn<model>(std::ref(t), kept_actors(kept), what,
                                                                              kind == 1   ? std::size_t{2}
                                                                              : kind == 2 ? 0
                                                                                          : 3,
                                                                              kind == 2 ? std::size_t{2} : 3));
  t.at_any_time("b crashes", [self] { caf::anon_send(self, "crash"s); });
  const auto asked = std::make_shared<bool>(false);
  t.at_any_time("stop", [self, asked] {
    *asked = true;
    caf::anon_send(self, "stop"s);
  });
  t.advance(5s);
  if (!*asked)
    caf::anon_send(self, "stop"s);
  t.advance(20s);
}

}  // namespace libactor::tests
