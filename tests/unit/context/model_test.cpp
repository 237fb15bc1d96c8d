// SPDX-License-Identifier: BSL-1.0

// A random walk over a tree of contexts, beside a model that is too simple to be wrong: plain structs, recursion, a
// loop over all nodes for every question. Environment: LIBACTOR_MODEL_SEED, LIBACTOR_MODEL_OPERATIONS.

#include "fixture.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <set>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(model)

namespace {

enum class kind { root, cancel, deadline, value, detached, shield, merged, boundary };

// How a node may have ended: one way, but where a single act reaches a merged node through both parents, either is
// right.
using ends = std::set<std::pair<bool, int>>;  // expired, number of the cause

struct model_node {
  kind what = kind::root;
  model_node* parent = nullptr;
  model_node* second = nullptr;
  std::vector<model_node*> children;  // by either parent
  std::optional<std::int64_t> due;    // a deadline's own, or when a triggered shield ends
  std::int64_t budget = 0;
  bool done = false;
  bool hard = false;
  ends how;
  std::uint64_t ended_by = 0;  // the act
  bool triggered = false;
  ends held;
  std::uint64_t triggered_by = 0;
  std::uint64_t armed = 0;  // order among equal times
};

struct model_tree {
  std::vector<std::unique_ptr<model_node>> nodes;
  std::int64_t now = 0;
  std::uint64_t next_armed = 1;

  model_node* lifeline(model_node* n) const { return n->what == kind::value ? lifeline(n->parent) : n; }
  bool done(const model_node* n) const { return n->what == kind::value ? done(n->parent) : n->done; }

  std::uint64_t act = 1;

  void end(model_node& n, const ends& how, bool now_too) {
    if (n.what == kind::value) {  // passes
      for (auto* child : n.children)
        arrive(*child, how, now_too);
      return;
    }
    if (!n.done) {
      n.done = true;
      n.how = how;
      n.ended_by = act;
      n.due.reset();
    } else if (n.ended_by == act) {
      n.how.insert(how.begin(), how.end());
    }
    if (now_too)
      n.hard = true;
    if (n.what == kind::boundary && !now_too)
      return;
    for (auto* child : n.children)
      arrive(*child, n.how, now_too);
  }

  void arrive(model_node& n, const ends& how, bool now_too) {
    if (n.what == kind::detached)
      return;
    if (n.what == kind::shield && !now_too && !n.done)
      trigger(n, how);
    else
      end(n, how, now_too);
  }

  void trigger(model_node& n, const ends& how) {
    if (n.triggered) {
      if (n.triggered_by == act)
        n.held.insert(how.begin(), how.end());
      return;
    }
    n.triggered = true;
    n.triggered_by = act;
    n.held = how;
    if (n.budget != INT64_MAX) {
      n.due = now + n.budget;
      n.armed = next_armed++;
    }
  }

  model_node& derive(kind what, model_node& parent, model_node* second = nullptr, std::int64_t extra = 0) {
    auto& n = *nodes.emplace_back(std::make_unique<model_node>());
    n.what = what;
    n.parent = &parent;
    n.second = second;
    parent.children.push_back(&n);
    if (what == kind::shield)
      n.budget = extra;
    auto& above = *lifeline(&parent);
    if (what != kind::value && what != kind::detached && above.done) {
      if (what == kind::shield && !above.hard)
        trigger(n, above.how);
      else
        end(n, above.how, above.hard);
    }
    if (what == kind::deadline && !n.done) {
      if (extra <= now) {
        end(n, timed_out, false);
      } else {
        n.due = extra;
        n.armed = next_armed++;
      }
    }
    ++act;  // what the second parent adds comes after
    if (second != nullptr) {
      auto& other = *lifeline(second);
      other.children.push_back(&n);
      if (other.done && (!n.done || other.hard))
        end(n, other.how, other.hard);
    }
    return n;
  }

  inline static const ends timed_out{{true, -1}};

  void advance(std::int64_t to) {
    for (;;) {
      model_node* first = nullptr;
      for (auto& n : nodes) {
        if (n->due && !n->done && *n->due <= to &&
            (first == nullptr || std::pair{*n->due, n->armed} < std::pair{*first->due, first->armed}))
          first = n.get();
      }
      if (first == nullptr)
        break;
      now = std::max(now, *first->due);
      ++act;
      end(*first, first->what == kind::shield ? first->held : timed_out, false);
    }
    now = to;
  }
};

struct pair_of {
  model_node* model;
  scope owner;   // empty for values and detached ones, or once committed
  context held;  // what the test reads
};

struct number : context_key<int> {};

// A tree of some 40 nodes at most at a time, then a fresh one: about `operations` in all.
void walk(std::uint64_t seed, std::size_t operations) {
  std::mt19937_64 random{seed};
  std::vector<cause> causes;
  for (int i = 0; i < 64; ++i)
    causes.emplace_back("cause " + std::to_string(i + 1));
  const auto number_of = [&](const cause& why) {
    if (!why)
      return 0;
    if (why.origin() == cause_origin::deadline)
      return -1;
    for (std::size_t i = 0; i < causes.size(); ++i) {
      if (causes[i] == why)
        return static_cast<int>(i + 1);
    }
    return -2;
  };
  std::size_t step = 0;
  while (step < operations) {
    world w;
    model_tree model;
    std::vector<pair_of> all;
    auto& root = *model.nodes.emplace_back(std::make_unique<model_node>());
    root.what = kind::root;
    all.push_back({&root, scope{}, w.root});
    const auto pick = [&]() -> pair_of& { return all[random() % all.size()]; };
    for (int i = 0; i < 150 && step < operations; ++i, ++step) {
      switch (random() % 12) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4: {
          if (all.size() >= 40)
            break;
          const auto parent_index = random() % all.size();
          const auto parent = all[parent_index].held;
          auto& above = *all[parent_index].model;
          const auto due = model.now + static_cast<std::int64_t>(random() % 1000) - 50;
          switch (random() % 8) {
            case 0:
            case 1: {
              auto s = with_cancel(parent);
              all.push_back({&model.derive(kind::cancel, above), std::move(s), {}});
              break;
            }
            case 2: {
              auto s = with_deadline(parent, time_point{duration{due}});
              all.push_back({&model.derive(kind::deadline, above, nullptr, due), std::move(s), {}});
              break;
            }
            case 3:
              all.push_back({&model.derive(kind::value, above), {}, with_value<number>(parent, i)});
              break;
            case 4:
              all.push_back({&model.derive(kind::detached, above), {}, without_cancel(parent)});
              break;
            case 5: {
              const auto budget = random() % 4 == 0 ? INT64_MAX : static_cast<std::int64_t>(random() % 300);
              auto s = shielded(parent, duration{budget});
              all.push_back({&model.derive(kind::shield, above, nullptr, budget), std::move(s), {}});
              break;
            }
            case 6: {
              auto& other = pick();
              auto s = merged(parent, other.held);
              all.push_back({&model.derive(kind::merged, above, other.model), std::move(s), {}});
              break;
            }
            default: {
              auto s = with_boundary(parent);
              all.push_back({&model.derive(kind::boundary, above), std::move(s), {}});
            }
          }
          if (all.back().owner)
            all.back().held = all.back().owner.ctx();
          break;
        }
        case 5:
        case 6: {
          auto& one = pick();
          if (!one.owner)
            break;
          const bool hard = random() % 4 == 0;
          const auto why = random() % causes.size();
          if (hard)
            one.owner.cancel_now(causes[why]);
          else
            one.owner.cancel(causes[why]);
          model.end(*one.model, {{false, static_cast<int>(why + 1)}}, hard);
          break;
        }
        case 7: {
          const auto to = model.now + static_cast<std::int64_t>(random() % 200);
          w.runtime.advance_to(time_point{duration{to}});
          model.advance(to);
          break;
        }
        case 8: {
          auto& one = pick();
          if (!one.owner || one.model->what != kind::deadline)
            break;
          const auto due = model.now + static_cast<std::int64_t>(random() % 500) - 20;
          const bool moved = one.owner.move_deadline(time_point{duration{due}});
          BOOST_REQUIRE(moved == !one.model->done);
          if (!one.model->done) {
            if (due <= model.now) {
              model.end(*one.model, model_tree::timed_out, false);
            } else {
              one.model->due = due;
              one.model->armed = model.next_armed++;
            }
          }
          break;
        }
        case 9: {
          auto& one = pick();
          if (one.owner)
            static_cast<void>(one.owner.commit());
          break;
        }
        default: {
          // Lets go of one: committed, so that nothing ends, and what is below stays linked.
          if (all.size() < 20)
            break;
          const auto index = 1 + random() % (all.size() - 1);
          all[index].owner.disarm();
          all[index].owner = scope{};
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
        }
      }
      ++model.act;
      for (const auto& one : all) {
        auto& end = *model.lifeline(one.model);
        const bool done = one.held.done();
        const std::pair seen{one.held.error() == errc::deadline_exceeded, number_of(one.held.cause())};
        if (done != end.done || (done ? !end.how.contains(seen) : seen != std::pair{false, 0}))
          BOOST_FAIL("seed " << seed << ", step " << step << ": " << one.held << " is " << one.held.error().message()
                             << " (" << one.held.cause() << "), the model says "
                             << (end.done ? "done by " : "not done ")
                             << (end.how.empty() ? 0 : end.how.begin()->second));
        if (done)
          end.how = {seen};
      }
    }
  }
}

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* words = std::getenv(name);
  return words != nullptr ? std::strtoull(words, nullptr, 0) : otherwise;
}

}  // namespace

BOOST_AUTO_TEST_CASE(C016_C044_C166_C305_C307_C308_C310_C315_R28_a_random_walk_agrees_with_the_model) {
  const auto seed = environment("LIBACTOR_MODEL_SEED", std::random_device{}());
  const auto operations = environment("LIBACTOR_MODEL_OPERATIONS", static_cast<std::uint64_t>(rounds(1'000'000)));
  std::cout << "model: seed " << seed << ", " << operations << " operations\n";
  walk(seed, operations);
}

BOOST_AUTO_TEST_SUITE_END()
