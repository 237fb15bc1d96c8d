// SPDX-License-Identifier: BSL-1.0
#include "testkit/sampling.hpp"

#include <algorithm>

namespace libactor::testkit {

std::int64_t pct_guide::priority_of(process who) {
  const auto [i, fresh] = priorities_.try_emplace(who, 0);
  if (fresh)
    i->second = static_cast<std::int64_t>(random_() >> 2) + 1;
  return i->second;
}

std::size_t pct_guide::choose(std::span<const process> enabled, bool) {
  auto best = [&] {
    std::size_t at = 0;
    for (std::size_t i = 1; i != enabled.size(); ++i) {
      if (priority_of(enabled[i]) > priority_of(enabled[at]))
        at = i;
    }
    return at;
  };
  if (std::find(changes_.begin(), changes_.end(), step_++) != changes_.end())
    priorities_[enabled[best()]] = --lowest_;
  return best();
}

}  // namespace libactor::testkit
