// SPDX-License-Identifier: BSL-1.0
// Random trees under random schedules, with one fault anywhere, and what must hold in all of them: never two
// incarnations of a child at once, stop order kept, nothing left alive.
//
// The seed alone decides tree, fault and schedule. A failure prints it; LIBACTOR_SEED=<n> runs that one alone.
#include "libactor/actor/worker.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/testkit/world.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/actor_registry.hpp>
#include <caf/send.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t seeds = 2000;
#else
constexpr std::uint64_t seeds = 20000;
#endif

/// The one fault of a run.
enum class fault : int {
  none,
  crash,             // a child ends with an error
  exception,         // one throws
  kill,              // one is killed from outside
  kill_supervisor,   // a supervisor is
  ends_normally,     // one finishes
  start_fails,       // the second start of one throws
  start_fails_once,  // the first start of one does
  never_starts,      // one never acknowledges its second start
  deaf,              // one ignores its down-signal, and another crashes
  deadline,          // one has a deadline
  terminate,         // one is terminated by hand
  last = terminate
};

const char* name_of(fault what) {
  static constexpr const char* names[] = {
      "none",          "crash",       "exception",        "kill",         "kill_supervisor",
      "ends_normally", "start_fails", "start_fails_once", "never_starts", "deaf",
      "deadline",      "terminate"};
  return names[static_cast<int>(what)];
}

/// How many incarnations of each path live, by the actors' own account.
struct census {
  std::map<std::string, int> living;
  std::string twice;  ///< the first path of which two lived at once
};

/// A worker that counts itself, and misbehaves as it is told.
class citizen final : public worker {
 public:
  struct habits {
    bool deaf = false;
    bool throws_in_start = false;
    bool never_starts = false;
    duration goodbye{};  ///< how long it takes to stop
  };

  citizen(caf::actor_config& cfg, worker_options options, std::shared_ptr<census> all, habits how)
      : worker(cfg, std::move(options)), all_(std::move(all)), habits_(how) {
    if (++all_->living[line().path()] > 1 && all_->twice.empty())
      all_->twice = line().path();
  }

  caf::behavior make_behavior() override {
    if (habits_.never_starts)
      defer_start();
    auto behavior = worker::make_behavior();
    if (habits_.throws_in_start)
      throw std::runtime_error("no disk");
    if (habits_.deaf)
      on_down_signal([](const down_signal&) {});
    else if (habits_.goodbye != duration{})
      on_down_signal(
          [this](const down_signal&) { after(habits_.goodbye, [this] { finish(caf::exit_reason::user_shutdown); }); });
    if (ending())
      return behavior;
    return {[this](fault what) {
      if (what == fault::exception)
        throw std::logic_error("boom");
      finish(what == fault::ends_normally ? caf::error{} : caf::make_error(caf::sec::invalid_argument));
    }};
  }

  void on_exit() override {
    --all_->living[line().path()];
    worker::on_exit();
  }

 private:
  std::shared_ptr<census> all_;
  habits habits_;
};

/// What the tree of a run looks like: the siblings of each supervisor, in start order.
struct shape {
  strategy how = strategy::one_for_one;
  start_mode start = start_mode::ordered;
  std::vector<std::string> children;                        // paths
  std::map<std::string, std::set<std::string>> dependents;  // transitive, by path
};

struct run {
  explicit run(std::uint64_t s) : seed(s), random(s), w(s) {}

  std::uint64_t seed;
  std::mt19937_64 random;
  testkit::world w;
  std::shared_ptr<census> all = std::make_shared<census>();
  std::map<std::string, shape> shapes;  // by the supervisor's path
  std::vector<std::string> workers;
  std::vector<std::string> supervisors;
  fault what = fault::none;
  std::string victim;
  std::string failure;

  bool chance(unsigned one_in) { return random() % one_in == 0; }
  void fail(const std::string& text) {
    if (failure.empty())
      failure = text;
  }

  start_function starter(citizen::habits usual, bool is_victim) {
    return [all = all, what = what, usual, is_victim](child_start& start) {
      auto how = usual;
      if (is_victim) {
        how.throws_in_start = (what == fault::start_fails && start.incarnation() == 2) ||
                              (what == fault::start_fails_once && start.incarnation() == 1);
        how.never_starts = what == fault::never_starts && start.incarnation() == 2;
        how.deaf = what == fault::deaf;
      }
      return start.spawn_class<citizen>(all, how);
    };
  }

  supervisor_builder supervisor(const std::string& id, const std::string& path, int depth) {
    auto how = static_cast<strategy>(random() % 4);
    auto& seen = shapes[path];
    seen.start = how != strategy::rest_for_one && chance(4) ? start_mode::graph : start_mode::ordered;
    seen.how = how;
    supervisor_builder b(how, id);
    b.start_order(seen.start).intensity(static_cast<std::uint32_t>(random() % 4), 10s);
    supervisors.push_back(path);
    const auto n = 1 + random() % 4;
    for (std::uint64_t i = 0; i != n; ++i) {
      const auto child = std::string(1, static_cast<char>('a' + i));
      const auto at = path + "/" + child;
      if (depth < 2 && chance(4)) {
        b.child(supervisor(child, at, depth + 1));
      } else {
        citizen::habits usual;
        if (chance(3))
          usual.goodbye = duration{static_cast<std::int64_t>(1 + random() % 3) * 1000000000};
        b.child_started_by(child, starter(usual, at == victim)).shutdown(duration{4s}).start_timeout(3s);
        if (chance(5))
          b.delays({.min = 1s, .max = 4s, .factor = 2, .jitter = 0, .reset_after = {}});
        if (at == victim && what == fault::deadline)
          b.timeout(2s);
        workers.push_back(at);
      }
      b.restart(static_cast<restart_type>(random() % 3));
      for (std::uint64_t j = 0; j != i; ++j) {
        if (!chance(4))
          continue;
        b.after(std::string(1, static_cast<char>('a' + j)));
        const auto on = path + "/" + std::string(1, static_cast<char>('a' + j));
        for (auto& [other, below] : seen.dependents) {
          if (other == on || below.count(on) != 0)
            below.insert(at);
        }
        seen.dependents[on].insert(at);
      }
      seen.children.push_back(at);
    }
    return b;
  }

  // The victim has to be known before its start function is made: the tree is drawn twice from one seed.
  supervisor_builder draw() {
    what = static_cast<fault>(random() % (static_cast<int>(fault::last) + 1));
    const auto state = random;
    supervisor("root", "/root", 0);
    const auto pick = random();
    victim = workers.empty() ? "" : workers[pick % workers.size()];
    random = state;
    shapes.clear();
    workers.clear();
    supervisors.clear();
    return supervisor("root", "/root", 0);
  }

  void tell(const std::string& path, fault message) {
    if (auto whom = w.runtime().find(path))
      caf::anon_send(*whom, message);
  }

  void strike() {
    switch (what) {
      case fault::crash:
      case fault::exception:
      case fault::ends_normally:
        return tell(victim, what);
      case fault::start_fails:
      case fault::never_starts:
        return tell(victim, fault::crash);
      case fault::deaf:
        return tell(workers[random() % workers.size()], fault::crash);
      case fault::kill:
        if (auto whom = w.runtime().find(victim))
          caf::anon_send_exit(*whom, caf::exit_reason::kill);
        return;
      case fault::kill_supervisor:
        if (auto whom = w.runtime().find(supervisors[random() % supervisors.size()]))
          caf::anon_send_exit(*whom, caf::exit_reason::kill);
        return;
      case fault::terminate: {
        const auto slash = victim.rfind('/');
        if (auto whom = w.runtime().supervisor(victim.substr(0, slash)))
          caf::anon_send(whom->handle(), supervisor_verb::terminate_child(victim.substr(slash + 1)));
        return;
      }
      case fault::none:
      case fault::start_fails_once:
      case fault::deadline:
        return;
    }
  }

  // Some steps, and sometimes some time.
  void proceed() {
    for (auto steps = random() % 12; steps-- > 0 && w.step();) {
    }
    if (chance(3))
      w.advance(duration{static_cast<std::int64_t>(random() % 5) * 1000000000});
  }

  void check_stop_order() {
    std::map<std::string, bool> living;   // from the call of its start function to its end
    std::map<std::string, bool> started;  // acknowledged
    for (const auto& e : w.events()) {
      switch (e.kind) {
        case event_kind::start_asked:
          if (std::exchange(living[e.path], true))
            fail(e.path + " was started twice");
          started[e.path] = false;
          break;
        case event_kind::started:
          started[e.path] = true;
          break;
        case event_kind::stopped:
        case event_kind::ended:
        case event_kind::crashed:
        case event_kind::start_failed:
        case event_kind::declined:
        case event_kind::abandoned:
          living[e.path] = false;
          // What a killed supervisor left behind has ended with it.
          for (auto& [path, alive] : living) {
            if (path.size() > e.path.size() && path.compare(0, e.path.size() + 1, e.path + "/") == 0)
              alive = false;
          }
          break;
        case event_kind::stop_asked:
          check_asked(e.path, living, started);
          break;
        default:
          break;
      }
    }
  }

  // Whoever has to be down before `path` is asked to stop is down.
  void check_asked(const std::string& path, std::map<std::string, bool>& living, std::map<std::string, bool>& started) {
    const auto parent = shapes.find(path.substr(0, path.rfind('/')));
    if (parent == shapes.end() || !started[path] || (what == fault::terminate && path == victim))
      return;  // asked by hand, or because its start took too long
    const auto& s = parent->second;
    const auto place = std::find(s.children.begin(), s.children.end(), path);
    for (auto later = place + 1; later < s.children.end(); ++later) {
      const auto dependents = s.dependents.find(path);
      const bool depends = dependents != s.dependents.end() && dependents->second.count(*later) != 0;
      const bool only_dependents = s.start == start_mode::graph || s.how == strategy::one_for_dependents;
      if (living[*later] && (depends || !only_dependents))
        fail(path + " was asked to stop before " + *later + " was down");
    }
  }

  void check_end() {
    if (!w.run_until_ended(10min))
      return fail("the tree did not end");
    w.settle();
    if (!all->twice.empty())
      fail("two incarnations of " + all->twice + " lived at once");
    for (const auto& [path, n] : all->living) {
      if (n != 0)
        fail(path + " is left alive");
    }
    if (!w.runtime().alive().empty())
      fail("left alive by the tree's account: " + w.runtime().alive().front());
    if (w.runtime().report().others != 0)
      fail("actors are left that nobody knows");
    check_stop_order();
  }

  std::string operator()() {
    const auto tree = draw().tree(chance(3) ? duration{2min} : infinite);
    w.runtime().start(tree, {}, [](const caf::error&) {});
    proceed();
    if (!chance(4))
      w.settle();
    if (chance(2))
      w.advance(4s);
    strike();
    proceed();
    proceed();
    if (chance(2))
      w.advance(5s);
    if (chance(8))
      w.runtime().stop_now(cause("enough"));
    w.runtime().request_stop(cause("done"));
    proceed();
    check_end();
    return failure;
  }
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fault)

BOOST_AUTO_TEST_SUITE(interleaving)

BOOST_AUTO_TEST_CASE(R20_R21_S020_S021_S028_S083_every_strategy_under_random_schedules_with_one_fault_anywhere) {
  const char* given = std::getenv("LIBACTOR_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const std::uint64_t last = given != nullptr ? first : seeds;
  std::map<std::string, int> strikes;
  int failures = 0;
  for (auto seed = first; seed <= last && failures != 5; ++seed) {
    run one{seed};
    const auto failure = one();
    ++strikes[name_of(one.what)];
    if (failure.empty())
      continue;
    ++failures;
    BOOST_ERROR("LIBACTOR_SEED=" << seed << ": " << failure << " (" << name_of(one.what) << " at " << one.victim
                                 << ")");
    if (given != nullptr) {
      for (const auto& e : one.w.events())
        BOOST_TEST_MESSAGE(to_string(duration{e.at.time_since_epoch()})
                           << " " << to_string(e.kind) << " " << e.path << " " << e.reason);
    }
  }
  if (given == nullptr)
    BOOST_TEST(strikes.size() == static_cast<std::size_t>(fault::last) + 1);
}

BOOST_AUTO_TEST_SUITE_END()
