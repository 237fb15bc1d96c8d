// SPDX-License-Identifier: BSL-1.0
#include "process/host_impl.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>

namespace libactor::process {

namespace {

// Notices read in one go: a process that floods its socket must not keep the host from its other work.
constexpr int notices_at_a_time = 64;
// From the SIGABRT of a missed beat to the SIGKILL.
constexpr auto abort_grace = std::chrono::seconds(1);
constexpr auto longest_probe_delay = std::chrono::milliseconds(250);

}  // namespace

std::optional<start_failure> process_host::impl::prepare_notify(process_spec& spec, unique_fd& socket) const {
  if (!spec.notify)
    return {};
  std::string name;
  socket = open_notify_socket(name);
  if (!socket)
    return start_failure{"make a socket for its notices", errno};
  spec.env["NOTIFY_SOCKET"] = name;
  if (spec.watchdog.count() > 0)
    spec.env["WATCHDOG_USEC"] = std::to_string(std::chrono::ceil<std::chrono::microseconds>(spec.watchdog).count());
  return {};
}

// Once it runs.
void process_host::impl::watch_start(const process_ptr& p) {
  if (p->notify.is_open())
    wait_for_notice(p);
  if (p->port != 0)
    probe_port(p);
}

void process_host::impl::stop_watching(running_process& p) {
  error_code ignored;
  p.notify.close(ignored);
  p.probe.close(ignored);
  p.probe_timer.cancel();
  p.beat_timer.cancel();
  p.port = 0;
}

void process_host::impl::wait_for_notice(const process_ptr& p) {
  p->notify.async_wait(asio::posix::stream_descriptor::wait_read, [this, p](error_code error) {
    if (error || !p->notify.is_open())
      return;
    read_notices(p);
    wait_for_notice(p);
  });
}

void process_host::impl::read_notices(const process_ptr& p) {
  for (int left = notices_at_a_time; left != 0 && p->notify.is_open(); --left) {
    auto news = receive_notice(p->notify.native_handle(), p->notifier);
    if (!news)
      return;
    take(p, std::move(*news));
  }
}

void process_host::impl::take(const process_ptr& p, notice news) {
  if (news.status) {
    p->status = std::move(news.status);
    hand_over_status(p);
  }
  if ((news.ready || news.beat) && p->beat_limit.count() > 0) {
    p->last_beat = std::chrono::steady_clock::now();
    if (!std::exchange(p->is_watched, true))
      wait_for_beat(p);
  }
  if (news.ready && !std::exchange(p->said_ready, true) && p->listener)
    p->listener->on_ready(ready_sign::notify);
  if (news.gives_up && p->beat_limit.count() > 0)
    miss_beat(p);
}

void process_host::impl::hand_over_status(const process_ptr& p) {
  if (!p->status || !p->listener || p->unconsumed >= max_unconsumed)
    return;
  ++p->unconsumed;
  p->listener->on_status(*std::exchange(p->status, std::nullopt));
}

void process_host::impl::wait_for_beat(const process_ptr& p) {
  p->beat_timer.expires_at(p->last_beat + p->beat_limit);
  p->beat_timer.async_wait([this, p](error_code error) {
    if (error || p->end || !p->notify.is_open() || p->beat_limit.count() == 0)
      return;
    // What came while this thread was busy counts.
    read_notices(p);
    if (p->notify.is_open() && std::chrono::steady_clock::now() >= p->last_beat + p->beat_limit)
      miss_beat(p);
    else
      wait_for_beat(p);
  });
}

void process_host::impl::miss_beat(const process_ptr& p) {
  error_code ignored;
  p->notify.close(ignored);
  if (p->listener)
    p->listener->on_beat_missed();
  // A core of where it is, and then its end, for it may be stopped.
  kill_group(p->id, SIGABRT);
  p->beat_timer.expires_after(abort_grace);
  p->beat_timer.async_wait([this, p](error_code error) {
    if (!error && !p->end)
      kill_group(p->id, SIGKILL);
  });
}

// It was asked to end. What was aborted is still killed.
void process_host::impl::expect_no_beat(running_process& p) {
  if (!p.notify.is_open())
    return;
  p.beat_limit = {};
  p.beat_timer.cancel();
}

void process_host::impl::probe_port(const process_ptr& p) {
  using asio::ip::tcp;
  const auto to = p->tries_v6 ? tcp::endpoint(asio::ip::address_v6::loopback(), p->port)
                              : tcp::endpoint(asio::ip::address_v4::loopback(), p->port);
  error_code ignored;
  p->probe.close(ignored);
  p->probe.async_connect(to, [this, p](error_code error) { probe_ended(p, error); });
}

void process_host::impl::probe_ended(const process_ptr& p, error_code error) {
  if (p->port == 0 || p->end)
    return;
  error_code ignored;
  // A connection from a free port to itself succeeds too, where nobody listens.
  const bool is_own = !error && p->probe.local_endpoint(ignored) == p->probe.remote_endpoint(ignored);
  p->probe.close(ignored);
  if (!error && !is_own) {
    p->port = 0;
    if (p->listener)
      p->listener->on_ready(ready_sign::port);
    return;
  }
  if (!std::exchange(p->tries_v6, !p->tries_v6))
    return probe_port(p);
  p->probe_timer.expires_after(p->probe_delay);
  p->probe_delay = std::min(p->probe_delay * 3 / 2, longest_probe_delay);
  p->probe_timer.async_wait([this, p](error_code stopped) {
    if (!stopped && p->port != 0)
      probe_port(p);
  });
}

}  // namespace libactor::process
