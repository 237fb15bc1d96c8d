// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace actortree {

/// Who is at the other end of a socket, as the kernel says (SO_PEERCRED).
struct control_peer {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string user;  ///< the name of `uid`, or its number
};

/// A Unix socket in the file system that answers lines with lines. Who may connect, the file's permissions say.
class control_socket {
 public:
  /// Given a line without its end, and who sent it; gives the reply's. Called on the connection's own thread, one call
  /// at a time for each; it may block.
  using answer_function = std::function<std::string(const std::string& line, const control_peer& who)>;

  static constexpr std::size_t max_connections = 16;  ///< more are closed at once
  static constexpr std::size_t max_line = 64 * 1024;  ///< longer ones close the connection

  /// Replaces a socket that is left over from a program that has ended.
  /// Throws: std::system_error, with the path, where it can't be made or another program answers there.
  control_socket(std::string path, mode_t mode, answer_function answer);
  /// Answers what was asked, but for a client that does not read within 1 s; closes every connection, and removes the
  /// file.
  ~control_socket();
  control_socket(const control_socket&) = delete;
  control_socket& operator=(const control_socket&) = delete;

 private:
  void accept_all();
  void serve(int fd);
  bool wait_readable(int fd) const;
  bool send_reply(int fd, std::string_view bytes) const;

  std::string path_;
  answer_function answer_;
  int listener_ = -1;
  int stopping_ = -1;  // an eventfd that is readable from the beginning of the end
  std::pair<dev_t, ino_t> file_{};
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t connections_ = 0;
  std::thread thread_;
};

/// The client's side: sends one line and returns the reply's. Throws: std::system_error where nobody answers.
std::string ask_control_socket(const std::string& path, const std::string& line);

}  // namespace actortree
