// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/unique_fd.hpp"
#include "supervisors/process/process_spec.hpp"

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace libactor::process {

// What the child does between fork and exec, step by step. The numbers travel through the error pipe.
enum class child_step : int { session, limit, descriptors, user, folder, no_new_privs, parent_gone, exec, fork };

// What the child writes into the error pipe when a step fails.
struct child_report {
  child_step step;
  int error;
  int detail;  // the index of the limit
};

// Everything that a child needs, made before the fork, so that the child itself allocates nothing and calls only what
// signal handlers may call too: another thread may have held any lock when the fork came.
class child_image {
 public:
  // The ends of pipes that stay here, and those that the child gets.
  struct pipes {
    unique_fd out, err;  // what it writes
    unique_fd report;    // closes when its exec succeeded, and holds a `child_report` if it did not
    unique_fd child_out, child_err, child_report;
  };
  // What a child is connected to; 3 or above each.
  struct descriptors {
    int in, out, err, report;
  };

  // Looks up the program's candidates, the user and the limits. `environment` is what is inherited.
  static std::variant<child_image, start_failure> prepare(process_spec spec,
                                                          const std::vector<std::string>& environment);

  static std::variant<pipes, start_failure> make_pipes();
  // `/dev/null`, as a descriptor of 3 or above; none, with errno, where it can't be opened.
  static unique_fd open_null() noexcept;

  // Forks a child that becomes the program; -1 with errno if it can't. With `announces` the child writes its id into
  // the report pipe first.
  pid_t spawn(const descriptors& to, bool announces) const;

  // For another process of the same program.
  std::string encode() const;
  static child_image decode(std::string_view bytes);

  // The user that the program runs as, if that is another one.
  std::optional<uid_t> user() const noexcept { return changes_user_ ? std::optional(uid_) : std::nullopt; }

  start_failure describe(const child_report& report) const;

 private:
  struct limit {
    std::string name;
    int resource;
    rlim_t value;
  };

  [[noreturn]] void run(pid_t parent, const descriptors& to, bool announces) const noexcept;
  void point();
  void execute() const noexcept;

  process_spec spec_;
  std::vector<std::string> environment_;
  std::vector<std::string> candidates_;  // where the program may be, in the order of PATH
  std::vector<char*> argv_, envp_;
  std::vector<limit> limits_;
  bool changes_user_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
};

}  // namespace libactor::process
