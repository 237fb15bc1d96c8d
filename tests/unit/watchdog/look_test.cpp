// SPDX-License-Identifier: BSL-1.0
// Looks at threads, on real ones.
#include "../waiting.hpp"
#include "symbols.hpp"
#include "thread_look.hpp"

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

using namespace libactor;
using namespace libactor::detail;
using namespace std::chrono_literals;

namespace {

constexpr duration generous = 30s;

std::atomic<bool> hogs{false};
std::atomic<std::uint64_t> spins{0};

__attribute__((noinline)) void burns_the_cpu() {
  while (hogs.load(std::memory_order_relaxed))
    spins.fetch_add(1, std::memory_order_relaxed);
}

__attribute__((noinline)) ssize_t reads_from(int file) {
  char c = 0;
  const auto got = ::read(file, &c, 1);
  spins.fetch_add(1, std::memory_order_relaxed);  // no tail call, or the frame is gone
  return got;
}

__attribute__((noinline)) void waits_for(std::mutex& mutex) {
  const std::lock_guard guard{mutex};
  spins.fetch_add(1, std::memory_order_relaxed);
}

// A thread with its kernel's id.
struct known_thread {
  template <class Fun>
  explicit known_thread(Fun fun)
      : runs([this, fun] {
          id.store(::gettid());
          fun();
        }) {
    while (id.load() == 0)
      std::this_thread::yield();
  }
  ~known_thread() {
    if (runs.joinable())
      runs.join();
  }
  std::atomic<int> id{0};
  std::thread runs;
};

struct pipe_pair {
  pipe_pair() { BOOST_REQUIRE(::pipe(ends.data()) == 0); }
  ~pipe_pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void put() const { BOOST_REQUIRE(::write(ends[1], "x", 1) == 1); }
  std::array<int, 2> ends{};
};

// Looks until the thread is seen as `test` says, which it is bound to be.
template <class Test>
thread_look look_until(const thread_looker& looker, int thread, Test test) {
  const auto end = std::chrono::steady_clock::now() + generous;
  for (;;) {
    auto seen = looker.look(thread, 1s);
    if (test(seen) || std::chrono::steady_clock::now() > end)
      return seen;
    std::this_thread::yield();
  }
}

bool names(const thread_look& seen, std::string_view function) {
  const auto frames = resolve(seen.frames);
#ifdef __SANITIZE_THREAD__  // which calls signal handlers later, from where it likes
  return true;
#endif
  return std::any_of(frames.begin(), frames.end(), [&](const auto& frame) {
    return frame.function.find(function) != std::string::npos && frame.file.ends_with("look_test.cpp") &&
           frame.line != 0;
  });
}

std::atomic<int> host_saw{0};
struct sigaction found_by_host {};
std::atomic<int> calls_of_host{0};
void of_the_host(int) { ++host_saw; }

}  // namespace

BOOST_AUTO_TEST_SUITE(looking)

BOOST_AUTO_TEST_CASE(L001_a_thread_that_burns_the_cpu_is_running_and_its_function_is_named_with_file_and_line) {
  hogs = true;
  known_thread hog{burns_the_cpu};
  const thread_looker looker{0, 0};
  const auto seen = look_until(looker, hog.id, [](const auto& s) {
    return s.activity == thread_activity::running && names(s, "burns_the_cpu");
  });
  hogs = false;
  BOOST_TEST((seen.activity == thread_activity::running));
  BOOST_TEST(seen.system_call.empty());
  BOOST_TEST(names(seen, "burns_the_cpu"));
}

BOOST_AUTO_TEST_CASE(L002_a_thread_in_a_read_waits_in_read_and_goes_on_undisturbed) {
  const pipe_pair pipe;
  ssize_t got = 0;
  {
    known_thread reader{[&] { got = reads_from(pipe.ends[0]); }};
    const thread_looker looker{0, 0};
    const auto seen = look_until(looker, reader.id, [](const auto& s) { return s.system_call == "read"; });
    BOOST_TEST((seen.activity == thread_activity::waiting));
    BOOST_TEST(seen.system_call == "read");
    BOOST_TEST(names(seen, "reads_from"));
    pipe.put();
  }
  BOOST_TEST(got == 1);
}

BOOST_AUTO_TEST_CASE(L010_an_interrupt_makes_a_blocking_read_return) {
  const pipe_pair pipe;
  ssize_t got = 0;
  std::atomic<bool> is_back{false};
  {
    known_thread reader{[&] {
      got = reads_from(pipe.ends[0]);
      is_back = true;
    }};
    const thread_looker looker{0, 0};
    look_until(looker, reader.id, [](const auto& s) { return s.system_call == "read"; });
    BOOST_TEST(looker.interrupt(reader.id));
    // One that comes before the thread has left the handler of the look finds no call that it could end.
    BOOST_TEST(tests::becomes([&] { return is_back || (looker.interrupt(reader.id), false); }));
    pipe.put();
  }
  BOOST_TEST(got == -1);
}

BOOST_AUTO_TEST_CASE(L003_a_thread_on_a_mutex_waits_and_who_holds_it_is_told) {
  std::mutex mutex;
  std::unique_lock held{mutex};
  known_thread waiter{[&] { waits_for(mutex); }};
  const thread_looker looker{0, 0};
  const auto seen = look_until(looker, waiter.id, [](const auto& s) { return s.mutex_holder != 0; });
  held.unlock();
  BOOST_TEST((seen.activity == thread_activity::waiting));
  BOOST_TEST(seen.system_call == "futex");
  BOOST_TEST(seen.mutex_holder == ::gettid());
  BOOST_TEST(names(seen, "waits_for"));
}

BOOST_AUTO_TEST_CASE(L015_threads_may_end_while_they_are_looked_at_by_several_watchdogs) {
  std::atomic<bool> stop{false};
  std::array<std::atomic<int>, 4> ids{};
  std::vector<std::thread> lookers;
  std::atomic<std::uint64_t> looks{0};
  for (int i = 0; i != 3; ++i) {
    lookers.emplace_back([&] {
      const thread_looker looker{0, 0};
      while (!stop) {
        for (const auto& id : ids) {
          looker.look(id, 1ms);
          looker.interrupt(id);
          ++looks;
        }
      }
    });
  }
  for (int round = 0; round != 300; ++round) {
    std::vector<std::thread> brief;
    for (auto& id : ids) {
      brief.emplace_back([&id] {
        id = ::gettid();
        for (int i = 0; i != 100; ++i)
          spins.fetch_add(1);
      });
    }
    for (auto& thread : brief)
      thread.join();
  }
  stop = true;
  for (auto& thread : lookers)
    thread.join();
  BOOST_TEST(looks.load() != 0u);
  // What came late took no slot with it.
  hogs = true;
  known_thread hog{burns_the_cpu};
  const auto seen = look_until(thread_looker{0, 0}, hog.id, [](const auto& s) { return !s.frames.empty(); });
  hogs = false;
  BOOST_TEST(!seen.frames.empty());
}

BOOST_AUTO_TEST_CASE(L015_a_host_that_uses_the_same_signal_gets_its_own) {
  const int number = SIGRTMIN + 3;
  const thread_looker looker{number, SIGRTMIN + 4};
  std::signal(number, of_the_host);
  hogs = true;
  known_thread hog{burns_the_cpu};
  const auto see = [&] { return look_until(looker, hog.id, [](const auto& s) { return !s.frames.empty(); }); };
  BOOST_TEST(!see().frames.empty());
  BOOST_TEST(host_saw == 0);
  ::pthread_kill(::pthread_self(), number);
  BOOST_TEST(host_saw == 1);
  std::signal(number, of_the_host);  // again, over ours
  BOOST_TEST(!see().frames.empty());
  ::raise(number);
  BOOST_TEST(host_saw == 2);
  hogs = false;
}

BOOST_AUTO_TEST_CASE(L015_a_host_whose_handler_calls_the_one_that_it_found_gets_its_own_once) {
  const int number = SIGRTMIN + 5;
  const thread_looker looker{number, SIGRTMIN + 6};
  std::signal(number, of_the_host);
  hogs = true;
  known_thread hog{burns_the_cpu};
  const auto see = [&] { return look_until(looker, hog.id, [](const auto& s) { return !s.frames.empty(); }); };
  BOOST_TEST(!see().frames.empty());
  ::sigaction(number, nullptr, &found_by_host);
  struct sigaction calls_on {};
  calls_on.sa_flags = SA_SIGINFO;
  calls_on.sa_sigaction = [](int which, siginfo_t* info, void* context) {
    if (calls_of_host.fetch_add(1) < 100)
      found_by_host.sa_sigaction(which, info, context);
  };
  ::sigaction(number, &calls_on, nullptr);
  BOOST_TEST(!see().frames.empty());
  const int before = host_saw;
  ::raise(number);
  BOOST_TEST(calls_of_host == 1);
  BOOST_TEST(host_saw == before + 1);
  hogs = false;
}

BOOST_AUTO_TEST_CASE(a_thread_that_holds_the_signal_off_is_given_up_in_time) {
  hogs = true;
  known_thread deaf{[] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    burns_the_cpu();
  }};
  const thread_looker looker{0, 0};
  while (!looker.look(deaf.id, 20ms).frames.empty())
    std::this_thread::yield();   // it has not come so far
  for (int i = 0; i != 40; ++i)  // more often than there are places for answers
    BOOST_TEST(looker.look(deaf.id, 1ms).frames.empty());
  hogs = false;
}

BOOST_AUTO_TEST_CASE(a_call_without_a_known_name_is_told_by_its_number) {
  BOOST_TEST(system_call_name(99999) == "system call 99999");
}

BOOST_AUTO_TEST_SUITE_END()
