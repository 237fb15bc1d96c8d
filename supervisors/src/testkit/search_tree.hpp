// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/footprint.hpp"
#include "testkit/guide.hpp"
#include "testkit/races.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace libactor::testkit {

enum class reduction : std::uint8_t;

// The choices of all runs of one body: which were taken, and which have to be. Runs that differ only in the order of
// steps that do not conflict are taken once: by source-DPOR (Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic
// partial order reduction", POPL 2014, algorithm 1), in which a race that a run shows gives what has to be tried before
// it, and by sleep sets (Godefroid 1996), which hold who was tried before in this place and has met no conflict since.
//
// Thread-safe: several runs may be under way.
class search_tree {
 public:
  explicit search_tree(reduction how) : how_(how) {}
  ~search_tree();

  struct node;
  class run;

  // The next run to take; none once all were, or after `close`. Waits where only runs under way can tell.
  std::unique_ptr<run> next();
  // What a run has shown.
  void finish(run& over);
  // No more runs.
  void close();

 private:
  friend class run;
  struct by_depth {
    bool operator()(const node* a, const node* b) const noexcept;
  };

  void want(node& at, process who);
  void find_races(run& over);
  void settle(node* from);
  bool can_take(const node& at) const noexcept;

  const reduction how_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<node> root_;
  std::set<node*, by_depth> open_;  // with something to take
  std::size_t under_way_ = 0;
  std::uint64_t last_number_ = 0;
  bool begun_ = false;
  bool closed_ = false;
};

// A step that need not be tried: what it would do was seen, from a place where only steps had been taken since that it
// does not conflict with.
struct sleeper {
  process who;
  std::shared_ptr<const footprint> marks;
};

struct search_tree::node {
  struct branch {
    process taken;
    std::shared_ptr<const footprint> marks;  // null: not seen yet
    std::unique_ptr<node> below;
    bool over = false;
  };

  node* above = nullptr;
  std::uint64_t number = 0;
  std::uint32_t depth = 0;
  bool is_step = true;           // or the test's own choice
  std::vector<process> enabled;  // or alternatives
  std::vector<sleeper> sleep;    // when it was made
  std::vector<process> wanted;   // that a source set needs; those not yet taken
  std::vector<branch> branches;  // taken
  std::size_t active = 0;

  branch* find(process taken) {
    const auto i = std::find_if(branches.begin(), branches.end(), [&](const auto& one) { return one.taken == taken; });
    return i == branches.end() ? nullptr : &*i;
  }
  bool sleeps(process who) const {
    return std::any_of(sleep.begin(), sleep.end(), [&](const auto& one) { return one.who == who; });
  }
};

// One run: it repeats the choices that lead to a place of the tree, takes a new one there, and goes on freely.
class search_tree::run final : public guide {
 public:
  std::size_t choose(std::span<const process> enabled, bool idle) override;
  std::size_t pick(std::size_t alternatives) override;
  void stepped(const step_record& step) override;
  void paused() override;

 private:
  friend class search_tree;
  run(search_tree& of, node* from, process taken);
  node& grow(process taken);
  void pass(const footprint& step);

  search_tree& tree_;
  node* from_;                   // where the new choice is; null: the first run of all
  std::vector<process> script_;  // the choices up to there, and the new one
  std::size_t next_ = 0;         // in the script
  node* here_ = nullptr;         // the node of the latest choice; null while the script lasts
  std::unique_ptr<node> new_root_;
  std::vector<sleeper> sleep_;

  // The stretches of the run, each with the node at which each of its steps was chosen.
  struct stretch {
    races order;
    std::vector<node*> places;
    std::uint32_t base = 0;                                    // its first step's number in the run
    std::vector<std::pair<races::race, std::uint32_t>> found;  // with the later step
  };
  std::vector<stretch> stretches_;
  std::vector<node*> script_nodes_;
  std::uint32_t steps_ = 0;
  node* place_ = nullptr;  // of the step under way
  bool is_new_ = false;    // whether that step is one that no run took before
};

}  // namespace libactor::testkit
