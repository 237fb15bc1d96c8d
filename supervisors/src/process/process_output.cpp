// SPDX-License-Identifier: BSL-1.0
#include "process/host_impl.hpp"

#include <unistd.h>

#include <cerrno>

namespace libactor::process {

void process_host::impl::read(const process_ptr& p, stream& s) {
  if (!s.pipe.is_open() || p->unconsumed >= max_unconsumed)
    return;
  // In a turn of its own: whoever holds the pipe may write a byte at a time, and faster than it is read.
  if (s.left_of_late)
    return asio::post(io, [this, p, &s] {
      if (s.pipe.is_open() && p->unconsumed < max_unconsumed)
        read_ready(p, s);
    });
  if (std::exchange(s.waiting, true))
    return;
  s.pipe.async_wait(asio::posix::stream_descriptor::wait_read, [this, p, &s](error_code error) {
    s.waiting = false;
    if (!error && s.pipe.is_open() && p->unconsumed < max_unconsumed)
      read_ready(p, s);
  });
}

void process_host::impl::read_ready(const process_ptr& p, stream& s) {
  const auto count = ::read(s.pipe.native_handle(), buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR)
    return read(p, s);
  if (count < 0 && errno == EAGAIN)
    return s.left_of_late ? close(p, s) : read(p, s);
  if (count <= 0)
    return close(p, s);
  std::vector<output_line> lines;
  const auto size = static_cast<std::size_t>(count);
  s.splitter.feed({buffer.data(), size}, lines);
  hand_over(p, std::move(lines));
  if (s.left_of_late) {
    *s.left_of_late -= std::min(size, *s.left_of_late);
    if (*s.left_of_late == 0)
      return close(p, s);
  }
  read(p, s);
}

void process_host::impl::close(const process_ptr& p, stream& s) {
  s.pipe.close();
  std::vector<output_line> lines;
  s.splitter.finish(lines);
  hand_over(p, std::move(lines));
  conclude(p);
}

void process_host::impl::hand_over(const process_ptr& p, std::vector<output_line> lines) {
  if (lines.empty() || !p->listener)
    return;
  ++p->unconsumed;
  p->listener->on_output(std::move(lines));
}

void process_host::impl::consumed(const process_ptr& p) {
  if (p->unconsumed > 0)
    --p->unconsumed;
  hand_over_status(p);
  for (auto& s : p->streams)
    read(p, s);
}

}  // namespace libactor::process
