// SPDX-License-Identifier: BSL-1.0
#include "control_socket.hpp"

#include <poll.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace actortree {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail("the socket " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int new_socket(int flags = 0) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0)
    fail("a socket");
  return fd;
}

// Whether the file is a socket at which nobody listens any more.
bool is_left_over(const std::string& path, const sockaddr_un& address) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode))
    return false;
  const int fd = new_socket(SOCK_NONBLOCK);  // one at which many wait is none
  const bool refused =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

control_peer peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
  control_peer peer{who.pid, who.uid, std::to_string(who.uid)};
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16 * 1024);
  if (::getpwuid_r(who.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    peer.user = entry.pw_name;
  return peer;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

control_socket::control_socket(std::string path, mode_t mode, answer_function answer)
    : path_(std::move(path)), answer_(std::move(answer)) {
  const auto address = address_of(path_);
  listener_ = new_socket();
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  // The mode of an unbound socket becomes that of its file: it is never open to more than it shall be.
  int error = ::fchmod(listener_, mode) != 0 ? errno : 0;
  if (error == 0 && ::bind(listener_, name, sizeof address) != 0)
    error = errno;
  if (error == EADDRINUSE && is_left_over(path_, address)) {
    ::unlink(path_.c_str());
    error = ::bind(listener_, name, sizeof address) != 0 ? errno : 0;
  }
  struct stat file {};
  if (error == 0 && (::chmod(path_.c_str(), mode) != 0 || ::stat(path_.c_str(), &file) != 0 ||
                     ::listen(listener_, static_cast<int>(max_connections)) != 0))
    error = errno;
  if (error == 0 && (stopping_ = ::eventfd(0, EFD_CLOEXEC)) < 0)
    error = errno;
  if (error != 0) {
    ::close(listener_);
    struct stat other {};
    const bool is_socket = ::lstat(path_.c_str(), &other) == 0 && S_ISSOCK(other.st_mode);
    errno = error;
    fail("the socket " + path_ +
         (error != EADDRINUSE ? ""
          : is_socket         ? ", at which another program answers"
                              : ", where something else has that name"));
  }
  file_ = {file.st_dev, file.st_ino};
  thread_ = std::thread([this] { accept_all(); });
}

control_socket::~control_socket() {
  ::eventfd_write(stopping_, 1);
  thread_.join();
  {
    std::unique_lock guard{mutex_};
    left_.wait(guard, [this] { return connections_ == 0; });
  }
  ::close(listener_);
  ::close(stopping_);
  // Unless somebody put another one in its place.
  struct stat file {};
  if (::stat(path_.c_str(), &file) == 0 && std::pair(file.st_dev, file.st_ino) == file_)
    ::unlink(path_.c_str());
}

// False when this socket is about to end.
bool control_socket::wait_readable(int fd) const {
  for (;;) {
    pollfd news[] = {{stopping_, POLLIN, 0}, {fd, POLLIN, 0}};
    if (::poll(news, 2, -1) < 0 && errno != EINTR)
      return false;
    if (news[0].revents != 0)
      return false;
    if (news[1].revents != 0)
      return true;
  }
}

// Where the other end reads no more, the end of this socket does not wait for it.
bool control_socket::send_reply(int fd, std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
      return false;
    pollfd news[] = {{fd, POLLOUT, 0}, {stopping_, POLLIN, 0}};
    if (::poll(news, 2, -1) > 0 && news[0].revents == 0 && ::poll(news, 1, 1000) == 0)
      return false;
  }
  return true;
}

void control_socket::accept_all() {
  while (wait_readable(listener_)) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      // Where there are no descriptors left, the client goes on waiting, and so does this.
      pollfd end{stopping_, POLLIN, 0};
      ::poll(&end, 1, 100);
      continue;
    }
    {
      const std::lock_guard guard{mutex_};
      if (connections_ == max_connections) {
        ::close(fd);
        continue;
      }
      ++connections_;
    }
    const auto leave = [this, fd] {
      ::close(fd);
      const std::lock_guard guard{mutex_};
      --connections_;
      left_.notify_all();
    };
    try {
      std::thread([this, fd, leave] {
        serve(fd);
        leave();
      }).detach();
    } catch (const std::system_error&) {
      leave();  // there is no thread for it
    }
  }
}

void control_socket::serve(int fd) {
  const auto who = peer_of(fd);
  std::string pending;
  char buffer[4096];
  while (wait_readable(fd)) {
    const auto count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0)
      return;
    pending.append(buffer, static_cast<std::size_t>(count));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const auto line = pending.substr(0, end);
      pending.erase(0, end + 1);
      if (!send_reply(fd, answer_(line, who) + "\n"))
        return;
    }
    if (pending.size() > max_line)
      return;
  }
}

std::string ask_control_socket(const std::string& path, const std::string& line) {
  const auto address = address_of(path);
  const int fd = new_socket();
  std::string reply;
  const bool sent =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && send_all(fd, line + "\n");
  int error = sent ? 0 : errno;
  char buffer[4096];
  while (error == 0 && (reply.empty() || reply.back() != '\n')) {
    const auto count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count > 0)
      reply.append(buffer, static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
      error = count == 0 ? ECONNRESET : errno;
  }
  ::close(fd);
  if (error != 0) {
    errno = error;
    fail("the socket " + path);
  }
  reply.pop_back();
  return reply;
}

}  // namespace actortree
