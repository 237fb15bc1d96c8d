// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testkit/guide.hpp"

#include <cstdint>
#include <random>
#include <span>
#include <unordered_map>
#include <vector>

namespace libactor::testkit {

// Uniformly among those that can go.
class random_guide final : public guide {
 public:
  explicit random_guide(std::uint64_t seed) : random_(seed) {}
  std::size_t choose(std::span<const process> enabled, bool) override { return pick(enabled.size()); }
  std::size_t pick(std::size_t alternatives) override { return static_cast<std::size_t>(random_() % alternatives); }

 private:
  std::mt19937_64 random_;
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): each process gets a
// random priority when it is first seen, and at `depth - 1` random steps among the first `length` the one that would
// go gets the lowest so far. A bug of that depth in a run of k steps of n processes is hit with a probability of at
// least 1 / (n * k^(depth - 1)).
class pct_guide final : public guide {
 public:
  pct_guide(std::uint64_t seed, unsigned depth, std::uint64_t length) : random_(seed) {
    for (unsigned i = 1; i < depth; ++i)
      changes_.push_back(random_() % (length == 0 ? 100 : length));
  }
  std::size_t choose(std::span<const process> enabled, bool) override;
  std::size_t pick(std::size_t alternatives) override { return static_cast<std::size_t>(random_() % alternatives); }

 private:
  std::int64_t priority_of(process who);

  std::mt19937_64 random_;
  std::vector<std::uint64_t> changes_;
  std::unordered_map<process, std::int64_t> priorities_;
  std::uint64_t step_ = 0;
  std::int64_t lowest_ = 0;
};

}  // namespace libactor::testkit
