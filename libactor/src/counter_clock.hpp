// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace libactor::detail {

// The steady clock's time from the processor's cycle counter, for those who need it often: a third of what the clock
// costs, because nothing waits for the instructions before the reading. One thread, the writer, reads both every few
// milliseconds; any thread asks for the time between.
//
// What is answered is never before the clock's own time, and at most 23 µs after it. The counter's rate is that between
// the last two readings, each exact to half a microsecond in at least 2 ms (250 ppm); the kernel changes the rate of
// its clock by 1,000 ppm at the most (from -500 to 500: adjtimex(2)); so 1/512 of what has passed since the last
// reading is added.
//
// Invariants
//  1. `turn_` is even when the three others belong together; only the writer changes any of them.
//  2. A reading more than `most` old is not used, nor a rate over more than a second: so neither a writer that is held
//     up nor a machine that slept or was moved makes an answer wrong. Not noticed is a sleep of less than a second
//     between two readings: until the next one, answers may be early, by `most` at the worst.
//  3. A rate that differs by 1/512 or more from the last two readings' is not used: then the counter or the clock has
//     jumped, or the counters of two processors differ.
class counter_clock {
 public:
  static constexpr std::int64_t most = 8'000'000;             // ns
  static constexpr std::int64_t calibrated_over = 2'000'000;  // ns between two readings, at least

  // For the writer: the counter stood at `ticks` when the clock said `ns`, or half a microsecond before that at the
  // most. Does nothing if the last time was less than `calibrated_over` ago.
  void publish(std::uint64_t ticks, std::int64_t ns) noexcept {
    const auto passed = ns - last_ns_;
    const auto counted = ticks - last_ticks_;
    if (last_ns_ != 0 && passed < calibrated_over)
      return;
    const bool usable = last_ns_ != 0 && passed < 1'000'000'000 && counted < max_ticks && counted != 0;
    auto scale = usable ? (static_cast<std::uint64_t>(passed) << 32) / counted : 0;
    const auto before = std::exchange(last_scale_, scale);
    if (before != 0 && (scale > before ? scale - before : before - scale) > before >> 9)
      scale = 0;
    last_ns_ = ns;
    last_ticks_ = ticks;
    const auto turn = turn_.load(std::memory_order_relaxed);
    turn_.store(turn + 1, std::memory_order_relaxed);
    ticks_.store(ticks, std::memory_order_release);
    ns_.store(ns, std::memory_order_release);
    scale_.store(scale < max_scale ? scale : 0, std::memory_order_release);
    turn_.store(turn + 2, std::memory_order_release);
  }

  // For the writer: there will be no readings for a while.
  void pause() noexcept {
    const auto turn = turn_.load(std::memory_order_relaxed);
    turn_.store(turn + 1, std::memory_order_relaxed);
    scale_.store(0, std::memory_order_release);
    turn_.store(turn + 2, std::memory_order_release);
  }

  // For any thread: whether it is worth while to ask.
  bool running() const noexcept { return scale_.load(std::memory_order_relaxed) != 0; }

  static constexpr std::int64_t unknown = INT64_MIN;

  // For any thread: the time when the counter stands at `ticks`; `unknown` if there is no reading to go by.
  std::int64_t at(std::uint64_t ticks) const noexcept {
    const auto turn = turn_.load(std::memory_order_acquire);
    const auto counted = ticks - ticks_.load(std::memory_order_acquire);
    const auto ns = ns_.load(std::memory_order_acquire);
    const auto scale = scale_.load(std::memory_order_acquire);
    if ((turn & 1) != 0 || turn_.load(std::memory_order_relaxed) != turn || scale == 0 || counted >= max_ticks)
      return unknown;
    const auto passed = static_cast<std::int64_t>(counted * scale >> 32);
    if (passed > most)
      return unknown;
    return ns + passed + (passed >> 9) + 256;
  }

  // The same from a clock that is called for the purpose; nothing if the thread was interrupted again and again.
  template <class Clock>
  void publish(Clock clock) noexcept {
    for (int tries = 0; tries != 3; ++tries) {
      const std::int64_t before = clock();
      const auto ticks = read();
      const std::int64_t after = clock();
      if (after - before <= 500) {
        publish(ticks, after);
        return;
      }
    }
  }

  // Whether the kernel keeps its own time by this counter, so that it runs alike on all processors. Reads a file, and
  // the clock some times.
  static bool trusted() noexcept;

  // The counter as it stands; 0 where there is none.
  static std::uint64_t read() noexcept {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }

 private:
  // The product of both fits 64 bits.
  static constexpr std::uint64_t max_ticks = 1ULL << 31;
  static constexpr std::uint64_t max_scale = 1ULL << 33;

  std::atomic<std::uint64_t> turn_{0};
  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<std::int64_t> ns_{0};
  std::atomic<std::uint64_t> scale_{0};  // nanoseconds a tick, times 2^32; 0: not known
  std::uint64_t last_ticks_ = 0;         // the writer's own
  std::int64_t last_ns_ = 0;
  std::uint64_t last_scale_ = 0;
};

}  // namespace libactor::detail
