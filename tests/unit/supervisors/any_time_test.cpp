// SPDX-License-Identifier: BSL-1.0
// A tree may be stopped, or cut off above, at any moment of its life: it never hangs, and leaves nothing.
#include "workers.hpp"

#include <caf/actor_registry.hpp>
#include <functional>

using namespace libactor;
using namespace libactor::tests;

namespace {

/// Starts as it should the first time; what it does from the second start on, each test says.
start_function second_start(std::function<caf::behavior(worker*)> later) {
  return [later](child_start& start) {
    return start.incarnation() == 1 ? start.spawn(ordinary)
                                    : start.spawn([later](worker* self) { return later(self); });
  };
}

const backoff_spec an_hour{.min = 1h, .max = 2h, .factor = 2, .jitter = 0, .reset_after = {}};

/// What a supervisor at /root/m/b is doing when the end comes.
struct moment {
  const char* name;
  std::function<supervisor_builder()> tree;
  std::function<void(world&)> arrive;
};

void crash_w(world& w) { w.tell("/root/m/b/w", "error"); }

std::vector<moment> moments() {
  auto with = [](supervisor_builder how) { return how.intensity(100, 1h).child("a", ordinary); };
  return {
      {"starting", [=] { return with(one_for_one("b")).child("w", never_starts).start_timeout(24h); }, [](world&) {}},
      {"waiting for readiness", [=] { return with(one_for_one("b")).child("w", ordinary).awaits_ready(24h); },
       [](world&) {}},
      {"starting a graph",
       [=] {
         auto b = with(one_for_one("b"));
         b.start_order(start_mode::graph).child("w", never_starts).start_timeout(24h).child("v", ordinary).after("w");
         return b;
       },
       [](world&) {}},
      {"starting below",
       [=] { return with(one_for_one("b")).child(one_for_one("c").child("w", never_starts).start_timeout(24h)); },
       [](world&) {}},
      {"restarting one",
       [=] { return with(one_for_one("b")).child_started_by("w", second_start(never_starts)).start_timeout(24h); },
       crash_w},
      {"stopping a group to restart it",
       [=] {
         return one_for_all("b")
             .intensity(100, 1h)
             .child("a", ordinary)
             .child("w", ordinary)
             .child("slow", slow_to_stop, 4s);
       },
       crash_w},
      {"starting a group again",
       [=] {
         return one_for_all("b")
             .intensity(100, 1h)
             .child_started_by("a", second_start(never_starts))
             .start_timeout(24h)
             .child("w", ordinary);
       },
       crash_w},
      {"starting the rest again",
       [=] {
         return rest_for_one("b")
             .intensity(100, 1h)
             .child("a", ordinary)
             .child_started_by("w", second_start(never_starts))
             .start_timeout(24h)
             .child("z", ordinary);
       },
       crash_w},
      {"backing off alone", [=] { return with(one_for_one("b")).child("w", ordinary).delays(an_hour); }, crash_w},
      {"backing off with its group",
       [=] { return one_for_all("b").intensity(100, 1h).child("a", ordinary).child("w", ordinary).delays(an_hour); },
       crash_w},
      {"backing off with its dependents",
       [=] {
         return one_for_dependents("b")
             .intensity(100, 1h)
             .child("w", ordinary)
             .delays(an_hour)
             .child("d", ordinary)
             .after("w");
       },
       crash_w},
      {"suspended",
       [=] {
         return one_for_one("b")
             .intensity(0, 1h)
             .on_giveup(giveup_action::suspend)
             .child("a", ordinary)
             .child("w", ordinary);
       },
       crash_w},
      {"giving up slowly",
       [=] { return one_for_one("b").intensity(0, 1h).child("slow", slow_to_stop, 4s).child("w", ordinary); }, crash_w},
      {"stopping by itself",
       [=] {
         return one_for_one("b")
             .auto_shutdown(auto_shutdown::any_significant)
             .child("slow", slow_to_stop, 4s)
             .child("w", ordinary)
             .restart(restart_type::temporary)
             .significant();
       },
       crash_w},
      {"adopting what a killed supervisor left",
       [=] {
         return with(one_for_one("b"))
             .child(one_for_one("c").child("deaf", ignores_stop))
             .kill_grace(10s)
             .child("w", ordinary);
       },
       [](world& w) {
         caf::anon_send_exit(w.at("/root/m/b/c"), caf::exit_reason::kill);
         w.settle();
       }},
  };
}

struct cut {
  const char* name;
  std::function<void(world&)> act;
};

void kill_at(world& w, const char* path) {
  if (auto whom = w.runtime().find(path))
    caf::anon_send_exit(*whom, caf::exit_reason::kill);
}

std::vector<cut> cuts() {
  return {
      {"stop", [](world& w) { w.runtime().request_stop(cause("stop")); }},
      {"stop_now", [](world& w) { w.runtime().stop_now(cause("now")); }},
      {"its parent is killed", [](world& w) { kill_at(w, "/root/m"); }},
      {"it is killed", [](world& w) { kill_at(w, "/root/m/b"); }},
      {"stop, while its parent is killed",
       [](world& w) {
         w.runtime().request_stop(cause("stop"));
         kill_at(w, "/root/m");
       }},
      {"its parent is killed, then stop",
       [](world& w) {
         kill_at(w, "/root/m");
         w.settle();
         w.runtime().request_stop(cause("stop"));
       }},
      {"everything above it is killed",
       [](world& w) {
         kill_at(w, "/root");
         kill_at(w, "/root/m");
       }},
      {"its parent is terminated, and it is killed meanwhile",
       [](world& w) {
         if (auto root = w.runtime().supervisor("/root"))
           caf::anon_send(root->handle(), supervisor_verb::terminate_child("m"));
         kill_at(w, "/root/m/b");
       }},
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(any_time)

BOOST_AUTO_TEST_CASE(R21_S028_S029_S031_a_tree_that_is_cut_off_at_any_moment_never_hangs_and_leaves_no_orphan) {
  for (const auto& when : moments()) {
    for (const auto& how : cuts()) {
      BOOST_TEST_CONTEXT(when.name << ", " << how.name) {
        world w;
        w.start(one_for_one().intensity(2, 1h).child(one_for_one("m").intensity(2, 1h).child(when.tree())).tree(10min));
        when.arrive(w);
        how.act(w);
        w.settle();
        w.runtime().request_stop(cause("and that is all"));
        BOOST_TEST(w.run_until_ended(10min));
        BOOST_TEST(w.runtime().alive().empty());
        BOOST_TEST(w.runtime().report().within_budget);
        BOOST_TEST(w.runtime().report().abandoned() == 0u);
        BOOST_TEST(w.runtime().report().others == 0u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(R21_a_stop_at_any_moment_takes_no_longer_than_its_children_may) {
  for (const auto& when : moments()) {
    BOOST_TEST_CONTEXT(when.name) {
      world w;
      w.start(one_for_one().intensity(2, 1h).child(one_for_one("m").intensity(2, 1h).child(when.tree())).tree());
      when.arrive(w);
      w.stop();
      // One after another, each within 5 s and its grace of 1 s at most; the one that ignores its stop has 10 s.
      BOOST_TEST(w.run_until_ended(15s));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
