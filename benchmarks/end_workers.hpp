// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "measure.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <utility>
#include <vector>

// The end of many idle actors, the same for workers and for plain actors.
namespace bench {

/// Told by as many actors, and tells when the last of them has told it.
struct countdown {
  explicit countdown(std::uint64_t n) : left(n) {}
  void told() {
    if (left.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    const auto to = done;  // who waits may be gone with all this before the call is back
    to->set_value(clock::now());
  }
  clock::time_point wait() { return done->get_future().get(); }
  std::atomic<std::uint64_t> left;
  const std::shared_ptr<std::promise<clock::time_point>> done = std::make_shared<std::promise<clock::time_point>>();
};

struct countdowns {
  explicit countdowns(std::uint64_t n) : seen(n), ended(n) {}
  countdown seen;   ///< by each that has handled its message
  countdown ended;  ///< by each that has ended
};

/// An actor of class `Base` that does nothing, and tells when it has ended.
template <class Base>
class idler final : public Base {
 public:
  idler(caf::actor_config& cfg, countdowns& all) : Base(cfg), all_(all) {}
  template <class Options>
  idler(caf::actor_config& cfg, Options options, countdowns& all) : Base(cfg, std::move(options)), all_(all) {}
  caf::behavior make_behavior() override {
    return {[this](int) { all_.seen.told(); }};
  }
  void on_exit() override {
    Base::on_exit();
    all_.ended.told();
  }

 private:
  countdowns& all_;
};

struct ends {
  double ns;
  std::size_t bytes;
};

/// Makes `n` idlers by `spawn(countdowns)`, and has an actor end them by `end(actor, all)`, when each waits.
template <class Spawn, class End>
ends end_workers(caf::actor_system& system, std::uint64_t n, Spawn spawn, End end) {
  countdowns all{n};
  std::vector<caf::actor> workers;
  workers.reserve(n);
  const auto before = resident_bytes();
  for (std::uint64_t i = 0; i < n; ++i)
    workers.push_back(spawn(all));
  for (const auto& one : workers)
    caf::anon_send(one, 1);
  all.seen.wait();
  spin(std::chrono::milliseconds(1));  // until the last of them waits
  const auto bytes = (resident_bytes() - before) / n;
  std::promise<clock::time_point> began;
  system.spawn([&](caf::event_based_actor* self) {
    spin(std::chrono::milliseconds(20));
    began.set_value(clock::now());
    end(self, workers);
  });
  const auto start = began.get_future().get();
  return {ns_per_op(all.ended.wait() - start, n), bytes};
}

/// Plain actors, of which each is sent an exit message.
inline ends end_plain_actors(caf::actor_system& system, std::uint64_t n) {
  auto spawn = [&](countdowns& all) -> caf::actor { return system.spawn<idler<caf::event_based_actor>>(all); };
  return end_workers(system, n, spawn, [](caf::event_based_actor* self, const std::vector<caf::actor>& all) {
    for (const auto& one : all)
      self->send_exit(one, caf::exit_reason::user_shutdown);
  });
}

}  // namespace bench
