// SPDX-License-Identifier: BSL-1.0
#pragma once

// Part of the seam to CAF 0.17: an actor's turn on a scheduler.

#include <caf/intrusive/task_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstddef>
#include <utility>

namespace libactor::detail::seam {

/// Handles at most `most` messages of `self`, and says what CAF's `resume` would. The same rounds over the same queues,
/// without what only streams and CAF's logger need: CAF looks at four queues twice in each turn, for the time, and for
/// its logger; that was a fifth of what a short turn takes.
/// Requires: CAF's log is off, and `self` has no streams.
template <class Self>
caf::resumable::resume_result take_turn(Self& self, caf::execution_unit* host, std::size_t most) {
  using caf::resumable;
  namespace intrusive = caf::intrusive;
  if (!self.activate(host))
    return resumable::done;
  std::size_t handled = 0;
  bool looked = true;  // whether all that was handled has been followed by a look whether the actor has ended
  auto handle = [&](caf::mailbox_element& x) {
    using result = caf::scheduled_actor::activation_result;
    switch (self.reactivate(x)) {
      case result::terminated:
        return intrusive::task_result::stop;
      case result::success:
        return ++handled < most ? intrusive::task_result::resume : intrusive::task_result::stop_all;
      case result::skipped:
        looked = false;
        return intrusive::task_result::skip;
      default:
        looked = false;
        return intrusive::task_result::resume;
    }
  };
  auto& mailbox = self.mailbox();
  auto& urgent = self.get_urgent_queue();
  auto& normal = self.get_normal_queue();
  // CAF's quantum, and twice as much for urgent ones.
  constexpr std::size_t quantum = 3;
  auto wait = [&] {
    auto& stack = self.bhvr_stack();
    if (handled > 0 &&
        ((!stack.empty() && stack.back().timeout().valid()) || self.getf(caf::abstract_actor::has_timeout_flag)))
      self.set_receive_timeout();
    return mailbox.try_block();
  };
  while (handled < most) {
    mailbox.fetch_more();
    if (!self.get_upstream_queue().empty()) [[unlikely]]
      return self.caf::scheduled_actor::resume(host, most - handled);
    auto done = urgent.new_round(2 * quantum, handle);
    if (done.stop_all)
      normal.inc_deficit(quantum);
    else
      done = done | normal.new_round(quantum, handle);
    if (self.getf(caf::abstract_actor::is_cleaned_up_flag) || (!std::exchange(looked, true) && self.finalize()))
      return resumable::done;
    if ((!done.consumed_items || (urgent.empty() && normal.empty())) && wait())
      return resumable::awaiting_message;
  }
  return wait() ? resumable::awaiting_message : resumable::resume_later;
}

inline bool has_streams(caf::scheduled_actor& self) noexcept {
  return !self.stream_managers().empty() || !self.pending_stream_managers().empty() ||
         !self.get_downstream_queue().queues().empty();
}

}  // namespace libactor::detail::seam
