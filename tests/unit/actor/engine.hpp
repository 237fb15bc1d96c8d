// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../waiting.hpp"
#include "libactor/actor/scheduler.hpp"

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace libactor::tests {

/// An actor system on our scheduler.
struct engine {
  explicit engine(std::size_t threads = 2) {
    configure(cfg);
    cfg.set("scheduler.max-threads", threads);
    system.emplace(cfg);
  }
  libactor::scheduler& scheduler() { return *libactor::scheduler::of(*system); }

  caf::actor_system_config cfg;
  std::optional<caf::actor_system> system;
};

template <class T>
bool arrives(const std::future<T>& what) {
  return what.wait_for(generous) == std::future_status::ready;
}

/// Whether `body` ends; if not, its thread is left behind, because there is no way to end it.
template <class Body>
bool returns(Body body) {
  auto done = std::make_shared<std::promise<void>>();
  auto result = done->get_future();
  std::thread([done, body = std::move(body)]() mutable {
    body();
    done->set_value();
  }).detach();
  return arrives(result);
}

/// Whether a thread of this process sleeps, by its kernel's id.
inline bool sleeps(int thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(stat, text);
  const auto state = text.rfind(") ");
  return state != std::string::npos && text[state + 2] == 'S';
}

/// Gets a number, and answers nothing.
inline caf::behavior idle(caf::event_based_actor*) {
  return {[](int) {}};
}

}  // namespace libactor::tests
