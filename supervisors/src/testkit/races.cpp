// SPDX-License-Identifier: BSL-1.0
#include "testkit/races.hpp"

#include <algorithm>

namespace libactor::testkit {

// Whether it was new.
bool races::join(row& mine, std::uint32_t other) const {
  auto& word = mine[other / 64];
  const auto one = std::uint64_t{1} << (other % 64);
  if ((word & one) != 0)
    return false;
  word |= one;
  const auto& theirs = rows_[other];
  for (std::size_t i = 0; i != theirs.size(); ++i)
    mine[i] |= theirs[i];
  return true;
}

std::vector<races::race> races::add(const step_record& step, std::uint32_t base) {
  constexpr deed_mask blind = bit(deed::write) | bit(deed::send) | bit(deed::send_urgent) | bit(deed::end);
  const auto number = size();
  row mine(number / 64 + 1);
  std::vector<race> candidates;
  auto after = step.after;
  for (const auto [one, other] : step.against) {
    if (one < base)
      continue;
    if (other >= base && one != other && is_before(one - base, other - base))
      after.push_back(one);
    else
      candidates.push_back({one - base, false});
  }
  if (step.marks.touches_everything()) {
    for (std::uint32_t i = 0; i != number; ++i)
      candidates.push_back({i, false});
  } else {
    for (const auto one : all_touching_)
      candidates.push_back({one, false});
  }
  for (const auto& mark : step.marks.marks()) {
    auto& seen = things_[mark.what];
    deed_mask with = 0;
    for (unsigned i = 0; i != deeds; ++i) {
      if ((mark.how >> i & 1U) != 0)
        with |= conflicts_of(static_cast<deed>(i));
    }
    for (unsigned i = 0; i != deeds; ++i) {
      if ((with >> i & 1U) == 0)
        continue;
      for (const auto one : seen.of[i])
        candidates.push_back({one, (mark.how & ~blind) == 0});
    }
    for (unsigned i = 0; i != deeds; ++i) {
      if ((mark.how >> i & 1U) != 0)
        seen.of[i].push_back(number);
    }
  }
  if (step.marks.touches_everything())
    all_touching_.push_back(number);
  // First what it can't be before at all, so that a conflict with the same is no race.
  for (const auto one : after) {
    if (one >= base)
      join(mine, one - base);
  }
  if (const auto i = last_of_.find(step.who); i != last_of_.end())
    join(mine, i->second);
  last_of_[step.who] = number;
  std::sort(candidates.begin(), candidates.end(), [](const race& a, const race& b) {
    return a.earlier != b.earlier ? a.earlier > b.earlier : a.blind < b.blind;
  });
  std::vector<race> found;
  for (const auto& one : candidates) {
    if (join(mine, one.earlier))
      found.push_back(one);
  }
  for (const auto [mailbox, sent] : step.ahead) {
    if (sent >= base)
      urgent_.push_back({mailbox, sent - base, number});
  }
  who_.push_back(step.who);
  rows_.push_back(std::move(mine));
  return found;
}

std::vector<std::pair<races::race, std::uint32_t>> races::late() const {
  std::vector<std::pair<race, std::uint32_t>> found;
  for (const auto& one : urgent_) {
    const auto& sends = things_.at(one.mailbox).of[static_cast<unsigned>(deed::send)];
    const bool rivalled = std::any_of(sends.rbegin(), sends.rend(), [&](auto other) {
      return other > one.taken && !is_before(one.sent, other) && !is_before(one.taken, other);
    });
    if (!rivalled)
      continue;
    bool direct = true;
    for (auto i = one.sent + 1; i != one.taken && direct; ++i)
      direct = !is_before(one.sent, i) || !is_before(i, one.taken);
    if (direct)
      found.push_back({{one.sent, false}, one.taken});
  }
  return found;
}

std::vector<process> races::initials(race of, std::uint32_t later) const {
  row rest(size() / 64 + 1);
  std::vector<process> first;
  auto take = [&](std::uint32_t step) {
    const auto& before = rows_[step];
    bool led = false;
    for (std::size_t i = 0; i != std::min(before.size(), rest.size()) && !led; ++i)
      led = (before[i] & rest[i]) != 0;
    rest[step / 64] |= std::uint64_t{1} << (step % 64);
    if (!led && std::find(first.begin(), first.end(), who_[step]) == first.end())
      first.push_back(who_[step]);
  };
  for (auto i = of.earlier + 1; i != (of.blind ? later : size()); ++i) {
    if (!is_before(of.earlier, i) && !is_before(later, i))
      take(i);
  }
  if (of.blind || first.empty())
    take(later);
  return first;
}

}  // namespace libactor::testkit
