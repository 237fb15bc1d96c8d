// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "libactor/after_cancel.hpp"

#include <array>
#include <latch>
#include <memory>
#include <optional>
#include <random>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(races)

struct number : context_key<int> {};

BOOST_AUTO_TEST_CASE(C045_C046_C047_a_parent_canceled_while_children_are_derived) {
  const cause why{"why"};
  std::optional<scope> parent;
  std::optional<scope> child, timed, valued;
  context_runtime runtime{context_runtime::driver::virtual_};
  race(
      3, rounds(10'000), [&](int) { parent = with_cancel(runtime.background()); },
      [&](int t, int) {
        if (t == 0) {
          parent->cancel(why);
        } else if (t == 1) {
          child = with_cancel(parent->ctx());
        } else {
          timed = with_timeout(parent->ctx(), 1h);
          valued = with_cancel(with_value<number>(parent->ctx(), 1));
        }
      },
      [&](int) {
        for (const auto* one : {&child, &timed, &valued}) {
          BOOST_REQUIRE((*one)->ctx().done());
          BOOST_REQUIRE((*one)->ctx().error() == errc::canceled);
          BOOST_REQUIRE((*one)->ctx().cause() == why);
        }
        BOOST_REQUIRE(registered(parent->ctx()) == 0u);
        BOOST_REQUIRE(!runtime.next_due());
      });
}

struct tree {
  std::vector<scope> nodes;
  explicit tree(const context& root, std::size_t count) {
    nodes.push_back(with_cancel(root));
    for (std::size_t i = 1; i < count; ++i)
      nodes.push_back(with_cancel(nodes[(i - 1) / 4].ctx()));
  }
};

BOOST_AUTO_TEST_CASE(C150_every_node_of_a_tree_is_canceled_from_several_threads_at_once) {
  std::optional<tree> all;
  constexpr int threads = 4;
  race(
      threads, rounds(10'000), [&](int) { all.emplace(background(), 101); },
      [&](int t, int round) {
        std::minstd_rand random(static_cast<unsigned>(round * threads + t + 1));
        const auto start = random() % all->nodes.size();
        for (std::size_t i = 0; i < all->nodes.size(); ++i)
          all->nodes[(start + i * 7) % all->nodes.size()].cancel();
      },
      [&](int) {
        for (const auto& one : all->nodes) {
          if (!one.ctx().done() || registered(one.ctx()) != 0)
            BOOST_FAIL("a node was left");
        }
      });
}

BOOST_AUTO_TEST_CASE(C152_a_thread_woken_by_the_parent_cancels_the_child_during_propagation) {
  std::optional<scope> parent, first, child;
  std::vector<scope> others;
  race(
      3, rounds(10'000),
      [&](int) {
        others.clear();
        parent = with_cancel(background());
        first = with_cancel(parent->ctx());
        child = with_cancel(parent->ctx());
        for (int i = 0; i < 20; ++i)
          others.push_back(with_cancel(i % 2 == 0 ? child->ctx() : parent->ctx()));
      },
      [&](int t, int) {
        if (t == 0) {
          parent->cancel();
        } else {
          (t == 1 ? parent->ctx() : first->ctx()).wait();
          child->cancel();
          must(child->ctx().done(), "child->ctx().done()");
        }
      },
      [&](int) {
        for (const auto& one : others)
          BOOST_REQUIRE(one.ctx().done());
      });
}

BOOST_AUTO_TEST_CASE(C153_polling_the_cause_sees_nothing_or_the_exact_cause) {
  std::optional<scope> parent, child;
  const cause why{"a cause that is long enough to stand on the heap", cause_origin::signal, "/by/whom"};
  race(
      3, rounds(10'000),
      [&](int) {
        parent = with_cancel(background());
        child = with_cancel(parent->ctx());
      },
      [&](int t, int) {
        if (t == 0) {
          parent->cancel(why);
          return;
        }
        for (bool over = false; !over;) {
          over = child->ctx().done();
          const auto seen = child->ctx().cause();
          if (over || seen)
            must(seen == why, "seen == why");
        }
      },
      [](int) {});
}

BOOST_AUTO_TEST_CASE(C154_once_the_error_is_set_every_waiter_taken_earlier_is_woken) {
  std::optional<scope> parent, child;
  race(
      4, rounds(10'000),
      [&](int) {
        parent = with_cancel(background());
        child = with_cancel(parent->ctx());
      },
      [&](int t, int) {
        if (t == 0)
          parent->cancel();
        else if (t == 1)
          child->cancel();
        else
          child->ctx().wait();  // returns, or the test never ends
      },
      [](int) {});
}

BOOST_AUTO_TEST_CASE(C200_ancestor_and_descendant_canceled_at_once_each_finds_its_own_subtree_done) {
  std::optional<tree> all;
  race(
      2, rounds(10'000), [&](int) { all.emplace(background(), 120); },
      [&](int t, int) {
        if (t == 0) {
          all->nodes[0].cancel();
          for (const auto& one : all->nodes) {
            must(one.ctx().done(), "the ancestor's call returned too early");
          }
          return;
        }
        all->nodes[1].cancel();
        for (std::size_t i = 1; i < all->nodes.size(); ++i) {
          auto up = i;
          while (up > 1)
            up = (up - 1) / 4;
          must(!(up == 1 && !all->nodes[i].ctx().done()), "the descendant's call returned too early");
        }
      },
      [](int) {});
}

BOOST_AUTO_TEST_CASE(C201_the_same_with_a_long_chain_below_and_derivations_beside) {
  constexpr std::size_t depth = 100'000;
  std::optional<scope> top, middle;
  context leaf, before_leaf;
  race(
      4, rounds(20),
      [&](int) {
        top = with_cancel(background());
        middle = with_cancel(top->ctx());
        leaf = middle->ctx();
        for (std::size_t i = 0; i < depth; ++i) {
          if (i == depth / 2)
            before_leaf = leaf;
          leaf = with_cancel(leaf).commit();
        }
      },
      [&](int t, int) {
        if (t < 2) {
          (t == 0 ? *top : *middle).cancel();
          must(leaf.done(), "leaf.done()");
          must(before_leaf.done(), "before_leaf.done()");
          return;
        }
        while (!leaf.done()) {
          auto below = with_cancel(t == 2 ? leaf : before_leaf);
          auto deeper = with_cancel(with_value<number>(below.ctx(), 1));
        }
      },
      [&](int) {
        before_leaf = context{};
        leaf = context{};
      });
}

BOOST_AUTO_TEST_CASE(C200_the_same_through_merges_boundaries_and_shields) {
  context_runtime runtime;
  struct shape {
    scope top, side, low, boundary, below, shield, cleanup;
  };
  std::optional<shape> s;
  race(
      3, rounds(5'000),
      [&](int) {
        auto top = with_cancel(runtime.background());
        auto other = with_cancel(runtime.background());
        auto side = merged(other.ctx(), top.ctx());
        auto low = with_cancel(side.ctx());
        auto boundary = with_boundary(low.ctx());
        auto below = with_cancel(boundary.ctx());
        auto shield = shielded(low.ctx(), infinite);
        auto cleanup = with_timeout(shield.ctx(), 1h);
        other.disarm();
        s = shape{std::move(top),   std::move(side),   std::move(low),    std::move(boundary),
                  std::move(below), std::move(shield), std::move(cleanup)};
      },
      [&](int t, int) {
        if (t == 0) {
          s->top.cancel();
          must(s->low.ctx().done(), "s->low.ctx().done()");
          must(s->boundary.ctx().done(), "s->boundary.ctx().done()");
        } else if (t == 1) {
          s->side.cancel();
          must(s->low.ctx().done(), "s->low.ctx().done()");
        } else {
          s->low.cancel_now();
          must(s->below.ctx().done(), "s->below.ctx().done()");
          must(s->cleanup.ctx().done(), "s->cleanup.ctx().done()");
        }
      },
      [&](int) { s.reset(); });
}

BOOST_AUTO_TEST_CASE(C315_a_merged_context_is_made_while_its_first_parent_is_canceled) {
  context_runtime runtime;
  scope first, second;
  race(
      2, rounds(10'000),
      [&](int) {
        first = with_cancel(runtime.background());
        second = with_cancel(runtime.background());
      },
      [&](int thread, int round) {
        if (thread == 0) {
          for (int i = 0; i < 20; ++i)
            static_cast<void>(merged(first.ctx(), second.ctx()));
          return;
        }
        for (int i = 0; i < round % 20; ++i)
          static_cast<void>(with_cancel(second.ctx()));  // not always at once
        first.cancel();
      },
      [&](int) {
        BOOST_TEST(registered(first.ctx()) == 0U);
        BOOST_TEST(registered(second.ctx()) == 0U);
      });
}

BOOST_AUTO_TEST_CASE(hooks_race_with_cancel_and_are_fired_or_taken_out_never_both) {
  std::optional<scope> ctx;
  struct counts {
    std::atomic<int> fired{0}, dropped{0};
  };
  std::optional<counts> n;
  detail::hook_registration hook;
  bool taken_out = false;
  race(
      2, rounds(10'000),
      [&](int) {
        ctx = with_cancel(background());
        n.emplace();
        hook = detail::when_done(ctx->ctx(), {[](void* d) noexcept { ++static_cast<counts*>(d)->fired; },
                                              [](void* d) noexcept { ++static_cast<counts*>(d)->dropped; }, &*n});
      },
      [&](int t, int) {
        if (t == 0)
          ctx->cancel();
        else
          taken_out = hook.reset();
      },
      [&](int) {
        BOOST_REQUIRE(n->fired + (taken_out ? 1 : 0) == 1);
        BOOST_REQUIRE(n->dropped == 1);
      });
}

// Each holds its context's memory: a canceller that fires many lets go of it for all of them.
BOOST_AUTO_TEST_CASE(many_hooks_of_a_context_race_with_its_cancel_and_leave_nothing_of_it) {
  constexpr std::size_t hooks = 30;
  struct token : context_key<std::shared_ptr<int>> {};
  struct counts {
    std::atomic<int> fired{0}, dropped{0};
    bool taken_out = false;
  };
  struct watched {
    std::optional<scope> ctx, below;
    std::array<counts, hooks> counted;
    std::array<detail::hook_registration, hooks> registrations;
    std::weak_ptr<int> left;
  };
  std::optional<watched> w;
  race(
      3, rounds(5'000),
      [&](int round) {
        w.emplace();
        auto value = std::make_shared<int>(round);
        w->left = value;
        w->ctx = with_cancel(with_value<token>(background(), std::move(value)));
        const bool has_below = round % 3 != 0;  // which keeps its parent's memory
        if (has_below)
          w->below = with_cancel(w->ctx->ctx());
        for (std::size_t i = 0; i != hooks; ++i) {
          const auto& of = has_below && i % 7 == 3 ? w->below : w->ctx;
          w->registrations[i] = detail::when_done(
              of->ctx(), {[](void* d) noexcept { ++static_cast<counts*>(d)->fired; },
                          [](void* d) noexcept { ++static_cast<counts*>(d)->dropped; }, &w->counted[i]});
        }
      },
      [&](int t, int round) {
        if (t == 0) {
          w->ctx->cancel();
          if (round % 2 == 0)
            w->ctx.reset();
          return;
        }
        for (std::size_t i = t == 1 ? 0 : 1; i < hooks; i += 2) {
          const auto which = round % 4 < 2 ? i : hooks - 1 - i;
          w->counted[which].taken_out = w->registrations[which].reset();
        }
      },
      [&](int) {
        for (const auto& one : w->counted) {
          BOOST_REQUIRE(one.fired + (one.taken_out ? 1 : 0) == 1);
          BOOST_REQUIRE(one.dropped == 1);
        }
        w->ctx.reset();
        w->below.reset();
        BOOST_REQUIRE(w->left.expired());
      });
}

BOOST_AUTO_TEST_CASE(deadlines_race_with_cancel_release_and_moves) {
  context_runtime runtime;
  std::optional<scope> a, b, c;
  race(
      3, rounds(3'000),
      [&](int round) {
        const auto soon = std::chrono::microseconds{round % 150};
        a = with_timeout(runtime.background(), soon);
        b = with_timeout(runtime.background(), soon);
        c = with_timeout(runtime.background(), soon);
      },
      [&](int t, int) {
        if (t == 0) {
          a->cancel();
          must(a->ctx().done(), "a->ctx().done()");
        } else if (t == 1) {
          b.reset();
        } else {
          const bool moved = c->move_deadline(runtime.now() + 1h);
          if (!moved)
            must(c->ctx().done(), "c->ctx().done()");
        }
      },
      [](int) {});
}

BOOST_AUTO_TEST_CASE(after_callbacks_race_with_stop) {
  context_runtime runtime;
  std::optional<scope> ctx;
  std::atomic<int> called{0};
  int stopped = 0;
  const int all = rounds(3'000);
  {
    std::optional<after_registration> callback;
    race(
        2, all,
        [&](int) {
          ctx = with_cancel(runtime.background());
          callback = after_cancel(ctx->ctx(), [&] { ++called; });
        },
        [&](int t, int) {
          if (t == 0)
            ctx->cancel();
          else if (callback->stop())
            ++stopped;
        },
        [&](int) { callback->detach(); });
  }
  while (called + stopped < all)
    std::this_thread::yield();
  BOOST_TEST(called + stopped == all);
}

BOOST_AUTO_TEST_SUITE_END()
