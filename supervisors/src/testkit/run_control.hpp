// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/explore.hpp"
#include "testkit/guide.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

// Stands between a world and who chooses: keeps the bounds, and writes down what was chosen.
class run_control final : public guide {
 public:
  run_control(guide& by, const explore_options& options) : by_(by), options_(options) {}

  std::size_t choose(std::span<const process> enabled, bool idle) override;
  std::size_t pick(std::size_t alternatives) override;
  void stepped(const step_record& step) override;
  void paused() override { by_.paused(); }

  std::size_t choose_for_body(std::size_t alternatives, std::string_view what);
  bool maybe(std::string_view fault);
  [[noreturn]] void fail(std::string property, std::string what);

  std::uint64_t steps() const noexcept { return steps_; }
  std::uint64_t faults_left_out() const noexcept { return faults_left_out_; }
  const script& taken() const noexcept { return taken_; }
  const std::optional<failure>& failed() const noexcept { return failed_; }
  // What makes up the test, as far as the run has seen it: names of choices, of acts and of properties, and its tree.
  void mention(std::string_view words);
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }

 private:
  guide& by_;
  const explore_options& options_;
  script taken_;
  std::uint64_t steps_ = 0;
  std::uint32_t decisions_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t faults_left_out_ = 0;
  std::uint64_t fingerprint_ = 0xcbf29ce484222325;
  std::optional<failure> failed_;
};

}  // namespace libactor::testkit
