// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "measure.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <cstdint>
#include <future>
#include <memory>

// The two sides of a round trip, the same for workers and for plain actors.
namespace bench {

template <class Self>
caf::behavior pong(Self*) {
  return {[](std::uint64_t left) { return left; }};
}

/// Gets the number of round trips from outside, makes them, and tells `done` how long they took.
template <class Self>
caf::behavior ping(Self* self, caf::actor other, std::shared_ptr<std::promise<clock::duration>> done) {
  auto start = std::make_shared<std::optional<clock::time_point>>();
  return {[self, other, done, start](std::uint64_t left) {
    if (!*start)
      *start = clock::now();
    if (left == 0)
      done->set_value(clock::now() - **start);
    else
      self->send(other, left - 1);
  }};
}

/// One run of `n` round trips between two actors of class `Self`, which `spawn(body, args…)` makes.
template <class Self, class Spawn>
double ping_pong(Spawn spawn, std::uint64_t n) {
  auto done = std::make_shared<std::promise<clock::duration>>();
  auto took = done->get_future();
  const caf::actor other = spawn(pong<Self>);
  const caf::actor one = spawn(ping<Self>, other, done);
  caf::anon_send(one, n);
  return ns_per_op(took.get(), n);
}

}  // namespace bench
