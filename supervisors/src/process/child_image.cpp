// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. Between fork and exec the child allocates nothing, takes no lock, and calls only async-signal-safe functions.
//  2. Descriptors that are handed to the child are 3 or above, so that moving them to 0, 1 and 2 overwrites none.
//  3. Every signal is blocked from before the fork until, in the child, every disposition is the default one.
#include "process/child_image.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace libactor::process {

namespace {

struct limit_name {
  std::string_view name;
  int resource;
};

constexpr std::array<limit_name, 14> all_limits{{{"as", RLIMIT_AS},
                                                 {"core", RLIMIT_CORE},
                                                 {"cpu", RLIMIT_CPU},
                                                 {"data", RLIMIT_DATA},
                                                 {"fsize", RLIMIT_FSIZE},
                                                 {"memlock", RLIMIT_MEMLOCK},
                                                 {"msgqueue", RLIMIT_MSGQUEUE},
                                                 {"nice", RLIMIT_NICE},
                                                 {"nofile", RLIMIT_NOFILE},
                                                 {"nproc", RLIMIT_NPROC},
                                                 {"rtprio", RLIMIT_RTPRIO},
                                                 {"rttime", RLIMIT_RTTIME},
                                                 {"sigpending", RLIMIT_SIGPENDING},
                                                 {"stack", RLIMIT_STACK}}};

constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

using environment_map = std::map<std::string, std::string, std::less<>>;

environment_map merge(const std::vector<std::string>& inherited, const std::map<std::string, std::string>& own) {
  environment_map all;
  for (const auto& entry : inherited) {
    if (const auto equals = entry.find('='); equals != std::string::npos)
      all[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  for (const auto& [name, value] : own)
    all[name] = value;
  return all;
}

std::vector<std::string> find_candidates(const std::string& program, const environment_map& environment) {
  if (program.find('/') != std::string::npos)
    return {program};
  const auto i = environment.find("PATH");
  std::string_view path = i == environment.end() ? default_path : std::string_view(i->second);
  std::vector<std::string> found;
  for (;;) {
    const auto end = path.find(':');
    const auto folder = path.substr(0, end);
    found.push_back(folder.empty() ? "./" + program : std::string(folder) + "/" + program);
    if (end == std::string_view::npos)
      return found;
    path.remove_prefix(end + 1);
  }
}

// The pointers that exec wants. They are valid as long as the strings.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (auto& s : strings)
    all.push_back(s.data());
  all.push_back(nullptr);
  return all;
}

bool make_pipe(unique_fd& read_end, unique_fd& write_end) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return false;
  read_end = above_standard(ends[0]);
  write_end = above_standard(ends[1]);
  return read_end && write_end;
}

void close_rest_on_exec() noexcept {
#ifdef CLOSE_RANGE_CLOEXEC
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    return;
#endif
  // Before Linux 5.11: one by one.
  rlimit limit{};
  const int end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<int>(limit.rlim_cur) : 1024;
  for (int fd = 3; fd < end; ++fd)
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

const std::vector<std::string_view>& limit_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const auto& x : all_limits)
      all.push_back(x.name);
    return all;
  }();
  return names;
}

std::string start_failure::text() const { return "cannot " + step + ": " + std::generic_category().message(error); }

std::variant<child_image, start_failure> child_image::prepare(process_spec spec,
                                                              const std::vector<std::string>& environment) {
  if (spec.command.empty() || spec.command.front().empty())
    return start_failure{"run an empty command", ENOENT};
  child_image image;
  for (const auto& wanted : spec.limits) {
    const auto known =
        std::find_if(all_limits.begin(), all_limits.end(), [&](auto& x) { return x.name == wanted.first; });
    if (known == all_limits.end() || wanted.second < 0)
      return start_failure{"limit " + wanted.first, EINVAL};
    image.limits_.push_back({wanted.first, known->resource, static_cast<rlim_t>(wanted.second)});
  }
  auto all = merge(environment, spec.env);
  if (!spec.user.empty()) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(16 * 1024);
    int error = 0;
    while ((error = ::getpwnam_r(spec.user.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE)
      buffer.resize(buffer.size() * 2);
    if (found == nullptr)
      return start_failure{"find the user " + spec.user, error != 0 ? error : ENOENT};
    image.changes_user_ = true;
    image.uid_ = entry.pw_uid;
    image.gid_ = entry.pw_gid;
    int count = 32;
    image.groups_.resize(static_cast<std::size_t>(count));
    while (::getgrouplist(spec.user.c_str(), entry.pw_gid, image.groups_.data(), &count) < 0)
      image.groups_.resize(static_cast<std::size_t>(std::max<int>(count, static_cast<int>(image.groups_.size()) * 2)));
    image.groups_.resize(static_cast<std::size_t>(count));
    const std::pair<const char*, const char*> own[] = {
        {"HOME", entry.pw_dir}, {"LOGNAME", entry.pw_name}, {"USER", entry.pw_name}};
    for (const auto& [name, value] : own) {
      if (!spec.env.contains(name))
        all[name] = value;
    }
  }
  image.candidates_ = find_candidates(spec.command.front(), all);
  for (const auto& [name, value] : all)
    image.environment_.push_back(name + "=" + value);
  image.spec_ = std::move(spec);
  image.point();
  return image;
}

// Moving a vector keeps its strings where they are, so these pointers outlive the moves of an image.
void child_image::point() {
  argv_ = pointers(spec_.command);
  envp_ = pointers(environment_);
}

std::variant<child_image::pipes, start_failure> child_image::make_pipes() {
  pipes all;
  if (!make_pipe(all.out, all.child_out) || !make_pipe(all.err, all.child_err) ||
      !make_pipe(all.report, all.child_report))
    return start_failure{"make pipes", errno};
  return all;
}

unique_fd child_image::open_null() noexcept { return above_standard(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

pid_t child_image::spawn(const descriptors& to, bool announces) const {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid == 0)
    run(parent, to, announces);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

void child_image::run(pid_t parent, const descriptors& to, bool announces) const noexcept {
  const auto tell = [&](const auto& words) {
    while (::write(to.report, &words, sizeof words) < 0 && errno == EINTR) {
    }
  };
  const auto fail = [&](child_step step, int detail = 0) {
    tell(child_report{step, errno, detail});
    ::_exit(127);
  };
  if (announces)
    tell(::getpid());
  if (::setsid() < 0)
    fail(child_step::session);
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &plain, nullptr);  // fails for SIGKILL and SIGSTOP, which need none
  if (::dup2(to.in, 0) < 0 || ::dup2(to.out, 1) < 0 || ::dup2(to.err, 2) < 0)
    fail(child_step::descriptors);
  close_rest_on_exec();
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const rlimit both{limits_[i].value, limits_[i].value};
    if (::setrlimit(static_cast<__rlimit_resource>(limits_[i].resource), &both) != 0)
      fail(child_step::limit, static_cast<int>(i));
  }
  // The bare system calls: glibc's functions of these names take locks to change every thread, and here is one only.
  if (changes_user_ &&
      (::syscall(SYS_setgroups, groups_.size(), groups_.data()) != 0 ||
       ::syscall(SYS_setresgid, gid_, gid_, gid_) != 0 || ::syscall(SYS_setresuid, uid_, uid_, uid_) != 0))
    fail(child_step::user);
  if (!spec_.cwd.empty() && ::chdir(spec_.cwd.c_str()) != 0)
    fail(child_step::folder);
  if (spec_.no_new_privs && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail(child_step::no_new_privs);
  // After the change of user, which resets it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent) {
    errno = ESRCH;
    fail(child_step::parent_gone);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  execute();
  fail(child_step::exec);
  ::_exit(127);
}

// Tries each candidate as execvp(3) does, and leaves in errno what stopped it.
void child_image::execute() const noexcept {
  bool denied = false;
  for (const auto& candidate : candidates_) {
    ::execve(candidate.c_str(), argv_.data(), envp_.data());
    if (errno == EACCES)
      denied = true;
    else if (errno != ENOENT && errno != ENOTDIR)
      return;
  }
  if (denied)
    errno = EACCES;
}

start_failure child_image::describe(const child_report& report) const {
  switch (report.step) {
    case child_step::session:
      return {"make a session", report.error};
    case child_step::limit:
      return {"limit " + limits_[static_cast<std::size_t>(report.detail)].name, report.error};
    case child_step::descriptors:
      return {"connect its output", report.error};
    case child_step::user:
      return {"become the user " + spec_.user, report.error};
    case child_step::folder:
      return {"enter " + spec_.cwd, report.error};
    case child_step::no_new_privs:
      return {"give up new privileges", report.error};
    case child_step::parent_gone:
      return {"stay: its parent has ended", report.error};
    case child_step::fork:
      return {"fork", report.error};
    case child_step::exec:
      return {"run " + spec_.command.front(), report.error};
  }
  return {"start", report.error};
}

}  // namespace libactor::process
