// SPDX-License-Identifier: BSL-1.0
#include "run_of_program.hpp"

#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace scenario {

namespace {

using namespace libactor::process;

constexpr auto mark_name = "ACTORTREE_TEST_MARK";

std::string unique_word() {
  static std::atomic<int> count{0};
  return std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

scratch_folder::scratch_folder()
    : path_((std::filesystem::temp_directory_path() / ("actortree-test-" + unique_word())).string()) {
  std::filesystem::create_directory(path_);
}

scratch_folder::~scratch_folder() { std::filesystem::remove_all(path_); }

std::string scratch_folder::file(const std::string& name, const std::string& content) const {
  const auto path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

class run_of_program::listener final : public process_listener {
 public:
  explicit listener(bool json) : json_(json) {}

  void on_started(pid_t pid) noexcept override {
    const std::lock_guard guard{mutex_};
    pid_ = pid;
    changed_.notify_all();
  }
  void on_start_failed(const start_failure& why) noexcept override {
    const std::lock_guard guard{mutex_};
    faults_ = why.text();
    status_ = 2000;
    changed_.notify_all();
  }
  void on_output(std::vector<output_line> lines) noexcept override {
    {
      const std::lock_guard guard{mutex_};
      for (auto& line : lines) {
        (line.from_stderr ? err_ : out_) += line.text + (line.split ? "" : "\n");
        if (!json_ || line.from_stderr)
          continue;
        unfinished_ += line.text;
        if (!line.split)
          parse(std::exchange(unfinished_, {}));
      }
      changed_.notify_all();
    }
    const std::lock_guard guard{mutex_};
    if (held_)
      ++unanswered_;
    else
      host_->consumed(id_);
  }
  void on_ended(const process_end& how) noexcept override {
    const std::lock_guard guard{mutex_};
    status_ = how.what == process_end::how::exited ? how.code : 1000 + how.code;
    changed_.notify_all();
  }

  void hold(bool held) {
    const std::lock_guard guard{mutex_};
    held_ = held;
    for (; !held_ && unanswered_ != 0; --unanswered_)
      host_->consumed(id_);
  }

  // Before the process starts.
  void answer(process_host& host, process_host::process_id id) {
    host_ = &host;
    id_ = id;
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, generous, condition);
  }
  template <class Fun>
  auto read(Fun fun) const {
    const std::lock_guard guard{mutex_};
    return fun(*this);
  }

  std::string out_, err_, faults_;
  std::vector<nlohmann::json> events_;
  std::optional<int> status_;
  pid_t pid_ = 0;

 private:
  void parse(const std::string& line) {
    auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event.contains("event"))
      events_.push_back(std::move(event));
    else
      faults_ += "not a JSON object with an event: " + line + "\n";
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string unfinished_;  // the pieces so far of a line that is too long for one
  const bool json_;
  bool held_ = false;
  std::size_t unanswered_ = 0;
  process_host* host_ = nullptr;
  process_host::process_id id_ = 0;
};

run_of_program::run_of_program(std::vector<std::string> args)
    : mark_(unique_word()),
      listener_(std::make_shared<listener>(!args.empty() && args.front() == "run" &&
                                           std::find(args.begin(), args.end(), "json") != args.end())) {
  process_spec spec;
  spec.command = std::move(args);
  spec.command.insert(spec.command.begin(), ACTORTREE_PATH);
  spec.env[mark_name] = mark_;
  listener_->answer(host_, 1);  // the first id of a host
  id_ = host_.start(std::move(spec), listener_);
}

run_of_program::~run_of_program() {
  if (!listener_->read([](auto& l) { return l.status_.has_value(); })) {
    host_.discard(id_);
    for (const auto pid : alive())
      ::kill(pid, SIGKILL);
  }
  BOOST_TEST(leaves_nothing());
  BOOST_TEST(listener_->read([](auto& l) { return l.faults_; }) == "");
}

nlohmann::json run_of_program::wait(const std::string& event, const std::string& path, int incarnation) {
  std::size_t seen = 0;
  const auto is_it = [&](const nlohmann::json& e) {
    return e.value("event", "") == event && e.value("path", "") == path && e.value("incarnation", 0) >= incarnation;
  };
  const bool came = listener_->wait([&] {
    const auto& all = listener_->events_;
    while (seen < all.size() && !is_it(all[seen]))
      ++seen;
    return seen < all.size() || listener_->status_.has_value();
  });
  return listener_->read([&](const listener& l) {
    BOOST_TEST_REQUIRE((came && seen < l.events_.size()), event << " " << path << " did not come:\n"
                                                                << l.out_ << l.err_);
    return l.events_[seen];
  });
}

bool run_of_program::says(const std::string& text) {
  listener_->wait([&] { return listener_->out_.find(text) != std::string::npos || listener_->status_.has_value(); });
  return out().find(text) != std::string::npos;
}

void run_of_program::signal(int number) { host_.signal(id_, number); }

void run_of_program::hold_output(bool held) { listener_->hold(held); }

int run_of_program::exit_status() {
  const bool ended = listener_->wait([&] { return listener_->status_.has_value(); });
  BOOST_TEST_REQUIRE(ended, "the program did not end:\n" << out() << err());
  return listener_->read([](auto& l) { return *l.status_; });
}

std::string run_of_program::out() const {
  return listener_->read([](auto& l) { return l.out_; });
}
std::string run_of_program::err() const {
  return listener_->read([](auto& l) { return l.err_; });
}
std::vector<nlohmann::json> run_of_program::events() const {
  return listener_->read([](auto& l) { return l.events_; });
}

std::vector<std::string> run_of_program::order(std::initializer_list<std::string> kinds) const {
  std::vector<std::string> all;
  for (const auto& e : events()) {
    if (std::find(kinds.begin(), kinds.end(), e.at("event")) != kinds.end())
      all.push_back(e.at("event").get<std::string>() + " " + e.value("path", ""));
  }
  return all;
}

pid_t run_of_program::pid() const {
  listener_->wait([&] { return listener_->pid_ != 0 || listener_->status_.has_value(); });
  return listener_->read([](auto& l) { return l.pid_; });
}

std::vector<pid_t> run_of_program::alive() const {
  const auto entry = std::string(mark_name) + "=" + mark_;
  std::vector<pid_t> found;
  for (const auto& item : std::filesystem::directory_iterator("/proc")) {
    const auto pid = static_cast<pid_t>(std::atoi(item.path().filename().c_str()));
    if (pid <= 0)
      continue;
    // Empty for a zombie.
    std::ifstream file(item.path() / "environ", std::ios::binary);
    std::stringstream all;
    all << '\0' << file.rdbuf();
    if (all.str().find('\0' + entry + '\0') != std::string::npos)
      found.push_back(pid);
  }
  return found;
}

bool run_of_program::leaves_nothing() const {
  const auto until = std::chrono::steady_clock::now() + generous;
  while (!alive().empty()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::yield();
  }
  return true;
}

std::size_t zombies_below(pid_t root) {
  struct process {
    pid_t parent;
    char state;
  };
  std::map<pid_t, process> all;
  for (const auto& item : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(item.path() / "stat");
    std::string line;
    if (!std::getline(file, line) || line.rfind(')') == std::string::npos)
      continue;
    const auto* rest = line.c_str() + line.rfind(')') + 2;
    all[std::atoi(line.c_str())] = {static_cast<pid_t>(std::atoi(rest + 2)), *rest};
  }
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& x) {
    auto above = x.second.parent;
    while (above != root && all.contains(above))
      above = all[above].parent;
    return x.second.state == 'Z' && above == root;
  }));
}

void wait_until_it_reads_no_more(pid_t pid) {
  for (std::uint64_t last = 1, same = 0; same < 10;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ifstream file("/proc/" + std::to_string(pid) + "/io");
    std::string name;
    std::uint64_t bytes = 0;
    file >> name >> bytes;
    same = bytes == last ? same + 1 : 0;
    last = bytes;
  }
}

std::size_t descriptors_of(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace scenario
