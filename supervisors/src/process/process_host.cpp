// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. Everything about processes is touched by the host's thread only, except for `unreaped`; other threads post to it.
//  2. A process's id and group are signaled only before it is reaped, under `mutex`: so the numbers can't have become
//     another's.
//  3. Its group is killed after it ended and before it is reaped.
//  4. A process leaves the table once it is reaped, both of its pipes are closed, and its outcome was reported.
#include "supervisors/process/process_host.hpp"

#include "process/child_image.hpp"
#include "process/line_splitter.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace libactor::process {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Bytes read at a time; with `max_unconsumed`, what bounds the memory that a process's output takes.
constexpr std::size_t read_size = 16 * 1024;
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

std::vector<std::string> copy_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

struct stream {
  stream(asio::io_context& io, bool is_stderr) : pipe(io), splitter(is_stderr) {}
  asio::posix::stream_descriptor pipe;
  line_splitter splitter;
  bool waiting = false;                     // a wait for readability is under way
  std::optional<std::size_t> left_of_late;  // after `linger`: how much more may be read
};

// Gives a descriptor to asio, and keeps nothing of it where that fails.
error_code adopt(asio::posix::stream_descriptor& into, unique_fd fd) {
  error_code error;
  into.assign(fd.get(), error);
  if (error)
    return error;
  fd.release();
  into.non_blocking(true, error);
  return error;
}

struct running_process {
  running_process(asio::io_context& io, process_host::process_id name, child_image prepared, pid_t number)
      : id(name),
        image(std::move(prepared)),
        pid(number),
        report(io),
        streams{stream{io, false}, stream{io, true}},
        timer(io),
        pidfd(io) {}

  process_host::process_id id;
  child_image image;
  pid_t pid;
  std::shared_ptr<process_listener> listener;  // null: discarded
  asio::posix::stream_descriptor report;
  std::array<stream, 2> streams;
  asio::steady_timer timer;  // polls for the end; after it, waits for the pipes
  asio::posix::stream_descriptor pidfd;
  std::size_t unconsumed = 0;
  bool resolved = false;  // its start succeeded or failed
  std::optional<start_failure> failure;
  std::optional<process_end> end;  // set: it was reaped
};

using process_ptr = std::shared_ptr<running_process>;

}  // namespace

struct process_host::impl {
  explicit impl(end_notice how) : notice(how), environment(copy_environment()), work(io.get_executor()) {
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

  ~impl() {
    asio::post(io, [this] { shut_down(); });
    thread.join();
  }

  template <class Fun>
  void with(process_id id, Fun fun) {
    asio::post(io, [this, id, fun] {
      if (const auto i = processes.find(id); i != processes.end())
        fun(process_ptr(i->second));
    });
  }

  void start(process_id id, process_spec spec, const std::shared_ptr<process_listener>& listener);
  error_code connect(running_process& p, child_image::connection& link) const;
  void read_report(const process_ptr& p);
  void wait_for_end(const process_ptr& p);
  void look_for_end(const process_ptr& p);
  void read(const process_ptr& p, stream& s);
  void read_ready(const process_ptr& p, stream& s);
  void close(const process_ptr& p, stream& s);
  void hand_over(const process_ptr& p, std::vector<output_line> lines);
  void conclude(const process_ptr& p);
  void kill_group(process_id id, int number) noexcept;
  void discard(const process_ptr& p);
  void shut_down();

  const end_notice notice;
  const std::vector<std::string> environment;
  std::atomic<process_id> last_id{0};
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::optional<asio::steady_timer> patience;  // set: the host is being destroyed
  std::unordered_map<process_id, process_ptr> processes;
  std::mutex mutex;
  std::unordered_map<process_id, pid_t> unreaped;
  std::array<char, read_size> buffer{};
  std::thread thread;
};

void process_host::impl::start(process_id id, process_spec spec, const std::shared_ptr<process_listener>& listener) {
  auto prepared = child_image::prepare(std::move(spec), environment);
  if (auto* failure = std::get_if<start_failure>(&prepared)) {
    listener->on_start_failed(*failure);
    return;
  }
  auto& image = std::get<child_image>(prepared);
  auto launched = image.launch();
  if (auto* failure = std::get_if<start_failure>(&launched)) {
    listener->on_start_failed(*failure);
    return;
  }
  auto& link = std::get<child_image::connection>(launched);
  auto p = std::make_shared<running_process>(io, id, std::move(image), link.pid);
  p->listener = listener;
  processes.emplace(id, p);
  {
    const std::lock_guard guard{mutex};
    unreaped.emplace(id, link.pid);
  }
  if (const auto error = connect(*p, link)) {
    p->failure = start_failure{"watch it", error.value()};
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

error_code process_host::impl::connect(running_process& p, child_image::connection& link) const {
  if (notice == end_notice::pidfd) {
    // Without one, the end is polled for.
    if (unique_fd fd{open_pidfd(p.pid)})
      adopt(p.pidfd, std::move(fd));
  }
  if (const auto error = adopt(p.report, std::move(link.report)))
    return error;
  if (const auto error = adopt(p.streams[0].pipe, std::move(link.out)))
    return error;
  return adopt(p.streams[1].pipe, std::move(link.err));
}

// The error pipe has news: a report, or its end, which says that exec succeeded.
void process_host::impl::read_report(const process_ptr& p) {
  if (p->resolved)
    return;
  p->resolved = true;
  child_report words{};
  if (::read(p->report.native_handle(), &words, sizeof words) == sizeof words)
    p->failure = p->image.describe(words);
  p->report.close();
  if (p->failure)
    return;  // told once it is reaped
  if (p->listener)
    p->listener->on_started(p->pid);
  for (auto& s : p->streams)
    read(p, s);
}

void process_host::impl::wait_for_end(const process_ptr& p) {
  if (p->pidfd.is_open()) {
    p->pidfd.async_wait(asio::posix::stream_descriptor::wait_read, [this, p](error_code error) {
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

void process_host::impl::look_for_end(const process_ptr& p) {
  siginfo_t info{};
  const int found = ::waitid(P_PID, static_cast<id_t>(p->pid), &info, WEXITED | WNOHANG | WNOWAIT);
  if (found == 0 && info.si_pid == 0)
    return wait_for_end(p);
  {
    const std::lock_guard guard{mutex};
    unreaped.erase(p->id);
  }
  if (found == 0) {
    // Until the next call its number is taken.
    ::kill(-p->pid, SIGKILL);
    ::waitid(P_PID, static_cast<id_t>(p->pid), &info, WEXITED | WNOHANG);
    p->end = info.si_code == CLD_EXITED ? process_end{process_end::how::exited, info.si_status}
                                        : process_end{process_end::how::signaled, info.si_status};
  } else {
    p->end = process_end{process_end::how::lost, 0};
  }
  p->pidfd.close();
  read_report(p);
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

void process_host::impl::read(const process_ptr& p, stream& s) {
  if (!s.pipe.is_open() || p->unconsumed >= max_unconsumed)
    return;
  if (s.left_of_late)
    return read_ready(p, s);
  if (std::exchange(s.waiting, true))
    return;
  s.pipe.async_wait(asio::posix::stream_descriptor::wait_read, [this, p, &s](error_code error) {
    s.waiting = false;
    if (!error && s.pipe.is_open() && p->unconsumed < max_unconsumed)
      read_ready(p, s);
  });
}

void process_host::impl::read_ready(const process_ptr& p, stream& s) {
  const auto count = ::read(s.pipe.native_handle(), buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR)
    return read(p, s);
  if (count < 0 && errno == EAGAIN)
    return s.left_of_late ? close(p, s) : read(p, s);
  if (count <= 0)
    return close(p, s);
  std::vector<output_line> lines;
  const auto size = static_cast<std::size_t>(count);
  s.splitter.feed({buffer.data(), size}, lines);
  hand_over(p, std::move(lines));
  if (s.left_of_late) {
    *s.left_of_late -= std::min(size, *s.left_of_late);
    if (*s.left_of_late == 0)
      return close(p, s);
  }
  read(p, s);
}

void process_host::impl::close(const process_ptr& p, stream& s) {
  s.pipe.close();
  std::vector<output_line> lines;
  s.splitter.finish(lines);
  hand_over(p, std::move(lines));
  conclude(p);
}

void process_host::impl::hand_over(const process_ptr& p, std::vector<output_line> lines) {
  if (lines.empty() || !p->listener)
    return;
  ++p->unconsumed;
  p->listener->on_output(std::move(lines));
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
  // Until the child has made its session there is no group of its own.
  if (::kill(-i->second, number) != 0 && errno == ESRCH)
    ::kill(i->second, number);
}

void process_host::impl::discard(const process_ptr& p) {
  p->listener = nullptr;
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

process_host::process_host(end_notice notice) : impl_(std::make_unique<impl>(notice)) {}
process_host::~process_host() = default;

process_host::process_id process_host::start(process_spec spec, std::shared_ptr<process_listener> listener) {
  const auto id = impl_->last_id.fetch_add(1, std::memory_order_relaxed) + 1;
  asio::post(impl_->io, [self = impl_.get(), id, spec = std::move(spec), listener = std::move(listener)]() mutable {
    self->start(id, std::move(spec), listener);
  });
  return id;
}

void process_host::signal(process_id id, int number) {
  impl_->with(id, [self = impl_.get(), number](const process_ptr& p) { self->kill_group(p->id, number); });
}

void process_host::discard(process_id id) {
  // Its listener is forgotten before its end can be seen. If its start is still to come, it is killed right after that.
  impl_->with(id, [self = impl_.get()](const process_ptr& p) { self->discard(p); });
  impl_->kill_group(id, SIGKILL);
}

void process_host::consumed(process_id id) {
  impl_->with(id, [self = impl_.get()](const process_ptr& p) {
    if (p->unconsumed > 0)
      --p->unconsumed;
    for (auto& s : p->streams)
      self->read(p, s);
  });
}

}  // namespace libactor::process
