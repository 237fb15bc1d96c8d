// SPDX-License-Identifier: BSL-1.0
#pragma once

// What CAF 1.x changed and this library needs all over: an envelope for its own messages, urgent sends, exits and
// monitoring. The rest of it stands in few places: turn.hpp, the block of an actor, requests, stable addresses, and the
// schedulers and clocks, the test kit's too.

#include "libactor/actor/reason.hpp"
#include "libactor/detail/block_pool.hpp"
#include "libactor/detail/done_hook.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/attachable.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/response_promise.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <vector>

namespace libactor::detail {

enum class envelope_kind : std::uint8_t {
  wake,          ///< look at your context
  drain_marker,  ///< what stood before this is served
  retry,         ///< mail was served since a start failed
  timer,         ///< key: the timer
  started,       ///< key: the child, which acknowledges its start
  ready,         ///< key: the child, which is ready
  child_done,    ///< key: the child, whose own context is done
  child_down,    ///< key: the child, which ended with `reason`
  orphan_down,   ///< key: the child whose descendant ended
  request_over,  ///< key: the id of the answer to a request whose context has ended
  tasks_down,    ///< a group of tasks is closed, and its tasks are down
  give_up,       ///< key: the child that the watchdog gives up
};

/// As `libactor::ending_of`, of an error whose code, which is not 0, and category are known.
ending ending_of(std::uint8_t code, caf::atom_value category) noexcept;

/// Why an actor ended: what a `caf::error` says, which takes memory from the heap even for a code alone.
struct end_reason {
  std::uint8_t code = 0;  ///< 0: no error
  caf::atom_value category{};
  caf::message more{};

  end_reason() = default;
  explicit end_reason(caf::exit_reason reason) : code(static_cast<std::uint8_t>(reason)), category(caf::atom("exit")) {}
  explicit end_reason(const caf::error& reason) {
    if (!reason)
      return;
    code = reason.code();
    category = reason.category();
    more = reason.context();
  }
  ending how() const noexcept { return code == 0 ? ending::normal : ending_of(code, category); }
  caf::error as_error() const { return code == 0 ? caf::error{} : caf::error{code, category, more}; }
};

/// The one message type of the library's own signals.
struct envelope {
  envelope_kind kind = envelope_kind::wake;
  std::uint64_t key = 0;
  end_reason reason{};
};

}  // namespace libactor::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::detail::envelope)

namespace libactor::detail::seam {

/// Sends past the backlog. Drops the message if the receiver is gone. Thread-safe.
void post_urgent(const caf::weak_actor_ptr& to, envelope message, caf::execution_unit* host = nullptr) noexcept;
void post_urgent(caf::abstract_actor* to, envelope message, caf::execution_unit* host = nullptr);

/// A hook that sends past the backlog. It holds the receiver weakly: a deadline an hour away keeps no actor alive.
/// Throws: std::bad_alloc.
done_hook posting_hook(caf::weak_actor_ptr to, envelope message);

/// A hook that kills an actor, which it holds weakly. Throws: std::bad_alloc.
done_hook killing_hook(const caf::actor& whom);

/// A hook that has an idle actor resumed, without a message: for one that looks at its context before it waits, and
/// once it waits, as `context_actor` does. Costs no memory. Requires: the actor is not detached, which has a thread of
/// its own to be woken.
done_hook resuming_hook(caf::scheduled_actor& whom);

/// Takes back what CAF has counted for a detached actor that got no thread, or its system would wait for both for good.
/// `thread` is the actor's own.
void forget_thread(caf::scheduled_actor& whom, caf::detail::private_thread*& thread);

/// Sends behind the backlog.
void post(caf::abstract_actor* to, envelope message, caf::execution_unit* host = nullptr);

/// An exit message past the backlog; `exit_reason::kill` can't be trapped.
void exit_urgent(const caf::actor& to, caf::error reason);

/// Whether the actor has ended and told those who wait for it.
bool has_ended(const caf::actor& whom);

/// Whether it waits for a message, and so has none.
bool waits(const caf::actor& whom);

/// Closes the mailbox of an actor that ends, and answers the requests that stand in it with `answer()`. How many
/// messages were unread; the library's own, CAF's, and answers do not count.
std::uint64_t drop_unread(caf::scheduled_actor& whom, caf::error (*answer)(), caf::execution_unit* host);

/// Whether `x` is one of CAF's own signals: an exit, a down or an error.
bool is_system_message(const caf::mailbox_element& x);
/// Whether it is none of these, no answer, no receive timeout and none of the library's own.
bool is_of_user(caf::mailbox_element& x);

/// How many actors the system's end waits for, and the names of those that are registered under one.
std::size_t running_count(caf::actor_system& system);
std::vector<std::string> registered_names(caf::actor_system& system);

/// What a message looks like, and so the type of its first value, which is null where it has none.
struct message_shape {
  const std::type_info* shape;  ///< null where it does not tell the type
  const std::type_info* type;
};
message_shape shape_of(const caf::mailbox_element& x) noexcept;

/// Whether `x` is of a shape that was seen before. A few instructions: it is asked of every message to a watched
/// worker.
inline bool has_shape(const caf::mailbox_element& x, const std::type_info* shape) noexcept {
  if (&typeid(x) == shape)
    return true;
  const auto& content = x.content();
  return &typeid(content) == shape;
}

/// How many messages an actor has taken in and not handled, for its own thread: without those sent since its round
/// began, in which it handles three at most, and six urgent ones. Inline, as it is asked at every message to a watched
/// worker.
template <class Actor>
std::uint64_t backlog_of(Actor& self) noexcept {
  auto& queues = self.mailbox().queue().queues();
  auto& normal = std::get<Actor::normal_queue_index>(queues);
  auto& urgent = std::get<Actor::urgent_queue_index>(queues);
  return normal.total_task_size() + normal.cache().total_task_size() + urgent.total_task_size() +
         urgent.cache().total_task_size();
}

/// Whether `x` is an exit message that can't be trapped.
bool is_kill(const caf::mailbox_element& x);

/// A message of one value in a mailbox, as CAF's own `mailbox_element_vals`, in memory of the pool.
template <class T>
class value_element final : public caf::mailbox_element,
                            public caf::detail::tuple_vals_impl<caf::type_erased_tuple, T> {
 public:
  value_element(caf::strong_actor_ptr sender, caf::message_id id, T value)
      : caf::mailbox_element(std::move(sender), id, {}),
        caf::detail::tuple_vals_impl<caf::type_erased_tuple, T>(std::move(value)) {}
  caf::type_erased_tuple& content() override { return *this; }
  const caf::type_erased_tuple& content() const override { return *this; }
  caf::message move_content_to_message() override { return caf::make_message(std::move(std::get<0>(this->data()))); }
  caf::message copy_content_to_message() const override { return caf::make_message(std::get<0>(this->data())); }

  static void* operator new(std::size_t bytes) { return block_pool::allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { block_pool::deallocate(block, bytes); }
};
/// How the library's own messages stand there; made by the functions above only, so that the address of its type's
/// description tells it from all others.
using envelope_element = value_element<envelope>;
extern const std::type_info* const envelope_element_type;

/// The library's own message in `x`, or null. A few instructions: it is asked of every message.
inline envelope* open(caf::mailbox_element& x) noexcept {
  return &typeid(x) == envelope_element_type ? &std::get<0>(static_cast<envelope_element&>(x).data()) : nullptr;
}

/// An element that says nothing but "look at your context". The thread's own, and used again.
caf::mailbox_element& wake_element();

/// Keeps the promise of `self` to answer with `value`, as its `deliver` does.
template <class T>
void answer(caf::response_promise& promise, caf::strong_actor_ptr self, T value, caf::execution_unit* host) {
  if (!promise.stages().empty() || !promise.source()) {
    promise.deliver(std::move(value));
    return;
  }
  promise.source()->enqueue(
      caf::mailbox_element_ptr{new value_element<T>(std::move(self), promise.id().response_id(), std::move(value))},
      host);
  promise = {};
}

/// A flag that is set once the actor has ended; at once if it has.
std::shared_ptr<const std::atomic<bool>> flag_at_end(const caf::actor& whom);

/// Calls `fun(reason, host)` once when the actor has ended, on the thread that ended it; at once if it has ended
/// already.
template <class Fun>
void when_ended(const caf::actor& whom, Fun fun) {
  struct hook final : caf::attachable {
    explicit hook(Fun f) : fun(std::move(f)) {}
    void actor_exited(const caf::error& reason, caf::execution_unit* host) override { fun(reason, host); }
    Fun fun;
  };
  caf::actor_cast<caf::abstract_actor*>(whom)->attach(caf::attachable_ptr{new hook(std::move(fun))});
}

}  // namespace libactor::detail::seam
