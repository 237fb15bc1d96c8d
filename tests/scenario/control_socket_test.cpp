// SPDX-License-Identifier: BSL-1.0
#include "control_socket.hpp"

#include "run_of_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <ctime>
#include <future>
#include <memory>
#include <system_error>

using namespace scenario;
using actortree::control_peer;
using actortree::control_socket;

namespace {

struct socket_folder {
  scratch_folder folder;
  std::string path = folder.path() + "/socket";
  sockaddr_un name = [this] {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
  }();
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&name); }
  int client(int flags = 0) const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    BOOST_TEST_REQUIRE(fd >= 0);
    return fd;
  }
  int connected() const {
    const int fd = client();
    BOOST_TEST_REQUIRE(::connect(fd, address(), sizeof name) == 0);
    return fd;
  }
};

bool is_readable(int fd, std::chrono::milliseconds limit) {
  pollfd news{fd, POLLIN, 0};
  return ::poll(&news, 1, static_cast<int>(limit.count())) == 1;
}

template <class T>
bool comes(const std::future<T>& what) {
  return what.wait_for(generous) == std::future_status::ready;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(control_socket_, socket_folder)

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_its_reply_holds_up_no_end) {
  auto socket = std::make_unique<control_socket>(
      path, 0600, [](const std::string&, const control_peer&) { return std::string(10'000'000, 'x'); });
  const int fd = connected();
  BOOST_TEST(::send(fd, "tree\n", 5, 0) == 5);
  BOOST_TEST_REQUIRE(is_readable(fd, generous));  // the first of it; the rest has no room
  auto ended = std::async(std::launch::async, [&] { socket = nullptr; });
  BOOST_TEST(comes(ended));
  ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_socket_whose_program_is_held_up_is_in_use_and_not_waited_for) {
  const int listener = client();
  BOOST_TEST_REQUIRE(::bind(listener, address(), sizeof name) == 0);
  BOOST_TEST_REQUIRE(::listen(listener, 0) == 0);
  std::vector<int> clients;
  do
    clients.push_back(client(SOCK_NONBLOCK));
  while (::connect(clients.back(), address(), sizeof name) == 0);
  BOOST_TEST(errno == EAGAIN);  // no more may wait
  auto second = std::async(std::launch::async, [&] { control_socket(path, 0600, {}); });
  BOOST_TEST(comes(second));
  ::close(listener);
  BOOST_CHECK_THROW(second.get(), std::system_error);
  for (const int fd : clients)
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_client_for_which_there_is_no_descriptor_waits_and_costs_nothing_meanwhile) {
  control_socket socket(path, 0600, [](const std::string& line, const control_peer&) { return line; });
  const int fd = client();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{static_cast<rlim_t>(fd) + 1, before.rlim_max};
  std::vector<int> fillers;
  for (int filler = ::dup(fd); filler >= 0 && filler < fd; filler = ::dup(fd))
    fillers.push_back(filler);
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto used = std::clock();
  BOOST_TEST(::connect(fd, address(), sizeof name) == 0);
  BOOST_TEST(::send(fd, "hello\n", 6, 0) == 6);
  const bool early = is_readable(fd, std::chrono::milliseconds(500));
  const auto cost = std::clock() - used;
  ::setrlimit(RLIMIT_NOFILE, &before);
  BOOST_TEST(!early);
  BOOST_TEST(cost < CLOCKS_PER_SEC / 10);
  BOOST_TEST(is_readable(fd, generous));
  ::close(fd);
  for (const int filler : fillers)
    ::close(filler);
}

BOOST_AUTO_TEST_SUITE_END()
