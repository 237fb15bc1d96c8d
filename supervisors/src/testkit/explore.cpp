// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/explore.hpp"

#include "splitmix.hpp"
#include "testkit/minimise.hpp"
#include "testkit/sampling.hpp"
#include "testkit/search_tree.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <ostream>
#include <thread>
#include <vector>

namespace libactor::testkit {

namespace {

using real_clock = std::chrono::steady_clock;

std::string grouped(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

// One exploration under way, on all its threads.
class expedition {
 public:
  expedition(const run_terms& terms, const std::function<void(trial&)>& body)
      : terms_(terms), options_(terms.options), body_(body), tree_(options_.reduce), began_(real_clock::now()) {
    most_ = options_.max_schedules;
    if (most_ == 0)
      most_ = options_.mode == search_mode::exhaustive ? ~std::uint64_t{0} : 1000;
  }

  exploration go() {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < options_.threads; ++i)
      others.emplace_back([this] { work(); });
    work();
    for (auto& one : others)
      one.join();
    if (thrown_)
      std::rethrow_exception(thrown_);
    result_.mode = options_.mode;
    result_.took = real_clock::now() - began_;
    result_.exhausted = options_.mode == search_mode::exhaustive && !stopped_ && !result_.failed && result_.cut == 0 &&
                        result_.faults_left_out == 0;
    return std::move(result_);
  }

  std::optional<failed_run>& first_failed() noexcept { return failed_; }

 private:
  void work() noexcept {
    try {
      while (options_.mode == search_mode::exhaustive ? next_of_all() : next_sample()) {
      }
    } catch (...) {
      const std::lock_guard guard{mutex_};
      if (!thrown_)
        thrown_ = std::current_exception();
      end();
    }
  }

  bool next_of_all() {
    auto run = tree_.next();
    if (!run)
      return false;
    take(*run);
    tree_.finish(*run);
    return true;
  }

  bool next_sample() {
    std::uint64_t number = 0;
    {
      const std::lock_guard guard{mutex_};
      if (stopped_ || begun_ == most_)
        return false;
      number = begun_++;
    }
    if (options_.mode == search_mode::random) {
      random_guide by{seed_of_run(number)};
      take(by);
    } else {
      pct_guide by{seed_of_run(number), options_.pct_depth, longest_.load(std::memory_order_relaxed)};
      take(by);
    }
    return true;
  }

  // Explorations of neighbouring seeds share no run.
  std::uint64_t seed_of_run(std::uint64_t number) const noexcept { return detail::splitmix(options_.seed) + number; }

  // One run.
  void take(guide& by) {
    run_control control{by, terms_};
    const bool complete = control.take(body_);
    count(control, complete);
  }

  void count(run_control& control, bool complete) {
    const std::lock_guard guard{mutex_};
    result_.steps += control.steps();
    result_.faults_left_out += control.faults_left_out();
    longest_ = std::max(longest_.load(), control.steps());
    if (complete || control.failed())
      ++result_.schedules;
    else if (control.why() == run_is_over::why::asleep)
      ++result_.given_up;
    else if (control.why() == run_is_over::why::too_long)
      ++result_.cut;
    if (control.failed() && !result_.failed) {
      result_.failed = control.failed();
      failed_ = failed_run{control.taken(), *control.failed(), control.fingerprints(), {}, control.children()};
      end();
    }
    const auto now = real_clock::now();
    if ((options_.mode == search_mode::exhaustive && result_.schedules + result_.cut >= most_) ||
        (options_.max_time.count() != 0 && now - began_ >= options_.max_time)) {
      stopped_ = true;
      end();
    }
    if (options_.progress != nullptr && now - told_ >= std::chrono::seconds(1)) {
      told_ = now;
      const auto seconds = std::chrono::duration<double>(now - began_).count();
      *options_.progress << grouped(result_.schedules) << " schedules, "
                         << grouped(static_cast<std::uint64_t>(static_cast<double>(result_.schedules) / seconds))
                         << " a second" << std::endl;
    }
  }

  void end() {
    stopped_ = true;
    tree_.close();
  }

  const run_terms& terms_;
  const explore_options& options_;
  const std::function<void(trial&)>& body_;
  search_tree tree_;
  const real_clock::time_point began_;
  real_clock::time_point told_ = began_;
  std::mutex mutex_;
  std::uint64_t most_ = 0;
  std::uint64_t begun_ = 0;
  std::atomic<std::uint64_t> longest_{0};
  bool stopped_ = false;
  exploration result_;
  std::optional<failed_run> failed_;
  std::exception_ptr thrown_;
};

}  // namespace

exploration explore(const explore_options& options, const std::function<void(trial&)>& body) {
  const run_terms terms{options};
  expedition all{terms, body};
  auto result = all.go();
  if (!result.failed)
    return result;
  // What is smaller is looked for anew, in every order, with little patience.
  const search_again search = [&](const script& run, const failure& why) -> std::optional<failed_run> {
    auto briefly = options;
    briefly.mode = search_mode::exhaustive;
    briefly.max_schedules = 300;
    briefly.max_time = std::chrono::milliseconds(1000);
    briefly.progress = nullptr;
    briefly.threads = 1;
    const run_terms with{briefly, run.without, run.choices};
    expedition again{with, body};
    again.go();
    auto& found = again.first_failed();
    return found && is_same_fault(found->why, why) ? std::move(found) : std::nullopt;
  };
  result.failed = minimised(std::move(*all.first_failed()), options, body, search);
  return result;
}

std::string exploration::to_text() const {
  auto text = grouped(schedules) + (schedules == 1 ? " schedule" : " schedules");
  if (mode == search_mode::random)
    text += " at random";
  else if (mode == search_mode::pct)
    text += " by PCT";
  if (failed)
    return text + ": " + failed->property + " does not hold: " + failed->what;
  if (exhausted)
    text += ", exhausted";
  else if (mode == search_mode::exhaustive)
    text += ", not exhausted";
  if (cut != 0)
    text += ", " + grouped(cut) + " cut";
  return text;
}

}  // namespace libactor::testkit
