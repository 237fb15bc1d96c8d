// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/property.hpp"

#include "supervisors/child_spec.hpp"

#include <algorithm>

namespace libactor::testkit {

const char* to_string(happening what) noexcept {
  switch (what) {
    case happening::start_asked:
      return "start_asked";
    case happening::started:
      return "started";
    case happening::ready:
      return "ready";
    case happening::stop_asked:
      return "stop_asked";
    case happening::drained:
      return "drained";
    case happening::stopped:
      return "stopped";
    case happening::killed:
      return "killed";
    case happening::abandoned:
      return "abandoned";
    case happening::restarted:
      return "restarted";
    case happening::gave_up:
      return "gave_up";
    case happening::deadline:
      return "deadline";
    case happening::leaked:
      return "leaked";
  }
  return "";
}

bool history::leads_to(std::size_t a, std::size_t b) const {
  const auto from = all[a].step;
  const auto to = all[b].step;
  if (from == to)
    return a < b;
  // The rows are made as far as they are asked for.
  for (auto step = static_cast<std::uint32_t>(known_.size()); step <= to; ++step) {
    std::vector<std::uint64_t> row(step / 64 + 1);
    for (const auto cause : causes[step]) {
      row[cause / 64] |= std::uint64_t{1} << (cause % 64);
      for (std::size_t i = 0; i != known_[cause].size(); ++i)
        row[i] |= known_[cause][i];
    }
    known_.push_back(std::move(row));
  }
  return from < to && (known_[to][from / 64] >> (from % 64) & 1U) != 0;
}

bool history::is_left(const occurrence& one) const {
  return one.what == happening::leaked && std::any_of(lives.begin(), lives.end(), [&](const lifetime& life) {
           return !life.to && life.incarnation == one.incarnation && life.path == one.path;
         });
}

bool moment::matches(const occurrence& one) const noexcept {
  if (one.what != what)
    return false;
  if (path == "*")
    return true;
  if (path.ends_with("/*"))
    return one.path.size() > path.size() - 1 && one.path.starts_with(std::string_view(path).substr(0, path.size() - 1));
  return one.path == path;
}

std::string moment::to_text() const { return std::string(to_string(what)) + " " + path; }

namespace {

std::string said(const occurrence& one) {
  return std::string(to_string(one.what)) + " " + one.path + " at " +
         libactor::to_string(duration{one.at.time_since_epoch()});
}

std::vector<std::size_t> places(const history& of, const moment& what) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i != of.all.size(); ++i) {
    if (what.matches(of.all[i]))
      found.push_back(i);
  }
  return found;
}

std::optional<finding> check_before(const history& of, const moment& before, const moment& after, bool causal) {
  const auto firsts = places(of, before);
  if (firsts.empty())
    return std::nullopt;
  for (const auto second : places(of, after)) {
    const bool held = std::any_of(firsts.begin(), firsts.end(),
                                  [&](auto first) { return causal ? of.leads_to(first, second) : first < second; });
    if (held)
      continue;
    const auto first = firsts.front();
    return finding{said(of.all[second]) + ", though " + said(of.all[first]) +
                       (first < second ? " did not lead to it" : " only after it"),
                   first, second};
  }
  return std::nullopt;
}

}  // namespace

property happens_before(moment before, moment after) {
  auto name = "happens_before(" + before.to_text() + ", " + after.to_text() + ")";
  return {std::move(name), [before = std::move(before), after = std::move(after)](const history& of) {
            return check_before(of, before, after, true);
          }};
}

property seen_before(moment before, moment after) {
  auto name = "seen_before(" + before.to_text() + ", " + after.to_text() + ")";
  return {std::move(name), [before = std::move(before), after = std::move(after)](const history& of) {
            return check_before(of, before, after, false);
          }};
}

property chain(std::vector<moment> moments) {
  std::string name = "chain(";
  for (const auto& one : moments)
    name += (name.ends_with('(') ? "" : ", ") + one.to_text();
  return {name + ")", [moments = std::move(moments)](const history& of) -> std::optional<finding> {
            for (std::size_t i = 1; i < moments.size(); ++i) {
              if (auto found = check_before(of, moments[i - 1], moments[i], true))
                return found;
            }
            return std::nullopt;
          }};
}

property never(moment what) {
  auto name = "never(" + what.to_text() + ")";
  return {std::move(name), [what = std::move(what)](const history& of) -> std::optional<finding> {
            const auto found = places(of, what);
            if (found.empty())
              return std::nullopt;
            return finding{said(of.all[found.front()]), {}, found.front()};
          }};
}

property exactly(std::size_t n, moment what) {
  auto name = "exactly(" + std::to_string(n) + ", " + what.to_text() + ")";
  return {std::move(name), [n, what = std::move(what)](const history& of) -> std::optional<finding> {
            const auto found = places(of, what);
            if (found.size() == n)
              return std::nullopt;
            finding why{what.to_text() + " " + std::to_string(found.size()) + " times", {}, {}};
            if (found.size() > n) {
              why.second = found[n];
              if (n != 0)
                why.first = found[n - 1];
            }
            return why;
          }};
}

property within(duration limit, moment from, moment to) {
  auto name = "within(" + libactor::to_string(limit) + ", " + from.to_text() + ", " + to.to_text() + ")";
  return {std::move(name),
          [limit, from = std::move(from), to = std::move(to)](const history& of) -> std::optional<finding> {
            const auto ends = places(of, to);
            for (const auto first : places(of, from)) {
              const auto second = std::upper_bound(ends.begin(), ends.end(), first);
              if (second == ends.end())
                return finding{said(of.all[first]) + ", and no " + to.to_text() + " after it", first, {}};
              if (of.all[*second].at - of.all[first].at > limit)
                return finding{said(of.all[first]) + ", and only then " + said(of.all[*second]), first, *second};
            }
            return std::nullopt;
          }};
}

property not_during(moment what, moment from, moment to) {
  auto name = "not_during(" + what.to_text() + ", " + from.to_text() + ", " + to.to_text() + ")";
  return {
      std::move(name),
      [what = std::move(what), from = std::move(from),
       to = std::move(to)](const history& of) -> std::optional<finding> {
        std::optional<std::size_t> open;
        for (std::size_t i = 0; i != of.all.size(); ++i) {
          if (open && what.matches(of.all[i]))
            return finding{said(of.all[i]) + ", after " + said(of.all[*open]) + " and before " + to.to_text(), open, i};
          if (from.matches(of.all[i]))
            open = i;
          else if (to.matches(of.all[i]))
            open.reset();
        }
        return std::nullopt;
      }};
}

property no_leaks() {
  return {"no_leaks", [](const history& of) -> std::optional<finding> {
            for (std::size_t i = 0; i != of.all.size(); ++i) {
              if (of.all[i].what == happening::leaked || of.all[i].what == happening::abandoned)
                return finding{said(of.all[i]), {}, i};
            }
            return std::nullopt;
          }};
}

property everything_stopped() {
  return {"everything_stopped", [](const history& of) -> std::optional<finding> {
            if (!of.tree_ended)
              return finding{"the tree has not ended", {}, {}};
            for (std::size_t i = 0; i != of.all.size(); ++i) {
              if (of.is_left(of.all[i]))
                return finding{said(of.all[i]), {}, i};
            }
            return std::nullopt;
          }};
}

}  // namespace libactor::testkit
