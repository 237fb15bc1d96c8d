// SPDX-License-Identifier: BSL-1.0
// Whoever follows a worker hears why it ended: it ends without having made an error of `user_shutdown`.
#include "lab.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>

using namespace libactor;
using namespace libactor::tests;

namespace {

caf::behavior idle(worker*) {
  return {[](int) {}};
}

/// A worker in a context of its own that nobody follows yet, and what those who follow it hear.
struct followed : lab {
  std::optional<scope> own;
  caf::actor who;
  lines heard;

  followed() { renew(idle); }
  void renew(caf::behavior body(worker*)) {
    own = with_cancel(root());
    who = spawn_in(system(), own->ctx(), body);
  }
  template <class Follow>
  void follow(Follow how) {
    held.push_back(system().spawn([this, how](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler([this](const caf::down_msg& down) { heard.push_back("down " + describe(down.reason)); });
      self->set_exit_handler([this](const caf::exit_msg& exit) { heard.push_back("exit " + describe(exit.reason)); });
      how(self, caf::actor_cast<caf::abstract_actor*>(who));
      return {[](int) {}};
    }));
    settle();
  }
  void monitor() {
    follow([](caf::event_based_actor* self, caf::abstract_actor* whom) {
      self->monitor(caf::actor_cast<caf::actor>(whom->ctrl()));
    });
  }
  void link() {
    follow([](caf::event_based_actor* self, caf::abstract_actor* whom) { self->add_link(whom); });
  }
  void link_back() {
    follow([](caf::event_based_actor* self, caf::abstract_actor* whom) { whom->add_link(self); });
  }
  void attach() {
    caf::actor_cast<caf::abstract_actor*>(who)->attach_functor(
        [this](const caf::error& reason) { heard.push_back("call " + describe(reason)); });
  }
  void expect(const lines& what) {
    settle();
    BOOST_TEST(heard == what, boost::test_tools::per_element());
    heard.clear();
  }
};

// Each by itself: the first that follows a worker is what its reason is made for.
constexpr void (followed::*ways[])() = {&followed::monitor, &followed::link, &followed::link_back, &followed::attach};
const std::string asked[] = {"down user_shutdown", "exit user_shutdown", "exit user_shutdown", "call user_shutdown"};

}  // namespace

BOOST_AUTO_TEST_SUITE(followers)

BOOST_FIXTURE_TEST_CASE(R12_who_follows_a_worker_before_its_end_hears_that_it_was_asked, followed) {
  for (std::size_t i = 0; i != std::size(ways); ++i) {
    renew(idle);
    settle();
    (this->*ways[i])();
    own->cancel();
    expect({asked[i]});
  }
}

BOOST_FIXTURE_TEST_CASE(R12_who_follows_it_after_its_end_hears_the_same_each_time, followed) {
  for (std::size_t i = 0; i != std::size(ways); ++i) {
    renew(idle);
    settle();
    own->cancel();
    settle();
    (this->*ways[i])();
    expect({asked[i]});
    (this->*ways[i])();
    expect({asked[i]});
  }
}

BOOST_FIXTURE_TEST_CASE(R12_who_has_ceased_to_follow_it_hears_nothing_and_the_next_one_why, followed) {
  settle();
  follow([](caf::event_based_actor* self, caf::abstract_actor* whom) {
    const auto handle = caf::actor_cast<caf::actor>(whom->ctrl());
    self->monitor(handle);
    self->demonitor(handle);
  });
  own->cancel();
  expect({});
  attach();
  expect({"call user_shutdown"});
}

BOOST_FIXTURE_TEST_CASE(W012_and_so_it_is_for_one_that_never_ran, followed) {
  own->cancel();
  settle();
  attach();
  expect({"call user_shutdown"});
}

BOOST_FIXTURE_TEST_CASE(who_comes_late_hears_of_a_kill_or_a_normal_end_as_such, followed) {
  settle();
  caf::anon_send_exit(who, caf::exit_reason::kill);
  settle();
  own->cancel();
  attach();
  expect({"call kill"});
  renew([](worker* self) -> caf::behavior {
    self->finish();
    return {};
  });
  settle();
  own->cancel();
  attach();
  expect({"call normal"});
}

BOOST_AUTO_TEST_SUITE_END()
