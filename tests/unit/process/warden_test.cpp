// SPDX-License-Identifier: BSL-1.0
#include "supervisors/process/warden.hpp"

#include "daemon_log.hpp"
#include "process/unique_fd.hpp"
#include "recorder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <future>
#include <set>
#include <system_error>
#include <thread>

using namespace libactor::process;

namespace {

process_end exited(int code) { return {process_end::how::exited, code}; }
process_end signaled(int code) { return {process_end::how::signaled, code}; }

std::ptrdiff_t descriptor_count() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

// The ids of the processes whose parent this is, zombies among them.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (pid <= 0 || !std::getline(file, line) || line.rfind(')') == std::string::npos)
      continue;
    if (std::atoi(line.c_str() + line.rfind(')') + 4) == parent)
      found.push_back(pid);
  }
  return found;
}

template <class Condition>
bool comes_true(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + generous;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// The letter that the kernel has for what a process does; a zero byte if there is none.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos ? '\0' : line[name_end + 2];
}

// Whether `what` returns true in a fork of this program, which has one thread. For cases without a host: of another
// thread the fork would have the locks that it holds, and nobody who gives them back.
struct no_host {};
template <class Fun>
bool in_a_program_of_its_own(Fun what) {
  std::array<int, 2> ends{};
  BOOST_TEST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const unique_fd result{::fcntl(ends[0], F_DUPFD_CLOEXEC, 10)}, answer{::fcntl(ends[1], F_DUPFD_CLOEXEC, 10)};
  for (const int fd : ends)
    ::close(fd);
  const auto program = ::fork();
  if (program == 0) {
    const char good = what() ? 1 : 0;
    ::_exit(::write(answer.get(), &good, 1) == 1 ? 0 : 1);
  }
  char good = 0;
  pollfd news{result.get(), POLLIN, 0};
  const bool came = ::poll(&news, 1, std::chrono::milliseconds(generous).count()) == 1;
  const bool all_well = came && ::read(result.get(), &good, 1) == 1 && good == 1;
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  return all_well;
}

// How a process ends that exits with 7, below this warden.
process_end exit_status_below(const std::shared_ptr<warden>& keeping) {
  const auto seen = std::make_shared<recorder>();
  process_host host(keeping);
  process_spec spec;
  spec.command = {"sh", "-c", "exit 7"};
  host.start(spec, seen);
  return seen->ended();
}

// A warden and a host that uses it; nothing that has the mark may be left of them, and no child.
struct kept {
  ~kept() {
    host.reset();
    BOOST_TEST(none_left());  // by the host's end alone
    keeping.reset();
    siginfo_t info{};
    BOOST_TEST((::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD));
  }

  bool none_left() const {
    return comes_true([this] { return processes_with(mark).empty(); });
  }

  std::shared_ptr<recorder> run(process_spec spec) {
    spec.env["LIBACTOR_TEST_MARK"] = std::to_string(::getpid());
    auto seen = std::make_shared<recorder>();
    seen->consume(*host, last + 1);
    last = host->start(std::move(spec), seen);
    return seen;
  }
  std::shared_ptr<recorder> sh(std::string script) {
    process_spec spec;
    spec.command = {"sh", "-c", std::move(script)};
    return run(std::move(spec));
  }
  std::shared_ptr<recorder> daemon(std::vector<std::string> words) {
    process_spec spec;
    spec.command = {DAEMON_PATH, "d", lines.path()};
    spec.command.insert(spec.command.end(), words.begin(), words.end());
    return run(std::move(spec));
  }
  // The keeper of a process.
  static pid_t parent_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    return static_cast<pid_t>(std::atoi(line.c_str() + line.rfind(')') + 4));
  }

  std::string mark = "LIBACTOR_TEST_MARK=" + std::to_string(::getpid());
  daemon_log lines;
  std::shared_ptr<warden> keeping = warden::start();
  std::unique_ptr<process_host> host = std::make_unique<process_host>(keeping);
  process_host::process_id last = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(warden_, kept)

BOOST_AUTO_TEST_CASE(a_kept_process_is_told_of_as_any_other) {
  const auto p = sh("echo out; echo err >&2; exit 7");
  BOOST_TEST(p->started() > 0);
  BOOST_TEST((p->ended() == exited(7)));
  auto texts = p->texts();
  std::sort(texts.begin(), texts.end());
  BOOST_TEST(texts == (std::vector<std::string>{"err", "out"}), boost::test_tools::per_element());
  BOOST_TEST((sh("kill -USR1 $$")->ended() == signaled(SIGUSR1)));
}

BOOST_AUTO_TEST_CASE(the_id_is_that_of_the_process) {
  const auto p = sh("echo $$; sleep 3600");
  BOOST_TEST(p->has_line(std::to_string(p->started())));
}

BOOST_AUTO_TEST_CASE(a_failed_start_names_its_step) {
  process_spec spec;
  spec.command = {"no-such-command-here"};
  BOOST_TEST(run(spec)->failed().text() == "cannot run no-such-command-here: No such file or directory");
  spec.command = {"true"};
  spec.cwd = "/nowhere";
  BOOST_TEST(run(spec)->failed().text() == "cannot enter /nowhere: No such file or directory");
}

BOOST_AUTO_TEST_CASE(all_that_a_process_is_started_with_reaches_it) {
  process_spec spec;
  spec.command = {"sh", "-c", "pwd; ulimit -n; echo $A ${#B}; grep NoNewPrivs /proc/self/status; ps -o sid= -p $$"};
  spec.cwd = "/usr";
  spec.env = {{"A", "1"}, {"B", std::string(100'000, 'x')}};  // more than one packet of a socket
  for (int i = 0; i < 15; ++i)
    spec.env["C" + std::to_string(i)] = std::string(100'000, 'x');
  spec.limits = {{"nofile", 77}};
  const auto p = run(spec);
  const auto pid = p->started();
  BOOST_TEST((p->ended() == exited(0)));
  auto texts = p->texts();
  BOOST_TEST_REQUIRE(texts.size() == 5u);
  texts[4].erase(0, texts[4].find_first_not_of(' '));
  BOOST_TEST(texts == (std::vector<std::string>{"/usr", "77", "1 100000", "NoNewPrivs:\t1", std::to_string(pid)}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_signal_goes_to_the_group) {
  const auto p = sh("trap 'echo got it; exit 4' TERM; echo up; while :; do sleep 0.01; done");
  BOOST_TEST(p->has_line("up"));
  host->signal(last, SIGTERM);
  BOOST_TEST((p->ended() == exited(4)));
}

BOOST_AUTO_TEST_CASE(a_signal_that_comes_too_late_does_not_take_the_end_away) {
  const auto p = sh("sleep 3600");
  const auto pid = p->started();
  const auto its_keeper = parent_of(pid);
  // While it is stopped its words wait in line: it reads one of them, and then sees that the process has ended.
  ::kill(its_keeper, SIGSTOP);
  BOOST_TEST(comes_true([&] { return state_of(its_keeper) == 'T'; }));
  ::kill(pid, SIGKILL);
  BOOST_TEST(comes_true([&] { return state_of(pid) == 'Z'; }));
  for (int i = 0; i < 2; ++i)
    host->signal(last, SIGTERM);
  // Once this one has started, which the same thread does, both are sent.
  BOOST_TEST((sh("exit 0")->ended() == exited(0)));
  ::kill(its_keeper, SIGCONT);
  BOOST_TEST((p->ended() == signaled(SIGKILL)));
}

BOOST_AUTO_TEST_CASE(a_process_that_signals_its_parent_does_itself_no_harm) {
  const auto p = sh("kill -USR1 $PPID; kill -CHLD $PPID; sleep 0.1; exit 3");
  BOOST_TEST((p->ended() == exited(3)));
}

BOOST_AUTO_TEST_CASE(what_made_a_session_of_its_own_does_not_outlive_the_process) {
  const auto p = daemon({"orphan=1", "line=up"});
  BOOST_TEST(p->has_line("up"));
  BOOST_TEST(comes_true([&] { return processes_with(mark).size() == 2; }));  // the orphan, its parent gone
  host->signal(last, SIGTERM);
  BOOST_TEST((p->ended() == exited(0)));
  // It was told of once nothing was left, so there is nothing to wait for.
  BOOST_TEST(processes_with(mark).empty());
}

BOOST_AUTO_TEST_CASE(it_does_not_outlive_a_crash_or_a_discard_either) {
  const auto crashed = daemon({"orphan=1", "line=up"});
  BOOST_TEST(crashed->has_line("up"));
  ::kill(crashed->started(), SIGKILL);
  BOOST_TEST((crashed->ended() == signaled(SIGKILL)));
  BOOST_TEST(processes_with(mark).empty());
  const auto discarded = daemon({"orphan=1", "line=up"});
  BOOST_TEST(discarded->has_line("up"));
  host->discard(last);
  BOOST_TEST(none_left());
}

BOOST_AUTO_TEST_CASE(an_orphan_of_one_process_is_not_taken_for_anothers) {
  const auto first = daemon({"orphan=1", "line=up"});
  BOOST_TEST(first->has_line("up"));
  BOOST_TEST((sh("exit 0")->ended() == exited(0)));
  BOOST_TEST(comes_true([&] { return processes_with(mark).size() == 2; }));
  BOOST_TEST(!first->has_ended());
}

BOOST_AUTO_TEST_CASE(a_chain_of_forks_has_no_end_but_the_process) {
  // Each generation forks the next and ends, as fast as it can.
  const auto p =
      sh("f() { (setsid sh -c 'exec 1>&- 2>&-; x() { (x) & }; x; sleep 3600' &) ; }; f; f; echo up; sleep 3600");
  BOOST_TEST(p->has_line("up"));
  host->signal(last, SIGKILL);
  BOOST_TEST((p->ended() == signaled(SIGKILL)));
  BOOST_TEST(processes_with(mark).empty());
}

BOOST_AUTO_TEST_CASE(the_end_of_a_keeper_is_the_end_of_what_it_kept) {
  const auto p = daemon({"orphan=1", "line=up"});
  BOOST_TEST(p->has_line("up"));
  ::kill(parent_of(p->started()), SIGKILL);
  BOOST_TEST((p->ended().what == process_end::how::lost));
  BOOST_TEST(none_left());
  BOOST_TEST((sh("exit 0")->ended() == exited(0)));  // the warden serves on
}

BOOST_AUTO_TEST_CASE(the_end_of_the_warden_is_the_end_of_all) {
  const auto p = daemon({"orphan=1", "line=up"});
  BOOST_TEST(p->has_line("up"));
  ::kill(keeping->pid(), SIGKILL);
  p->ended();
  BOOST_TEST(none_left());
  siginfo_t info{};
  BOOST_TEST_REQUIRE(::waitid(P_PID, static_cast<id_t>(keeping->pid()), &info, WEXITED | WNOWAIT) == 0);
  BOOST_TEST(sh("exit 0")->failed().step == "reach the warden");
}

BOOST_AUTO_TEST_CASE(the_embedding_program_is_made_no_subreaper_and_keeps_its_children) {
  int is_subreaper = 1;
  BOOST_TEST_REQUIRE(::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0) == 0);
  BOOST_TEST(is_subreaper == 0);
  const auto own = ::fork();
  if (own == 0)
    ::_exit(5);
  BOOST_TEST((sh("exit 0")->ended() == exited(0)));
  int status = 0;
  BOOST_TEST(::waitpid(own, &status, 0) == own);
  BOOST_TEST(WEXITSTATUS(status) == 5);
}

BOOST_AUTO_TEST_CASE(a_warden_is_refused_once_there_are_threads) {
  // The host has one.
  BOOST_CHECK_EXCEPTION(warden::start(), std::system_error,
                        [](const auto& e) { return e.code() == std::errc::operation_not_permitted; });
}

BOOST_FIXTURE_TEST_CASE(an_end_is_noticed_though_the_program_ignores_the_ends_of_its_children, no_host) {
  ::signal(SIGCHLD, SIG_IGN);  // as a program may inherit it
  const auto ended = in_a_program_of_its_own([] {
    const auto own_warden = warden::start();
    return exit_status_below(own_warden) == exited(7);
  });
  ::signal(SIGCHLD, SIG_DFL);
  BOOST_TEST(ended);
}

BOOST_FIXTURE_TEST_CASE(a_program_without_standard_descriptors_can_have_a_warden, no_host) {
  BOOST_TEST(in_a_program_of_its_own([] {
    for (int fd = 0; fd < 3; ++fd)
      ::close(fd);
    const auto own_warden = warden::start();
    return exit_status_below(own_warden) == exited(7);
  }));
}

BOOST_AUTO_TEST_CASE(two_hundred_processes_leave_no_zombie_and_no_descriptor_behind) {
  BOOST_TEST((sh("exit 0")->ended() == exited(0)));
  const auto before = descriptor_count();
  std::vector<std::shared_ptr<recorder>> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(sh("echo up; exit " + std::to_string(i % 10)));
  for (int i = 0; i < 200; ++i)
    BOOST_TEST((all[static_cast<std::size_t>(i)]->ended() == exited(i % 10)));
  BOOST_TEST(descriptor_count() == before);
  BOOST_TEST(comes_true([this] { return children_of(keeping->pid()).empty(); }));
}

BOOST_AUTO_TEST_SUITE_END()
