// SPDX-License-Identifier: BSL-1.0
// What threads could break.
#include "libactor/actor/worker.hpp"
#include "schedulers.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <caf/send.hpp>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <thread>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

caf::behavior ordinary(worker* self) {
  return {[self](const std::string& what) -> std::string {
    if (what == "error")
      self->finish(caf::make_error(caf::sec::invalid_argument));
    return what;
  }};
}

}  // namespace

namespace libactor::tests {

// Counts events by kind and path; waits for them.
class counter final : public event_sink {
 public:
  void on_event(const event& what) noexcept override {
    std::lock_guard guard{mutex_};
    ++counts_[{what.kind, what.path}];
    if (what.kind == event_kind::stopped || what.kind == event_kind::crashed || what.kind == event_kind::ended)
      reasons_[what.path] = what.reason;
    changed_.notify_all();
  }
  bool wait_for(event_kind kind, const std::string& path, int n) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, generous, [&] { return counts_[{kind, path}] >= n; });
  }
  int count(event_kind kind, const std::string& path) {
    std::lock_guard guard{mutex_};
    return counts_[{kind, path}];
  }
  std::string reason(const std::string& path) {
    std::lock_guard guard{mutex_};
    return reasons_[path];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<event_kind, std::string>, int> counts_;
  std::map<std::string, std::string> reasons_;
};

// Not of an unnamed namespace: the cases are templates.
struct tree_on : threads {
  explicit tree_on(scheduler_kind kind) : threads(kind), sink(std::make_shared<counter>()), tree(system, with(sink)) {}
  static runtime_options with(std::shared_ptr<counter> to) {
    runtime_options options;
    options.sinks.push_back(std::move(to));
    return options;
  }
  std::shared_ptr<counter> sink;
  runtime tree;
};

}  // namespace libactor::tests

BOOST_AUTO_TEST_SUITE(threads_suite)

BOOST_DATA_TEST_CASE(S030_an_exit_that_races_terminate_child_keeps_its_reason_on_threads, both, kind) {
  tree_on t{kind};
  BOOST_REQUIRE(!t.tree.start(
      one_for_one().intensity(1000000, 1s).child("a", ordinary).restart(restart_type::transient).tree(30s)));
  const auto root = *t.tree.supervisor("/root");
  for (int round = 0; round != 300; ++round) {
    const auto child = *t.tree.find("/root/a");
    std::promise<caf::error> ended;
    caf::actor_cast<caf::abstract_actor*>(child)->attach_functor([&](const caf::error& e) { ended.set_value(e); });
    auto racer = std::async(std::launch::async, [&] { caf::anon_send(child, std::string("error")); });
    BOOST_REQUIRE(!root.terminate_child("a"));
    racer.wait();
    auto end = ended.get_future();
    BOOST_REQUIRE((end.wait_for(generous) == std::future_status::ready));
    const auto how = describe(end.get());
    // It ended for one of the two, and that is what was reported; a crash that came first is a restart, then a stop.
    BOOST_REQUIRE((how == "invalid_argument" || how == "user_shutdown"));
    const auto all = *root.which_children();
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_REQUIRE((all[0].state == child_state::idle || all[0].state == child_state::running));
    if (!all[0].handle)
      BOOST_REQUIRE(root.restart_child("a"));
  }
  BOOST_TEST(t.tree.stop().within_budget);
}

BOOST_DATA_TEST_CASE(a_start_on_a_scheduler_of_cafs_own_says_once_what_that_lacks, both, kind) {
  tree_on t{kind};
  BOOST_REQUIRE(!t.tree.start(one_for_one().child("a", ordinary).tree(30s)));
  BOOST_TEST(t.tree.stop().clean());
  BOOST_TEST(t.sink->count(event_kind::note, "/root") == (kind == scheduler_kind::own ? 0 : 1));
}

BOOST_DATA_TEST_CASE(S028_killed_supervisors_leave_no_orphan_on_threads, both, kind) {
  for (int round = 0; round != 30; ++round) {
    tree_on t{kind};
    auto inner = one_for_all("b").intensity(5, 1s);
    inner.child("w", ordinary).child(one_for_one("c").child("leaf", ordinary));
    BOOST_REQUIRE(!t.tree.start(one_for_one().intensity(5, 1s).child(inner).tree(30s)));
    // Both looked up first: killing the outer one may take the inner one away before the next line runs.
    const auto outer = *t.tree.find("/root/b");
    const auto nested = *t.tree.find("/root/b/c");
    caf::anon_send_exit(outer, caf::exit_reason::kill);
    caf::anon_send_exit(nested, caf::exit_reason::kill);
    BOOST_REQUIRE(t.sink->wait_for(event_kind::crashed, "/root/b", 1));
    const auto report = t.tree.stop();
    BOOST_REQUIRE(report.within_budget);
    BOOST_REQUIRE(t.tree.alive().empty());
    BOOST_REQUIRE(report.others == 0u);
  }
}

BOOST_DATA_TEST_CASE(S092_simultaneous_crashes_restart_the_group_and_lose_nobody_on_threads, both, kind) {
  tree_on t{kind};
  auto all = one_for_all().intensity(1000, 1s);
  for (int i = 0; i != 8; ++i)
    all.child(std::to_string(i), ordinary);
  BOOST_REQUIRE(!t.tree.start(all.tree(1min)));
  for (int round = 1; round <= 20; ++round) {
    for (int i = 0; i != 8; ++i) {
      if (auto child = t.tree.find("/root/" + std::to_string(i)))
        caf::anon_send(*child, std::string("error"));
    }
  }
  const auto root = *t.tree.supervisor("/root");
  const auto until = std::chrono::steady_clock::now() + generous;
  for (;;) {
    const auto counts = root.count_children();
    BOOST_REQUIRE(counts);
    if (counts->active == 8u)
      break;
    BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
  }
  BOOST_TEST(t.tree.stop().clean());
}

BOOST_DATA_TEST_CASE(S032_S033_stop_from_many_threads_and_from_a_child_is_safe, both, kind) {
  for (int round = 0; round != 20; ++round) {
    tree_on t{kind};
    auto asks = [&t](worker*) -> caf::behavior {
      return {[&t](const std::string&) { t.tree.request_stop(cause("a child asked")); }};
    };
    BOOST_REQUIRE(!t.tree.start(one_for_one().child("a", asks).child("b", ordinary).tree(30s)));
    caf::anon_send(*t.tree.find("/root/a"), std::string("stop"));
    std::vector<std::future<shutdown_report>> others;
    for (int i = 0; i != 3; ++i)
      others.push_back(std::async(std::launch::async, [&] { return t.tree.stop(); }));
    for (auto& other : others)
      BOOST_REQUIRE(other.get().clean());
  }
}

BOOST_DATA_TEST_CASE(S046_verbs_on_a_supervisor_that_ends_meanwhile_are_answered_on_threads, both, kind) {
  for (int round = 0; round != 30; ++round) {
    tree_on t{kind};
    BOOST_REQUIRE(!t.tree.start(one_for_one().dynamic("pool", worker_spec("w", ordinary)).tree(30s)));
    const auto pool = *t.tree.supervisor("/root/pool");
    std::atomic<int> answered{0};
    auto asker = std::async(std::launch::async, [&] {
      while (pool.start_child())
        ++answered;
    });
    while (answered < 20) {
    }
    BOOST_REQUIRE(t.tree.stop().clean());
    asker.wait();
    BOOST_REQUIRE(t.tree.alive().empty());
  }
}

BOOST_DATA_TEST_CASE(R25_stop_returns_within_its_budget_though_every_thread_is_stuck_and_names_all, both, kind) {
  std::promise<void> release;
  auto go_on = release.get_future().share();
  {
    tree_on t{kind};
    std::atomic<int> entered{0};
    auto stuck = [&entered, go_on](worker*) -> caf::behavior {
      return {[&entered, go_on](int) {
        ++entered;
        go_on.wait();
      }};
    };
    // More than there are threads: whatever the scheduler has is stuck.
    auto all = one_for_one();
    const auto n = 4 * std::max(2u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i != n; ++i)
      all.child("s" + std::to_string(i), stuck).shutdown(10ms).kill_grace(10ms);
    BOOST_REQUIRE(!t.tree.start(all.tree(30s)));
    // A plain actor of the host's own.
    const caf::actor plain = t.system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    for (unsigned i = 0; i != n; ++i)
      caf::anon_send(*t.tree.find("/root/s" + std::to_string(i)), 1);
    while (entered < 2) {
    }
    const auto before = std::chrono::steady_clock::now();
    const auto report = t.tree.stop(500ms);
    BOOST_TEST((std::chrono::steady_clock::now() - before < 20s));
    BOOST_TEST(report.others >= 1u);
    std::size_t named = 0;
    for (const auto& child : report.children)
      named += child.path.starts_with("/root/s") && (child.abandoned || child.killed) ? 1 : 0;
    BOOST_TEST(named >= 2u);
    release.set_value();
    BOOST_TEST(t.tree.wait_ended(generous));
    caf::anon_send_exit(plain, caf::exit_reason::kill);
  }
}

BOOST_AUTO_TEST_CASE(R25_leave_flushes_the_sinks_and_ends_the_process_with_its_status) {
  int pipe_ends[2];
  BOOST_REQUIRE(::pipe(pipe_ends) == 0);
  const auto child = ::fork();
  if (child == 0) {
    // A sink that has not written yet what it was given.
    struct slow final : event_sink {
      explicit slow(int to) : to(to) {}
      void on_event(const event&) noexcept override {}
      void flush() noexcept override {
        if (::write(to, "flushed", 7) != 7)
          ::_exit(99);
      }
      int to;
    };
    ::alarm(60);
    caf::actor_system_config cfg;
    configure(cfg);
    caf::actor_system system{cfg};
    runtime_options options;
    options.sinks.push_back(std::make_shared<slow>(pipe_ends[1]));
    runtime tree{system, options};
    // Nothing but the end of the process gets this one out of the way.
    std::promise<void> entered;
    auto stuck = [&entered](worker*) -> caf::behavior {
      return {[&entered](int) {
        entered.set_value();
        for (;;)
          ::pause();
      }};
    };
    if (tree.start(one_for_one().child("s", stuck).shutdown(10ms).kill_grace(10ms).tree(30s)))
      ::_exit(98);
    caf::anon_send(*tree.find("/root/s"), 1);
    entered.get_future().wait();
    if (tree.stop().abandoned() != 1)
      ::_exit(97);
    tree.leave(6);
  }
  ::close(pipe_ends[1]);
  char text[16] = {};
  const auto n = ::read(pipe_ends[0], text, sizeof text);
  ::close(pipe_ends[0]);
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(std::string(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0))) == "flushed");
  BOOST_REQUIRE(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 6);
}

BOOST_DATA_TEST_CASE(two_runtimes_in_one_process_never_meet, both, kind) {
  threads first{kind};
  threads second{kind};
  auto one = std::make_unique<runtime>(first.system);
  runtime two{first.system};     // on the same system
  runtime three{second.system};  // on another one
  const auto tree = one_for_one().child("a", ordinary).tree(30s);
  BOOST_REQUIRE(!one->start(tree));
  BOOST_REQUIRE(!two.start(tree));
  BOOST_REQUIRE(!three.start(tree));
  auto held = with_cancel(two.contexts().background());
  BOOST_TEST(one->stop().clean());
  one.reset();
  BOOST_TEST(!held.ctx().done());
  BOOST_TEST(two.find("/root/a").operator bool());
  BOOST_TEST(three.find("/root/a").operator bool());
  BOOST_TEST(two.stop().clean());
  BOOST_TEST(three.find("/root/a").operator bool());
  BOOST_TEST(three.stop().clean());
}

BOOST_AUTO_TEST_SUITE_END()
