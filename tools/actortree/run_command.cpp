// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "control_socket.hpp"
#include "exit_status.hpp"
#include "kinds.hpp"
#include "libactor/actor/scheduler.hpp"
#include "signals.hpp"
#include "supervisors/observe/ledger.hpp"
#include "supervisors/observe/snapshot_formats.hpp"
#include "supervisors/runtime.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace actortree {

namespace {

using namespace std::chrono_literals;
using libactor::duration;

/// What the tree's own threads tell the main thread.
class mailbox {
 public:
  mailbox() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd") {}
  int fd() const noexcept { return fd_.get(); }

  void started(const caf::error& error) {
    {
      std::lock_guard guard{mutex_};
      if (error)
        start_error_ = error;
    }
    ring();
  }
  void ended(const caf::error& reason) {
    {
      std::lock_guard guard{mutex_};
      end_reason_ = reason;
      ended_ = true;
    }
    ring();
  }
  void ask_to_stop(std::string who) {
    {
      std::lock_guard guard{mutex_};
      stop_asked_by_ = std::move(who);
    }
    ring();
  }
  /// Who asked, once; empty: nobody.
  std::string take_stop() {
    std::lock_guard guard{mutex_};
    return std::exchange(stop_asked_by_, {});
  }
  void drain() const {
    eventfd_t count = 0;
    ::eventfd_read(fd_.get(), &count);
  }
  bool has_ended() const {
    std::lock_guard guard{mutex_};
    return ended_;
  }
  caf::error start_error() const {
    std::lock_guard guard{mutex_};
    return start_error_;
  }
  caf::error end_reason() const {
    std::lock_guard guard{mutex_};
    return end_reason_;
  }

 private:
  void ring() const { ::eventfd_write(fd_.get(), 1); }
  descriptor fd_;
  mutable std::mutex mutex_;
  caf::error start_error_;
  caf::error end_reason_;
  std::string stop_asked_by_;
  bool ended_ = false;
};

class supervised_run {
 public:
  supervised_run(const run_options& options, libactor::tree_spec tree, event_log& log, libactor::runtime& runtime,
                 const signals& incoming, mailbox& mail)
      : options_(options), tree_(std::move(tree)), log_(log), runtime_(runtime), incoming_(incoming), mail_(mail) {}

  /// Until the tree has ended, or must be left behind.
  void wait() {
    if (options_.stop_after)
      stop_at_ = clock::now() + *options_.stop_after;
    while (!mail_.has_ended()) {
      pollfd ready[] = {{incoming_.fd(), POLLIN, 0}, {mail_.fd(), POLLIN, 0}};
      if (::poll(ready, 2, milliseconds_to_wait()) < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "poll");
      mail_.drain();
      if (const auto who = mail_.take_stop(); !who.empty())
        stop("ctl shutdown by " + who, libactor::cause_origin::explicit_);
      if ((ready[0].revents & POLLIN) != 0)
        on_signal(incoming_.take());
      if (stop_at_ && clock::now() >= *stop_at_)
        stop("--for has passed", libactor::cause_origin::explicit_);
      if (leave_at_ && clock::now() >= *leave_at_)
        return;
    }
  }

  bool at_once() const noexcept { return at_once_; }

 private:
  using clock = std::chrono::steady_clock;

  int milliseconds_to_wait() const {
    auto next = clock::time_point::max();
    for (const auto& at : {stop_at_, leave_at_}) {
      if (at)
        next = std::min(next, *at);
    }
    if (next == clock::time_point::max())
      return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now()).count();
    return static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
  }

  void on_signal(const std::string& name) {
    if (name == "SIGUSR1") {
      diagnosis_.print(libactor::observe::as_text(snapshot(runtime_)));
      return;
    }
    if (!std::exchange(signaled_, true)) {
      stop(name, libactor::cause_origin::signal);
      return;
    }
    log_.say("stopping at once: a second signal (" + name + ")");
    at_once_ = true;
    runtime_.stop_now(libactor::cause(name, libactor::cause_origin::signal));
    leave_at_ = clock::now() + tree_.root.kill_grace + 1s;
  }

  void stop(const std::string& why, libactor::cause_origin origin) {
    stop_at_.reset();
    if (std::exchange(stopping_, true))
      return;
    log_.say("stopping: " + why);
    runtime_.request_stop(libactor::cause(why, origin));
    if (tree_.budget != libactor::infinite && tree_.on_overrun == libactor::overrun_action::abandon)
      leave_at_ = clock::now() + tree_.budget;
  }

  const run_options& options_;
  libactor::tree_spec tree_;
  event_log& log_;
  libactor::runtime& runtime_;
  const signals& incoming_;
  mailbox& mail_;
  diagnosis diagnosis_;
  std::optional<clock::time_point> stop_at_;
  std::optional<clock::time_point> leave_at_;
  bool stopping_ = false;
  bool signaled_ = false;
  bool at_once_ = false;
};

int status_of(const libactor::shutdown_report& report, const mailbox& mail, bool at_once) {
  if (mail.start_error() && libactor::ending_of(mail.start_error()) == libactor::ending::abnormal)
    return start_failed;
  if (at_once)
    return stopped_at_once;
  if (!report.within_budget || report.abandoned() != 0)
    return overrun;
  return libactor::ending_of(mail.end_reason()) == libactor::ending::abnormal ? tree_failed : ok;
}

/// A closed standard stream's number would be that of a socket or file of ours, into which the log would go then.
void open_standard_streams() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO)
    fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0)
    ::close(fd);
}

/// Each process takes three descriptors of this program. The processes themselves keep the limit that there was, for
/// the warden has it: many programs are not made for more.
void raise_limit_of_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);  // if it can't be had, starts fail once there are too many, and say why
  }
}

/// Where leaks are kept; null if it can't be had, which is said then.
std::shared_ptr<libactor::observe::ledger> open_ledger(const std::string& file, std::shared_ptr<event_log> log) {
  libactor::observe::ledger_options with;
  with.report_to = std::move(log);
  auto opened = libactor::observe::ledger::open(file, std::move(with));
  if (opened)
    return std::move(*opened);
  std::cerr << "actortree: " << libactor::describe(opened.error()) << '\n';
  return nullptr;
}

/// Answers `ctl`, and says so in the log.
std::string answer(const std::string& line, const control_peer& who, libactor::runtime& tree, mailbox& mail,
                   event_log& log) {
  std::string act = "?", path;
  nlohmann::ordered_json reply;
  try {
    const auto request = parse_request(line);
    act = control_words[static_cast<int>(request.act)];
    path = request.path;
    reply = carry_out(request, tree, [&] { mail.ask_to_stop(who.user); });
  } catch (const std::invalid_argument& e) {
    reply = {{"ok", false}, {"error", e.what()}};
  }
  log.audit(act, path, who.user, who.uid, who.pid,
            reply.at("ok").get<bool>() ? "done" : "refused: " + reply.at("error").get<std::string>());
  return reply.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

int run(const run_options& options) {
  open_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);  // the tree goes on when nobody reads its log any more
  // Before any thread: whatever becomes of this program, what it started ends with it.
  auto keeping = libactor::process::warden::start();
  raise_limit_of_open_files();
  const signals incoming;
  const auto log = std::make_shared<event_log>(options.log);
  const auto catalog = built_in_kinds(std::move(keeping), [log] { return log->has_room(); });
  const auto tree = load(options.file, catalog);
  if (!tree)
    return bad_file;
  std::shared_ptr<libactor::observe::ledger> ledger;
  if (!options.ledger.empty()) {
    ledger = open_ledger(options.ledger, log);
    if (ledger == nullptr)
      return bad_file;
  }
  mailbox mail;
  caf::actor_system_config cfg;
  libactor::configure(cfg);
  caf::actor_system system{cfg};
  int status = ok;
  {
    libactor::runtime_options with;
    with.sinks.push_back(log);
    if (ledger != nullptr)
      with.sinks.push_back(ledger);
    with.on_ended = [&mail](const caf::error& reason) { mail.ended(reason); };
    libactor::runtime runtime{system, std::move(with)};
    std::unique_ptr<control_socket> control;
    try {
      if (!options.socket.empty())
        control = std::make_unique<control_socket>(
            options.socket, options.socket_mode,
            [&](const std::string& line, const control_peer& who) { return answer(line, who, runtime, mail, *log); });
    } catch (const std::system_error& e) {
      std::cerr << "actortree: " << e.what() << '\n';
      return start_failed;
    }
    runtime.start(*tree, catalog, [&mail](const caf::error& e) { mail.started(e); });
    supervised_run running{options, *tree, *log, runtime, incoming, mail};
    running.wait();
    // `on_ended` is called just before the runtime itself knows of the end, which the report needs.
    if (mail.has_ended())
      runtime.wait_ended(libactor::infinite);
    else
      static_cast<void>(control.release());  // an act may wait for what does not end
    control.reset();
    runtime.flush();  // so that the report is the last of it
    const auto report = runtime.report();
    status = status_of(report, mail, running.at_once());
    if (mail.start_error() && status == start_failed)
      log->say("did not start: " + libactor::describe(mail.start_error()));
    log->say("shutdown report\n" + to_string(report));
    if (log->lost() != 0)
      log->say(std::to_string(log->lost()) +
               " lines of the log were lost: standard output was too slow, or took no more");
    if (ledger != nullptr && ledger->lost() != 0)
      log->say(std::to_string(ledger->lost()) + " events were lost: the ledger was too slow");
    // What was abandoned still runs on the actor system's threads, which can't be joined then.
    if (!report.within_budget || report.abandoned() != 0)
      runtime.leave(status);
  }
  ledger = nullptr;
  // Somebody who holds standard output may never read it again, and no thread that waits for that can be joined.
  if (!log->drain())
    ::_exit(status);
  return status;
}

}  // namespace actortree
