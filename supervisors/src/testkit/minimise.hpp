// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/run_control.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace libactor::testkit {

// Follows a script; what it does not tell is the first alternative.
class script_guide final : public guide {
 public:
  explicit script_guide(std::vector<deviation> steps) : steps_(std::move(steps)) {}
  std::size_t choose(std::span<const process> enabled, bool idle) override;
  std::size_t pick(std::size_t) override { return 0; }
  // Whether it tells of what there was not.
  bool diverged() const noexcept { return diverged_ || next_ != steps_.size(); }

 private:
  std::vector<deviation> steps_;
  std::size_t next_ = 0;
  std::uint32_t decision_ = 0;
  bool diverged_ = false;
};

// A run that failed.
struct failed_run {
  script run;
  failure why;
  std::vector<std::uint64_t> fingerprints;
  std::string trace;
  std::vector<std::string> children;
};

std::string token_of(const script& run, const std::vector<std::uint64_t>& fingerprints);

// Whether two runs fail for the same reason: what the body expects, or throws, is told apart by its words.
bool is_same_fault(const failure& a, const failure& b);

// Explores with the body's choices and the children given; the first run that fails so, within bounds.
using search_again = std::function<std::optional<failed_run>(const script&, const failure& why)>;

// A smaller run with the same fault: fewer faults, then fewer children, then fewer choices. Replays it twice, and draws
// it.
failure minimised(failed_run from, const explore_options& options, const std::function<void(trial&)>& body,
                  const search_again& search);

}  // namespace libactor::testkit
