// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_host.hpp"

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace scenario {

// No wait ends by time unless something is broken.
inline constexpr auto generous = std::chrono::seconds(60);

// What the program ends with: docs/actortree.md.
inline constexpr int ok = 0, internal = 1, usage = 2, bad_file = 3, start_failed = 4, tree_failed = 5, overrun = 6,
                     stopped_at_once = 7, act_refused = 8, unreachable = 9, doubtful_order = 10;

// A folder for the tree files of one test, removed with it.
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  const std::string& path() const { return path_; }
  // Writes a file, and gives its path.
  std::string file(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

struct one_folder {
  scratch_folder folder;
  std::string tree(const std::string& text) const { return folder.file("tree.yaml", "schema: 1\n" + text); }
};

// One run of actortree. Its lines are read as they come; JSON lines are parsed, and any other line of standard output
// of a run with `--log json` fails the test. Destroying it kills what still runs, and checks that nothing is left.
class run_of_program {
 public:
  explicit run_of_program(std::vector<std::string> args);
  ~run_of_program();

  // Waits for an event of this kind at this path, of this incarnation or a later one.
  nlohmann::json wait(const std::string& event, const std::string& path, int incarnation = 0);
  // Waits for this text in standard output; false if the program ends without it.
  bool says(const std::string& text);
  void signal(int number);
  // From now on its output is not read, or is again.
  void hold_output(bool held);
  // Waits for the end, and gives the exit status; 1000 + n for signal n.
  int exit_status();

  // Lines of standard output and of standard error so far; complete after `exit_status`.
  std::string out() const;
  std::string err() const;
  std::vector<nlohmann::json> events() const;
  // `event path` of those kinds, in order.
  std::vector<std::string> order(std::initializer_list<std::string> kinds) const;

  // Its id, once it runs.
  pid_t pid() const;
  // Ids of the program and all that it started, however deep, as far as they live.
  std::vector<pid_t> alive() const;
  // Whether nothing of it lives, within a generous time.
  bool leaves_nothing() const;

 private:
  class listener;
  std::string mark_;
  std::shared_ptr<listener> listener_;
  libactor::process::process_host host_;
  libactor::process::process_host::process_id id_ = 0;
};

// Of a process and all that descends from it now.
std::size_t zombies_below(pid_t root);
// Until a process has read nothing for 0.2 s, from files and pipes alike.
void wait_until_it_reads_no_more(pid_t pid);
// How many descriptors a process has open.
std::size_t descriptors_of(pid_t pid);

}  // namespace scenario
