// SPDX-License-Identifier: BSL-1.0
#include "observe/batch_queue.hpp"

#include "samples.hpp"

#include <semaphore>

using namespace libactor;
using namespace libactor::tests;

namespace {

// Numbers, of which as many are written as the test lets; a negative one tells of so many lost ones.
struct slow_file {
  explicit slow_file(std::size_t limit)
      : queue(
            limit, [this](auto& batch) { return write(batch); },
            [](std::uint64_t lost) { return -static_cast<int>(lost); }) {}
  ~slow_file() { allowed.release(100); }

  void push(int number) {
    queue.push([&] { return number; });
  }
  bool write(std::vector<int>& batch) {
    begun = true;
    allowed.acquire();
    std::lock_guard guard{mutex};
    written.push_back(batch.front());
    batch.erase(batch.begin());
    return true;
  }
  std::vector<int> all() {
    std::lock_guard guard{mutex};
    return written;
  }

  std::counting_semaphore<> allowed{0};
  std::atomic<bool> begun = false;
  std::mutex mutex;
  std::vector<int> written;
  observe::batch_queue<int> queue;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_queue_)

BOOST_AUTO_TEST_CASE(L016_lost_entries_are_told_of_where_they_would_stand) {
  slow_file file(4);
  file.push(1);
  BOOST_REQUIRE(eventually([&] { return file.begun.load(); }));
  for (const int number : {2, 3, 4})
    file.push(number);
  file.allowed.release(1);
  BOOST_REQUIRE(eventually([&] { return file.queue.written() == 1; }));
  for (const int number : {5, 6, 7})  // the last two have no room
    file.push(number);
  file.allowed.release(1);
  BOOST_REQUIRE(eventually([&] { return file.queue.written() == 2; }));
  file.push(8);
  file.push(9);
  file.allowed.release(100);
  BOOST_TEST(file.queue.flush(generous));
  BOOST_TEST((file.all() == std::vector{1, 2, 3, 4, 5, -2, 8, -1}));
  BOOST_TEST(file.queue.written() == 6u);
  BOOST_TEST(file.queue.lost() == 3u);
}

BOOST_AUTO_TEST_CASE(L016_a_flush_waits_until_the_lost_ones_are_told_of) {
  slow_file file(1);
  file.push(1);
  file.push(2);
  file.allowed.release(1);
  BOOST_TEST(!file.queue.flush(100ms));
  file.allowed.release(1);
  BOOST_TEST(file.queue.flush(generous));
  BOOST_TEST((file.all() == std::vector{1, -1}));
}

BOOST_AUTO_TEST_SUITE_END()
