// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/messages.hpp"
#include "libactor/detail/done_hook.hpp"
#include "libactor/scope.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/behavior.hpp>
#include <caf/error.hpp>
#include <caf/message_id.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace libactor::detail {

class group_core;

/// What a worker has only while it asks others, has tasks, or ends; or for its end.
struct worker_extras {
  /// One of its own requests whose context is not simply the worker's own.
  struct open_request {
    context with;
    scope own;  // of its timeout
    hook_registration over;
  };
  struct held_request {
    caf::strong_actor_ptr sender;
    caf::message_id id;
  };

  std::optional<duration> drain;  // how long the backlog is served after the down-signal
  std::function<void(const down_signal&)> on_down_signal;
  std::function<void(const deadline_reached&)> on_deadline;
  std::unordered_map<std::uint64_t, open_request> open;  // by the id of the answer
  std::unordered_set<std::uint64_t> cut;                 // ids of answers to those that the down-signal ends
  context served;  // while an answer is handled: the request in hand when it asked
  scope shield;    // what work in hand holds on to while the worker ends
  std::vector<held_request> held;
  std::uint64_t dropped = 0;
  std::uint64_t late = 0;
  std::vector<std::shared_ptr<group_core>> groups;
  std::size_t joins = 0;   // that wait for a group to be over
  caf::behavior stand_in;  // keeps a worker without a behavior alive while it has tasks
  caf::error final_reason;
};

}  // namespace libactor::detail
