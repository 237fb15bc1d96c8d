// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/detail/payload.hpp"
#include "libactor/scope.hpp"

#include <atomic>
#include <new>
#include <stop_token>
#include <utility>

namespace libactor {

/// What a foreign source calls to end the context that is registered with it. Copyable; valid for as long as the
/// registration it was given for.
class foreign_trigger {
 public:
  /// Ends the context; an empty `why` stands for a plain one with origin `foreign`. Thread-safe; later calls do
  /// nothing.
  void operator()(cause why = {}) const noexcept;

  /// For `with_source`.
  explicit foreign_trigger(detail::context_node* node) noexcept : node_{node} {}

 private:
  detail::context_node* node_;
};

namespace detail {

/// Holds a registration in place from the moment it is made until the context is done, whichever side is first.
template <class Registration>
class foreign_slot {
 public:
  template <class Make>
  void fill(Make make) {
    new (&memory_) Registration(make());
    auto expected = state::empty;
    if (!state_.compare_exchange_strong(expected, state::filled, std::memory_order_acq_rel))
      get().~Registration();
  }
  void clear() noexcept {
    if (state_.exchange(state::over, std::memory_order_acq_rel) == state::filled)
      get().~Registration();
  }

  static constexpr payload_type type{[](void* payload) noexcept { static_cast<foreign_slot*>(payload)->clear(); },
                                     [](void* payload) noexcept { static_cast<foreign_slot*>(payload)->clear(); },
                                     nullptr};

 private:
  enum class state { empty, filled, over };
  Registration& get() noexcept { return *std::launder(reinterpret_cast<Registration*>(&memory_)); }
  std::atomic<state> state_{state::empty};
  alignas(Registration) unsigned char memory_[sizeof(Registration)];
};

/// A foreign node: made, then its payload is constructed, then it is published, then its registration may be made.
context_node* make_foreign(const context& parent, const payload_type& type, std::size_t size, std::size_t align,
                           source_location where);
void* foreign_payload(context_node* node) noexcept;
scope publish_foreign(context_node* node);
/// Whether the context has ended already, so that no registration is wanted.
bool foreign_done(context_node* node) noexcept;

}  // namespace detail

/// Derives a child that a source of the user's own can end. `source.subscribe(foreign_trigger)` returns a registration:
/// an object whose destruction unregisters, and after which no call of the trigger runs on another thread. It is
/// destroyed with no lock held as soon as the context is done or released, on whatever thread that happens; a source
/// that has fired already may call the trigger within `subscribe`. Throws: std::bad_alloc, and what `subscribe` throws;
/// then no child exists.
template <class Source>
[[nodiscard]] scope with_source(const context& parent, Source&& source,
                                source_location where = source_location::current()) {
  using registration = decltype(source.subscribe(std::declval<foreign_trigger>()));
  using slot = detail::foreign_slot<registration>;
  auto* node = detail::make_foreign(parent, slot::type, sizeof(slot), alignof(slot), where);
  auto* place = new (detail::foreign_payload(node)) slot;
  auto child = detail::publish_foreign(node);
  if (!detail::foreign_done(node))
    place->fill([&]() -> registration { return source.subscribe(foreign_trigger{node}); });
  return child;
}

/// Derives a child that is also canceled when `token` is asked to stop, with the origin `foreign`.
[[nodiscard]] scope with_stop(const context& parent, std::stop_token token,
                              source_location where = source_location::current());

}  // namespace libactor
