// SPDX-License-Identifier: BSL-1.0
// 10,000 children under three levels crash at random; then the tree stops. LIBACTOR_SOAK_SECONDS says for how long
// (default: 2; scripts/nightly: 60).
#include "libactor/actor/worker.hpp"
#include "schedulers.hpp"
#include "supervisors/builder.hpp"
#include "supervisors/runtime.hpp"

#include <malloc.h>
#include <unistd.h>
#include <atomic>
#include <caf/send.hpp>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>

using namespace libactor;
using namespace libactor::tests;
using namespace std::chrono_literals;

namespace {

struct tally {
  std::atomic<std::int64_t> living{0};
  std::atomic<std::int64_t> born{0};
  std::atomic<std::int64_t> crashed{0};
};

class citizen final : public worker {
 public:
  citizen(caf::actor_config& cfg, worker_options options, std::shared_ptr<tally> all)
      : worker(cfg, std::move(options)), all_(std::move(all)) {
    ++all_->living;
    ++all_->born;
  }
  caf::behavior make_behavior() override {
    worker::make_behavior();
    return {[this](int how) {
      ++all_->crashed;
      if (how == 0)
        throw std::runtime_error("boom");
      finish(caf::make_error(caf::sec::runtime_error));
    }};
  }
  void on_exit() override {
    --all_->living;
    worker::on_exit();
  }

 private:
  std::shared_ptr<tally> all_;
};

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::chrono::seconds soak_time() {
  const char* given = std::getenv("LIBACTOR_SOAK_SECONDS");
  return std::chrono::seconds(given != nullptr ? std::atoi(given) : 2);
}

constexpr int regions = 10;
constexpr int pools = 10;
constexpr int children = 100;

// Three levels: 10 regions of 10 supervisors of 100 children each, the strategies in turn.
tree_spec country(const std::shared_ptr<tally>& all) {
  auto start = [all](child_start& s) { return s.spawn_class<citizen>(all); };
  auto root = one_for_one().intensity(1000000, 1s);
  for (int r = 0; r != regions; ++r) {
    auto region = one_for_one("r" + std::to_string(r)).intensity(1000000, 1s);
    for (int p = 0; p != pools; ++p) {
      // A group of 100 restarts as one: every tenth pool is enough of that.
      supervisor_builder pool(p == 0   ? strategy::one_for_all
                              : p == 1 ? strategy::rest_for_one
                                       : strategy::one_for_one,
                              "p" + std::to_string(p));
      pool.intensity(1000000, 1s);
      for (int c = 0; c != children; ++c)
        pool.child_started_by("c" + std::to_string(c), start);
      region.child(pool);
    }
    root.child(region);
  }
  return root.tree(24h);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(soak)

BOOST_DATA_TEST_CASE(ten_thousand_children_crash_at_random_and_none_is_lost_or_left, both, kind) {
  const auto all = std::make_shared<tally>();
  std::size_t before = 0;
  std::size_t after = 0;
  // The first round warms up what stays for good: the allocator's arenas, the pool of contexts.
  for (int round = 0; round != 2; ++round) {
    {
      threads on{kind};
      runtime tree{on.system};
      BOOST_REQUIRE(!tree.start(country(all)));
      BOOST_TEST(all->living == regions * pools * children);
      std::mt19937 random{static_cast<unsigned>(round)};
      const auto until = std::chrono::steady_clock::now() + (round == 0 ? 1s : soak_time());
      std::int64_t sent = 0;
      while (std::chrono::steady_clock::now() < until) {
        const auto path = "/root/r" + std::to_string(random() % regions) + "/p" + std::to_string(random() % pools) +
                          "/c" + std::to_string(random() % children);
        if (auto child = tree.find(path)) {
          caf::anon_send(*child, static_cast<int>(random() % 10));
          ++sent;
        }
        if (sent % 64 == 0)
          std::this_thread::sleep_for(1ms);  // keeps the crashes coming at a pace, so that groups come up in between
      }
      // Every crash is a restart: all are up again in the end.
      const auto settled_by = std::chrono::steady_clock::now() + generous;
      while (all->living != regions * pools * children && std::chrono::steady_clock::now() < settled_by)
        std::this_thread::sleep_for(1ms);
      BOOST_TEST(all->living == regions * pools * children);
      std::size_t active = 0;
      for (int r = 0; r != regions; ++r) {
        for (int p = 0; p != pools; ++p) {
          const auto path = "/root/r" + std::to_string(r) + "/p" + std::to_string(p);
          auto pool = tree.supervisor(path);
          BOOST_REQUIRE(pool);
          const auto counts = pool->count_children();
          BOOST_REQUIRE(counts);
          BOOST_TEST((counts->specs == children && counts->workers == children));
          active += counts->active;
        }
      }
      BOOST_TEST(active == static_cast<std::size_t>(regions * pools * children));
      BOOST_TEST(all->crashed > 0);
      const auto report = tree.stop();
      BOOST_TEST(report.clean());
      BOOST_TEST(report.children.size() == 1u + regions + regions * pools + regions * pools * children);
      BOOST_TEST(report.others == 0u);
      BOOST_TEST(tree.alive().empty());
      BOOST_TEST_MESSAGE(kind << ": " << sent << " blows, " << all->crashed << " crashes, " << all->born
                              << " incarnations; the stop took " << to_string(report.ended - report.began));
    }
    BOOST_TEST(all->living == 0);
    ::malloc_trim(0);
    (round == 0 ? before : after) = resident_bytes();
  }
  BOOST_TEST_MESSAGE(kind << ": resident " << before / 1024 << " KiB after the first round, " << after / 1024
                          << " KiB after the second");
#ifndef __SANITIZE_ADDRESS__
  // The second round ran many times as many incarnations; a byte kept of each would show.
  BOOST_TEST(after < before + before / 4 + (8u << 20));
#endif
}

BOOST_AUTO_TEST_SUITE_END()
