// SPDX-License-Identifier: BSL-1.0
// Random trees on real threads, each with one planted fault: exactly the planted worker is named, with the right kind.
// And the same trees without one, under load: nobody is. LIBACTOR_CAMPAIGN says how many of each (default: 8 and 4;
// scripts/nightly: 200), LIBACTOR_SEED where the seeds begin.
#include "libactor/actor/task_group.hpp"
#include "stuck.hpp"

#include <cstdlib>
#include <random>
#include <sstream>

namespace libactor::tests {

enum class fault { cpu, system_call, mutex, ignores_stop, outlives_parent, forgotten, mailbox, restarts };
constexpr int faults = 8;

inline event_kind kind_of(fault what) {
  switch (what) {
    case fault::cpu:
    case fault::system_call:
    case fault::mutex:
      return event_kind::stuck;
    case fault::ignores_stop:
      return event_kind::overdue;
    case fault::outlives_parent:
    case fault::forgotten:
      return event_kind::orphan;
    case fault::mailbox:
    case fault::restarts:
      return event_kind::runaway;
  }
  return event_kind::note;
}

inline std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

// An orphan is told of `kill_grace` after its parent's end: long before it would be stuck.
constexpr watch_spec strict{.stuck_after = 500ms,
                            .grace = 100ms,
                            .action = watch_action::report,
                            .max_mailbox = 5000,
                            .max_children = 1000,
                            .max_restarts = 30};

/// What the planted worker is to do, and until when.
struct planted {
  std::atomic<bool> over{false};
  std::atomic<int> crashes{0};
  std::mutex mutex;
  gate closed;
};

struct do_fault {
  fault what;
};

/// A worker that works, and commits the fault that it is told to.
inline caf::behavior suspect(worker* self, std::shared_ptr<planted> plan) {
  auto tasks = std::make_shared<task_group<int>>(self);
  auto crashes = [plan] { return plan->crashes > 0 && plan->crashes-- > 0; };
  if (crashes())
    caf::anon_send(caf::actor_cast<caf::actor>(self), std::string("crash"));
  return {[plan](int spins) {
            for (std::atomic<int> i{0}; i < spins; ++i) {
            }
            return spins;
          },
          [](const std::string& why) { throw std::runtime_error(why); },
          [plan](double) {  // a message that takes its time
            if (!plan->over)
              std::this_thread::sleep_for(1ms);
          },
          [self, plan, tasks](do_fault how) {
            switch (how.what) {
              case fault::cpu:
                while (!plan->over) {
                }
                break;
              case fault::system_call:
                plan->closed.wait_through();
                break;
              case fault::mutex: {
                const std::lock_guard guard{plan->mutex};
                break;
              }
              case fault::ignores_stop:
                self->on_down_signal([](const down_signal&) {});
                break;
              case fault::outlives_parent:
                tasks->spawn_named("stays", [parent = caf::actor_cast<caf::actor>(self)](task<int>* stays) {
                  stays->on_down_signal([](const down_signal&) {});
                  stays->become([](int) {});
                  caf::anon_send(parent, std::string("crash"));  // now that it runs
                });
                break;
              case fault::forgotten:
                tasks->on_threads().spawn_named("stays", [plan, parent = caf::actor_cast<caf::actor>(self)](worker*) {
                  caf::anon_send(parent, std::string("crash"));
                  plan->closed.wait_through();
                  return 0;
                });
                break;
              case fault::mailbox:
                for (int i = 0; i != 6000; ++i)
                  caf::anon_send(caf::actor_cast<caf::actor>(self), 1.0);
                break;
              case fault::restarts:
                plan->crashes = 60;
                throw std::runtime_error("the first");
            }
          }};
}

/// A random tree of at most `left` workers; their paths go to `paths`.
class forest {
 public:
  forest(std::uint64_t seed, std::shared_ptr<planted> plan) : random_(seed), plan_(std::move(plan)) {}

  tree_spec grow() {
    auto left = 1 + random_() % 500;
    auto root = supervisor("root", "/root", left, 0);
    root.watch_all(strict);
    return root.tree();
  }
  const std::vector<std::string>& paths() const { return paths_; }
  std::mt19937_64& random() { return random_; }

 private:
  supervisor_builder supervisor(const std::string& id, const std::string& path, std::uint64_t& left, int depth) {
    auto made = random_() % 3 == 0 ? rest_for_one(id) : one_for_one(id);
    made.intensity(1000, 1s);
    do {
      const auto name = "c" + std::to_string(left);
      if (depth < 3 && random_() % 8 == 0) {
        auto share = std::min<std::uint64_t>(left, 1 + random_() % 60);
        left -= share;
        made.child(supervisor(name, path + "/" + name, share, depth + 1));
        left += share;
        if (left == 0)
          break;
      } else {
        made.child(name, suspect, plan_).kill_grace(100ms).shutdown(2s);
        paths_.push_back(path + "/" + name);
        --left;
      }
    } while (left != 0 && (depth == 0 || random_() % 12 != 0));
    return made;
  }

  std::mt19937_64 random_;
  std::shared_ptr<planted> plan_;
  std::vector<std::string> paths_;
};

/// Keeps some workers of the tree busy with small work while it lives; not `spared`, behind whose fault the work would
/// pile up.
class load {
 public:
  load(const host& on, forest& trees, int senders, const std::string& spared = {}) {
    std::vector<caf::actor> some;
    for (int i = 0; i != 32; ++i) {
      if (const auto& path = trees.paths()[trees.random()() % trees.paths().size()]; path != spared)
        some.push_back(on.at(path));
    }
    if (some.empty())
      return;
    for (int i = 0; i != senders; ++i) {
      threads_.emplace_back([this, some] {
        for (std::size_t n = 0; !stop_; ++n) {
          caf::anon_send(some[n % some.size()], static_cast<int>(n % 1000));
          if (n % 64 == 0)
            std::this_thread::sleep_for(1ms);
        }
      });
    }
  }
  ~load() {
    stop_ = true;
    for (auto& thread : threads_)
      thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

inline std::string list(const std::vector<std::shared_ptr<const leak_event>>& leaks) {
  std::ostringstream text;
  for (const auto& leak : leaks)
    text << "\n  " << to_string(leak->kind) << " (" << to_string(leak->opened_as) << ") " << leak->path << ": "
         << leak->text;
  return text.str();
}

}  // namespace libactor::tests

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::tests::do_fault)

using namespace libactor;
using namespace libactor::tests;

BOOST_AUTO_TEST_SUITE(campaign)

BOOST_AUTO_TEST_CASE(exactly_the_planted_worker_is_named_with_the_right_kind) {
  const auto first = number_from("LIBACTOR_SEED", 1);
  const auto trees = number_from("LIBACTOR_CAMPAIGN", faults);
  std::map<std::string, int> found;
  std::size_t workers = 0;
  for (auto seed = first; seed != first + trees; ++seed) {
    const auto what = static_cast<fault>(seed % faults);
    auto plan = std::make_shared<planted>();
    forest grown{seed, plan};
    host h{scheduler_kind::own};
    std::unique_lock held{plan->mutex};
    h.start(grown.grow());
    workers += grown.paths().size();
    const auto culprit = grown.paths()[grown.random()() % grown.paths().size()];
    const auto named = kind_of(what) == event_kind::orphan ? culprit + "/stays" : culprit;
    {
      const load busy{h, grown, 1, culprit};
      caf::anon_send(h.at(culprit), do_fault{what});
      if (what == fault::ignores_stop) {
        h.works_through(culprit);
        h.tree->request_stop({});
      }
      const auto told = h.seen->await([](const event& x) { return x.leak != nullptr; });
      BOOST_TEST_CONTEXT("seed " << seed << ", fault " << seed % faults) {
        BOOST_REQUIRE(told);
        BOOST_TEST(told->path == named);
        BOOST_TEST(to_string(told->kind) == std::string(to_string(kind_of(what))));
      }
      ++found[to_string(told->kind)];
    }
    plan->over = true;
    plan->closed.open();
    held.unlock();
    h.tree->stop(20s);
    const auto leaks = h.seen->leaks();
    const bool only_that = std::all_of(leaks.begin(), leaks.end(), [&](const auto& leak) {
      return leak->path == named && leak->opened_as == kind_of(what);
    });
    BOOST_TEST(only_that,
               "seed " << seed << ": " << named << ", " << to_string(kind_of(what)) << " was planted" << list(leaks));
  }
  std::ostringstream text;
  for (const auto& [kind, count] : found)
    text << ", " << count << " " << kind;
  BOOST_TEST_MESSAGE(trees << " trees with " << workers << " workers" << text.str());
}

BOOST_AUTO_TEST_CASE(L014_nobody_in_healthy_trees_under_load_is_named) {
  const auto first = number_from("LIBACTOR_SEED", 1);
  const auto trees = number_from("LIBACTOR_CAMPAIGN", 4);
  const int senders = static_cast<int>(std::thread::hardware_concurrency());
  std::size_t workers = 0, events = 0;
  for (auto seed = first; seed != first + trees; ++seed) {
    forest grown{seed, std::make_shared<planted>()};
    host h{scheduler_kind::own};
    h.start(grown.grow());
    workers += grown.paths().size();
    {
      const load busy{h, grown, senders};
      for (int i = 0; i != 40; ++i) {
        const auto& path = grown.paths()[grown.random()() % grown.paths().size()];
        if (i % 4 == 0)
          if (const auto whom = h.tree->find(path))
            caf::anon_send(*whom, std::string("an ordinary crash"));
        std::this_thread::sleep_for(10ms);
      }
    }
    const auto report = h.tree->stop(60s);
    BOOST_TEST(report.abandoned() == 0u);
    const auto leaks = h.seen->leaks();
    BOOST_TEST(leaks.empty(), "seed " << seed << list(leaks));
    events += leaks.size();
  }
  BOOST_TEST_MESSAGE(trees << " healthy trees with " << workers << " workers under load, " << events << " leak events");
}

BOOST_AUTO_TEST_SUITE_END()
