// SPDX-License-Identifier: BSL-1.0
#pragma once

// What CAF keeps to itself of an actor: what stands in its mailbox, and who is told of its end. For a scheduler that
// runs one actor at a time: nothing here is synchronised.

#include <caf/fwd.hpp>
#include <caf/mailbox_element.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace libactor::testkit {

class mailbox_view {
 public:
  explicit mailbox_view(caf::scheduled_actor& of) noexcept : of_(&of) {}

  // The latest message that the actor has not fetched yet; null: none.
  const caf::mailbox_element* newest() const noexcept;
  // What came after `seen`, oldest first. `seen` may have been fetched only together with all that came after it.
  void since(const caf::mailbox_element* seen, std::vector<const caf::mailbox_element*>& mail) const;
  // Messages that it fetched and has not taken.
  std::size_t fetched() const;
  std::size_t fetched_urgent() const;
  // Of those who are told of its end; after `reopen`, of those who asked to be told no more.
  std::uint64_t watchers() const noexcept;

  // An actor that has ended refuses messages, and nobody sees who tried. After `reopen` it gathers them instead.
  void reopen();
  // What it gathered, oldest first.
  std::vector<caf::mailbox_element_ptr> gathered();
  // Refuses messages again.
  void close();

 private:
  caf::scheduled_actor* of_;
  std::shared_ptr<std::uint64_t> asked_;  // how often it was taken off, after its end, from those who watch it
};

}  // namespace libactor::testkit
