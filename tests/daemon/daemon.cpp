// SPDX-License-Identifier: BSL-1.0
//
// A small server for tests, and a badly behaved one where asked. It appends a line to a log that all daemons of a test
// share, one write each, so that the lines stand in the order in which things happened.
//
//   daemon NAME LOG [key=value]…
//
// port=P      accepts connections on 127.0.0.1:P once it is ready
// needs=P     a port that must accept connections at its start and at its end; may come more than once
// ready=MS    how long it takes to become ready
// stop=MS     how long it takes to stop
// line=WORD   writes this line to standard output when it is ready
// notify=1    sends READY=1 to NOTIFY_SOCKET when it is ready, and a STATUS
// beats=N     sends WATCHDOG=1 so many times, four for each WATCHDOG_USEC, and then hangs
// crash=PCT   ends by itself with this probability, in percent, at one of its first moments
// orphan=1    leaves a process behind that forked twice and made a session of its own
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

struct daemon_options {
  std::string name, log;
  std::map<std::string, int> numbers;
  std::vector<int> needs;
  std::string line;
  int get(const char* key) const {
    const auto i = numbers.find(key);
    return i == numbers.end() ? 0 : i->second;
  }
};

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

void log_line(const daemon_options& options, const std::string& words) {
  const int fd = ::open(options.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  const auto line = options.name + " " + words + "\n";
  if (fd < 0 || ::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    std::_Exit(99);
  ::close(fd);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return good;
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = loopback(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 16) != 0)
    std::_Exit(98);
  return fd;
}

void notify(const std::string& words) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr)
    std::_Exit(97);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, name, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(name));
  if (name[0] == '@')
    address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::sendto(fd, words.data(), words.size(), 0, reinterpret_cast<const sockaddr*>(&address), size) < 0)
    std::_Exit(96);
  ::close(fd);
}

void leave_an_orphan() {
  if (const auto first = ::fork(); first != 0) {
    ::waitpid(first, nullptr, 0);
    return;
  }
  ::setsid();
  if (::fork() != 0)
    std::_Exit(0);
  ::setsid();
  ::signal(SIGTERM, SIG_IGN);
  for (int fd = 0; fd < 3; ++fd)
    ::close(fd);
  for (;;)
    ::pause();
}

[[noreturn]] void beat(const daemon_options& options, int count) {
  const char* limit = std::getenv("WATCHDOG_USEC");
  if (limit == nullptr)
    std::_Exit(95);
  const int between_ms = std::atoi(limit) / 4000;
  for (int i = 0; i < count; ++i) {
    notify("WATCHDOG=1");
    if (i == 0)
      log_line(options, "has beaten");
    sleep_ms(between_ms);
  }
  for (;;)
    ::pause();
}

void maybe_crash(int percent) {
  std::mt19937 random(std::random_device{}());
  if (std::uniform_int_distribution<>(0, 99)(random) >= percent)
    return;
  sleep_ms(std::uniform_int_distribution<>(0, 300)(random));
  ::raise(std::uniform_int_distribution<>(0, 1)(random) == 0 ? SIGSEGV : SIGKILL);
}

void serve_until_stopped(int server, int signals) {
  for (;;) {
    pollfd news[] = {{signals, POLLIN, 0}, {server, POLLIN, 0}};
    ::poll(news, server < 0 ? 1 : 2, -1);
    if (news[0].revents != 0)
      return;
    if (const int client = ::accept4(server, nullptr, nullptr, SOCK_CLOEXEC); client >= 0)
      ::close(client);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return 2;
  daemon_options options{argv[1], argv[2], {}, {}, {}};
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "needs")
      options.needs.push_back(std::atoi(value.c_str()));
    else if (key == "line")
      options.line = value;
    else
      options.numbers[key] = std::atoi(value.c_str());
  }
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  const int signals = ::signalfd(-1, &wanted, SFD_CLOEXEC);

  log_line(options, "starts");
  for (const int port : options.needs) {
    if (!accepts(port))
      log_line(options, "misses " + std::to_string(port));
  }
  if (options.get("orphan") != 0)
    leave_an_orphan();
  maybe_crash(options.get("crash"));
  sleep_ms(options.get("ready"));
  log_line(options, "is ready");
  const int server = options.get("port") != 0 ? listen_on(options.get("port")) : -1;
  if (options.get("notify") != 0)
    notify("STATUS=serves\nREADY=1\n");
  if (!options.line.empty()) {
    std::puts(options.line.c_str());
    std::fflush(stdout);
  }
  if (options.get("beats") != 0)
    beat(options, options.get("beats"));
  serve_until_stopped(server, signals);

  log_line(options, "stops");
  for (const int port : options.needs) {
    if (!accepts(port))
      log_line(options, "lost " + std::to_string(port));
  }
  sleep_ms(options.get("stop"));
  log_line(options, "has stopped");
  return 0;
}
