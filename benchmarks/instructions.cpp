// SPDX-License-Identifier: BSL-1.0

// The hot paths as loops that take the same instructions each time, for a program that counts them: no thread of ours
// runs beside them, and actors run in the test kit's world, one message after another. `bench_instructions WORKLOAD N`
// prints nothing; what one of N costs is the difference between two counts (scripts/check-instructions).
#include "libactor/actor/spawn.hpp"
#include "libactor/actor/worker.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/scope.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/testkit/world.hpp"

#include <caf/actor_cast.hpp>
#include <caf/execution_unit.hpp>
#include <caf/logger.hpp>
#include <caf/resumable.hpp>
#include <caf/send.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace libactor;
using namespace std::chrono_literals;

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "bench_instructions: " << what << '\n';
  std::_Exit(1);
}

void derive(std::uint64_t n) {
  auto parent = with_cancel(background());
  for (std::uint64_t i = 0; i < n; ++i)
    const auto child = with_cancel(parent.ctx());
}

void poll(std::uint64_t n) {
  auto child = with_cancel(background());
  const context ctx = child.ctx();
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < n; ++i)
    done += ctx.done() ? 1 : 0;
  if (done != 0)
    fail("a context is done that nobody canceled");
}

// On a real clock: the virtual one has another queue. So seldom that the runtime's thread is not asked to publish the
// time: whether it has done so would be chance.
void deadline_churn(std::uint64_t n) {
  context_runtime runtime;
  const auto root = runtime.background();
  std::array<scope, 40> live;
  for (std::uint64_t i = 0; i < n; ++i) {
    auto& one = live[i % live.size()];
    one = scope{};
    one = with_timeout(root, 1h);
    if (i % 128 == 127)
      std::this_thread::sleep_for(5ms);
  }
}

// Takes an actor that a message has woken, and runs it on the spot.
class on_the_spot final : public caf::execution_unit {
 public:
  explicit on_the_spot(caf::actor_system& system) : caf::execution_unit(&system) {}
  void exec_later(caf::resumable* woken) override { woken_ = woken; }
  void run() {
    auto* one = std::exchange(woken_, nullptr);
    if (one == nullptr || one->resume(this, 1) != caf::resumable::awaiting_message)
      fail("a worker does not do as it is told");
    intrusive_ptr_release(one);
  }

 private:
  caf::resumable* woken_ = nullptr;
};

void message(std::uint64_t n) {
  testkit::world world;
  std::uint64_t taken = 0;
  const caf::actor to = spawn_in(world.system(), world.runtime().contexts().background(),
                                 [&](worker*) -> caf::behavior { return {[&taken](std::uint64_t x) { taken += x; }}; });
  world.settle();
  on_the_spot unit{world.system()};
  caf::logger::set_current_actor_system(nullptr);  // as on the scheduler's threads while nothing is logged
  auto* mailbox = caf::actor_cast<caf::abstract_actor*>(to);
  for (std::uint64_t i = 0; i < n; ++i) {
    mailbox->enqueue(nullptr, caf::make_message_id(), caf::make_message(std::uint64_t{1}), &unit);
    unit.run();
  }
  if (taken != n)
    fail("a message was lost");
}

void restart(std::uint64_t n) {
  testkit::world world;
  std::uint64_t started = 0;
  const auto victim = [&started](worker* self) -> caf::behavior {
    ++started;
    return {[self](int) { self->finish(caf::make_error(caf::sec::runtime_error)); }};
  };
  const auto tree = one_for_one("root").intensity(1U << 30, 1h).child("victim", victim);
  if (const auto why = world.start(tree_spec{tree.spec()}); !why || *why)
    fail("the tree did not start");
  for (std::uint64_t i = 0; i < n; ++i) {
    caf::anon_send(*world.runtime().find("/root/victim"), 1);
    world.settle();
  }
  if (started != n + 1)
    fail("a restart is missing");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string workload = argc == 3 ? argv[1] : "";
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (workload == "derive")
    derive(n);
  else if (workload == "poll")
    poll(n);
  else if (workload == "deadline_churn")
    deadline_churn(n);
  else if (workload == "message")
    message(n);
  else if (workload == "restart")
    restart(n);
  else {
    std::cerr << "usage: bench_instructions derive|poll|deadline_churn|message|restart N\n";
    return 2;
  }
}
