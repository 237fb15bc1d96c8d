// SPDX-License-Identifier: BSL-1.0
#include "supervisors/process/process_host.hpp"

#include "process/host_impl.hpp"
#include "supervisors/process/warden.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace libactor::process {

namespace {

// How long after its end a process's pipes may stay open, held by a descendant that left its group.
constexpr auto linger = std::chrono::milliseconds(250);
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr auto last_wait = std::chrono::seconds(5);

int open_pidfd(pid_t pid) noexcept {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
#else
  errno = ENOSYS;
  return -1;
#endif
}

// What a service manager told this program is not for its processes.
bool is_own(std::string_view entry) noexcept {
  for (const std::string_view name : {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="}) {
    if (entry.substr(0, name.size()) == name)
      return true;
  }
  return false;
}

std::vector<std::string> copy_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!is_own(*entry))
      all.emplace_back(*entry);
  }
  return all;
}

}  // namespace

process_host::impl::impl(end_notice how, std::shared_ptr<warden> below)
    : notice_by(how), keeping(std::move(below)), environment(copy_environment()), work(io.get_executor()) {
  // What all waits are made with exists from here on: a start that had no descriptor for it could tell nobody.
  try {
    const asio::steady_timer first{io};
  } catch (const boost::system::system_error& e) {
    throw std::system_error(e.code(), "process_host");
  }
  // The thread inherits the mask: a program's signals are for its own threads.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread = std::thread([this] { io.run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

process_host::impl::~impl() {
  asio::post(io, [this] { shut_down(); });
  thread.join();
}

void process_host::impl::start(process_id id, process_spec spec, const std::shared_ptr<process_listener>& listener) {
  unique_fd socket;
  if (const auto failure = prepare_notify(spec, socket))
    return listener->on_start_failed(*failure);
  const auto port = spec.ready_port;
  const auto beat_limit = spec.watchdog;
  auto prepared = child_image::prepare(std::move(spec), environment);
  if (auto* failure = std::get_if<start_failure>(&prepared))
    return listener->on_start_failed(*failure);
  auto p = std::make_shared<running_process>(io, id, std::move(std::get<child_image>(prepared)));
  if (const auto failure = launch(*p))
    return listener->on_start_failed(*failure);
  p->listener = listener;
  p->port = port;
  p->beat_limit = beat_limit;
  p->notifier = p->image.user().value_or(::geteuid());
  if (socket) {
    if (const auto error = adopt(p->notify, std::move(socket)); error && !p->failure)
      p->failure = start_failure{"watch it", error.value()};
  }
  processes.emplace(id, p);
  {
    const std::lock_guard guard{mutex};
    unreaped.emplace(id, target{p->pid, p->is_kept ? p->end_source.native_handle() : -1});
  }
  if (p->failure) {
    p->resolved = true;
    kill_group(p->id, SIGKILL);
    return wait_for_end(p);
  }
  wait_for_end(p);
  p->report.async_wait(asio::posix::stream_descriptor::wait_read, [this, p](error_code error) {
    if (!error)
      read_report(p);
  });
}

// The error says that nothing was started; what can't be watched once it runs is in `p.failure`.
std::optional<start_failure> process_host::impl::launch(running_process& p) {
  auto made = child_image::make_pipes();
  if (auto* failure = std::get_if<start_failure>(&made))
    return *failure;
  auto& ends = std::get<child_image::pipes>(made);
  if (const auto failure = keeping ? spawn_kept(p, ends) : spawn_here(p, ends))
    return failure;
  for (auto [to, from] : {std::pair(&p.report, &ends.report), std::pair(&p.streams[0].pipe, &ends.out),
                          std::pair(&p.streams[1].pipe, &ends.err)}) {
    if (const auto error = adopt(*to, std::move(*from)))
      p.failure = start_failure{"watch it", error.value()};
  }
  return {};
}

std::optional<start_failure> process_host::impl::spawn_here(running_process& p, child_image::pipes& ends) {
  const auto in = child_image::open_null();
  if (!in)
    return start_failure{"open /dev/null", errno};
  p.pid = p.image.spawn({in.get(), ends.child_out.get(), ends.child_err.get(), ends.child_report.get()}, false);
  if (p.pid < 0)
    return start_failure{"fork", errno};
  if (notice_by == end_notice::pidfd) {
    // Without one, the end is polled for.
    if (unique_fd fd{open_pidfd(p.pid)})
      adopt(p.end_source, std::move(fd));
  }
  return {};
}

std::optional<start_failure> process_host::impl::spawn_kept(running_process& p, child_image::pipes& ends) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return start_failure{"make a socket for its keeper", errno};
  unique_fd here = above_standard(sockets[0]);
  const unique_fd there = above_standard(sockets[1]);
  if (!here || !there)
    return start_failure{"make a socket for its keeper", errno};
  if (const auto error = adopt(p.end_source, std::move(here)))
    return start_failure{"watch its keeper", error.value()};
  p.is_kept = true;
  if (const int error = keeping->send(
          p.image.encode(), {there.get(), ends.child_out.get(), ends.child_err.get(), ends.child_report.get()}))
    return start_failure{"reach the warden", error};
  return {};
}

// The error pipe has news: the id, a report of what failed, or its end, which says that exec succeeded.
void process_host::impl::read_report(const process_ptr& p) {
  if (p->resolved)
    return;
  for (;;) {
    char bytes[64];
    const auto count = ::read(p->report.native_handle(), bytes, sizeof bytes);
    if (count > 0) {
      p->reported.append(bytes, static_cast<std::size_t>(count));
      continue;
    }
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN && !p->end) {
      p->report.async_wait(asio::posix::stream_descriptor::wait_read, [this, p](error_code error) {
        if (!error)
          read_report(p);
      });
      return;
    }
    return resolve(p);
  }
}

void process_host::impl::resolve(const process_ptr& p) {
  p->resolved = true;
  p->report.close();
  std::string_view words = p->reported;
  if (p->is_kept && words.size() % sizeof(child_report) == sizeof p->pid) {
    std::memcpy(&p->pid, words.data(), sizeof p->pid);
    words.remove_prefix(sizeof p->pid);
  }
  if (child_report report{}; words.size() == sizeof report) {
    std::memcpy(&report, words.data(), sizeof report);
    p->failure = p->image.describe(report);
  } else if (p->pid < 0) {
    p->failure = start_failure{"reach its keeper", ECONNRESET};
  }
  if (p->failure)
    return;  // told once it is reaped
  if (p->listener)
    p->listener->on_started(p->pid);
  for (auto& s : p->streams)
    read(p, s);
  if (!p->end)
    watch_start(p);
}

void process_host::impl::wait_for_end(const process_ptr& p) {
  if (p->end_source.is_open()) {
    p->end_source.async_wait(asio::posix::stream_descriptor::wait_read, [this, p](error_code error) {
      if (!error)
        look_for_end(p);
    });
    return;
  }
  p->timer.expires_after(poll_interval);
  p->timer.async_wait([this, p](error_code error) {
    if (!error)
      look_for_end(p);
  });
}

// How it ended, if it did: then its group was killed, and it is reaped.
std::optional<process_end> process_host::impl::reap(running_process& p) {
  constexpr process_end lost{process_end::how::lost, 0};
  if (p.is_kept) {
    keeper_news news{};
    ssize_t count = 0;
    // A signal that its keeper has not read is told of first, as a broken connection.
    do {
      count = ::recv(p.end_source.native_handle(), &news, sizeof news, MSG_DONTWAIT);
    } while (count < 0 && errno == ECONNRESET);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      return {};
    const std::lock_guard guard{mutex};
    unreaped.erase(p.id);
    return count == sizeof news ? news.end : lost;
  }
  siginfo_t info{};
  const int found = ::waitid(P_PID, static_cast<id_t>(p.pid), &info, WEXITED | WNOHANG | WNOWAIT);
  if (found == 0 && info.si_pid == 0)
    return {};
  {
    const std::lock_guard guard{mutex};
    unreaped.erase(p.id);
  }
  if (found != 0)
    return lost;
  // Until the next call its number is taken.
  ::kill(-p.pid, SIGKILL);
  ::waitid(P_PID, static_cast<id_t>(p.pid), &info, WEXITED | WNOHANG);
  return process_end{info.si_code == CLD_EXITED ? process_end::how::exited : process_end::how::signaled,
                     info.si_status};
}

void process_host::impl::look_for_end(const process_ptr& p) {
  auto how = reap(*p);
  if (!how)
    return wait_for_end(p);
  // What it said before its end comes before its end.
  if (p->notify.is_open() && p->resolved)
    read_notices(p);
  p->end = how;
  p->end_source.close();
  read_report(p);
  stop_watching(*p);
  if (p->failure) {
    for (auto& s : p->streams)
      s.pipe.close();
    return conclude(p);
  }
  p->timer.expires_after(linger);
  p->timer.async_wait([this, p](error_code error) {
    if (error)
      return;
    for (auto& s : p->streams) {
      if (!s.pipe.is_open())
        continue;
      // What it wrote itself stands in the pipe now, at most; what comes after is another's.
      const int capacity = ::fcntl(s.pipe.native_handle(), F_GETPIPE_SZ);
      s.left_of_late = capacity > 0 ? static_cast<std::size_t>(capacity) : max_line;
      read(p, s);
    }
  });
  conclude(p);
}

void process_host::impl::conclude(const process_ptr& p) {
  if (!p->end)
    return;
  for (const auto& s : p->streams) {
    if (s.pipe.is_open())
      return;
  }
  if (processes.erase(p->id) == 0)
    return;
  p->timer.cancel();
  p->until_gone = nullptr;
  if (p->listener) {
    const auto listener = std::move(p->listener);
    if (p->failure)
      listener->on_start_failed(*p->failure);
    else
      listener->on_ended(*p->end);
  }
  if (patience && processes.empty()) {
    patience->cancel();
    work.reset();
  }
}

// From any thread.
void process_host::impl::kill_group(process_id id, int number) noexcept {
  const std::lock_guard guard{mutex};
  const auto i = unreaped.find(id);
  if (i == unreaped.end())
    return;
  if (i->second.keeper >= 0) {
    const auto byte = static_cast<unsigned char>(number);
    ::send(i->second.keeper, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  // Until the child has made its session there is no group of its own.
  if (::kill(-i->second.pid, number) != 0 && errno == ESRCH)
    ::kill(i->second.pid, number);
}

void process_host::impl::discard(const process_ptr& p) {
  p->listener = nullptr;
  stop_watching(*p);
  kill_group(p->id, SIGKILL);
  for (auto& s : p->streams)
    s.pipe.close();
  conclude(p);
}

void process_host::impl::shut_down() {
  patience.emplace(io, last_wait);
  patience->async_wait([this](error_code error) {
    if (!error)
      io.stop();
  });
  const auto all = processes;
  for (const auto& [id, p] : all)
    discard(p);
  if (processes.empty()) {
    patience->cancel();
    work.reset();
  }
}

process_host::process_host(end_notice notice) : impl_(std::make_unique<impl>(notice, nullptr)) {}
process_host::process_host(std::shared_ptr<warden> below)
    : impl_(std::make_unique<impl>(end_notice::pidfd, std::move(below))) {}
process_host::~process_host() {
  // What its thread let go may have been the last that held it: it can't wait for itself.
  if (impl_->thread.get_id() == std::this_thread::get_id())
    std::thread([last = std::move(impl_)] {}).detach();
}

process_host::process_id process_host::start(process_spec spec, std::shared_ptr<process_listener> listener) {
  const auto id = impl_->last_id.fetch_add(1, std::memory_order_relaxed) + 1;
  asio::post(impl_->io, [self = impl_.get(), id, spec = std::move(spec), listener = std::move(listener)]() mutable {
    self->start(id, std::move(spec), listener);
  });
  return id;
}

void process_host::signal(process_id id, int number) {
  impl_->with(id, [self = impl_.get(), number](const process_ptr& p) {
    if (number == SIGTERM)
      self->expect_no_beat(*p);
    self->kill_group(p->id, number);
  });
}

void process_host::discard(process_id id, std::shared_ptr<void> until_gone) {
  // Its listener is forgotten before its end can be seen. If its start is still to come, it is killed right after that.
  impl_->with(id, [self = impl_.get(), until_gone = std::move(until_gone)](const process_ptr& p) {
    p->until_gone = until_gone;
    self->discard(p);
  });
  impl_->kill_group(id, SIGKILL);
}

void process_host::consumed(process_id id) {
  impl_->with(id, [self = impl_.get()](const process_ptr& p) { self->consumed(p); });
}

}  // namespace libactor::process
