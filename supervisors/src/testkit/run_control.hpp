// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/explore.hpp"
#include "testkit/guide.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libactor::testkit {

// A decision of a run that was not the first of its alternatives.
struct deviation {
  std::uint32_t decision;  // which one, counted among those with alternatives
  std::uint32_t index;
  friend bool operator==(const deviation&, const deviation&) = default;
};

// What a run's choices were: what it takes to take it again.
struct script {
  std::vector<std::uint32_t> choices;  // the body's own
  std::vector<deviation> steps;
  std::vector<std::string> without;  // paths of children that are left out
  friend bool operator==(const script&, const script&) = default;
};

// What is fixed of a run before it begins.
struct run_terms {
  const explore_options& options;
  std::vector<std::string> without{};                   // as in `script`
  std::optional<std::vector<std::uint32_t>> choices{};  // the body's own, instead of the guide's
  bool in_detail = false;                               // whether a failure is drawn
};

// Stands between a world and who chooses: keeps the bounds, and writes down what was chosen.
class run_control final : public guide {
 public:
  run_control(guide& by, const run_terms& terms);

  std::size_t choose(std::span<const process> enabled, bool idle) override;
  std::size_t pick(std::size_t alternatives) override;
  void stepped(const step_record& step) override;
  void paused() override { by_.paused(); }

  // One run of `body`, in a world of its own. Whether it came to its end. What ends it ends it for good, even if the
  // body, or an actor's handler, catches it.
  bool take(const std::function<void(trial&)>& body);

  std::size_t choose_for_body(std::size_t alternatives, std::string_view what);
  bool maybe(std::string_view fault);
  [[noreturn]] void fail(std::string property, std::string what);
  // The tree without what is left out.
  tree_spec cut_down(tree_spec tree);

  // None: it came to its end.
  std::optional<run_is_over::why> why() const noexcept { return over_; }
  // Whether the body's choices in `run_terms` are not those that it made.
  bool diverged() const noexcept { return misfit_ || (terms_.choices && choices_ < terms_.choices->size()); }
  std::uint64_t steps() const noexcept { return steps_; }
  std::uint64_t faults_left_out() const noexcept { return faults_left_out_; }
  const script& taken() const noexcept { return taken_; }
  std::optional<failure>& failed() noexcept { return failed_; }
  const std::string& trace() const noexcept { return trace_; }
  const std::vector<std::string>& children() const noexcept { return children_; }
  // What makes up the test, as far as the run has seen it: names of choices and of acts, and its tree. One number more
  // for each of them.
  void mention(std::string_view words);
  const std::vector<std::uint64_t>& fingerprints() const noexcept { return fingerprints_; }

 private:
  std::size_t take_choice(std::size_t alternatives, bool is_free);
  void judge(const trial& in);
  void draw(trial& in);

  guide& by_;
  const run_terms& terms_;
  script taken_;
  std::optional<run_is_over::why> over_;
  bool misfit_ = false;
  std::uint64_t steps_ = 0;
  std::uint32_t decisions_ = 0;
  std::size_t choices_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t faults_left_out_ = 0;
  std::vector<std::uint64_t> fingerprints_;
  std::optional<failure> failed_;
  std::optional<finding> found_;
  std::string trace_;
  std::vector<std::string> children_;  // paths of the tree as it was started, parents first
};

}  // namespace libactor::testkit
