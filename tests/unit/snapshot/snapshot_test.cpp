// SPDX-License-Identifier: BSL-1.0
#include "supervisors/snapshot.hpp"

#include "libactor/actor/task_group.hpp"
#include "workers.hpp"

#include <algorithm>
#include <random>

using namespace libactor;
using namespace libactor::tests;

namespace {

// `path state #incarnation`.
std::string words_of(const tree_node& node) {
  return node.path + " " + to_string(node.state) + " #" + std::to_string(node.incarnation);
}

struct seen_world : world {
  tree_snapshot look() { return snapshot(runtime()); }
  lines words() {
    lines all;
    for (const auto& node : look().nodes)
      all.push_back(words_of(node));
    return all;
  }
  tree_node node(const std::string& path) {
    for (const auto& one : look().nodes) {
      if (one.path == path)
        return one;
    }
    BOOST_FAIL("no " << path);
    return {};
  }
  template <class T>
  T answer(std::string_view path, supervisor_verb verb) {
    const auto got = ask<T>(path, std::move(verb));
    BOOST_REQUIRE(got);
    BOOST_REQUIRE(*got);
    if constexpr (!std::is_same_v<T, caf::unit_t>)
      return **got;
    else
      return caf::unit;
  }
  // What the supervisors themselves say, all the way down.
  void list_below(const std::string& path, lines& all) {
    for (const auto& child : answer<std::vector<child_info>>(path, supervisor_verb::which_children())) {
      all.push_back(child.path + " " + to_string(child.state) + " #" + std::to_string(child.incarnation) + " " +
                    std::to_string(child.restarts));
      if (child.is_supervisor && child.handle)
        list_below(child.path, all);
    }
  }
};

backoff_spec delay_of(duration d) {
  backoff_spec how;
  how.min = how.max = d;
  how.jitter = 0;
  return how;
}

caf::behavior with_tasks(worker* self) {
  auto group = std::make_shared<task_group<int>>(self);
  const auto waits = [](task<int>* task) { task->become([](int) {}); };
  group->spawn_named("b", waits);
  group->spawn_named("a", [waits](task<int>* task) {
    auto below = std::make_shared<task_group<int>>(task);
    below->spawn_named("c", waits);
    waits(task);
    below->join(task, [below](const group_outcome<int>&) {});
  });
  group->join(self, [group](const group_outcome<int>&) {});
  return ordinary(self);
}

caf::behavior with_slow_task(worker* self) {
  auto group = std::make_shared<task_group<int>>(self);
  group->spawn_named("slow", [](task<int>* task) {
    task->on_down_signal([task](const down_signal&) { task->after(500ms, [task] { task->finish(); }); });
    task->become([](int) {});
  });
  group->join(self, [group](const group_outcome<int>&) {});
  return ordinary(self);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(snapshots, seen_world)

BOOST_AUTO_TEST_CASE(there_is_nothing_before_the_start_and_after_the_end) {
  BOOST_TEST(look().nodes.empty());
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST(look().nodes.size() == 2u);
  stop();
  BOOST_TEST(look().nodes.empty());
}

BOOST_AUTO_TEST_CASE(a_tree_is_listed_parents_first_and_siblings_in_start_order_with_their_kinds) {
  child_catalog catalog;
  child_kind store;
  store.name = "demo.store";
  store.start = libactor::starts(ordinary);
  catalog.add(store);
  auto pool = worker_spec("job", ordinary);
  BOOST_REQUIRE(!*start(rest_for_one("shop")
                            .kind("store", "demo.store")
                            .child("last", ordinary)
                            .after("store")
                            .child(one_for_all("api").child("http", ordinary))
                            .dynamic("pool", pool)
                            .tree(),
                        catalog));
  answer<caf::actor>("/shop/pool", supervisor_verb::start_child());
  answer<caf::actor>("/shop/pool", supervisor_verb::start_child());
  const auto all = look();
  lines words;
  for (const auto& node : all.nodes)
    words.push_back(node.path + " " + to_string(node.what) + " " + node.kind + " below " + all.nodes[node.parent].path);
  BOOST_TEST(words == (lines{"/shop supervisor rest_for_one below /shop", "/shop/store worker demo.store below /shop",
                             "/shop/last worker  below /shop", "/shop/api supervisor one_for_all below /shop",
                             "/shop/api/http worker  below /shop/api", "/shop/pool supervisor dynamic below /shop",
                             "/shop/pool/job#1 worker  below /shop/pool", "/shop/pool/job#2 worker  below /shop/pool"}),
             boost::test_tools::per_element());
  for (const auto& node : all.nodes)
    BOOST_TEST(node.actor != 0u);
}

BOOST_AUTO_TEST_CASE(siblings_that_wait_for_their_start_are_listed_in_their_places) {
  BOOST_TEST(!start(one_for_one()
                        .child("a", ordinary)
                        .child("b", never_starts)
                        .start_timeout(10s)
                        .child("c", ordinary)
                        .child("off", ordinary)
                        .enabled(false)
                        .tree()));
  BOOST_TEST(words() == (lines{"/root starting #1", "/root/a running #1", "/root/b starting #1", "/root/c idle #0"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(states_incarnations_restarts_and_ages_are_told) {
  start_ok(one_for_one()
               .intensity(100, 1h)
               .child("crashes", ordinary)
               .delays(delay_of(10s))
               .child("ends", ordinary)
               .restart(restart_type::transient)
               .child("slow", slow_to_stop, 3s)
               .shutdown(20s)
               .tree());
  advance(4s);
  BOOST_TEST((node("/root/crashes").age == 4s));
  tell("/root/crashes", "throw");
  tell("/root/ends", "normal");
  BOOST_TEST(words() == (lines{"/root running #1", "/root/crashes restarting #1", "/root/ends idle #1",
                               "/root/slow running #1"}),
             boost::test_tools::per_element());
  BOOST_TEST(node("/root/crashes").restarts == 1u);
  BOOST_TEST(node("/root/crashes").actor == 0u);
  advance(10s);
  BOOST_TEST(words_of(node("/root/crashes")) == "/root/crashes running #2");
  BOOST_TEST(node("/root/crashes").restarts == 1u);
  BOOST_TEST((node("/root/crashes").age == 0s));
  stop();
  BOOST_TEST(words() == (lines{"/root stopping #1", "/root/crashes running #2", "/root/ends idle #1",
                               "/root/slow stopping #1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_child_whose_tasks_outlive_it_says_so) {
  start_ok(one_for_one().child("parent", with_slow_task).tree());
  caf::anon_send_exit(at("/root/parent"), caf::exit_reason::kill);
  settle();
  BOOST_TEST(words() == (lines{"/root running #1", "/root/parent adopted #1", "/root/parent/slow running #1"}),
             boost::test_tools::per_element());
  advance(500ms);
  BOOST_TEST(words_of(node("/root/parent")) == "/root/parent running #2");
}

BOOST_AUTO_TEST_CASE(a_child_has_its_contexts_chain_with_deadlines_cause_and_trace) {
  start_ok(one_for_one().child("a", slow_to_stop, 5s).timeout(10s).shutdown(1h).child("b", ordinary).tree());
  advance(3s);
  const auto a = node("/root/a");
  std::vector<context_kind> kinds;
  for (const auto& link : a.chain)
    kinds.push_back(link.kind);
  BOOST_TEST((kinds ==
              std::vector{context_kind::deadline, context_kind::boundary, context_kind::boundary, context_kind::root}));
  BOOST_TEST((a.chain[0].due == look().taken + 7s));
  BOOST_TEST(a.chain[0].where.line() != 0u);
  BOOST_TEST((a.deadline == look().taken + 7s));
  BOOST_TEST(a.cause == "");
  BOOST_TEST(!node("/root/b").deadline.has_value());
  advance(7s);
  BOOST_TEST(node("/root/a").cause == "deadline: deadline exceeded");
  BOOST_TEST(node("/root/a").chain[0].cause == "deadline: deadline exceeded");
  BOOST_TEST(node("/root/a").chain[1].cause == "");
}

BOOST_AUTO_TEST_CASE(tasks_are_listed_below_their_worker_in_the_order_of_their_start) {
  start_ok(one_for_one().child("w", with_tasks).child("x", ordinary).tree());
  BOOST_TEST(words() == (lines{"/root running #1", "/root/w running #1", "/root/w/b running #1", "/root/w/a running #1",
                               "/root/w/a/c running #1", "/root/x running #1"}),
             boost::test_tools::per_element());
  BOOST_TEST(to_string(node("/root/w/a/c").what) == "task"s);
}

BOOST_AUTO_TEST_CASE(one_that_waits_has_nothing_unread_and_is_not_busy) {
  start_ok(one_for_one().child("a", ordinary).tree());
  BOOST_TEST((node("/root/a").mailbox == std::uint64_t{0}));
  BOOST_TEST(!node("/root/a").busy);
  caf::anon_send(at("/root/a"), "normal"s);
  BOOST_TEST(!node("/root/a").mailbox.has_value());
}

BOOST_AUTO_TEST_CASE(what_a_watched_worker_skipped_stands_unread) {
  const auto choosy = [](worker* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[](const std::string&) {}};
  };
  start_ok(one_for_one().child("a", choosy).watch({}).tree());
  BOOST_TEST(node("/root/a").mailbox.value() == 0u);
  for (int i = 0; i != 3; ++i)
    caf::anon_send(at("/root/a"), i);
  settle();
  BOOST_TEST(node("/root/a").mailbox.value() == 2u);  // behind the last that it looked at
}

BOOST_AUTO_TEST_CASE(children_that_come_and_go_by_hand_are_listed_while_they_are_there) {
  start_ok(one_for_one().child("a", ordinary).child("b", ordinary).tree());
  const auto start = [&](const char* id) {
    answer<caf::actor>("/root", supervisor_verb::start_child(worker_spec(id, ordinary)));
  };
  start("x");
  start("y");
  answer<caf::unit_t>("/root", supervisor_verb::terminate_child("x"));
  answer<caf::unit_t>("/root", supervisor_verb::terminate_child("a"));
  BOOST_TEST(words() == (lines{"/root running #1", "/root/a idle #1", "/root/b running #1", "/root/x idle #1",
                               "/root/y running #1"}),
             boost::test_tools::per_element());
  answer<caf::actor>("/root", supervisor_verb::restart_child("a"));
  answer<caf::unit_t>("/root", supervisor_verb::delete_child("x"));
  BOOST_TEST(words() == (lines{"/root running #1", "/root/a running #2", "/root/b running #1", "/root/y running #1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_suspended_supervisors_children_wait_and_say_so) {
  start_ok(one_for_one().intensity(0, 1h).on_giveup(giveup_action::suspend).child("a", ordinary).tree());
  tell("/root/a", "throw");
  BOOST_TEST(words() == (lines{"/root running #1", "/root/a restarting #1"}), boost::test_tools::per_element());
  answer<caf::unit_t>("/root", supervisor_verb::resume_restarts());
  BOOST_TEST(words_of(node("/root/a")) == "/root/a running #2");
}

// Whatever was done to the tree: once it is quiet, a snapshot says what the supervisors say when asked.
BOOST_AUTO_TEST_CASE(a_quiet_tree_looks_as_its_supervisors_say) {
  start_ok(one_for_one("t")
               .intensity(100000, 1h)
               .child("a", ordinary)
               .child("b", ordinary)
               .delays(delay_of(2s))
               .restart(restart_type::transient)
               .child(one_for_one("s")
                          .intensity(100000, 1h)
                          .child("c", ordinary)
                          .child("d", ordinary)
                          .restart(restart_type::temporary))
               .dynamic("p", worker_spec("job", ordinary), {}, {.intensity = 100000, .period = 1h})
               .tree());
  std::mt19937 random(7);
  const auto pick = [&](const lines& all) { return all[random() % all.size()]; };
  for (int round = 0; round != 400; ++round) {
    const auto above = pick({"/t", "/t/s", "/t/p"});
    const auto id = pick({"a", "b", "c", "d", "s", "x", "y"});
    switch (random() % 7) {
      case 0:
      case 1:
        for (const auto& path : {"/t/"s + id, "/t/s/"s + id, "/t/p/job#"s + std::to_string(1 + random() % 20)}) {
          if (is_alive(path) && runtime().find(path) && !runtime().supervisor(path))
            tell(path, pick({"throw", "normal", "error"}));
        }
        break;
      case 2:
        ask<caf::unit_t>(above, supervisor_verb::terminate_child(id));
        break;
      case 3:
        ask<caf::actor>(above, supervisor_verb::restart_child(id));
        break;
      case 4:
        ask<caf::unit_t>(above, supervisor_verb::delete_child(id));
        break;
      case 5:
        ask<caf::actor>(above, above == "/t/p" ? supervisor_verb::start_child()
                                               : supervisor_verb::start_child(worker_spec(id, ordinary)));
        break;
      default:
        advance(std::chrono::milliseconds(random() % 2000));
    }
    lines said, seen;
    list_below("/t", said);
    for (const auto& node : look().nodes) {
      // What the specification lists and was deleted by hand is idle for a snapshot.
      if (node.path != "/t" && node.incarnation != 0)
        seen.push_back(words_of(node) + " " + std::to_string(node.restarts));
    }
    std::sort(said.begin(), said.end());
    std::sort(seen.begin(), seen.end());
    BOOST_TEST_REQUIRE(seen == said, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()
