// SPDX-License-Identifier: BSL-1.0
// The pool without its deadline thread: a test looks instead, or nobody does.
#include "actor/scheduler_pool.hpp"

#include "actor/caf_seam.hpp"
#include "engine.hpp"
#include "libactor/detail/done_hook.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

using namespace libactor::tests;
using libactor::detail::bulk_guard;
using libactor::detail::scheduler_pool;

namespace {

/// Runs once.
class job final : public caf::resumable {
 public:
  explicit job(std::function<void()> body) : body_(std::move(body)) {}
  subtype_t subtype() const override { return unspecified; }
  resume_result resume(caf::execution_unit*, std::size_t) override {
    body_();
    return done;
  }
  void intrusive_ptr_add_ref_impl() override { ++references_; }
  void intrusive_ptr_release_impl() override {
    if (--references_ == 0)
      delete this;
  }

 private:
  std::function<void()> body_;
  std::atomic<int> references_{1};
};

struct pool_of_two {
  pool_of_two() : pool(*system.system, [this] { ++told; }) { pool.start(2, 50); }
  ~pool_of_two() {
    let_go();
    stop();
  }

  void run(std::function<void()> body) { pool.enqueue(new job(std::move(body))); }
  void stop() {
    if (!std::exchange(stopped, true))
      pool.stop();
  }
  /// One turn that makes `count` jobs runnable at once, of which the first waits for all others; then it is `left`.
  void hold_up_a_burst(int count, std::size_t expected = 0) {
    left = count - 1;
    run([this, count, expected] {
      const bulk_guard many{expected};
      run([this] {
        holder = ::gettid();
        entered.set_value();
        open.wait(false);
      });
      for (int i = 1; i != count; ++i)
        run([this] {
          if (--left == 0)
            let_go();
        });
    });
  }

  bool all_sleep() const {
    int asleep = 0;
    pool.each_thread([&](const auto& thread) { asleep += sleeps(thread.kernel_id); });
    return asleep == 2;
  }
  void let_go() {
    open = true;
    open.notify_all();
  }

  engine system{1};
  std::atomic<int> told{0};  // that there is something to look after
  std::atomic<int> left{0};
  std::atomic<int> holder{0};  // the kernel's id of the thread that waits in its turn
  std::promise<void> entered;
  std::atomic<bool> open{false};
  bool stopped = false;
  scheduler_pool pool;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_pool_)

BOOST_AUTO_TEST_CASE(what_one_turn_makes_runnable_at_once_stays_on_its_thread) {
  pool_of_two two;
  std::mutex mutex;
  std::set<int> threads;
  std::atomic<int> ran{0};
  const auto note = [&] {
    const std::lock_guard lock{mutex};
    threads.insert(::gettid());
    ++ran;
  };
  two.run([&] {
    note();
    const bulk_guard many;
    for (int i = 0; i != 1000; ++i)
      two.run(note);
  });
  BOOST_REQUIRE(becomes([&] { return ran == 1001; }));
  BOOST_TEST(threads.size() == 1u);
}

BOOST_AUTO_TEST_CASE(W045_a_burst_behind_a_stuck_job_is_shared_at_the_second_look) {
  pool_of_two two;
  two.hold_up_a_burst(2);
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  BOOST_REQUIRE(becomes([&] { return two.all_sleep(); }));  // the first job, too
  BOOST_TEST(two.told > 0);
  BOOST_TEST(two.pool.rescue());
  BOOST_TEST(two.left == 1);
  BOOST_TEST(two.pool.rescue());
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

BOOST_AUTO_TEST_CASE(a_job_from_outside_ends_a_burst) {
  pool_of_two two;
  two.hold_up_a_burst(2);
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  two.run([] {});
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

BOOST_AUTO_TEST_CASE(a_long_burst_is_shared_from_the_start) {
  pool_of_two two;
  two.hold_up_a_burst(5000);
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

BOOST_AUTO_TEST_CASE(a_burst_that_is_said_to_become_long_is_shared_from_the_start) {
  pool_of_two two;
  two.hold_up_a_burst(2, 5000);
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

BOOST_AUTO_TEST_CASE(a_stop_shares_a_burst) {
  pool_of_two two;
  two.hold_up_a_burst(2);
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  BOOST_TEST(returns([&] { two.stop(); }));
  BOOST_TEST(two.left == 0);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_given_up_leaves_its_burst_to_the_others) {
  pool_of_two two;
  two.hold_up_a_burst(100);
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  two.pool.each_thread([&](auto& thread) {
    if (thread.kernel_id == two.holder)
      BOOST_TEST(two.pool.abandon(thread.kernel_id, thread.sequence));
  });
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

// It stands in the queue, and no slot is filled.
BOOST_AUTO_TEST_CASE(W045_the_job_left_alone_is_shared_though_the_one_from_the_slot_is_stuck) {
  pool_of_two two;
  BOOST_REQUIRE(becomes([&] { return two.all_sleep(); }));
  two.left = 1;
  two.run([&] {
    two.run([&] { --two.left; });
    two.run([&] {
      two.entered.set_value();
      two.open.wait(false);
    });
  });
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  BOOST_REQUIRE(becomes([&] { return two.all_sleep(); }));  // the job that is stuck, too
  BOOST_TEST(two.told > 0);
  two.pool.rescue();
  two.pool.rescue();
  BOOST_TEST(becomes([&] { return two.left == 0; }));
}

BOOST_AUTO_TEST_CASE(no_thread_is_made_for_one_that_is_stuck_while_the_pool_stops) {
  pool_of_two two;
  two.hold_up_a_burst(1);
  BOOST_REQUIRE(arrives(two.entered.get_future()));
  BOOST_REQUIRE(becomes([&] { return two.all_sleep(); }));  // the job, too
  std::thread stops([&] { two.stop(); });
  BOOST_REQUIRE(becomes([&] {
    int run = 0;
    two.pool.each_thread([&](const auto& thread) { run += thread.kernel_id != 0; });
    return run == 1;  // the other one has ended
  }));
  two.pool.each_thread([&](auto& thread) {
    if (thread.kernel_id == two.holder)
      BOOST_TEST(!two.pool.abandon(thread.kernel_id, thread.sequence));
  });
  two.pool.add_thread();
  two.let_go();
  stops.join();
  int threads = 0;
  two.pool.each_thread([&](const auto&) { ++threads; });
  BOOST_TEST(threads == 2);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_pool_does_not_end_an_actor_of_another_system) {
  pool_of_two two;
  two.stop();
  engine other;
  std::promise<void> served;
  const auto to =
      other.system->spawn([&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { served.set_value(); }}; });
  BOOST_REQUIRE(becomes([&] { return libactor::detail::seam::waits(to); }));
  struct sender final : caf::execution_unit {
    explicit sender(pool_of_two& on) : caf::execution_unit(&*on.system.system), pool(on.pool) {}
    void exec_later(caf::resumable* job) override { pool.enqueue(job); }
    scheduler_pool& pool;
  } here{two};
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(nullptr, caf::make_message_id(), caf::make_message(1), &here);
  BOOST_TEST(arrives(served.get_future()));
}

BOOST_AUTO_TEST_CASE(what_is_made_runnable_by_what_is_cleaned_up_after_the_end_is_cleaned_up_too) {
  pool_of_two two;
  two.stop();
  int gone = 0;
  const auto job_that_leaves = [&](auto last_words) {
    two.run([words = std::shared_ptr<void>(nullptr, [&gone, last_words](void*) {
               last_words();
               ++gone;
             })] {});
  };
  {
    const bulk_guard many;
    for (int i = 0; i != 3; ++i)
      job_that_leaves([&] {
        const bulk_guard more;
        for (int j = 0; j != 3; ++j)
          job_that_leaves([] {});
      });
  }
  BOOST_TEST(gone == 12);
}

BOOST_AUTO_TEST_SUITE_END()
