// SPDX-License-Identifier: BSL-1.0
// Invariants
//  1. Everything about processes is touched by the host's thread only, except for `unreaped`; other threads post to it.
//  2. A process's id and group are signaled only before it is reaped, under `mutex`: so the numbers can't have become
//     another's. Below a warden its keeper signals it, which alone can reap it.
//  3. Its group is killed after it ended and before it is reaped.
//  4. A process leaves the table once it is reaped, both of its pipes are closed, and its outcome was reported.
#pragma once

#include "process/child_image.hpp"
#include "process/keeper.hpp"
#include "process/line_splitter.hpp"
#include "process/notify_socket.hpp"
#include "supervisors/process/process_host.hpp"

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace libactor::process {

namespace asio = boost::asio;
using boost::system::error_code;

// Bytes read at a time; with `max_unconsumed`, what bounds the memory that a process's output takes.
inline constexpr std::size_t read_size = 16 * 1024;

struct stream {
  stream(asio::io_context& io, bool is_stderr) : pipe(io), splitter(is_stderr) {}
  asio::posix::stream_descriptor pipe;
  line_splitter splitter;
  bool waiting = false;                     // a wait for readability is under way
  std::optional<std::size_t> left_of_late;  // after `linger`: how much more may be read
};

struct running_process {
  running_process(asio::io_context& io, process_host::process_id name, child_image prepared)
      : id(name),
        image(std::move(prepared)),
        report(io),
        streams{stream{io, false}, stream{io, true}},
        timer(io),
        end_source(io),
        notify(io),
        beat_timer(io),
        probe(io),
        probe_timer(io) {}

  const process_host::process_id id;
  const child_image image;
  pid_t pid = -1;                              // below a warden: known once its report was read
  std::shared_ptr<process_listener> listener;  // null: discarded
  std::shared_ptr<void> until_gone;            // where it was discarded: held until it is reaped
  asio::posix::stream_descriptor report;
  std::string reported;
  std::array<stream, 2> streams;
  asio::steady_timer timer;  // polls for the end; after it, waits for the pipes
  // Becomes readable with its end: a pidfd, or the socket of its keeper. None: the end is polled for.
  asio::posix::stream_descriptor end_source;
  bool is_kept = false;  // below a warden
  std::size_t unconsumed = 0;
  bool resolved = false;  // its start succeeded or failed
  std::optional<start_failure> failure;
  std::optional<process_end> end;  // set: it was reaped

  asio::posix::stream_descriptor notify;
  uid_t notifier = 0;  // whose notices count
  bool said_ready = false;
  std::optional<std::string> status;  // the last one that is not handed over yet
  std::chrono::nanoseconds beat_limit{};
  std::chrono::steady_clock::time_point last_beat{};
  bool is_watched = false;
  asio::steady_timer beat_timer;

  std::uint16_t port = 0;
  bool tries_v6 = false;
  asio::ip::tcp::socket probe;
  asio::steady_timer probe_timer;
  std::chrono::milliseconds probe_delay{10};
};

using process_ptr = std::shared_ptr<running_process>;

// Gives a descriptor to asio, and keeps nothing of it where that fails.
inline error_code adopt(asio::posix::stream_descriptor& into, unique_fd fd) {
  error_code error;
  into.assign(fd.get(), error);
  if (error)
    return error;
  fd.release();
  into.non_blocking(true, error);
  return error;
}

struct process_host::impl {
  impl(end_notice how, std::shared_ptr<warden> below);
  ~impl();

  template <class Fun>
  void with(process_id id, Fun fun) {
    asio::post(io, [this, id, fun] {
      if (const auto i = processes.find(id); i != processes.end())
        fun(process_ptr(i->second));
    });
  }

  // Start and end (process_host.cpp).
  void start(process_id id, process_spec spec, const std::shared_ptr<process_listener>& listener);
  std::optional<start_failure> launch(running_process& p);
  std::optional<start_failure> spawn_here(running_process& p, child_image::pipes& ends);
  std::optional<start_failure> spawn_kept(running_process& p, child_image::pipes& ends);
  void read_report(const process_ptr& p);
  void resolve(const process_ptr& p);
  void wait_for_end(const process_ptr& p);
  void look_for_end(const process_ptr& p);
  std::optional<process_end> reap(running_process& p);
  void conclude(const process_ptr& p);
  void kill_group(process_id id, int number) noexcept;
  void discard(const process_ptr& p);
  void shut_down();

  // Output (process_output.cpp).
  void read(const process_ptr& p, stream& s);
  void read_ready(const process_ptr& p, stream& s);
  void close(const process_ptr& p, stream& s);
  void hand_over(const process_ptr& p, std::vector<output_line> lines);
  void consumed(const process_ptr& p);

  // Readiness and beats (process_ready.cpp).
  std::optional<start_failure> prepare_notify(process_spec& spec, unique_fd& socket) const;
  void watch_start(const process_ptr& p);
  void stop_watching(running_process& p);
  void wait_for_notice(const process_ptr& p);
  void read_notices(const process_ptr& p);
  void take(const process_ptr& p, notice news);
  void hand_over_status(const process_ptr& p);
  void wait_for_beat(const process_ptr& p);
  void miss_beat(const process_ptr& p);
  void expect_no_beat(running_process& p);
  void probe_port(const process_ptr& p);
  void probe_ended(const process_ptr& p, error_code error);

  struct target {
    pid_t pid;
    int keeper;  // its socket, or -1
  };

  const end_notice notice_by;
  const std::shared_ptr<warden> keeping;  // null: processes are children of this program
  const std::vector<std::string> environment;
  std::atomic<process_id> last_id{0};
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::optional<asio::steady_timer> patience;  // set: the host is being destroyed
  std::unordered_map<process_id, process_ptr> processes;
  std::mutex mutex;
  std::unordered_map<process_id, target> unreaped;
  std::array<char, read_size> buffer{};
  std::thread thread;
};

}  // namespace libactor::process
