// SPDX-License-Identifier: BSL-1.0
#pragma once

// Trees on real threads whose handlers get stuck, and are let go.

#include "libactor/actor/worker.hpp"
#include "schedulers.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/leak_event.hpp"
#include "supervisors/runtime.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace libactor::tests {

using namespace std::chrono_literals;

// Keeps every event, and can be waited on.
class watcher final : public event_sink {
 public:
  void on_event(const event& what) noexcept override {
    {
      const std::lock_guard guard{mutex_};
      events_.push_back(what);
    }
    changed_.notify_all();
  }
  using test = std::function<bool(const event&)>;
  /// The first event that is as `wanted` says, once there is one; none after a generous time.
  std::optional<event> await(const test& wanted) const {
    std::unique_lock lock{mutex_};
    auto found = events_.end();
    changed_.wait_for(lock, generous, [&] {
      found = std::find_if(events_.begin(), events_.end(), wanted);
      return found != events_.end();
    });
    return found != events_.end() ? std::optional{*found} : std::nullopt;
  }
  std::optional<event> await(event_kind kind, std::string path) const {
    return await([=](const event& what) { return what.kind == kind && what.path == path; });
  }
  std::vector<std::shared_ptr<const leak_event>> leaks() const {
    const std::lock_guard guard{mutex_};
    std::vector<std::shared_ptr<const leak_event>> all;
    for (const auto& what : events_) {
      if (what.leak)
        all.push_back(what.leak);
    }
    return all;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<event> events_;
};

// ThreadSanitizer calls signal handlers later, from where it likes: what stood on the stack is not seen there.
#ifdef __SANITIZE_THREAD__
inline constexpr bool stacks_are_seen = false;
#else
inline constexpr bool stacks_are_seen = true;
#endif

// What a stuck handler waits for, so that the test can let it go.
struct gate {
  gate() { BOOST_REQUIRE(::pipe(ends.data()) == 0); }
  ~gate() {
    open();
    ::close(ends[0]);
  }
  // Every read returns from now on.
  void open() {
    if (!std::exchange(is_open, true))
      ::close(ends[1]);
  }
  // Whatever interrupts it.
  void wait_through() const {
    char c = 0;
    while (::read(ends[0], &c, 1) < 0) {
    }
  }
  // -1: it was interrupted.
  ssize_t wait() const {
    char c = 0;
    return ::read(ends[0], &c, 1);
  }
  std::array<int, 2> ends{};
  bool is_open = false;
};

struct host : threads {
  explicit host(scheduler_kind kind) : threads(kind) {
    runtime_options options;
    options.sinks.push_back(seen);
    tree = std::make_unique<runtime>(system, std::move(options));
  }
  void start(const tree_spec& spec) {
    const auto error = tree->start(spec);
    BOOST_REQUIRE_MESSAGE(!error, describe(error));
  }
  caf::actor at(const std::string& path) const {
    auto found = tree->find(path);
    BOOST_REQUIRE(found);
    return *found;
  }
  // Whether the child answers.
  bool works(const std::string& path) const {
    auto answer = std::make_shared<std::promise<int>>();
    auto got = answer->get_future();
    caf::anon_send(at(path), answer);
    return got.wait_for(generous) == std::future_status::ready;
  }
  // Whether it has handled what was sent to it before.
  void works_through(const std::string& path) {
    const caf::scoped_actor self{system};
    self->request(at(path), caf::infinite, 0).receive([](int) {}, [](const caf::error&) {});
  }
  std::shared_ptr<watcher> seen = std::make_shared<watcher>();
  std::unique_ptr<runtime> tree;
};

using asked = std::shared_ptr<std::promise<int>>;

// Answers; an `int` is stuck as `how` says.
inline auto stuck_by(std::function<void(worker*)> how) {
  return [how = std::move(how)](worker* self) -> caf::behavior {
    return {[how, self](int) { how(self); }, [](const asked& answer) { answer->set_value(1); }};
  };
}

inline constexpr watch_spec reports{.stuck_after = 100ms, .grace = 50ms};
inline constexpr watch_spec replaces{.stuck_after = 100ms, .grace = 50ms, .action = watch_action::replace};

inline std::vector<leak_rung> rungs(const leak_event& leak) {
  std::vector<leak_rung> all;
  for (const auto& step : leak.steps)
    all.push_back(step.rung);
  return all;
}

}  // namespace libactor::tests

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::tests::asked)
