// SPDX-License-Identifier: BSL-1.0
// 100,000 workers on real threads are spawned, sent messages, canceled, killed, run out of time and ended at random,
// over and over. LIBACTOR_SOAK_SECONDS says for how long (default: 2; scripts/nightly: 60).
#include "engine.hpp"

#include "libactor/actor/spawn.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/context_snapshot.hpp"

#include <malloc.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <cstdlib>
#include <fstream>
#include <random>
#include <vector>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

struct tally {
  std::atomic<std::int64_t> made{0};
  std::atomic<std::int64_t> destroyed{0};
  std::atomic<std::int64_t> ended{0};
  std::atomic<std::int64_t> handled{0};
  std::atomic<std::int64_t> signaled{0};
};

class citizen final : public worker {
 public:
  citizen(caf::actor_config& cfg, worker_options options, tally& all) : worker(cfg, std::move(options)), all_(all) {
    ++all_.made;
    on_down_signal([this](const down_signal&) {
      ++all_.signaled;
      finish(reason_of_context());
    });
  }
  ~citizen() override { ++all_.destroyed; }
  caf::behavior make_behavior() override {
    worker::make_behavior();
    return {[this](int how) {
      ++all_.handled;
      if (how == 0)
        finish();
      else if (how == 1)
        throw std::runtime_error("boom");
      else if (how == 2)
        after(1h, [] {});
    }};
  }
  void on_exit() override {
    ++all_.ended;
    worker::on_exit();
  }

 private:
  tally& all_;
};

std::size_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

constexpr int workers = 100'000;

// How many times each thing was done is drawn, and so known.
void round_of_lives(engine& host, context_runtime& contexts, tally& all, std::mt19937& random) {
  struct district {
    scope life;
    std::vector<caf::actor> people;
  };
  std::vector<district> town(64);
  for (auto& one : town)
    one.life = with_cancel(contexts.background());
  std::vector<scope> own;  // of those who have a context of their own
  own.reserve(workers);
  const auto line = std::make_shared<lifeline>();
  for (int i = 0; i != workers; ++i) {
    auto& where = town[random() % town.size()];
    worker_options options;
    options.line = line;
    switch (random() % 4) {
      case 0:
        own.push_back(with_timeout(where.life.ctx(), std::chrono::microseconds(random() % 20'000)));
        break;
      case 1:
        own.push_back(with_cancel(where.life.ctx()));
        break;
      default:
        own.emplace_back();
        break;
    }
    options.ctx = own.back() ? own.back().ctx() : where.life.ctx();
    where.people.push_back(spawn_worker_class<citizen>(*host.system, std::move(options), all));
    const auto& somebody = where.people[random() % where.people.size()];
    switch (random() % 8) {
      case 0:
        caf::anon_send_exit(somebody, caf::exit_reason::kill);
        break;
      case 1:
        own[random() % own.size()] = scope{};
        break;
      case 2:
        if (random() % 100 == 0) {
          where.life.cancel();
          where.people.clear();
          where.life = with_cancel(contexts.background());
        }
        break;
      default:
        caf::anon_send(somebody, static_cast<int>(random() % 10));
        break;
    }
  }
  for (auto& one : town)
    one.life.cancel();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_soak)

BOOST_AUTO_TEST_CASE(a_hundred_thousand_workers_live_and_end_at_random_and_nothing_of_them_is_left) {
  const auto* given = std::getenv("LIBACTOR_SOAK_SECONDS");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(given != nullptr ? std::atoi(given) : 2);
  std::mt19937 random{42};
  tally all;
  engine host;
  context_runtime contexts;
  std::size_t first = 0, last = 0;
  int rounds = 0;
  // At least three: the first warms up what stays for good, the allocator's arenas and the pool of contexts.
  while (rounds < 3 || std::chrono::steady_clock::now() < until) {
    round_of_lives(host, contexts, all, random);
    ++rounds;
    BOOST_REQUIRE(becomes([&] { return all.destroyed == std::int64_t{rounds} * workers; }));
    BOOST_REQUIRE(all.made == std::int64_t{rounds} * workers);
    BOOST_REQUIRE(becomes([&] { return host.system->registry().running() == 0u; }));
    BOOST_REQUIRE(take_snapshot(contexts).nodes.size() == 1u);  // the root
    last = resident_bytes();
    if (rounds == 2)
      first = last;
  }
  BOOST_TEST(all.handled > 0);
  BOOST_TEST(all.signaled > 0);
  BOOST_TEST(host.scheduler().timers() == 0u);
  BOOST_TEST_MESSAGE(rounds << " rounds of " << workers << ": " << all.handled << " messages handled, " << all.signaled
                            << " down-signals, " << all.ended << " ends; resident " << first / 1024
                            << " KiB after two rounds, " << last / 1024 << " KiB at the end");
#ifndef __SANITIZE_ADDRESS__
  BOOST_TEST(last < first + first / 4 + (8u << 20));
#endif
}

BOOST_AUTO_TEST_SUITE_END()
