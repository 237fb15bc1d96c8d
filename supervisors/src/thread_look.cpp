// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. A slot's word says who may write the rest of it: whoever claimed it, until it is armed; the handler that took it,
//     until it is done; then the claimer again. A word carries the number of its use: a signal that comes late finds
//     another number, and does nothing.
//  2. The handler takes no lock, allocates nothing, and calls nothing but the unwinder, which finds a frame's rules
//     without a lock (`_dl_find_object`, glibc 2.35 and later).
#include "thread_look.hpp"

#include <unwind.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "thread_state.hpp"

namespace libactor::detail {

namespace {

constexpr std::size_t most_frames = 64;
constexpr std::size_t frames_of_handler = 8;  // at most, above those of the thread's own code

enum slot_state : std::uint64_t { is_free, is_claimed, is_armed, is_taken, is_done, is_forgotten };
constexpr unsigned state_bits = 3;

struct slot {
  std::atomic<std::uint64_t> word{is_free};  // the state, above it the number of the use
  std::atomic<int> thread{0};
  std::size_t count = 0;
  std::array<std::uintptr_t, most_frames> frames{};
};

std::array<slot, 16> slots;
// Of each signal that a handler of ours is there for: what was there before. None is freed, as a handler may be reading
// it.
struct earlier_action {
  struct sigaction what;
  const earlier_action* older;
};
std::array<std::atomic<const earlier_action*>, NSIG> before{};

// What a signal of ours carries, so that it is told from a host's: a mark, the use's number and the slot's.
constexpr std::uintptr_t mark = 0x5a5a000000000000;
constexpr std::uintptr_t mark_mask = 0xffff000000000000;
constexpr unsigned index_bits = 4;

std::uintptr_t token_of(std::uint64_t use, std::size_t index) noexcept {
  return mark | (((use << index_bits) | index) & ~mark_mask);
}

struct unwinding {
  slot* to;
  std::uintptr_t from;  // where the thread was
  std::size_t skipped = 0;
  bool begun = false;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* data) noexcept {
  auto& all = *static_cast<unwinding*>(data);
  int before_call = 0;
  const auto at = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(context, &before_call));
  if (at == 0)
    return _URC_END_OF_STACK;
  if (!all.begun && at != all.from && all.skipped++ < frames_of_handler)
    return _URC_NO_REASON;
  all.begun = true;
  auto& to = *all.to;
  to.frames[to.count++] = before_call != 0 ? at : at - 1;
  return to.count == most_frames ? _URC_END_OF_STACK : _URC_NO_REASON;
}

std::uintptr_t interrupted_at(const void* context) noexcept {
  const auto& state = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(state.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return state.pc;
#else
  static_cast<void>(state);
  return 0;
#endif
}

void answer(std::uintptr_t token, const void* context) noexcept {
  auto& to = slots[token & ((1U << index_bits) - 1)];
  auto word = to.word.load(std::memory_order_acquire);
  const auto use = word >> state_bits;
  if ((word & ((1U << state_bits) - 1)) != is_armed || token_of(use, token & ((1U << index_bits) - 1)) != token ||
      to.thread.load(std::memory_order_relaxed) != static_cast<int>(::syscall(SYS_gettid)))
    return;
  if (!to.word.compare_exchange_strong(word, use << state_bits | is_taken, std::memory_order_acq_rel))
    return;
  to.count = 0;
  unwinding all{&to, interrupted_at(context)};
  _Unwind_Backtrace(&take_frame, &all);
  word = use << state_bits | is_taken;
  if (!to.word.compare_exchange_strong(word, use << state_bits | is_done, std::memory_order_acq_rel))
    to.word.store(use << state_bits | is_free, std::memory_order_release);  // nobody waits any more
}

// What this thread is in: a host's handler that was put before ours may call ours in turn, as what it had found.
struct handing_on {
  int number = 0;
  const earlier_action* to = nullptr;
};
thread_local constinit handing_on handed_on __attribute__((tls_model("initial-exec")));

void call(const struct sigaction* to, int number, siginfo_t* info, void* context) noexcept {
  if ((to->sa_flags & SA_SIGINFO) != 0) {
    to->sa_sigaction(number, info, context);
  } else if (to->sa_handler == SIG_DFL) {
    if (number == SIGURG || number == SIGCHLD || number == SIGWINCH || number == SIGCONT)
      return;
    ::sigaction(number, to, nullptr);  // as if nobody were here: it ends the process once this returns
    ::raise(number);
  } else if (to->sa_handler != SIG_IGN) {
    to->sa_handler(number);
  }
}

// A signal that somebody else sent.
void hand_on(int number, siginfo_t* info, void* context) noexcept {
  const auto outer = handed_on;
  const auto* earlier = outer.number == number
                            ? outer.to->older
                            : before[static_cast<std::size_t>(number)].load(std::memory_order_acquire);
  if (earlier == nullptr)
    return;
  handed_on = {number, earlier};
  call(&earlier->what, number, info, context);
  handed_on = outer;
}

void on_signal(int number, siginfo_t* info, void* context) noexcept {
  const int saved = errno;
  const auto token = reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr);
  if (info->si_code != SI_QUEUE || (token & mark_mask) != mark)
    hand_on(number, info, context);
  else if (token != mark)
    answer(token, context);
  errno = saved;
}

// Also where a host has set a handler of its own since: that one gets what is not ours from now on.
void install(int number, int flags) {
  struct sigaction now {};
  if (::sigaction(number, nullptr, &now) != 0 || ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &on_signal))
    return;
  auto& place = before[static_cast<std::size_t>(number)];
  auto* earlier = new earlier_action{now, place.load(std::memory_order_relaxed)};
  while (!place.compare_exchange_weak(earlier->older, earlier, std::memory_order_release, std::memory_order_relaxed)) {
  }
  struct sigaction mine {};
  mine.sa_sigaction = &on_signal;
  mine.sa_mask = now.sa_mask;
  mine.sa_flags = flags | SA_SIGINFO | SA_ONSTACK;
  ::sigaction(number, &mine, nullptr);
}

bool send(int thread, int number, std::uintptr_t token) noexcept {
  siginfo_t info{};
  info.si_signo = number;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(token);
  return ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, number, &info) == 0;
}

slot* claim() noexcept {
  for (auto& one : slots) {
    auto word = one.word.load(std::memory_order_relaxed);
    if ((word & ((1U << state_bits) - 1)) == is_free &&
        one.word.compare_exchange_strong(word, ((word >> state_bits) + 1) << state_bits | is_claimed,
                                         std::memory_order_acq_rel))
      return &one;
  }
  return nullptr;
}

// Whether the slot is done by `until`; if not, it is no longer waited for.
bool await(slot& of, std::uint64_t use, std::chrono::steady_clock::time_point until) noexcept {
  const auto done = use << state_bits | is_done;
  while (of.word.load(std::memory_order_acquire) != done) {
    if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::microseconds(10));
      continue;
    }
    auto word = use << state_bits | is_armed;
    if (of.word.compare_exchange_strong(word, use << state_bits | is_free, std::memory_order_acq_rel))
      return false;
    if (word != done && of.word.compare_exchange_strong(word, use << state_bits | is_forgotten))
      return false;
  }
  return true;
}

std::vector<std::uintptr_t> take_stack(int thread, int number, duration limit) {
  auto* mine = claim();
  if (mine == nullptr)
    return {};
  const auto use = mine->word.load(std::memory_order_relaxed) >> state_bits;
  const auto index = static_cast<std::size_t>(mine - slots.data());
  mine->thread.store(thread, std::memory_order_relaxed);
  mine->word.store(use << state_bits | is_armed, std::memory_order_release);
  if (!send(thread, number, token_of(use, index))) {
    mine->word.store(use << state_bits | is_free, std::memory_order_release);
    return {};
  }
  if (!await(*mine, use, std::chrono::steady_clock::now() + limit))
    return {};
  std::vector<std::uintptr_t> frames(mine->frames.begin(),
                                     mine->frames.begin() + static_cast<std::ptrdiff_t>(mine->count));
  mine->word.store(use << state_bits | is_free, std::memory_order_release);
  return frames;
}

}  // namespace

thread_looker::thread_looker(int look_signal, int interrupt_signal)
    : look_(look_signal != 0 ? look_signal : SIGRTMAX - 1),
      interrupt_(interrupt_signal != 0 ? interrupt_signal : SIGRTMAX - 2) {}

thread_look thread_looker::look(int thread, duration limit) const {
  thread_look seen;
  if (thread == 0)
    return seen;
  read_state(thread, seen);  // first: the signal wakes it
  install(look_, SA_RESTART);
  seen.frames = take_stack(thread, look_, limit);
  return seen;
}

bool thread_looker::interrupt(int thread) const noexcept {
  if (thread == 0)
    return false;
  install(interrupt_, 0);
  return send(thread, interrupt_, mark);
}

}  // namespace libactor::detail
