// SPDX-License-Identifier: BSL-1.0
#include "actor/caf_seam.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/all.hpp>
#include <caf/detail/private_thread.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/system_messages.hpp>
#include <caf/type_nr.hpp>

#include <array>
#include <atomic>
#include <string_view>

namespace libactor::detail::seam {

namespace {

constexpr auto urgent = caf::message_priority::high;

void enqueue(caf::abstract_actor* to, caf::message_id id, envelope message, caf::execution_unit* host) {
  to->enqueue(caf::mailbox_element_ptr{new envelope_element(nullptr, id, std::move(message))}, host);
}

}  // namespace

void post_urgent(const caf::weak_actor_ptr& to, envelope message, caf::execution_unit* host) noexcept {
  if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(to))
    post_urgent(strong->get(), std::move(message), host);
}

void post_urgent(caf::abstract_actor* to, envelope message, caf::execution_unit* host) {
  enqueue(to, caf::make_message_id(urgent), std::move(message), host);
}

done_hook posting_hook(caf::weak_actor_ptr to, envelope message) {
  struct letter {
    caf::weak_actor_ptr to;
    envelope message;
  };
  return {[](void* data) noexcept {
            const auto& mail = *static_cast<letter*>(data);
            post_urgent(mail.to, mail.message);
          },
          [](void* data) noexcept { delete static_cast<letter*>(data); },
          new letter{std::move(to), std::move(message)}};
}

namespace {

// Between what was written and what is read next, for a pair of threads of which each writes and then reads what the
// other wrote: one of them sees the other.
void full_fence() noexcept {
#ifndef __SANITIZE_THREAD__  // which knows no fences; its atomic exchanges are full ones
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

void resume_if_idle(void* data) noexcept {
  auto* control = static_cast<caf::actor_control_block*>(data);
  if (!caf::intrusive_ptr_upgrade_weak(control))
    return;
  caf::strong_actor_ptr strong{control, false};
  auto& actor = static_cast<caf::scheduled_actor&>(*strong->get());
  full_fence();
  if (!actor.mailbox().try_unblock())
    return;  // it runs, or is about to, or has ended
  static_cast<void>(strong.release());
  actor.home_system().scheduler().enqueue(&actor);
}

}  // namespace

done_hook resuming_hook(caf::scheduled_actor& whom) {
  auto* control = whom.ctrl();
  caf::intrusive_ptr_add_weak_ref(control);
  return {&resume_if_idle,
          [](void* data) noexcept { caf::intrusive_ptr_release_weak(static_cast<caf::actor_control_block*>(data)); },
          control};
}

void forget_thread(caf::scheduled_actor& whom, caf::detail::private_thread*& thread) {
  whom.unsetf(caf::abstract_actor::is_detached_flag);
  delete std::exchange(thread, nullptr);
  whom.home_system().dec_detached_threads();
  caf::intrusive_ptr_release(whom.ctrl());  // the thread's
}

void post(caf::abstract_actor* to, envelope message, caf::execution_unit* host) {
  enqueue(to, caf::make_message_id(), std::move(message), host);
}

void exit_urgent(const caf::actor& to, caf::error reason) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(to);
  target->enqueue(caf::mailbox_element_ptr{new value_element<caf::exit_msg>(
                      nullptr, caf::make_message_id(urgent), caf::exit_msg{to.address(), std::move(reason)})},
                  nullptr);
}

done_hook killing_hook(const caf::actor& whom) {
  return {[](void* data) noexcept {
            if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(*static_cast<const caf::weak_actor_ptr*>(data)))
              exit_urgent(caf::actor_cast<caf::actor>(strong), caf::exit_reason::kill);
          },
          [](void* data) noexcept { delete static_cast<caf::weak_actor_ptr*>(data); },
          new caf::weak_actor_ptr{caf::actor_cast<caf::actor_control_block*>(whom)}};
}

bool waits(const caf::actor& whom) {
  auto* actor = dynamic_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(whom));
  return actor != nullptr && actor->mailbox().blocked();
}

bool has_ended(const caf::actor& whom) {
  return caf::actor_cast<caf::abstract_actor*>(whom)->getf(caf::abstract_actor::is_terminated_flag);
}

namespace {

// Takes everything out of a mailbox. CAF's queues hand it each element with the keys of the queues that it stood in.
struct unread_messages {
  caf::error (*answer)();
  caf::execution_unit* host;
  std::uint64_t count = 0;

  template <class Key, class Queue, class... Ts>
  caf::intrusive::task_result operator()(const Key&, const Queue&, Ts&... xs) {
    drop(last(xs...));
    return caf::intrusive::task_result::resume;
  }

 private:
  template <class T>
  static T& last(T& x) {
    return x;
  }
  template <class T, class... Ts>
  static auto& last(T&, Ts&... xs) {
    return last(xs...);
  }
  void drop(caf::mailbox_element& x) {
    if (!is_of_user(x))
      return;
    ++count;
    if (x.mid.is_request() && x.sender)
      x.sender->enqueue(nullptr, x.mid.response_id(), caf::make_message(answer()), host);
  }
};

}  // namespace

std::uint64_t drop_unread(caf::scheduled_actor& whom, caf::error (*answer)(), caf::execution_unit* host) {
  auto& mailbox = whom.mailbox();
  if (mailbox.closed())
    return 0;
  mailbox.close();
  whom.get_normal_queue().flush_cache();
  whom.get_urgent_queue().flush_cache();
  unread_messages all{answer, host};
  constexpr std::size_t at_once = 1000;
  while (mailbox.queue().new_round(at_once, all).consumed_items != 0)
    continue;
  return all.count;
}

bool is_system_message(const caf::mailbox_element& x) {
  const auto& content = x.content();
  return content.match_elements<caf::exit_msg>() || content.match_elements<caf::down_msg>() ||
         content.match_elements<caf::error>();
}

bool is_of_user(caf::mailbox_element& x) {
  return !x.mid.is_response() && !is_system_message(x) && !x.content().match_elements<caf::timeout_msg>() &&
         open(x) == nullptr;
}

std::size_t running_count(caf::actor_system& system) { return system.registry().running(); }

std::vector<std::string> registered_names(caf::actor_system& system) {
  std::vector<std::string> names;
  for (const auto& [name, actor] : system.registry().named_actors()) {
    const auto text = caf::to_string(name);
    // CAF's own two are not counted as running.
    if (actor && text != "SpawnServ" && text != "ConfigServ")
      names.push_back(text);
  }
  return names;
}

bool is_kill(const caf::mailbox_element& x) {
  const auto& content = x.content();
  return content.match_elements<caf::exit_msg>() && content.get_as<caf::exit_msg>(0).reason == caf::exit_reason::kill;
}

namespace {

// CAF knows the types that it brings itself by numbers.
template <class... Ts>
constexpr std::array<const std::type_info*, sizeof...(Ts)> infos_of(caf::detail::type_list<Ts...>) {
  return {&typeid(Ts)...};
}
constexpr auto builtin_types = infos_of(caf::sorted_builtin_types{});

// Whether all contents of this class have the same types, as CAF's tuples that are made of types have, and those that
// are put together at run time have not.
bool tells_types(const std::type_info& content) noexcept {
  const std::string_view name = content.name();
  return name.starts_with("N3caf20mailbox_element_valsI") || name.starts_with("N3caf6detail10tuple_valsI") ||
         name.starts_with("N8libactor6detail4seam13value_elementI");
}

}  // namespace

message_shape shape_of(const caf::mailbox_element& x) noexcept {
  const auto& content = x.content();
  const auto* shape = tells_types(typeid(content)) ? &typeid(content) : nullptr;
  if (content.empty())
    return {shape, nullptr};
  const auto [number, info] = content.type(0);
  return {shape, number == 0 ? info : builtin_types[number - 1U]};
}

std::shared_ptr<const std::atomic<bool>> flag_at_end(const caf::actor& whom) {
  auto over = std::make_shared<std::atomic<bool>>(false);
  when_ended(whom, [over](const caf::error&, caf::execution_unit*) { over->store(true, std::memory_order_release); });
  return over;
}

const std::type_info* const envelope_element_type = &typeid(envelope_element);

caf::mailbox_element& wake_element() {
  thread_local const caf::mailbox_element_ptr look{new envelope_element(nullptr, caf::make_message_id(), {})};
  return *look;
}

}  // namespace libactor::detail::seam
