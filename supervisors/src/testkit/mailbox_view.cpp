// SPDX-License-Identifier: BSL-1.0
// CAF has no hook for a message that is sent, but a scheduler that runs one actor at a time can compare what is there
// before and after. The members that it takes are private: an explicit instantiation may name them ([temp.spec]/6).
#include "testkit/mailbox_view.hpp"

#include <caf/attachable.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace libactor::testkit {

namespace {

using mailbox = caf::scheduled_actor::mailbox_type;
using inbox = mailbox::lifo_inbox_type;

struct inbox_of {
  using type = inbox mailbox::*;
  friend type private_member(inbox_of);
};
struct stack_of {
  using type = std::atomic<caf::mailbox_element*> inbox::*;
  friend type private_member(stack_of);
};
template <class Of, typename Of::type Member>
struct reveal {
  friend typename Of::type private_member(Of) { return Member; }
};

struct watched : caf::monitorable_actor {
  static auto head() { return &watched::attachables_head_; }
};

// Stands among the watchers of an actor that has ended, which are nobody any more: whoever looks for one asks it, too.
struct counter final : caf::attachable {
  explicit counter(std::shared_ptr<std::uint64_t> into) : times(std::move(into)) {}
  bool matches(const token&) override {
    ++*times;
    return false;
  }
  std::shared_ptr<std::uint64_t> times;
};

template struct reveal<inbox_of, &mailbox::inbox_>;
template struct reveal<stack_of, &inbox::stack_>;

std::atomic<caf::mailbox_element*>& stack_in(caf::scheduled_actor& of) noexcept {
  return (of.mailbox().*private_member(inbox_of{})).*private_member(stack_of{});
}

// A stack that is empty, closed or waited for has one of three words for it: none is the address of an element.
bool is_word(caf::scheduled_actor& of, const caf::mailbox_element* head) noexcept {
  const auto* own = reinterpret_cast<const char*>(&(of.mailbox().*private_member(inbox_of{})));
  const auto* at = reinterpret_cast<const char*>(head);
  return head == nullptr || at == own || at == own + 1;
}

}  // namespace

const caf::mailbox_element* mailbox_view::newest() const noexcept {
  const auto* head = stack_in(*of_).load(std::memory_order_acquire);
  return is_word(*of_, head) ? nullptr : head;
}

void mailbox_view::since(const caf::mailbox_element* seen, std::vector<const caf::mailbox_element*>& mail) const {
  mail.clear();
  for (const auto* one = newest(); one != nullptr && one != seen;
       one = static_cast<const caf::mailbox_element*>(one->next))
    mail.push_back(one);
  std::reverse(mail.begin(), mail.end());
}

std::size_t mailbox_view::fetched() const { return of_->get_normal_queue().total_task_size(); }

std::size_t mailbox_view::fetched_urgent() const { return of_->get_urgent_queue().total_task_size(); }

std::uint64_t mailbox_view::watchers() const noexcept {
  std::uint64_t all = asked_ != nullptr ? *asked_ : 0;
  for (const auto* one = (static_cast<caf::monitorable_actor&>(*of_).*watched::head()).get(); one != nullptr;
       one = one->next.get())
    all = all * 31 + reinterpret_cast<std::uintptr_t>(one);
  return all;
}

void mailbox_view::reopen() {
  stack_in(*of_).store(nullptr, std::memory_order_release);
  asked_ = std::make_shared<std::uint64_t>(0);
  static_cast<caf::monitorable_actor&>(*of_).*watched::head() = caf::attachable_ptr{new counter{asked_}};
}

std::vector<caf::mailbox_element_ptr> mailbox_view::gathered() {
  std::vector<caf::mailbox_element_ptr> all;
  if (newest() == nullptr)
    return all;
  auto* head = stack_in(*of_).exchange(nullptr);
  while (head != nullptr) {
    auto* next = static_cast<caf::mailbox_element*>(head->next);
    all.emplace_back(head);
    head = next;
  }
  std::reverse(all.begin(), all.end());
  return all;
}

void mailbox_view::close() {
  gathered();
  auto* own = reinterpret_cast<char*>(&(of_->mailbox().*private_member(inbox_of{})));
  stack_in(*of_).store(reinterpret_cast<caf::mailbox_element*>(own + 1), std::memory_order_release);
}

}  // namespace libactor::testkit
