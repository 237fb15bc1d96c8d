// SPDX-License-Identifier: BSL-1.0
#include "process/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstring>

using namespace libactor::process;

namespace {

// From a process that runs as `user`, with a descriptor beside it.
void send(const std::string& name, const std::string& words, uid_t user) {
  const auto child = ::fork();
  if (child == 0) {
    if (user != ::geteuid() && ::setresuid(user, user, user) != 0)
      ::_exit(1);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    iovec part{const_cast<char*>(words.data()), words.size()};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    auto* with = CMSG_FIRSTHDR(&message);
    with->cmsg_level = SOL_SOCKET;
    with->cmsg_type = SCM_RIGHTS;
    with->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(with), &fd, sizeof fd);
    ::_exit(::sendmsg(fd, &message, 0) < 0 ? 1 : 0);
  }
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(notify_socket_)

BOOST_AUTO_TEST_CASE(a_datagram_is_lines_of_which_those_that_matter_are_read) {
  const auto all = parse_notice("MAINPID=7\nSTATUS=half done\nREADY=1\nWATCHDOG=1");
  BOOST_TEST(all.ready);
  BOOST_TEST(all.beat);
  BOOST_TEST(!all.gives_up);
  BOOST_TEST(all.status.value_or("") == "half done");
  BOOST_TEST(parse_notice("WATCHDOG=trigger\n").gives_up);
  const auto none = parse_notice("READY=0\n\nREADY=10\nXREADY=1\nWATCHDOG=");
  BOOST_TEST((!none.ready && !none.beat && !none.gives_up && !none.status));
}

BOOST_AUTO_TEST_CASE(a_status_is_cut) {
  BOOST_TEST(parse_notice("STATUS=" + std::string(5000, 'x')).status.value_or("").size() == 1024u);
}

BOOST_AUTO_TEST_CASE(what_the_user_of_the_process_says_is_heard_and_descriptors_are_not_kept) {
  std::string name;
  const auto socket = open_notify_socket(name);
  BOOST_TEST_REQUIRE(bool(socket));
  BOOST_TEST(!receive_notice(socket.get(), ::geteuid()).has_value());
  send(name, "READY=1", ::geteuid());
  const auto next = ::dup(socket.get());
  ::close(next);
  const auto heard = receive_notice(socket.get(), ::geteuid());
  BOOST_TEST_REQUIRE(heard.has_value());
  BOOST_TEST(heard->ready);
  const auto after = ::dup(socket.get());
  ::close(after);
  BOOST_TEST(after == next);  // nothing was opened in between
}

BOOST_AUTO_TEST_CASE(what_other_users_say_is_not_heard, *boost::unit_test::precondition([](auto) {
                       return boost::test_tools::assertion_result(::geteuid() == 0);
                     })) {
  std::string name;
  const auto socket = open_notify_socket(name);
  BOOST_TEST_REQUIRE(bool(socket));
  send(name, "READY=1", 65534);
  BOOST_TEST(!receive_notice(socket.get(), 1234).value_or(notice{true, false, false, {}}).ready);
  send(name, "READY=1", 65534);
  BOOST_TEST(receive_notice(socket.get(), 65534).value_or(notice{}).ready);
}

BOOST_AUTO_TEST_SUITE_END()
