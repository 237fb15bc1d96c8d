// SPDX-License-Identifier: BSL-1.0
// A token: `lt1:HASH.N:CHOICES:STEPS:WITHOUT`. HASH is the fingerprint of the first N things that make up the test,
// CHOICES are the body's (`0.1.2`), STEPS the decisions that are not the first alternative (`12.1,15.3`: at the 12th
// the second), WITHOUT the paths of children that are left out, with commas; `%` and `,` in these are `%25` and `%2c`.
#include "supervisors/testkit/replay.hpp"

#include "testkit/minimise.hpp"

#include <charconv>
#include <cstdio>

namespace libactor::testkit {

namespace {

// In `most` parts at the most: the last has the rest.
std::vector<std::string_view> split(std::string_view text, char at, std::size_t most = std::string_view::npos) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = parts.size() + 1 == most ? text.npos : text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

template <class T>
bool read(std::string_view text, T& into, int base = 10) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return failed == std::errc{} && end == text.data() + text.size();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

struct token {
  std::uint64_t hash = 0;
  std::uint64_t mentions = 0;
  script run;
};

std::optional<token> parse(std::string_view text) {
  const auto parts = split(text, ':', 5);
  if (parts.size() != 5 || parts[0] != "lt1")
    return std::nullopt;
  token made;
  const auto test = split(parts[1], '.');
  if (test.size() != 2 || !read(test[0], made.hash, 16) || !read(test[1], made.mentions) || made.mentions == 0)
    return std::nullopt;
  for (const auto one : parts[2].empty() ? std::vector<std::string_view>{} : split(parts[2], '.')) {
    if (!read(one, made.run.choices.emplace_back()))
      return std::nullopt;
  }
  for (const auto one : parts[3].empty() ? std::vector<std::string_view>{} : split(parts[3], ',')) {
    const auto pair = split(one, '.');
    auto& step = made.run.steps.emplace_back();
    if (pair.size() != 2 || !read(pair[0], step.decision) || !read(pair[1], step.index))
      return std::nullopt;
  }
  for (const auto one : parts[4].empty() ? std::vector<std::string_view>{} : split(parts[4], ','))
    made.run.without.push_back(replaced(replaced(std::string(one), "%2c", ","), "%25", "%"));
  return made;
}

}  // namespace

std::string token_of(const script& run, const std::vector<std::uint64_t>& fingerprints) {
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(fingerprints.back()));
  auto text = "lt1:" + std::string(hash) + "." + std::to_string(fingerprints.size()) + ":";
  for (std::size_t i = 0; i != run.choices.size(); ++i)
    text += (i == 0 ? "" : ".") + std::to_string(run.choices[i]);
  text += ":";
  for (std::size_t i = 0; i != run.steps.size(); ++i)
    text += (i == 0 ? "" : ",") + std::to_string(run.steps[i].decision) + "." + std::to_string(run.steps[i].index);
  text += ":";
  for (std::size_t i = 0; i != run.without.size(); ++i)
    text += (i == 0 ? "" : ",") + replaced(replaced(run.without[i], "%", "%25"), ",", "%2c");
  return text;
}

std::size_t script_guide::choose(std::span<const process> enabled, bool) {
  if (enabled.size() == 1)
    return 0;
  const auto now = decision_++;
  if (next_ == steps_.size() || steps_[next_].decision != now)
    return 0;
  const auto index = steps_[next_++].index;
  if (index < enabled.size())
    return index;
  diverged_ = true;
  return 0;
}

replayed replay(std::string_view text, const std::function<void(trial&)>& body, const explore_options& options) {
  replayed result;
  const auto wanted = parse(text);
  if (!wanted) {
    result.refused = "this is no token of a failure: one is `lt1:` and four more parts, as `failure::token` has it";
    return result;
  }
  const run_terms terms{options, wanted->run.without, wanted->run.choices, true};
  script_guide by{wanted->run.steps};
  run_control control{by, terms};
  control.take(body);
  if (control.why() == run_is_over::why::too_long) {
    result.refused = "the run is longer than `max_steps`, " + std::to_string(options.max_steps) + ": allow it more";
    return result;
  }
  const auto& seen = control.fingerprints();
  if (seen.size() < wanted->mentions || seen[wanted->mentions - 1] != wanted->hash) {
    result.refused =
        "the token is of another test: its name, its tree, its choices or its acts have changed; explore again for a "
        "new one";
    return result;
  }
  result.diverged = by.diverged() || control.diverged();
  result.failed = std::move(control.failed());
  if (result.failed) {
    result.failed->token = text;
    result.failed->replays = true;
  }
  result.trace = control.trace();
  return result;
}

}  // namespace libactor::testkit
