// SPDX-License-Identifier: BSL-1.0
#include "testkit/minimise.hpp"

#include <algorithm>
#include <string_view>

namespace libactor::testkit {

namespace {

// What the body itself says, of which all properties have one name.
bool is_of_body(const failure& why) { return why.property == "expect" || why.property == "the body ends"; }

// Whether the property is about the child at the path, or about one below it: without that it would fail, if it does,
// for want of it.
bool names(const std::string& property, const std::string& path) {
  for (auto at = property.find(path); at != property.npos; at = property.find(path, at + 1)) {
    const auto end = at + path.size();
    if (end == property.size() || std::string_view("/,) ").find(property[end]) != std::string_view::npos)
      return true;
  }
  return false;
}

class minimiser {
 public:
  minimiser(failed_run from, const explore_options& options, const std::function<void(trial&)>& body,
            const search_again& search)
      : best_(std::move(from)), options_(options), body_(body), search_(search) {}

  failure go() {
    if (options_.minimise) {
      fewer_faults();
      // What the body itself expects, it may well expect of all of them.
      if (!is_of_body(best_.why))
        fewer_children();
      fewer_choices();
    }
    // As it is, twice, and in detail.
    auto once = take(best_.run, true);
    const auto again = take(best_.run, true);
    auto why = best_.why;
    if (once && again && once->trace == again->trace) {
      why = std::move(once->why);
      why.replays = true;
      why.token = token_of(once->run, once->fingerprints);
    } else {
      why.token = token_of(best_.run, best_.fingerprints);
    }
    return why;
  }

 private:
  std::optional<failed_run> take(const script& run, bool in_detail = false) {
    const run_terms terms{options_, run.without, run.choices, in_detail};
    script_guide by{run.steps};
    run_control control{by, terms};
    control.take(body_);
    if (!control.failed() || !is_same_fault(*control.failed(), best_.why))
      return std::nullopt;
    return failed_run{control.taken(), *control.failed(), control.fingerprints(), control.trace(), control.children()};
  }

  bool accept(std::optional<failed_run> smaller) {
    if (!smaller)
      return false;
    best_ = std::move(*smaller);
    return true;
  }

  // As it was, or else in any other order.
  bool try_it(const script& run) { return accept(take(run)) || accept(search_(run, best_.why)); }

  void fewer_faults() {
    for (std::size_t i = 0; i < best_.run.choices.size(); ++i) {
      for (std::uint32_t less = 0; less < best_.run.choices[i]; ++less) {
        auto run = best_.run;
        run.choices[i] = less;
        if (try_it(run))
          break;
      }
    }
  }

  void fewer_children() {
    for (bool found = true; found;) {
      found = false;
      // What is left; whole subtrees first.
      for (const auto& path : best_.children) {
        if (names(best_.why.property, path))
          continue;
        auto run = best_.run;
        run.without.push_back(path);
        if (try_it(run)) {
          found = true;
          break;
        }
      }
    }
  }

  void fewer_choices() {
    for (auto size = best_.run.steps.size(); size != 0; size /= 2) {
      for (std::size_t at = 0; at + size <= best_.run.steps.size();) {
        auto run = best_.run;
        run.steps.erase(run.steps.begin() + static_cast<std::ptrdiff_t>(at),
                        run.steps.begin() + static_cast<std::ptrdiff_t>(at + size));
        const auto before = best_.run.steps.size();
        auto smaller = take(run);
        if (smaller && smaller->run.steps.size() < before)
          best_ = std::move(*smaller);
        else
          at += size;
      }
    }
  }

  failed_run best_;
  const explore_options& options_;
  const std::function<void(trial&)>& body_;
  const search_again& search_;
};

}  // namespace

bool is_same_fault(const failure& a, const failure& b) {
  return a.property == b.property && (!is_of_body(a) || a.what == b.what);
}

failure minimised(failed_run from, const explore_options& options, const std::function<void(trial&)>& body,
                  const search_again& search) {
  return minimiser{std::move(from), options, body, search}.go();
}

}  // namespace libactor::testkit
