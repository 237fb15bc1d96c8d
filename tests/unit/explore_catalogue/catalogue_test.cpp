// SPDX-License-Identifier: BSL-1.0
// Thirty planted bugs: a supervisor with one thing wrong, and trees with one thing wrong. Each is found, and its token
// shows it again; what is right is found right.
#include "model.hpp"
#include "supervisors/testkit/doubles.hpp"
#include "supervisors/testkit/replay.hpp"

using namespace libactor;
using namespace libactor::tests;
using namespace libactor::testkit;

namespace {

/// Found, seen again by its token, and with no choice too many.
void check_found(const exploration& result, const explore_options& options, const std::function<void(trial&)>& body) {
  BOOST_REQUIRE_MESSAGE(result.failed, options.name << ": nothing found in " << result.to_text());
  const auto& why = *result.failed;
  BOOST_TEST_MESSAGE(options.name << ": " << why.property << ": " << why.what << " " << why.token);
  BOOST_TEST(why.replays, options.name << " " << why.token);
  BOOST_TEST(!why.text.empty());
  BOOST_TEST(why.mermaid.starts_with("sequenceDiagram\n"));
  const auto again = replay(why.token, body, options);
  BOOST_TEST(again.refused.empty(), again.refused);
  BOOST_REQUIRE(again.failed);
  BOOST_TEST(again.failed->property == why.property);
  BOOST_TEST(again.failed->what == why.what);
  BOOST_TEST(!again.diverged);
  // Minimal: without any one of its choices it does not fail so.
  const auto begin = why.token.find(':', why.token.find(':', 4) + 1) + 1;
  const auto end = why.token.find(':', begin);
  for (auto at = begin; at < end;) {
    const auto next = std::min(why.token.find(',', at), end);
    auto less = why.token;
    less.erase(at == begin ? at : at - 1, next - at + (at == begin && next == end ? 0 : 1));
    const auto other = replay(less, body, options);
    BOOST_TEST((!other.failed || other.failed->property != why.property), options.name << " " << less);
    at = next + 1;
  }
}

/// A tree that is stopped at any time, of which `api` needs `store`.
struct planted {
  const char* name;
  std::function<tree_spec()> tree;
  std::function<void(trial&)> properties;
};

supervisor_builder pair() {
  return one_for_one().child_started_by("store", a_double()).child_started_by("api", a_double());
}

void stops_api_first(trial& t) {
  t.must(happens_before({happening::stopped, "/root/api"}, {happening::stop_asked, "/root/store"}));
}
void starts_store_first(trial& t) {
  t.must(happens_before({happening::started, "/root/store"}, {happening::start_asked, "/root/api"}));
}

const std::vector<planted> trees{
    {"the wrong order",
     [] { return one_for_one().child_started_by("api", a_double()).child_started_by("store", a_double()).tree(); },
     stops_api_first},
    {"a graph without its edge", [] { return pair().start_order(start_mode::graph).tree(); }, starts_store_first},
    {"a graph whose stop has no order", [] { return pair().start_order(start_mode::graph).tree(); }, stops_api_first},
    {"a child that is left to a kill",
     [] { return one_for_one().child_started_by("api", a_double(fault::ignores_down_signal)).shutdown(1s).tree(); },
     [](trial& t) {
       t.must(never({happening::killed, "*"}));
     }},
    {"a stop longer than it may be",
     [] {
       return one_for_one()
           .child_started_by("store", a_double(fault::slow_to_stop))
           .child_started_by("api", a_double(fault::slow_to_stop))
           .tree();
     },
     [](trial& t) {
       t.must(within(1500ms, {happening::stop_asked, "/root/api"}, {happening::stopped, "/root/store"}));
     }},
    {"one that restarts alone, though others need it",
     [] {
       return one_for_one()
           .child_started_by("store", a_double(fault::exits))
           .child_started_by("api", a_double())
           .tree();
     },
     [](trial& t) {
       t.must(happens_before({happening::stopped, "/root/api"}, {happening::restarted, "/root/store"}));
     }},
    {"a child that never ends", [] { return one_for_one().child_started_by("api", a_double(fault::stuck)).tree(); },
     [](trial& t) { t.must(no_leaks()); }},
};

/// The same trees, mended.
const std::vector<planted> mended{
    {"the right order", [] { return pair().tree(); },
     [](trial& t) {
       stops_api_first(t);
       starts_store_first(t);
       t.must(no_leaks());
       t.must(everything_stopped());
       t.must(never({happening::killed, "*"}));
     }},
    {"a graph with its edge", [] { return pair().start_order(start_mode::graph).after("store").tree(); },
     [](trial& t) {
       stops_api_first(t);
       starts_store_first(t);
     }},
    {"one whose restart stops the others",
     [] {
       return one_for_all()
           .child_started_by("store", a_double(fault::exits))
           .child_started_by("api", a_double())
           .tree();
     },
     [](trial& t) {
       t.must({"api is down when store starts again", [](const history& of) -> std::optional<finding> {
                 for (std::size_t i = 0; i != of.all.size(); ++i) {
                   if (of.all[i].what == happening::start_asked && of.all[i].path == "/root/store" &&
                       of.all[i].incarnation > 1 && std::any_of(of.lives.begin(), of.lives.end(), [&](const auto& one) {
                         return one.path == "/root/api" && one.from < of.all[i].step &&
                                (!one.to || *one.to > of.all[i].step);
                       }))
                     return finding{"api lives", {}, i};
                 }
                 return std::nullopt;
               }});
     }},
};

std::function<void(trial&)> body_of(const planted& one) {
  return [&one](trial& t) {
    one.properties(t);
    t.at_any_time("stop", [&t] { t.runtime().request_stop({}); });
    t.start(one.tree());
    t.run_until_ended(1h);
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(catalogue)

BOOST_AUTO_TEST_CASE(a_planted_bug_in_a_supervisor_is_found) {
  for (std::size_t i = 1; i != bugs; ++i) {
    const auto what = static_cast<bug>(i);
    explore_options options;
    options.name = to_string(what);
    options.max_schedules = 20'000;
    const auto body = [what](trial& t) { run_model(t, what); };
    check_found(explore(options, body), options, body);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_found_in_the_supervisor_without_a_bug) {
  explore_options options;
  options.max_schedules = 20'000;
  const auto result = explore(options, [](trial& t) { run_model(t, bug::none); });
  BOOST_TEST(!result.failed, result.to_text());
  if (result.failed)
    BOOST_TEST_MESSAGE(result.failed->text);
  BOOST_TEST_MESSAGE(result.to_text() << ", " << result.given_up << " given up");
}

BOOST_AUTO_TEST_CASE(a_planted_bug_in_a_tree_is_found) {
  static_assert(bugs - 1 >= 24);
  BOOST_TEST(bugs - 1 + trees.size() >= 30);
  for (const auto& one : trees) {
    explore_options options;
    options.name = one.name;
    options.max_schedules = 20'000;
    check_found(explore(options, body_of(one)), options, body_of(one));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_found_in_a_tree_without_a_bug) {
  for (const auto& one : mended) {
    explore_options options;
    options.name = one.name;
    options.max_schedules = 20'000;
    const auto result = explore(options, body_of(one));
    BOOST_TEST(!result.failed, one.name << ": " << result.to_text());
    if (result.failed)
      BOOST_TEST_MESSAGE(result.failed->text);
    BOOST_TEST_MESSAGE(one.name << ": " << result.to_text());
  }
}

BOOST_AUTO_TEST_SUITE_END()
