// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/property.hpp"
#include "supervisors/testkit/world.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libactor::testkit {

class run_control;

/// The world of one run of an exploration: as any world, save that who goes next is not the test's to choose.
class trial : public world {
 public:
  /// Made by `explore` and `replay`, for each run.
  explicit trial(run_control& by);
  ~trial();

  /// One of `alternatives`, counted from 0: each is tried. For the body only, not for actors nor acts, in which it
  /// fails the run. Throws: std::logic_error for none.
  std::size_t choose(std::size_t alternatives, std::string_view what);
  /// Both answers are tried, as far as `max_faults` goes: yes counts as a fault. For the body only, as `choose`.
  bool maybe(std::string_view fault);

  /// Something that happens at any time from now on, once: between any two steps, or when all is quiet, before or after
  /// time passes. If the body ends before, it never happened. It is a step, and takes none itself: what settles throws
  /// std::logic_error in it.
  void at_any_time(std::string name, std::function<void()> act);

  /// As `world::start`; the tree is the one that properties are about, less the children that a smaller failure does
  /// without (`explore_options::minimise`).
  std::optional<caf::error> start(const tree_spec& tree, const child_catalog& catalog = {});

  /// The tree that properties are about, where something else than a runtime runs it.
  void is_about(const tree_spec& tree);

  /// What must hold of this run when the body has ended.
  void must(property what) { properties_.push_back(std::move(what)); }
  void must(std::vector<property> all);

  /// Fails the run with `what`, unless `holds`; the body is not resumed. In an actor's handler, no step follows.
  void expect(bool holds, std::string_view what);

  /// What happened so far.
  history so_far() const;
  /// Every step so far, with what happened in it, a line each. The same choices give the same bytes.
  std::string trace() const;

  /// Every event so far would be gone, and with them what properties are about.
  void forget_events() = delete;

 private:
  template <class T>
  friend class shared;
  friend class run_control;
  std::uint64_t new_variable() noexcept { return ++last_variable_; }
  static void touch(step_watch& seen, std::uint64_t variable, bool writes);
  void refuse_within_step(std::string_view choice);

  run_control& by_;
  std::vector<property> properties_;
  std::optional<tree_spec> tree_;
  std::uint64_t last_variable_ = 0;
};

/// A value that actors of a world share, as other programs share memory: each access is seen, so that two steps of
/// which one writes it are not taken for independent. Copies are of the same value. For actors of the trial that it was
/// made for.
template <class T>
class shared {
 public:
  shared(trial& in, T value) : cell_(std::make_shared<cell>(cell{std::move(value), &in.seen(), in.new_variable()})) {}
  T read() const {
    trial::touch(*cell_->seen, cell_->number, false);
    return cell_->value;
  }
  void write(T value) const {
    trial::touch(*cell_->seen, cell_->number, true);
    cell_->value = std::move(value);
  }

 private:
  struct cell {
    T value;
    step_watch* seen;
    std::uint64_t number;
  };
  std::shared_ptr<cell> cell_;
};

}  // namespace libactor::testkit
