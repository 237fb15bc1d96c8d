// SPDX-License-Identifier: BSL-1.0
// What proc(5) tells of a thread, and what glibc's mutexes tell of who holds them.
#include "thread_state.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace libactor::detail {

namespace {

// Of `/proc/self/task/THREAD/NAME`, at most its first 511 characters; empty if it can't be read.
std::string read_task_file(int thread, const char* name) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), "/proc/self/task/%d/%s", thread, name);
  const int file = ::open(text.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return {};
  const auto length = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string{};
}

// The letter behind the name, which stands in parentheses and may hold some of its own.
char state_letter(const std::string& stat) noexcept {
  const auto end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() ? stat[end + 2] : '\0';
}

// The head of glibc's pthread_mutex_t (nptl/struct_mutex.h), the same on x86_64 and aarch64.
struct mutex_head {
  int lock;
  unsigned count;
  int owner;
};

// A mutex that is freed meanwhile must do no harm: the kernel reads it, and says so where it can't.
int holder_of(std::uintptr_t address) noexcept {
  mutex_head head{};
  const iovec to{&head, sizeof head};
  const iovec from{reinterpret_cast<void*>(address), sizeof head};
  if (::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) != static_cast<ssize_t>(sizeof head) || head.lock == 0)
    return 0;
  return head.owner;
}

bool is_thread_of_ours(int thread) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d", thread);
  return thread > 0 && ::access(path.data(), F_OK) == 0;
}

struct blocked_call {
  long number = -1;
  std::array<unsigned long, 3> args{};
};

// `number 0xarg0 … 0xarg5 0xstack 0xpc`, or `running`, or `-1 …` where it waits without a call.
blocked_call parse(const std::string& text) noexcept {
  blocked_call call;
  if (std::sscanf(text.c_str(), "%ld %lx %lx %lx", &call.number, &call.args[0], &call.args[1], &call.args[2]) < 1)
    call.number = -1;
  return call;
}

int mutex_holder(const blocked_call& call, int waiter) noexcept {
  constexpr unsigned long contended = 2;  // what glibc's mutexes wait on
  if (call.number != SYS_futex)
    return 0;
  const auto what = static_cast<int>(call.args[1]) & FUTEX_CMD_MASK;
  if (what != FUTEX_LOCK_PI && !((what == FUTEX_WAIT || what == FUTEX_WAIT_BITSET) && call.args[2] == contended))
    return 0;
  const int holder = holder_of(call.args[0]);
  return holder != waiter && is_thread_of_ours(holder) ? holder : 0;
}

}  // namespace

void read_state(int thread, thread_look& into) {
  const auto letter = state_letter(read_task_file(thread, "stat"));
  if (letter == 'R') {
    into.activity = thread_activity::running;
    return;
  }
  if (letter != 'S' && letter != 'D')
    return;
  into.activity = thread_activity::waiting;
  const auto text = read_task_file(thread, "syscall");
  if (text.empty()) {  // not every kernel tells; where it waits is better than nothing
    into.system_call = read_task_file(thread, "wchan");
    return;
  }
  const auto call = parse(text);
  if (call.number < 0)
    return;
  into.system_call = system_call_name(call.number);
  into.mutex_holder = mutex_holder(call, thread);
}

}  // namespace libactor::detail
