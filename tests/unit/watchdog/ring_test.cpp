// SPDX-License-Identifier: BSL-1.0
#include "supervisors/event_ring.hpp"
#include "supervisors/leak_event.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace libactor;

namespace {

event note(const std::string& text, bool leaks = false) {
  event what;
  what.text = text;
  if (leaks)
    what.leak = std::make_shared<const leak_event>();
  return what;
}

std::vector<std::string> texts(const event_ring& ring) {
  std::vector<std::string> all;
  for (const auto& what : ring.events())
    all.push_back(what->text);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rings)

BOOST_AUTO_TEST_CASE(a_ring_keeps_the_last_events_and_counts_the_others) {
  event_ring ring{3};
  BOOST_TEST(ring.events().empty());
  for (const auto* text : {"1", "2", "3"})
    ring.on_event(note(text));
  BOOST_TEST(ring.lost() == 0u);
  for (const auto* text : {"4", "5"})
    ring.on_event(note(text));
  BOOST_TEST(texts(ring) == (std::vector<std::string>{"3", "4", "5"}), boost::test_tools::per_element());
  BOOST_TEST(ring.lost() == 2u);
}

BOOST_AUTO_TEST_CASE(a_ring_of_leaks_is_not_flooded_by_other_events) {
  event_ring ring{2, event_ring::keeps::leaks};
  ring.on_event(note("leak", true));
  for (int i = 0; i != 10; ++i)
    ring.on_event(note("other"));
  BOOST_TEST(texts(ring) == std::vector<std::string>{"leak"}, boost::test_tools::per_element());
  BOOST_TEST(ring.lost() == 0u);
}

BOOST_AUTO_TEST_CASE(threads_may_write_while_others_read) {
  event_ring ring;
  std::vector<std::thread> writers;
  for (int w = 0; w != 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i != 5000; ++i)
        ring.on_event(note("x"));
    });
  }
  while (ring.events().size() != 4096u)
    std::this_thread::yield();
  for (auto& writer : writers)
    writer.join();
  BOOST_TEST(ring.events().size() == 4096u);
  BOOST_TEST(ring.lost() == 20000u - 4096u);
}

BOOST_AUTO_TEST_SUITE_END()
