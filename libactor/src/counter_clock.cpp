// SPDX-License-Identifier: BSL-1.0
#include "counter_clock.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace libactor::detail {

namespace {

#if defined(__x86_64__) && defined(__linux__)

// Of some calls the shortest, in ticks: not all of them are interrupted.
template <class Call>
std::uint64_t shortest(Call call) noexcept {
  std::uint64_t least = UINT64_MAX;
  for (int i = 0; i != 20; ++i) {
    timespec time;
    const auto before = counter_clock::read();
    call(&time);
    least = std::min(least, counter_clock::read() - before);
  }
  return least;
}

// Whether the clock is read without a call of the kernel: then it takes a half of such a call at the most.
bool read_in_user_space() noexcept {
  const auto clock = shortest([](timespec* time) { clock_gettime(CLOCK_MONOTONIC, time); });
  const auto call = shortest([](timespec* time) { syscall(SYS_clock_gettime, CLOCK_MONOTONIC, time); });
  return clock < call / 2;
}

#endif

}  // namespace

// A virtual machine's kvm-clock is the counter, scaled by what the host says; in user space by one page for all
// processors, which the kernel allows if the host promises that their counters run alike (PVCLOCK_TSC_STABLE_BIT; else
// it is called each time): the kernel's Documentation/virt/kvm/x86/msr.rst, and vread_pvclock.
bool counter_clock::trusted() noexcept {
#if defined(__x86_64__) && defined(__linux__)
  char text[32] = {};
  if (auto* file = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re")) {
    const auto size = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    const std::string_view source{text, size};
    return source == "tsc\n" || (source == "kvm-clock\n" && read_in_user_space());
  }
#endif
  return false;
}

}  // namespace libactor::detail
