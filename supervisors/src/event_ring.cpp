// SPDX-License-Identifier: BSL-1.0
#include "supervisors/event_ring.hpp"

#include "libactor/violation.hpp"

#include <algorithm>
#include <utility>

namespace libactor {

event_ring::event_ring(std::size_t capacity, keeps what) : what_(what), places_(capacity) {
  if (capacity == 0)
    violated("a ring must hold at least one event");
}

void event_ring::on_event(const event& what) noexcept {
  if (what_ == keeps::leaks && !what.leak)
    return;
  std::shared_ptr<const event> kept;
  try {
    kept = std::make_shared<const event>(what);
  } catch (const std::bad_alloc&) {
    const std::lock_guard guard{mutex_};
    ++without_memory_;
    return;
  }
  const std::lock_guard guard{mutex_};
  kept.swap(places_[given_++ % places_.size()]);
}

std::vector<std::shared_ptr<const event>> event_ring::events() const {
  std::vector<std::shared_ptr<const event>> all;
  all.reserve(places_.size());
  const std::lock_guard guard{mutex_};
  const auto size = places_.size();
  for (auto i = given_ - std::min<std::uint64_t>(given_, size); i != given_; ++i)
    all.push_back(places_[i % size]);
  return all;
}

std::uint64_t event_ring::lost() const {
  const std::lock_guard guard{mutex_};
  return given_ - std::min<std::uint64_t>(given_, places_.size()) + without_memory_;
}

}  // namespace libactor
