// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. A node exists while something below it is under way or has to be taken, or it has itself; `active` counts its
//     branches of which that is true.
//  2. Nodes that a run makes are its own until `finish`, save for their parents; everything else is under `mutex_`.
//  3. A branch is slept on only by those that were taken after what it does was seen.
#include "testkit/search_tree.hpp"

#include "supervisors/testkit/explore.hpp"

#include <algorithm>

namespace libactor::testkit {

search_tree::~search_tree() {
  // Without recursion: a tree may be as deep as its longest run.
  std::vector<std::unique_ptr<node>> left;
  if (root_)
    left.push_back(std::move(root_));
  while (!left.empty()) {
    auto one = std::move(left.back());
    left.pop_back();
    for (auto& branch : one->branches) {
      if (branch.below)
        left.push_back(std::move(branch.below));
    }
  }
}

bool search_tree::by_depth::operator()(const node* a, const node* b) const noexcept {
  return a->depth != b->depth ? a->depth > b->depth : a->number < b->number;
}

// -- runs -------------------------------------------------------------------------------------------------------------

search_tree::run::run(search_tree& of, node* from, process taken) : tree_(of), from_(from) {
  stretches_.emplace_back();
  if (from == nullptr)
    return;
  script_.push_back(taken);
  script_nodes_.push_back(from);
  for (auto* below = from; below->above != nullptr; below = below->above) {
    const auto i = std::find_if(below->above->branches.begin(), below->above->branches.end(),
                                [&](const auto& one) { return one.below.get() == below; });
    script_.push_back(i->taken);
    script_nodes_.push_back(below->above);
  }
  std::reverse(script_.begin(), script_.end());
  std::reverse(script_nodes_.begin(), script_nodes_.end());
  sleep_ = from->sleep;
  for (const auto& other : from->branches) {
    if (other.taken != taken && other.marks)
      sleep_.push_back({other.taken, other.marks});
  }
}

std::size_t search_tree::run::choose(std::span<const process> enabled, bool idle) {
  if (next_ != script_.size()) {
    place_ = script_nodes_[next_];
    const auto wanted = script_[next_++];
    is_new_ = next_ == script_.size();
    const auto i = std::find(enabled.begin(), enabled.end(), wanted);
    if (i == enabled.end() || !place_->is_step ||
        !std::equal(enabled.begin(), enabled.end(), place_->enabled.begin(), place_->enabled.end()))
      throw not_the_same{};
    if (is_new_)
      here_ = place_;
    return static_cast<std::size_t>(i - enabled.begin());
  }
  is_new_ = true;
  const auto i = std::find_if(enabled.begin(), enabled.end(), [&](process who) {
    return std::none_of(sleep_.begin(), sleep_.end(), [&](const auto& one) { return one.who == who; });
  });
  if (i == enabled.end())
    throw run_is_over{run_is_over::why::asleep};
  auto& made = grow(*i);
  made.enabled.assign(enabled.begin(), enabled.end());
  made.sleep = sleep_;
  if (idle || tree_.how_ != reduction::source_dpor) {
    for (const auto who : enabled) {
      if (who != *i && !made.sleeps(who))
        made.wanted.push_back(who);
    }
  }
  return static_cast<std::size_t>(i - enabled.begin());
}

std::size_t search_tree::run::pick(std::size_t alternatives) {
  if (next_ != script_.size()) {
    const auto* at = script_nodes_[next_];
    const auto wanted = script_[next_++];
    if (at->is_step || at->enabled.size() != alternatives)
      throw not_the_same{};
    if (next_ == script_.size())
      here_ = script_nodes_.back();
    // What was seen of it is that it is a choice: nothing conflicts with the others of its kind.
    return static_cast<std::size_t>(wanted);
  }
  auto& made = grow(0);
  made.is_step = false;
  made.sleep = sleep_;
  made.enabled.resize(alternatives);
  for (std::size_t i = 0; i != alternatives; ++i)
    made.enabled[i] = i;
  for (std::size_t i = alternatives; i > 1; --i)
    made.wanted.push_back(i - 1);
  return 0;
}

// A node below the latest choice, at which `taken` is taken.
search_tree::node& search_tree::run::grow(process taken) {
  auto fresh = std::make_unique<node>();
  auto& made = *fresh;
  made.branches.push_back({taken, nullptr, nullptr, false});
  made.active = 1;
  if (here_ == nullptr) {
    new_root_ = std::move(fresh);
  } else {
    made.above = here_;
    made.depth = here_->depth + 1;
    if (here_ == from_) {
      const std::lock_guard guard{tree_.mutex_};
      here_->find(script_.back())->below = std::move(fresh);
    } else {
      here_->branches.back().below = std::move(fresh);
    }
  }
  here_ = &made;
  place_ = &made;
  return made;
}

void search_tree::run::stepped(const step_record& step) {
  auto& now = stretches_.back();
  const auto found = now.order.add(step, now.base);
  const auto number = static_cast<std::uint32_t>(now.places.size());
  now.places.push_back(place_);
  ++steps_;
  if (!is_new_)
    return;
  for (const auto& one : found)
    now.found.emplace_back(one, number);
  auto seen = std::make_shared<const footprint>(step.marks);
  if (place_ == from_) {
    const std::lock_guard guard{tree_.mutex_};
    place_->find(step.who)->marks = std::move(seen);
    tree_.changed_.notify_all();
  } else {
    place_->branches.back().marks = std::move(seen);
  }
  pass(step.marks);
}

void search_tree::run::pass(const footprint& step) {
  if (tree_.how_ == reduction::none)
    sleep_.clear();
  std::erase_if(sleep_, [&](const auto& one) { return one.marks->conflicts_with(step); });
}

void search_tree::run::paused() {
  stretches_.emplace_back();
  stretches_.back().base = ++steps_;
}

// -- the tree ---------------------------------------------------------------------------------------------------------

// What the others here would do must have been seen, or it could not be slept on.
bool search_tree::can_take(const node& at) const noexcept {
  return !at.is_step ||
         std::all_of(at.branches.begin(), at.branches.end(), [](const auto& one) { return one.marks || one.over; });
}

std::unique_ptr<search_tree::run> search_tree::next() {
  std::unique_lock lock{mutex_};
  for (;;) {
    if (closed_)
      return nullptr;
    if (!begun_) {
      begun_ = true;
      ++under_way_;
      return std::unique_ptr<run>{new run(*this, nullptr, 0)};
    }
    for (auto* at : open_) {
      if (!can_take(*at))
        continue;
      const auto taken = at->wanted.back();
      at->wanted.pop_back();
      if (at->wanted.empty())
        open_.erase(at);
      ++under_way_;
      ++at->active;
      std::unique_ptr<run> made{new run(*this, at, taken)};
      at->branches.push_back({taken, nullptr, nullptr, false});
      return made;
    }
    if (under_way_ == 0)
      return nullptr;
    changed_.wait(lock);
  }
}

void search_tree::want(node& at, process who) {
  if (at.find(who) != nullptr || at.sleeps(who) ||
      std::find(at.wanted.begin(), at.wanted.end(), who) != at.wanted.end())
    return;
  at.wanted.push_back(who);
}

void search_tree::find_races(run& over) {
  if (how_ != reduction::source_dpor)
    return;
  for (auto& part : over.stretches_) {
    for (const auto& one : part.order.late())
      part.found.push_back(one);
    for (const auto& [one, later] : part.found) {
      auto& at = *part.places[one.earlier];
      const auto first = part.order.initials(one, later);
      const bool is_wanted = std::any_of(first.begin(), first.end(), [&](process who) {
        return at.find(who) != nullptr || at.sleeps(who) ||
               std::find(at.wanted.begin(), at.wanted.end(), who) != at.wanted.end();
      });
      if (is_wanted)
        continue;
      const auto i = std::find_if(first.begin(), first.end(), [&](process who) {
        return std::find(at.enabled.begin(), at.enabled.end(), who) != at.enabled.end();
      });
      if (i != first.end()) {
        want(at, *i);
      } else {
        // Nobody who could have been first was able to run: whatever let it is among those that were.
        for (const auto who : at.enabled)
          want(at, who);
      }
      if (at.number != 0 && !at.wanted.empty())
        open_.insert(&at);
    }
  }
}

void search_tree::finish(run& over) {
  const std::lock_guard guard{mutex_};
  find_races(over);
  if (over.new_root_)
    root_ = std::move(over.new_root_);
  // From now on the nodes that it made are everybody's.
  for (auto* at = over.here_; at != nullptr && at->number == 0; at = at->above) {
    at->number = ++last_number_;
    if (!at->wanted.empty())
      open_.insert(at);
  }
  --under_way_;
  if (over.here_ != nullptr) {
    auto* last = over.here_;
    if (last == over.from_)
      last->find(over.script_.back())->over = true;
    else
      last->branches.back().over = true;
    --last->active;
    settle(last);
  }
  changed_.notify_all();
}

// Forgets what is done, from here up.
void search_tree::settle(node* from) {
  while (from != nullptr && from->active == 0 && from->wanted.empty()) {
    auto* above = from->above;
    if (above == nullptr) {
      root_.reset();
      return;
    }
    const auto i = std::find_if(above->branches.begin(), above->branches.end(),
                                [&](const auto& one) { return one.below.get() == from; });
    i->over = true;
    i->below.reset();
    --above->active;
    from = above;
  }
}

void search_tree::close() {
  const std::lock_guard guard{mutex_};
  closed_ = true;
  changed_.notify_all();
}

}  // namespace libactor::testkit
