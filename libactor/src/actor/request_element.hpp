// SPDX-License-Identifier: BSL-1.0
#pragma once

// A request as a worker sends it. What it carries beyond CAF's stands in the element of the mailbox, and is looked at
// only where a handler asks for it: messages that carry nothing pay nothing. CAF 1.x has no elements of one's own:
// there the context has to travel in the message.

#include "libactor/context.hpp"
#include "libactor/detail/block_pool.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/message_builder.hpp>

#include <cstddef>
#include <typeinfo>
#include <utility>

namespace libactor::detail {

class request_element final : public caf::mailbox_element {
 public:
  request_element(caf::strong_actor_ptr sender, caf::message_id id, forwarding_stack through, caf::message what,
                  context from)
      : caf::mailbox_element(std::move(sender), id, std::move(through)),
        requester(std::move(from)),
        what_(what.vals() != nullptr ? std::move(what) : caf::message_builder{}.to_message()) {}

  caf::type_erased_tuple& content() override { return what_; }
  const caf::type_erased_tuple& content() const override { return what_.content(); }
  caf::message move_content_to_message() override { return std::move(what_); }
  caf::message copy_content_to_message() const override { return what_; }

  static void* operator new(std::size_t bytes) { return block_pool::allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { block_pool::deallocate(block, bytes); }

  const context requester;
  context serving;  // the receiver's, once its handler has asked for it

 private:
  caf::message what_;
};

/// The worker's request in `x`, or null.
inline request_element* request_in(caf::mailbox_element* x) noexcept {
  return x != nullptr && typeid(*x) == typeid(request_element) ? static_cast<request_element*>(x) : nullptr;
}

}  // namespace libactor::detail
