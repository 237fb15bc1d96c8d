// SPDX-License-Identifier: BSL-1.0

// The context workloads: `bench_context WORKLOAD N` prints `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`, the same
// work as `peers/go/main.go` does. `node_cost` prints what a context costs in memory and in allocations.

#include "measure.hpp"

#include "libactor/after_cancel.hpp"
#include "libactor/context_key.hpp"
#include "libactor/context_runtime.hpp"
#include "libactor/scope.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

// Not inlined: g++ 12 then warns that they do not match what they replace.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size))
    return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto to = static_cast<std::size_t>(align);
  if (void* memory = std::aligned_alloc(to, (size + to - 1) / to * to))
    return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace libactor;
using namespace std::chrono_literals;
using bench::ns_per_op;
using bench::report;

constexpr std::uint64_t churn_ops = 2'000'000;
volatile int int_sink;

void derive_and_release(const context& parent, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i)
    const auto child = with_cancel(parent);  // left, and so canceled and released, at once
}

void derive(const char* name, std::uint64_t n) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  derive_and_release(parent.ctx(), n / 10 + 1);
  const auto start = bench::clock::now();
  derive_and_release(parent.ctx(), n);
  report(name, n, ns_per_op(bench::clock::now() - start, n));
}

void derive_shared(const char* name, std::uint64_t n) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  const auto both = [&](std::uint64_t each) {
    std::thread other{[&] { derive_and_release(parent.ctx(), each); }};
    derive_and_release(parent.ctx(), each);
    other.join();
  };
  both(n / 20 + 1);
  const auto start = bench::clock::now();
  both(n / 2);
  report(name, n, ns_per_op(bench::clock::now() - start, n));
}

// Unrolled, because counting to n takes as long as a poll. A function of its own: within `main`, the loop's counter
// lived in memory, which took longer still.
[[gnu::noinline]] std::uint64_t poll_often(const context& ctx, std::uint64_t n) {
  std::uint64_t done = 0;
#pragma GCC unroll 8
  for (std::uint64_t i = 0; i < n; ++i)
    done += ctx.done() ? 1 : 0;
  return done;
}

void poll(const char* name, std::uint64_t n) {
  context_runtime runtime;
  auto child = with_cancel(runtime.background());
  const auto ctx = child.ctx();
  const auto start = bench::clock::now();
  int_sink = static_cast<int>(poll_often(ctx, n));
  report(name, n, ns_per_op(bench::clock::now() - start, n));
}

template <int N>
struct layer : context_key<int> {};

template <int... Ns>
context layers(context ctx, std::integer_sequence<int, Ns...>) {
  ((ctx = with_value<layer<Ns>>(ctx, Ns)), ...);
  return ctx;
}

void value(const char* name, std::uint64_t n) {
  context_runtime runtime;
  const auto ctx = layers(runtime.background(), std::make_integer_sequence<int, 10>{});
  const auto start = bench::clock::now();
  for (std::uint64_t i = 0; i < n; ++i)
    int_sink = *ctx.value<layer<0>>();
  report(name, n, ns_per_op(bench::clock::now() - start, n));
}

void fanout(const char* name, std::uint64_t n, bool scramble) {
  context_runtime runtime;
  std::vector<scope> children(n);
  const auto before = bench::resident_bytes();
  auto parent = with_cancel(runtime.background());
  for (auto& child : children)
    child = with_cancel(parent.ctx());
  if (scramble) {
    std::mt19937_64 random{42};
    for (std::uint64_t i = 0; i < 2 * n; ++i) {
      auto& child = children[random() % n];
      child.cancel();
      child = with_cancel(parent.ctx());
    }
  }
  const auto bytes = (bench::resident_bytes() - before) / n;
  const auto start = bench::clock::now();
  parent.cancel();
  const auto took = bench::clock::now() - start;
  for (const auto& child : children) {
    if (!child.ctx().done())
      std::abort();
  }
  report(name, n, ns_per_op(took, n), bytes);
}

void deep(const char* name, std::uint64_t n) {
  context_runtime runtime;
  std::vector<scope> chain(n);
  const auto before = bench::resident_bytes();
  auto root = with_cancel(runtime.background());
  for (std::uint64_t i = 0; i < n; ++i)
    chain[i] = with_cancel(i == 0 ? root.ctx() : chain[i - 1].ctx());
  const auto bytes = (bench::resident_bytes() - before) / n;
  const auto start = bench::clock::now();
  root.cancel();
  const auto took = bench::clock::now() - start;
  if (!chain.back().ctx().done())
    std::abort();
  report(name, n, ns_per_op(took, n), bytes);
}

void churn(const char* name, std::uint64_t n, bool at_random) {
  context_runtime runtime;
  const auto root = runtime.background();
  std::vector<scope> live(n);
  for (auto& one : live)
    one = with_timeout(root, 1h);
  std::vector<std::uint32_t> order(churn_ops);
  std::mt19937_64 random{42};
  for (std::uint64_t i = 0; i < churn_ops; ++i)
    order[i] = static_cast<std::uint32_t>(at_random ? random() % n : i % n);
  const auto start = bench::clock::now();
  for (const auto i : order) {
    live[i] = scope{};
    live[i] = with_timeout(root, 1h);
  }
  const auto took = bench::clock::now() - start;
  report(name, n, ns_per_op(took, churn_ops));
}

// As in the peer: all n deadlines fire, and at 10,000 of them somebody is told of it, on a thread other than the
// clock's.
void lateness(const char* name, std::uint64_t n) {
  const auto step = (n + 9'999) / 10'000;
  std::vector<duration> late((n + step - 1) / step);
  std::atomic<std::size_t> left{late.size()};
  context_runtime runtime;
  std::vector<scope> all(n);
  std::vector<after_registration> callbacks(late.size());
  std::vector<std::uint64_t> order(n);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64{42});
  const auto base = runtime.now() + 500ms + static_cast<std::int64_t>(n) * 2us;
  for (const auto i : order) {
    const auto at = base + duration{1s} * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(n);
    all[i] = with_deadline(runtime.background(), at);
    if (i % step == 0)
      callbacks[i / step] = after_cancel(all[i].ctx(), [&runtime, &left, slot = &late[i / step], at] {
        *slot = runtime.now() - at;
        left.fetch_sub(1, std::memory_order_release);
      });
  }
  if (runtime.now() > base) {
    std::fprintf(stderr, "arming took longer than the lead\n");
    std::exit(1);
  }
  while (left.load(std::memory_order_acquire) != 0)
    std::this_thread::sleep_for(10ms);
  std::sort(late.begin(), late.end());
  report(name, n, static_cast<double>(late[late.size() * 99 / 100].count()));
}

// Of the kinds that cost most: calls of operator new for each derivation, the most of any one, and bytes of memory for
// a live context.
void node_cost(const char* name, std::uint64_t n) {
  context_runtime runtime;
  auto parent = with_cancel(runtime.background());
  std::vector<scope> live(n);
  const auto measure = [&](const char* what, auto derive_one) {
    const auto bytes = bench::resident_bytes();
    const auto news = allocations.load();
    std::size_t most = 0;
    for (auto& one : live) {
      const auto before = allocations.load();
      one = derive_one();
      most = std::max(most, allocations.load() - before);
    }
    std::printf("%s_%s\t%llu\tnew/op %.4f\tmost %zu\tbytes %zu\n", name, what, static_cast<unsigned long long>(n),
                static_cast<double>(allocations.load() - news) / static_cast<double>(n), most,
                (bench::resident_bytes() - bytes) / n);
  };
  measure("cancel", [&] { return with_cancel(parent.ctx()); });
  const auto kept = std::exchange(live, std::vector<scope>(n));  // or the second would live in the memory of the first
  measure("deadline", [&] { return with_timeout(parent.ctx(), 1h); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc == 3 ? argv[1] : "";
  const std::uint64_t n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (n == 0) {
    std::fprintf(stderr, "usage: bench_context WORKLOAD N\n");
    return 2;
  }
  if (name == "derive")
    derive(argv[1], n);
  else if (name == "derive_shared_2t")
    derive_shared(argv[1], n);
  else if (name == "poll")
    poll(argv[1], n);
  else if (name == "value_10")
    value(argv[1], n);
  else if (name == "fanout_cancel" || name == "fanout_cancel_shuffled")
    fanout(argv[1], n, name == "fanout_cancel_shuffled");
  else if (name == "deep_cancel")
    deep(argv[1], n);
  else if (name == "deadline_churn" || name == "deadline_churn_random")
    churn(argv[1], n, name == "deadline_churn_random");
  else if (name == "deadline_fire" || name == "deadline_flood")
    lateness(argv[1], n);
  else if (name == "node_cost")
    node_cost(argv[1], n);
  else {
    std::fprintf(stderr, "bench_context: no workload \"%s\"\n", name.c_str());
    return 2;
  }
  bench::leave();
}
