// SPDX-License-Identifier: BSL-1.0
// A request with a deadline, through two workers and a group of tasks: who works for it learns when its time is up, and
// when its client hangs up.
#include "libactor/actor/scheduler.hpp"
#include "libactor/actor/task_group.hpp"
#include "libactor/context_key.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <future>
#include <iostream>
#include <string>
#include <vector>

using namespace libactor;
using namespace std::chrono_literals;

namespace {

// Knows one price, and takes `delay` to find it. It says what it knew of the request when that ended first.
caf::behavior shop(worker* self, duration delay, int price) {
  return {[self, delay, price](const std::string&) {
    auto promise = self->make_response_promise<int>();
    self->after(delay, [self, promise, price, ctx = self->request_ctx()]() mutable {
      if (ctx.done())
        self->note("trace " + to_string(ctx.trace()).substr(0, 4) +
                   ": nobody waits any more: " + ctx.error().message());
      promise.deliver(price);
    });
    return promise;
  }};
}

// Asks all shops at once, each in a task, for 200 ms at the most; answers with the prices that came in time.
caf::behavior quotes(worker* self, const std::vector<caf::actor>& shops) {
  return {[self, shops](const std::string& item) {
    auto promise = self->make_response_promise<std::string>();
    task_group<int> group{self, 200ms};
    for (const auto& shop : shops) {
      group.spawn([shop, item](task<int>* task) {
        task->request(shop, infinite, item).then([task](int price) { task->succeed(price); });
      });
    }
    group.close();
    group.join(self, [promise](const group_outcome<int>& all) mutable {
      std::string words;
      for (const auto& task : all.tasks)
        words += " " + (task.finished() ? std::to_string(*task.value) : describe(task.error).substr(0, 17));
      promise.deliver(words);
    });
    return promise;
  }};
}

// Prints what the workers say.
struct console final : event_sink {
  void on_event(const event& what) noexcept override {
    if (what.kind == event_kind::note)
      said.set_value(what.path + ": " + what.text);
  }
  std::promise<std::string> said;
};

start_function asks(std::vector<std::string> paths) {
  return [paths = std::move(paths)](child_start& start) -> caf::expected<started_child> {
    std::vector<caf::actor> shops;
    for (const auto& path : paths) {
      auto found = start.ref(path);
      if (!found)
        return found.error();
      shops.push_back(*found);
    }
    return start.spawn(quotes, shops);
  };
}

}  // namespace

int main() {
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system system{cfg};
  auto out = std::make_shared<console>();
  runtime_options options;
  options.sinks.push_back(out);
  runtime tree{system, std::move(options)};
  const auto market = one_for_one("market")
                          .child("near", shop, 0ms, 12)
                          .child("far", shop, 50ms, 9)
                          .child("slow", shop, 600ms, 7)
                          .child_started_by("quotes", asks({"/market/near", "/market/far", "/market/slow"}));
  if (auto error = tree.start(market.tree(30s))) {
    std::cerr << "did not start: " << describe(error) << '\n';
    return 1;
  }

  // A client with a trace id, and two seconds of time.
  auto client = with_timeout(with_trace(tree.contexts().background(), {{0xab, 0xcd}}), 2s);
  std::promise<std::string> answer;
  spawn_in(system, client.ctx(), [&answer, quotes = *tree.ref("/market/quotes")](worker* self) {
    self->request(quotes, infinite, std::string("lamp"))
        .then([&answer](const std::string& prices) { answer.set_value(prices); },
              [&answer](const caf::error& e) { answer.set_value(describe(e)); });
  });
  std::cout << "lamp:" << answer.get_future().get() << '\n';
  std::cout << out->said.get_future().get() << '\n';
  return tree.stop({}, cause("the market closes")).clean() ? 0 : 1;
}
