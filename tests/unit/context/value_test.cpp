// SPDX-License-Identifier: BSL-1.0
#include "fixture.hpp"

#include <array>
#include <random>

using namespace libactor;
using namespace libactor::test;

BOOST_AUTO_TEST_SUITE(values)

struct tenant : context_key<std::string> {};
struct user : context_key<std::string> {};
struct number : context_key<int> {};
struct huge : context_key<std::array<char, 10'000>> {};
struct alignas(64) lane {
  int x;
};
struct aligned : context_key<lane> {};

template <class Key, class Value>
concept accepts = requires(const context& ctx, Value value) {
  with_value<Key>(ctx, value);
};

BOOST_AUTO_TEST_CASE(C061_C073_the_root_finds_nothing) {
  BOOST_TEST(background().value<tenant>() == nullptr);
  auto child = with_cancel(background());
  BOOST_TEST(child.ctx().value<number>() == nullptr);
}

BOOST_AUTO_TEST_CASE(C062_C063_a_set_key_is_found_and_others_of_its_type_are_not) {
  const auto ctx = with_value<tenant>(background(), "acme");
  BOOST_TEST(*ctx.value<tenant>() == "acme");
  BOOST_TEST(ctx.value<user>() == nullptr);
}

BOOST_AUTO_TEST_CASE(C065_C066_descendants_see_values_and_the_nearest_shadows) {
  const auto outer = with_value<tenant>(background(), "outer");
  auto between = with_cancel(outer);
  const auto inner = with_value<tenant>(between.ctx(), "inner");
  BOOST_TEST(*between.ctx().value<tenant>() == "outer");
  BOOST_TEST(*with_cancel(inner).ctx().value<tenant>() == "inner");
  BOOST_TEST(*outer.value<tenant>() == "outer");
}

BOOST_AUTO_TEST_CASE(C072_a_wrong_typed_value_does_not_compile) {
  static_assert(accepts<tenant, std::string>);
  static_assert(accepts<tenant, const char*>);
  static_assert(!accepts<tenant, std::vector<int>>);
  static_assert(!accepts<number, std::string>);
  static_assert(std::is_same_v<decltype(background().value<number>()), const int*>);
}

BOOST_FIXTURE_TEST_CASE(C074_printing_shows_the_chain_in_order, world) {
  auto a = with_cancel(root);
  auto b = with_timeout(a.ctx(), 2s);
  const auto c = with_value<tenant>(b.ctx(), "acme");
  auto d = shielded(c, 1s);
  auto e = with_boundary(d.ctx());
  const auto f = without_cancel(e.ctx());
  auto g = merged(f, a.ctx());
  const auto text = printed(g.ctx());
  BOOST_TEST(text.starts_with("background.cancel.deadline(+2s).value("));
  BOOST_TEST(text.ends_with("tenant).shielded.boundary.without_cancel.merged"));
  BOOST_TEST(printed(context{}) == "empty");
}

BOOST_AUTO_TEST_CASE(values_of_any_size_and_alignment_fit_and_are_destroyed) {
  struct counted {
    explicit counted(int* n) : left{n} { ++*left; }
    counted(counted&& other) noexcept : left{std::exchange(other.left, nullptr)} {}
    ~counted() {
      if (left != nullptr)
        --*left;
    }
    int* left;
  };
  struct counter : context_key<counted> {};
  int alive = 0;
  {
    const auto a = with_value<counter>(background(), counted{&alive});
    const auto b = with_value<huge>(a, {{'x'}});
    const auto c = with_value<aligned>(b, lane{7});
    BOOST_TEST(c.value<huge>()->front() == 'x');
    BOOST_TEST(c.value<aligned>()->x == 7);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(c.value<aligned>()) % 64 == 0u);
    BOOST_TEST(alive == 1);
  }
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(a_value_whose_constructor_throws_leaves_no_context) {
  struct throws {
    explicit throws(bool later) : on_move{later} {}
    throws(throws&& other) : on_move{other.on_move} {
      if (on_move)
        throw std::runtime_error{"no"};
    }
    bool on_move;
  };
  struct key : context_key<throws> {};
  auto parent = with_cancel(background());
  BOOST_CHECK_THROW(static_cast<void>(with_value<key>(parent.ctx(), throws{true})), std::runtime_error);
  BOOST_TEST(!with_value<key>(parent.ctx(), throws{false}).done());
}

BOOST_AUTO_TEST_CASE(a_trace_id_is_found_nearest_first_and_prints_as_hexadecimal) {
  trace_id id;
  id.bytes = {0xde, 0xad, 0xbe, 0xef};
  BOOST_TEST(!background().trace());
  const auto a = with_trace(background(), id);
  auto b = with_cancel(a);
  BOOST_TEST((b.ctx().trace() == id));
  BOOST_TEST(to_string(b.ctx().trace()) == "deadbeef000000000000000000000000");
}

// -- random layers ----------------------------------------------------------------------------------------------------

template <int N>
struct layer_key : context_key<int> {};

struct layers : world {
  static constexpr int depth = 36;
  std::mt19937 random{20240611};
  std::vector<scope> scopes;       // of the layers that can be canceled
  std::vector<std::size_t> timed;  // those of them that have a deadline
  std::vector<std::pair<int, const int* (*)(const context&)>> bound;
  context leaf = root;

  template <int N>
  void add() {
    switch (random() % 3) {
      case 0:
        leaf = with_value<layer_key<N>>(leaf, N);
        bound.emplace_back(N, [](const context& ctx) { return ctx.value<layer_key<N>>(); });
        break;
      case 1:
        scopes.push_back(with_cancel(leaf));
        leaf = scopes.back().ctx();
        break;
      default:
        scopes.push_back(with_timeout(leaf, std::chrono::seconds{1 + random() % 100}));
        timed.push_back(scopes.size() - 1);
        leaf = scopes.back().ctx();
    }
  }
  template <int... Ns>
  void add_all(std::integer_sequence<int, Ns...>) {
    (add<Ns>(), ...);
  }
  layers() { add_all(std::make_integer_sequence<int, depth>{}); }

  void check_values() const {
    for (const auto& [expected, find] : bound) {
      BOOST_REQUIRE(find(leaf) != nullptr);
      BOOST_TEST(*find(leaf) == expected);
    }
  }
};

BOOST_FIXTURE_TEST_CASE(C077_C079_random_layers_are_not_done_and_all_values_are_readable, layers) {
  BOOST_TEST(scopes.size() > 5u);
  BOOST_TEST(bound.size() > 5u);
  BOOST_TEST(!leaf.done());
  check_values();
}

BOOST_AUTO_TEST_CASE(C078_C080_cancelling_any_one_layer_makes_the_leaf_done_and_values_stay) {
  const auto count = layers{}.scopes.size();
  for (std::size_t i = 0; i < count; ++i) {
    layers some;
    some.scopes[i].cancel();
    BOOST_TEST(some.leaf.done());
    some.check_values();
  }
}

BOOST_AUTO_TEST_CASE(C081_C082_a_deadline_in_any_layer_makes_the_leaf_done_and_values_stay) {
  const auto count = layers{}.timed.size();
  for (std::size_t i = 0; i < count; ++i) {
    layers some;
    auto& one = some.scopes[some.timed[i]];
    BOOST_TEST(one.move_deadline(some.now() + 500ms));
    some.advance(499ms);
    BOOST_TEST(!some.leaf.done());
    some.advance(1ms);
    BOOST_TEST(some.leaf.error() == errc::deadline_exceeded);
    some.check_values();
  }
}

BOOST_AUTO_TEST_SUITE_END()
