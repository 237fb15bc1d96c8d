// SPDX-License-Identifier: BSL-1.0
#include "supervisors/nearest_word.hpp"

#include <algorithm>

namespace libactor {

namespace {

constexpr std::size_t longest_word = 64;

// The optimal string alignment distance, by rows.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest_word::find(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > longest_word)
    return {};
  const auto limit = std::max<std::size_t>(1, word.size() / 3);
  std::string_view best;
  auto fewest = limit + 1;
  for (auto candidate : candidates) {
    if (work_left_ == 0)
      break;
    --work_left_;
    const auto difference = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (difference >= fewest || candidate.empty())
      continue;
    work_left_ -= std::min(work_left_, word.size() * candidate.size());
    const auto edits = distance(word, candidate);
    if (edits < fewest && edits < candidate.size()) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

std::string nearest_word::suggest(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto best = find(word, candidates);
  return best.empty() ? std::string() : "; did you mean `" + std::string(best) + "`?";
}

std::string nearest_word::suggest(std::string_view word, const std::vector<std::string>& candidates) {
  return suggest(word, std::vector<std::string_view>(candidates.begin(), candidates.end()));
}

}  // namespace libactor
