// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace libactor {

/// Finds the known word that a misspelt one probably means. One object serves one report: it stops to search after a
/// fixed amount of work, so that a report of very many faults costs linear time. Not thread-safe.
class nearest_word {
 public:
  /// The candidate with the fewest edits (insert, delete, replace, swap of neighbours), at most a third of the word's
  /// length and at least one; the first of equals; empty if there is none.
  std::string_view find(std::string_view word, const std::vector<std::string_view>& candidates);

  /// "; did you mean `x`?", or nothing.
  std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates);
  std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

 private:
  std::size_t work_left_ = 20'000'000;
};

}  // namespace libactor
