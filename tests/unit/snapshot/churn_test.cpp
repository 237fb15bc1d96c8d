// SPDX-License-Identifier: BSL-1.0
// Snapshots on real threads: of what is stuck, and of what changes all the while.
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/task_group.hpp"
#include "libactor/actor/worker.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/snapshot.hpp"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <future>
#include <map>
#include <set>
#include <thread>

using namespace libactor;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

struct threads {
  caf::actor_system_config cfg;
  caf::actor_system system{configured(cfg)};
  static caf::actor_system_config& configured(caf::actor_system_config& cfg) {
    configure(cfg);
    cfg.set("scheduler.max-threads", 4);
    return cfg;
  }
};

// What blocks does so until the gate opens, and says that it does.
struct gate {
  std::promise<void> blocked, opened;
  std::shared_future<void> open{opened.get_future()};
  void pass() {
    blocked.set_value();
    open.wait();
  }
};

caf::behavior ordinary(worker*) {
  return {[](const std::string& what) {
    if (what == "throw")
      throw std::runtime_error("boom");
    return what;
  }};
}

// Starts and ends tasks for ever, a few at a time.
void start_tasks(worker* self) {
  auto group = std::make_shared<task_group<int>>(self);
  for (int i = 0; i != 8; ++i)
    group->spawn([](worker*) { return 1; });
  group->close();
  group->join(self, [self, group](const group_outcome<int>&) { start_tasks(self); });
}

caf::behavior with_tasks(worker* self) {
  start_tasks(self);
  return {[](int) {}};
}

const tree_node* find(const tree_snapshot& all, const std::string& path) {
  const auto i = std::find_if(all.nodes.begin(), all.nodes.end(), [&](const auto& node) { return node.path == path; });
  return i == all.nodes.end() ? nullptr : &*i;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(snapshots_on_threads, threads)

BOOST_AUTO_TEST_CASE(a_stuck_worker_and_a_stuck_supervisor_do_not_hold_it_up) {
  gate worker_gate, supervisor_gate;
  const auto gets_stuck = [&](worker*) -> caf::behavior {
    return {[&](int x) {
      if (x == 7)
        worker_gate.pass();
    }};
  };
  auto stuck_start = [&](child_start& start) -> caf::expected<started_child> {
    supervisor_gate.pass();
    return start.spawn(ordinary);
  };
  runtime tree{system};
  BOOST_REQUIRE(!tree.start(one_for_one()
                                .child("watched", gets_stuck)
                                .watch({.stuck_after = 200ms})
                                .child(one_for_one("s").child("a", ordinary))
                                .tree(30s)));
  caf::anon_send(*tree.find("/root/watched"), 7);
  worker_gate.blocked.get_future().wait();
  child_spec late;
  late.id = "late";
  late.what = function_child{stuck_start};
  std::thread asking([&] { tree.supervisor("/root/s")->start_child(late); });
  supervisor_gate.blocked.get_future().wait();

  for (int i = 0; i != 5; ++i)
    caf::anon_send(*tree.find("/root/watched"), i);
  auto all = snapshot(tree);
  const auto begin = all.taken;
  while (!find(all, "/root/watched")->busy_for && all.taken < begin + 30s)
    all = snapshot(tree);
  BOOST_TEST((find(all, "/root/watched")->busy_for <= all.taken - begin + 1s));
  const auto seen = *find(all, "/root/watched")->busy_for;
  std::this_thread::sleep_for(20ms);
  BOOST_TEST((*find(snapshot(tree), "/root/watched")->busy_for >= seen + 20ms));
  BOOST_TEST(all.nodes.size() == 4u);
  const auto* watched = find(all, "/root/watched");
  BOOST_TEST_REQUIRE(watched != nullptr);
  BOOST_TEST(watched->busy);
  BOOST_TEST(watched->message_type == "int");
  BOOST_TEST(watched->thread != 0);
  BOOST_TEST((watched->mailbox == std::uint64_t{0}));  // when its handler began
  const auto* supervisor = find(all, "/root/s");
  BOOST_TEST_REQUIRE(supervisor != nullptr);
  BOOST_TEST(supervisor->busy);
  BOOST_TEST(supervisor->thread != 0);
  BOOST_TEST(supervisor->thread != watched->thread);
  const auto* idle = find(all, "/root/s/a");
  BOOST_TEST_REQUIRE(idle != nullptr);
  BOOST_TEST(!idle->busy);

  const auto running = running_handlers(tree, 30s);
  BOOST_TEST_REQUIRE(running.size() == 2u);
  const auto stands_in = [](const running_handler& one, const std::string& function) {
    return std::any_of(one.stack.begin(), one.stack.end(),
                       [&](const auto& frame) { return frame.function.find(function) != std::string::npos; });
  };
  BOOST_TEST(running[0].path == "/root/watched");
  BOOST_TEST(running[0].thread == watched->thread);
  BOOST_TEST(running[1].path == "/root/s");
#ifndef __SANITIZE_THREAD__  // which calls signal handlers later, from where it likes
  BOOST_TEST(stands_in(running[0], "pass"));
  BOOST_TEST(stands_in(running[1], "pass"));
#else
  static_cast<void>(stands_in);
#endif

  worker_gate.opened.set_value();
  supervisor_gate.opened.set_value();
  asking.join();
  BOOST_TEST(tree.stop().clean());
}

BOOST_AUTO_TEST_CASE(what_lives_all_the_while_is_in_each_snapshot_of_a_tree_that_changes_all_the_while) {
  runtime tree{system};
  const supervisor_spec unlimited{.intensity = 1'000'000, .period = 1h};
  auto job = worker_spec("job", ordinary);
  job.restart = restart_type::temporary;
  const auto failed = tree.start(one_for_one("t")
                                     .intensity(1'000'000, 1h)
                                     .child("stays", ordinary)
                                     .watch({.stuck_after = 1h})
                                     .child("crashes", ordinary)
                                     .child(one_for_one("above").intensity(1'000'000, 1h).child("below", ordinary))
                                     .child("busy", with_tasks)
                                     .dynamic("pool", job, {}, unlimited)
                                     .child("also_stays", ordinary)
                                     .tree(60s));
  BOOST_REQUIRE_MESSAGE(!failed, describe(failed));
  std::vector<caf::actor> first;
  for (int i = 0; i != 100; ++i)
    first.push_back(*tree.supervisor("/t/pool")->start_child());
  std::atomic<bool> over{false};
  std::thread dynamic([&] {
    const auto pool = *tree.supervisor("/t/pool");
    while (!over) {
      std::vector<caf::actor> some;
      for (int i = 0; i != 20; ++i)
        some.push_back(*pool.start_child());
      for (const auto& one : some)
        pool.terminate_child(one);
    }
  });
  std::thread crashing([&] {
    while (!over) {
      for (const auto* path : {"/t/crashes", "/t/above/below"}) {
        if (const auto whom = tree.find(path))
          caf::anon_send(*whom, "throw"s);
      }
      if (const auto above = tree.find("/t/above"))
        caf::anon_send_exit(*above, caf::exit_reason::kill);
      if (const auto stays = tree.find("/t/stays"))
        caf::anon_send(*stays, "hello"s);
      std::this_thread::yield();
    }
  });
  std::size_t looks = 0, tasks = 0;
  std::set<std::uint32_t> incarnations;
  for (const auto end = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < end; ++looks) {
    const auto all = snapshot(tree);
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i != all.nodes.size(); ++i) {
      const auto& node = all.nodes[i];
      BOOST_TEST_REQUIRE(places.emplace(node.path, i).second, node.path << " stands there twice");
      const auto& parent = all.nodes[node.parent];
      BOOST_TEST_REQUIRE(node.parent <= i);
      BOOST_TEST_REQUIRE((i == 0 || node.path.starts_with(parent.path + "/")), node.path << " below " << parent.path);
      tasks += node.what == tree_node::type::task ? 1 : 0;
    }
    for (const auto* path : {"/t", "/t/stays", "/t/crashes", "/t/above", "/t/busy", "/t/pool", "/t/also_stays"})
      BOOST_TEST_REQUIRE(places.count(path) == 1u, path);
    BOOST_TEST_REQUIRE(places["/t/stays"] < places["/t/crashes"]);
    BOOST_TEST_REQUIRE(places["/t/pool"] < places["/t/also_stays"]);
    for (int i = 1; i <= 100; ++i)
      BOOST_TEST_REQUIRE(places.count("/t/pool/job#" + std::to_string(i)) == 1u, i);
    incarnations.insert(all.nodes[places["/t/crashes"]].incarnation);
  }
  over = true;
  dynamic.join();
  crashing.join();
  BOOST_TEST(looks > 5u);
  BOOST_TEST(tasks > 0u);
  BOOST_TEST(incarnations.size() > 2u);
  BOOST_TEST(tree.stop().clean());
}

BOOST_AUTO_TEST_SUITE_END()
