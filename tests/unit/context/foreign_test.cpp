// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include "libactor/after_cancel.hpp"
#include "libactor/foreign.hpp"

#include <filesystem>
#include <map>
#include <mutex>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(foreign_sources)

// A cancellation source of a user's own.
class valve {
 public:
  class registration {
   public:
    registration(valve& of, int number) : of_{&of}, number_{number} {}
    registration(const registration&) = delete;
    ~registration() {
      const std::lock_guard guard{of_->mutex_};
      of_->triggers_.erase(number_);
    }

   private:
    valve* of_;
    int number_;
  };

  registration subscribe(foreign_trigger trigger) {
    bool closed;
    int number;
    {
      const std::lock_guard guard{mutex_};
      number = next_++;
      closed = closed_;
      triggers_.emplace(number, trigger);
    }
    if (closed)
      trigger(why_);
    return {*this, number};
  }

  void close(cause why = {}) {
    const std::lock_guard guard{mutex_};  // recursive: a trigger may unregister
    closed_ = true;
    why_ = why;
    while (!triggers_.empty()) {
      const auto trigger = triggers_.begin()->second;
      triggers_.erase(triggers_.begin());
      trigger(why);
    }
  }

  std::size_t registrations() {
    const std::lock_guard guard{mutex_};
    return triggers_.size();
  }

 private:
  std::recursive_mutex mutex_;
  std::map<int, foreign_trigger> triggers_;
  int next_ = 0;
  bool closed_ = false;
  cause why_;
};

BOOST_FIXTURE_TEST_CASE(C113_C114_a_child_is_canceled_by_its_source_with_the_sources_cause, world) {
  valve source;
  auto child = with_source(root, source);
  auto below = with_cancel(child.ctx());
  BOOST_TEST(!child.ctx().done());
  const cause why{"closed", cause_origin::foreign};
  source.close(why);
  BOOST_TEST(below.ctx().error() == errc::canceled);
  BOOST_TEST(below.ctx().cause() == why);
  std::stop_source stop;
  auto other = with_stop(background(), stop.get_token());
  stop.request_stop();
  BOOST_TEST(other.ctx().done());
  BOOST_TEST((other.ctx().cause().origin() == cause_origin::foreign));
}

BOOST_FIXTURE_TEST_CASE(C113_a_source_that_has_fired_already_ends_the_child_at_once, world) {
  valve source;
  source.close(cause{"early"});
  BOOST_TEST(with_source(root, source).ctx().cause().text() == "early");
  std::stop_source stop;
  stop.request_stop();
  BOOST_TEST(with_stop(root, stop.get_token()).ctx().done());
  BOOST_TEST(!with_stop(root, std::stop_token{}).ctx().done());
}

BOOST_FIXTURE_TEST_CASE(C119_the_cause_does_not_change_when_the_source_fires_again, world) {
  valve source;
  auto child = with_source(root, source);
  auto own = with_source(root, source);
  own.cancel(cause{"own"});
  source.close(cause{"first"});
  source.close(cause{"second"});
  BOOST_TEST(child.ctx().cause().text() == "first");
  BOOST_TEST(own.ctx().cause().text() == "own");
}

BOOST_FIXTURE_TEST_CASE(C121_a_foreign_cancel_that_calls_the_childs_cancel_does_not_deadlock, world) {
  std::stop_source stop;
  std::optional<scope> child = with_stop(root, stop.get_token());
  const auto hook = detail::when_done(
      child->ctx(),
      {[](void* s) noexcept { static_cast<std::optional<scope>*>(s)->value().cancel(); }, nullptr, &child});
  stop.request_stop();
  BOOST_TEST(child->ctx().done());
  // And one that lets go of it altogether.
  std::stop_source second;
  std::optional<scope> gone = with_stop(root, second.get_token());
  const auto drop = detail::when_done(
      gone->ctx(), {[](void* s) noexcept { static_cast<std::optional<scope>*>(s)->reset(); }, nullptr, &gone});
  second.request_stop();
  BOOST_TEST(!gone.has_value());
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {});
}

BOOST_FIXTURE_TEST_CASE(C122_no_thread_is_started_to_watch_a_parent, world) {
  const auto before = threads_of_this_process();
  valve source;
  std::stop_source stop;
  std::vector<scope> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(with_source(root, source));
    all.push_back(with_stop(root, stop.get_token()));
    all.push_back(with_cancel(all.back().ctx()));
  }
  BOOST_TEST(threads_of_this_process() == before);
}

BOOST_FIXTURE_TEST_CASE(C135_C136_C137_registrations_return_to_zero, world) {
  valve source;
  auto top = with_cancel(root);
  auto timed = with_timeout(root, 1s);
  auto by_cancel = with_source(root, source);
  auto by_parent = with_source(top.ctx(), source);
  auto by_deadline = with_source(timed.ctx(), source);
  std::optional<scope> by_release = with_source(root, source);
  BOOST_TEST(source.registrations() == 4u);
  by_cancel.cancel();
  BOOST_TEST(source.registrations() == 3u);
  top.cancel();
  BOOST_TEST(source.registrations() == 2u);
  advance(1s);
  BOOST_TEST(source.registrations() == 1u);
  auto callback = after_cancel(by_release->ctx(), [] {});
  by_release->disarm();
  by_release.reset();
  BOOST_TEST(source.registrations() == 1u);  // the callback waits for it
  BOOST_TEST(callback.stop());
  callback = after_registration{};
  BOOST_TEST(source.registrations() == 0u);
}

BOOST_FIXTURE_TEST_CASE(C113_a_subscription_that_throws_leaves_no_child, world) {
  struct broken {
    std::shared_ptr<int> subscribe(foreign_trigger) { throw std::runtime_error{"no"}; }
  };
  auto top = with_cancel(root);
  BOOST_CHECK_THROW(static_cast<void>(with_source(top.ctx(), broken{})), std::runtime_error);
  BOOST_TEST(registered(top.ctx()) == 0u);
}

BOOST_AUTO_TEST_CASE(C113_a_source_races_with_release_and_cancel) {
  std::optional<std::stop_source> stop;
  std::optional<scope> child, other;
  race(
      3, rounds(3000),
      [&](int) {
        stop.emplace();
        child = with_stop(background(), stop->get_token());
        other = with_stop(background(), stop->get_token());
      },
      [&](int t, int) {
        if (t == 0)
          stop->request_stop();
        else if (t == 1)
          child.reset();
        else
          other->cancel();
      },
      [&](int) { BOOST_REQUIRE(other->ctx().done()); });
}

// -- the other way ----------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_context_hands_out_a_stop_token, world) {
  auto child = with_cancel(root);
  const auto token = child.ctx().stop_token();
  const auto again = child.ctx().stop_token();
  int called = 0;
  const std::stop_callback on_stop{token, [&] { ++called; }};
  BOOST_TEST(!token.stop_requested());
  BOOST_TEST((token == again));
  child.cancel();
  BOOST_TEST(token.stop_requested());
  BOOST_TEST(called == 1);
  BOOST_TEST(child.ctx().stop_token().stop_requested());
  BOOST_TEST(!background().stop_token().stop_possible());
  std::stop_token orphan;
  {
    const context short_lived = with_cancel(root).commit();
    orphan = short_lived.stop_token();
  }
  BOOST_TEST(!orphan.stop_possible());  // nobody is left to ask
}

BOOST_AUTO_TEST_SUITE_END()
