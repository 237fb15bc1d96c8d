// SPDX-License-Identifier: BSL-1.0
//
// The warden forks a keeper for each process that it is asked for; the keeper forks the process. Each keeper is the
// subreaper of what it started, so whatever loses its parent below it becomes its child, however often it forks and
// whatever sessions it makes: that is how all of it can be found. The warden is the subreaper of keepers.
//
// Invariants
//  1. Both have one thread, so that a fork here is free to allocate, and PR_SET_PDEATHSIG means the process.
//  2. All signals are blocked; those that matter are read from a signalfd.
//  3. The process's id is signaled only until it is reaped.
//  4. A keeper outlives all that descends from its process, as far as the kernel lets them be killed.
#include "process/keeper.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

namespace libactor::process {

namespace {

// How long what was killed may take to end without any other doing so: what is then left is in the kernel's hands, or
// another user's.
constexpr int patience_ms = 5000;
constexpr int look_again_ms = 20;

constexpr int parent_ended = SIGUSR1;

std::int64_t now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

struct process_facts {
  pid_t pid = -1, parent = -1, group = -1;
};

// The fourth and the fifth field of its stat file, which come behind the name in parentheses and the state.
process_facts facts_of(const char* pid) noexcept {
  std::array<char, 64> name{};
  std::array<char, 512> text{};
  if (std::strlen(pid) > 16)
    return {};
  std::strcpy(name.data(), "/proc/");
  std::strcat(name.data(), pid);
  std::strcat(name.data(), "/stat");
  const unique_fd file{::open(name.data(), O_RDONLY | O_CLOEXEC)};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0)
    return {};
  const char* end = std::strrchr(text.data(), ')');
  if (end == nullptr || std::strlen(end) < 4)
    return {};
  char* rest = nullptr;
  process_facts facts{static_cast<pid_t>(std::atoi(pid)), static_cast<pid_t>(std::strtol(end + 4, &rest, 10)), -1};
  facts.group = static_cast<pid_t>(std::strtol(rest, nullptr, 10));
  return facts;
}

template <class Fun>
void for_each_child(Fun fun) {
  DIR* folder = ::opendir("/proc");
  if (folder == nullptr)
    return;
  const auto self = ::getpid();
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
      continue;
    if (const auto facts = facts_of(entry->d_name); facts.parent == self)
      fun(facts);
  }
  ::closedir(folder);
}

// With its group, which the kernel kills as one: a process that forks and ends, over and over, is gone before it can be
// killed by its id.
void kill_with_group(const process_facts& child) noexcept {
  if (child.group > 1 && child.group != ::getpgrp())
    ::kill(-child.group, SIGKILL);
  ::kill(child.pid, SIGKILL);
}

int open_signals() noexcept {
  // Where a program ignores it, which is inherited, the ends of children are not told.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, parent_ended);
  return ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Whether one of the pending signals was that of the parent's end.
bool drain_signals(int signals) noexcept {
  bool orphaned = false;
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info)
    orphaned = orphaned || info.ssi_signo == static_cast<unsigned>(parent_ended);
  return orphaned;
}

// Kills and reaps every child of this process, and so, one generation after the other, every descendant.
void end_all_children(int signals) noexcept {
  for (auto until = now_ms() + patience_ms; now_ms() < until;) {
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0)
      until = now_ms() + patience_ms;
    if (reaped < 0 && errno == ECHILD)
      return;
    for_each_child(kill_with_group);
    pollfd news{signals, POLLIN, 0};
    ::poll(&news, 1, look_again_ms);
    drain_signals(signals);
  }
}

class keeper {
 public:
  keeper(int host, pid_t warden) noexcept : host_(host), warden_(warden) {}

  [[noreturn]] void run(const child_image& image, const child_image::descriptors& to) noexcept {
    ::prctl(PR_SET_NAME, "actor-keeper", 0, 0, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    signals_ = open_signals();
    ::prctl(PR_SET_PDEATHSIG, parent_ended, 0, 0, 0);
    if (signals_ < 0 || ::getppid() != warden_)
      ::_exit(1);
    leader_ = image.spawn(to, true);
    if (leader_ < 0) {
      const child_report words{child_step::fork, errno, 0};
      static_cast<void>(!::write(to.report, &words, sizeof words));
      ::_exit(1);
    }
    for (const int fd : {to.in, to.out, to.err, to.report})
      ::close(fd);
    for (;;) {
      pollfd news[] = {{host_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (::poll(news, 2, -1) < 0 && errno != EINTR)
        finish();
      if (news[0].revents != 0)
        obey();
      // Whoever it keeps may send that signal, too.
      if (news[1].revents != 0 && drain_signals(signals_) && ::getppid() != warden_)
        finish();
      reap();
    }
  }

 private:
  void obey() noexcept {
    unsigned char number = 0;
    const auto count = ::recv(host_, &number, 1, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
      finish();  // the host is gone
    if (count == 1)
      signal_group(number);
  }

  void signal_group(int number) const noexcept {
    // Until the child has made its session there is no group of its own.
    if (::kill(-leader_, number) != 0 && errno == ESRCH)
      ::kill(leader_, number);
  }

  void reap() noexcept {
    for (;;) {
      siginfo_t info{};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return;
      if (info.si_pid == leader_)
        conclude(info);
      ::waitpid(info.si_pid, nullptr, 0);
    }
  }

  [[noreturn]] void conclude(const siginfo_t& info) noexcept {
    keeper_news news{};
    news.end.what = info.si_code == CLD_EXITED ? process_end::how::exited : process_end::how::signaled;
    news.end.code = info.si_status;
    ::kill(-leader_, SIGKILL);
    end_all_children(signals_);
    ::send(host_, &news, sizeof news, MSG_NOSIGNAL);
    ::_exit(0);
  }

  [[noreturn]] void finish() noexcept {
    ::kill(-leader_, SIGKILL);
    end_all_children(signals_);
    ::_exit(0);
  }

  const int host_;
  const pid_t warden_;
  int signals_ = -1;
  pid_t leader_ = -1;
};

class warden_process {
 public:
  explicit warden_process(int control) noexcept : control_(control) {}

  [[noreturn]] void run() {
    for (;;) {
      pollfd news[] = {{control_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (::poll(news, 2, -1) < 0 && errno != EINTR)
        finish();
      if (news[1].revents != 0) {
        drain_signals(signals_);
        reap();
      }
      if (news[0].revents != 0)
        serve();
    }
  }

 private:
  [[noreturn]] void finish() noexcept {
    end_all_children(signals_);
    ::_exit(0);
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      keepers_.erase(pid);
    // A keeper that was killed leaves its children to this process. Each of them that ends brings the next round.
    for_each_child([&](const process_facts& child) {
      if (!keepers_.contains(child.pid))
        kill_with_group(child);
    });
  }

  // Reads so many bytes, or ends where the host is gone.
  void read_all(char* into, std::size_t size) noexcept {
    while (size != 0) {
      const auto count = ::recv(control_, into, size, 0);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        finish();
      into += count;
      size -= static_cast<std::size_t>(count);
    }
  }

  void serve() {
    warden_request head{};
    std::array<int, warden_request_fds> fds{-1, -1, -1, -1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> room{};
    iovec part{&head, sizeof head};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    const auto count = ::recvmsg(control_, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    if (count <= 0)
      finish();
    if (const auto* with = CMSG_FIRSTHDR(&message); with != nullptr && with->cmsg_len == CMSG_LEN(sizeof fds))
      std::memcpy(fds.data(), CMSG_DATA(with), sizeof fds);
    read_all(reinterpret_cast<char*>(&head) + count, sizeof head - static_cast<std::size_t>(count));
    std::string bytes(head.size, '\0');
    read_all(bytes.data(), bytes.size());
    const unique_fd host{fds[0]}, out{fds[1]}, err{fds[2]}, report{fds[3]};
    start(child_image::decode(bytes), host.get(), out.get(), err.get(), report.get());
  }

  void start(const child_image& image, int host, int out, int err, int report) {
    const auto in = child_image::open_null();
    const auto self = ::getpid();
    const auto pid = ::fork();
    if (pid == 0) {
      ::close(control_);
      ::close(signals_);
      keeper(host, self).run(image, {in.get(), out, err, report});
    }
    if (pid > 0) {
      keepers_.insert(pid);
      return;
    }
    const child_report words{child_step::fork, errno, 0};
    static_cast<void>(!::write(report, &words, sizeof words));
  }

  const int control_;
  const int signals_ = open_signals();
  std::set<pid_t> keepers_;
};

}  // namespace

void run_warden(int control) noexcept {
  ::prctl(PR_SET_NAME, "actor-warden", 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  warden_process(control).run();
}

}  // namespace libactor::process
