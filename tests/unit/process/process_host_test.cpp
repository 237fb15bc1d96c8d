// SPDX-License-Identifier: BSL-1.0
#include "supervisors/process/process_host.hpp"

#include "recorder.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <boost/test/data/test_case.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

using namespace libactor::process;
namespace data = boost::unit_test::data;

namespace {

// A host, and a mark in the environment of all that is started here: nothing may be left of it.
struct one_host {
  ~one_host() {
    host.reset();
    // What was killed is gone once its last task has left; a generous limit for a loaded machine.
    const auto until = std::chrono::steady_clock::now() + generous;
    while (!processes_with(mark).empty() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    BOOST_TEST(processes_with(mark).empty());
    siginfo_t info{};
    BOOST_TEST((::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD));
  }

  void use(end_notice notice) { host = std::make_unique<process_host>(notice); }

  std::shared_ptr<recorder> run(process_spec spec, bool consuming = true) {
    spec.env["LIBACTOR_TEST_MARK"] = std::to_string(::getpid());
    auto seen = std::make_shared<recorder>();
    // Ids count from 1, in the order of the starts of this one thread.
    if (consuming)
      seen->consume(*host, last + 1);
    last = host->start(std::move(spec), seen);
    return seen;
  }
  std::shared_ptr<recorder> sh(std::string script, bool consuming = true) {
    process_spec spec;
    spec.command = {"sh", "-c", std::move(script)};
    return run(std::move(spec), consuming);
  }

  std::string mark = "LIBACTOR_TEST_MARK=" + std::to_string(::getpid());
  std::unique_ptr<process_host> host = std::make_unique<process_host>();
  process_host::process_id last = 0;
};

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

// Whether a process ends in time. An orphan stays a zombie until whoever adopted it reaps it: it has ended too.
bool dies(pid_t pid, std::chrono::steady_clock::duration limit = generous) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    if (line.empty() || line.find(") Z ") != std::string::npos)
      return true;
    if (std::chrono::steady_clock::now() >= until)
      return false;
    std::this_thread::yield();
  }
}

// Leaves a process in a session of its own, which holds standard output open, and writes its id.
const std::string leaves_the_group = "exec 3>&1; x=$(setsid sh -c 'echo $$; exec sleep 3600 >&3' &); echo $x; ";

const auto both_notices = data::make({end_notice::pidfd, end_notice::polling});

}  // namespace

namespace libactor::process {
std::ostream& operator<<(std::ostream& out, const process_end& how) {
  return out << (how.what == process_end::how::exited     ? "exited "
                 : how.what == process_end::how::signaled ? "signaled "
                                                          : "lost ")
             << how.code;
}
std::ostream& operator<<(std::ostream& out, end_notice notice) {
  return out << (notice == end_notice::pidfd ? "pidfd" : "polling");
}
}  // namespace libactor::process

namespace {
process_end exited(int code) { return {process_end::how::exited, code}; }
process_end signaled(int code) { return {process_end::how::signaled, code}; }
}  // namespace

BOOST_FIXTURE_TEST_SUITE(process_host_, one_host)

BOOST_DATA_TEST_CASE(the_end_of_a_process_is_noticed_and_told_after_its_output, both_notices, notice) {
  use(notice);
  auto p = sh("echo one; echo two >&2; printf three; exit 7");
  BOOST_TEST(p->ended() == exited(7));
  auto lines = p->lines();
  std::stable_sort(lines.begin(), lines.end(), [](auto& a, auto& b) { return a.from_stderr < b.from_stderr; });
  BOOST_TEST_REQUIRE(lines.size() == 3u);
  BOOST_TEST((lines[0] == output_line{"one", false, false}));
  BOOST_TEST((lines[1] == output_line{"three", false, false}));
  BOOST_TEST((lines[2] == output_line{"two", true, false}));
}

BOOST_AUTO_TEST_CASE(an_end_by_a_signal_says_which) { BOOST_TEST(sh("kill -USR1 $$")->ended() == signaled(SIGUSR1)); }

BOOST_DATA_TEST_CASE(a_command_that_does_not_exist_is_a_failed_start_with_step_and_words, both_notices, notice) {
  use(notice);
  process_spec spec;
  spec.command = {"libactor-no-such-command", "x"};
  const auto why = run(spec)->failed();
  BOOST_TEST(why.error == ENOENT);
  BOOST_TEST(why.text() == "cannot run libactor-no-such-command: No such file or directory");
}

BOOST_AUTO_TEST_CASE(every_step_of_a_start_can_fail_and_is_named) {
  process_spec spec;
  spec.command = {"true"};
  auto with = [&](auto change) {
    auto other = spec;
    change(other);
    return run(other)->failed().text();
  };
  BOOST_TEST(with([](auto& s) { s.command = {"/"}; }) == "cannot run /: Permission denied");
  BOOST_TEST(with([](auto& s) { s.command = {}; }) == "cannot run an empty command: No such file or directory");
  BOOST_TEST(with([](auto& s) { s.cwd = "/nowhere"; }) == "cannot enter /nowhere: No such file or directory");
  BOOST_TEST(with([](auto& s) { s.user = "no-such-user"; }) ==
             "cannot find the user no-such-user: No such file or directory");
  BOOST_TEST(with([](auto& s) { s.limits = {{"files", 1}}; }) == "cannot limit files: Invalid argument");
  BOOST_TEST(with([](auto& s) {
               s.limits = {{"nofile", INT64_MAX}};
             }) == "cannot limit nofile: Operation not permitted");
}

BOOST_AUTO_TEST_CASE(the_folder_and_the_environment_are_as_asked_and_the_rest_is_inherited) {
  process_spec spec;
  spec.command = {"sh", "-c", "pwd; echo $ZONE; echo ${PATH:+has a path}"};
  spec.cwd = "/usr";
  spec.env["ZONE"] = "eu";
  auto p = run(spec);
  BOOST_TEST(p->ended() == exited(0));
  BOOST_TEST(p->texts() == (std::vector<std::string>{"/usr", "eu", "has a path"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_program_is_looked_up_in_the_path_that_the_process_gets) {
  const auto folder = std::filesystem::temp_directory_path() / ("libactor-path-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::filesystem::create_symlink("/bin/echo", folder / "own-echo");
  process_spec spec;
  spec.command = {"own-echo", "hello"};
  spec.env["PATH"] = "/nowhere:" + folder.string();
  auto p = run(spec);
  BOOST_TEST(p->ended() == exited(0));
  std::filesystem::remove_all(folder);
  BOOST_TEST(p->texts() == (std::vector<std::string>{"hello"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(it_leads_a_session_and_inherits_no_descriptor_and_no_signal_setting) {
  // A descriptor without close-on-exec, and an ignored signal, as a careless program has them.
  const int stray = ::fcntl(2, F_DUPFD, 100);
  ::signal(SIGUSR2, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  process_spec spec;
  spec.command = {"sh", "-c",
                  "echo $$; cut -d' ' -f5,6 /proc/$$/stat; for f in 0 1 2 " + std::to_string(stray) +
                      "; do test -e /proc/$$/fd/$f && echo $f; done; "
                      "readlink /proc/$$/fd/0; grep -E '^Sig(Blk|Ign)|^NoNew' /proc/self/status"};
  auto p = run(spec);
  BOOST_TEST(p->ended() == exited(0));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGUSR2, SIG_DFL);
  ::close(stray);
  const auto pid = std::to_string(p->started());
  BOOST_TEST(p->texts() ==
                 (std::vector<std::string>{pid, pid + " " + pid, "0", "1", "2", "/dev/null",
                                           "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "NoNewPrivs:\t1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(new_privileges_are_given_up_only_if_asked) {
  process_spec spec;
  spec.command = {"grep", "NoNew", "/proc/self/status"};
  spec.no_new_privs = false;
  auto p = run(spec);
  BOOST_TEST(p->ended() == exited(0));
  BOOST_TEST(p->texts() == (std::vector<std::string>{"NoNewPrivs:\t0"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(limits_hold) {
  process_spec spec;
  spec.command = {"sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -c"};
  spec.limits = {{"nofile", 32}, {"core", 0}};
  auto p = run(spec);
  BOOST_TEST(p->ended() == exited(0));
  BOOST_TEST(p->texts() == (std::vector<std::string>{"32", "32", "0"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(it_runs_as_another_user_where_it_may) {
  process_spec spec;
  spec.command = {"sh", "-c", "id -un; id -gn; echo $USER"};
  spec.user = "nobody";
  auto p = run(spec);
  if (::geteuid() == 0) {
    BOOST_TEST(p->ended() == exited(0));
    BOOST_TEST(p->texts() == (std::vector<std::string>{"nobody", "nogroup", "nobody"}),
               boost::test_tools::per_element());
  } else {
    BOOST_TEST(p->failed().text() == "cannot become the user nobody: Operation not permitted");
  }
}

BOOST_AUTO_TEST_CASE(a_signal_goes_to_the_whole_group) {
  auto p =
      sh("trap 'echo term; exit 3' TERM; (trap 'echo inner; exit' TERM; echo up; while :; do sleep 1; done) & "
         "while :; do sleep 1; done");
  BOOST_TEST(p->has_line("up"));
  host->signal(last, SIGTERM);
  BOOST_TEST(p->ended() == exited(3));
  BOOST_TEST(p->has_line("term"));
}

BOOST_AUTO_TEST_CASE(what_is_left_of_the_group_is_killed_when_its_leader_ends) {
  auto p = sh("sleep 3600 & echo $!; exit 0");
  BOOST_TEST(p->ended() == exited(0));
  BOOST_TEST_REQUIRE(p->texts().size() == 1u);
  BOOST_TEST(dies(std::stoi(p->texts()[0])));
}

BOOST_AUTO_TEST_CASE(a_descendant_that_left_the_group_does_not_hold_back_the_report) {
  auto p = sh(leaves_the_group + "exit 4");
  BOOST_TEST(p->ended() == exited(4));
  BOOST_TEST_REQUIRE(p->texts().size() == 1u);
  const auto other = std::stoi(p->texts()[0]);
  BOOST_TEST(!dies(other, std::chrono::seconds(0)));
  ::kill(other, SIGKILL);
  BOOST_TEST(dies(other));
}

BOOST_AUTO_TEST_CASE(discard_kills_the_group_at_once_and_ends_the_reports) {
  auto p = sh("trap '' TERM; sleep 3600 & echo $!; wait");
  while (p->texts().empty())
    std::this_thread::yield();
  const auto leader = p->started();
  const auto inner = std::stoi(p->texts()[0]);
  host->discard(last);
  BOOST_TEST(dies(leader));
  BOOST_TEST(dies(inner));
  BOOST_TEST(!p->has_ended());
}

BOOST_AUTO_TEST_CASE(a_process_can_be_discarded_before_it_runs) {
  for (int i = 0; i < 50; ++i) {
    sh("sleep 3600");
    host->discard(last);
  }
}

BOOST_AUTO_TEST_CASE(output_that_nobody_consumes_is_not_read_and_none_is_lost) {
  // 4 MB in lines of 100 bytes: far more than pipes and the unconsumed batches hold.
  auto p = sh("i=0; while [ $i -lt 400 ]; do printf '%0100d\\n' $(seq 1 100); i=$((i+1)); done; echo end >&2", false);
  std::size_t answered = 0, most = 0;
  while (!p->has_ended()) {
    const auto waiting = p->batches() - answered;
    most = std::max(most, waiting);
    if (waiting < process_host::max_unconsumed)
      continue;
    host->consumed(last);
    ++answered;
  }
  BOOST_TEST(p->ended() == exited(0));
  BOOST_TEST(most == process_host::max_unconsumed);
  BOOST_TEST(p->lines().size() == 40001u);
}

BOOST_AUTO_TEST_CASE(what_was_written_before_the_end_comes_though_it_was_consumed_later) {
  auto p = sh(leaves_the_group +
                  "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.02; done; "
                  "i=0; while [ $i -lt 60 ]; do printf '%01000d\\n' $i; i=$((i+1)); done",
              false);
  BOOST_TEST(dies(p->started()));
  BOOST_TEST(!p->has_ended());
  for (std::size_t answered = 0; !p->has_ended();) {
    for (const auto so_far = p->batches(); answered < so_far; ++answered)
      host->consumed(last);
    std::this_thread::yield();
  }
  BOOST_TEST_REQUIRE(p->lines().size() == 69u);
  ::kill(std::stoi(p->texts()[0]), SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_long_line_comes_in_pieces_that_say_so) {
  auto p = sh("head -c 150000 /dev/zero | tr '\\0' x; echo");
  BOOST_TEST(p->ended() == exited(0));
  const auto lines = p->lines();
  BOOST_TEST_REQUIRE(lines.size() == 3u);
  BOOST_TEST((lines[0].split && lines[1].split && !lines[2].split));
  BOOST_TEST(lines[0].text.size() + lines[1].text.size() + lines[2].text.size() == 150000u);
}

BOOST_DATA_TEST_CASE(a_hosts_end_kills_and_reaps_all_that_it_started, both_notices, notice) {
  use(notice);
  std::vector<pid_t> pids;
  for (int i = 0; i < 20; ++i)
    pids.push_back(sh("trap '' TERM; sleep 3600; sleep 3600")->started());
  host.reset();
  for (const auto pid : pids)
    BOOST_TEST(!is_alive(pid));
}

BOOST_AUTO_TEST_CASE(processes_of_others_are_left_to_them) {
  const auto own = ::fork();
  if (own == 0)
    ::_exit(5);
  BOOST_TEST(sh("exit 0")->ended() == exited(0));
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(own, &status, 0) == own);
  BOOST_TEST(WEXITSTATUS(status) == 5);
}

BOOST_AUTO_TEST_CASE(a_status_that_the_program_does_not_leave_to_the_host_is_said_to_be_lost) {
  ::signal(SIGCHLD, SIG_IGN);
  const auto end = sh("exit 9")->ended();
  ::signal(SIGCHLD, SIG_DFL);
  BOOST_TEST((end.what == process_end::how::lost));
}

// The sanitizer of undefined behaviour makes a pipe to see whether the exception is memory at all.
#ifndef __SANITIZE_ADDRESS__
BOOST_AUTO_TEST_CASE(a_host_that_has_no_descriptor_to_wait_with_is_not_made) {
  rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  BOOST_CHECK_THROW(process_host(), std::system_error);
  ::setrlimit(RLIMIT_NOFILE, &before);
}
#endif

BOOST_AUTO_TEST_CASE(two_hundred_processes_leave_no_descriptor_behind) {
  const auto count = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  BOOST_TEST(sh("exit 0")->ended() == exited(0));
  const auto before = count();
  std::vector<std::shared_ptr<recorder>> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(sh("echo up; exit " + std::to_string(i % 10)));
  for (int i = 0; i < 200; ++i)
    BOOST_TEST(all[static_cast<std::size_t>(i)]->ended() == exited(i % 10));
  BOOST_TEST(count() == before);
}

BOOST_AUTO_TEST_SUITE_END()
