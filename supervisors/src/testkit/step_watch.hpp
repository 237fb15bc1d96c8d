// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"
#include "testkit/footprint.hpp"
#include "testkit/guide.hpp"
#include "testkit/mailbox_view.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace libactor {
class context_actor;
class context_runtime;
}  // namespace libactor

namespace libactor::testkit {

class event_recorder;

// A message that was sent, for who wants to see them.
struct message_seen {
  std::uint32_t sent = 0;  // the step
  std::uint32_t taken = 0;
  process from = 0;
  process to = 0;
  std::string text;
};

// An actor's life: the steps that made it and in which it ended.
struct life_seen {
  process who = 0;
  std::string path;  // empty: it has none
  std::uint32_t incarnation = 0;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool ended = false;
};

// What happened in a run, in order: steps, and pauses, in which the test went on or time did.
struct run_step {
  process who = 0;
  bool is_pause = false;
  bool is_time = false;
  time_point at{};
  std::vector<std::uint32_t> causes;  // beside the step before of the same process
};

// Sees what each step did: it compares all actors before and after.
//
// Invariants
//  1. `latest` describes the world as it was after the last step or pause.
//  2. What an actor's mailbox holds stands in `normal` and `urgent`, in order, each as the step that sent it.
class step_watch {
 public:
  step_watch(guide& by, context_runtime& contexts, const event_recorder& events);
  ~step_watch();

  // -- told by the scheduler
  void meet(caf::scheduled_actor& whom);
  // Each is told of the newest callback that waits; null: none does.
  // Whether the test has done anything since the last step; if so, that was a pause.
  bool look_for_pause(const void* callback);
  // Time passed, and what was due was done.
  void time_passed(const void* callback);
  void fired(std::uint32_t set_by) { setters_.push_back(set_by); }
  // `newest`: the latest id of an actor. Who has a later one is made in this step.
  void begin(process who, caf::actor_id newest);
  void end(const void* callback);
  bool is_within_step() const noexcept { return within_; }
  // The step in which nobody did anything.
  void nobody();
  // The step under way can't be told from outside: it conflicts with every other.
  void touch_everything() noexcept { under_way_.marks.touch_everything(); }
  // Whether the actor has yet to begin.
  bool is_fresh(caf::actor_id id) const;
  // From now on, only what CAF itself does is done to actors.
  void leave();

  // -- what the test's own things tell
  void touch(std::uint64_t variable, deed how);
  // The test looks at the world as a whole.
  void look() noexcept {
    if (within_)
      touch_everything();
  }

  std::uint32_t now() const noexcept { return static_cast<std::uint32_t>(steps_.size()); }
  const std::vector<run_step>& steps() const noexcept { return steps_; }
  // Of each event, in which step it was.
  const std::vector<std::uint32_t>& event_steps() const noexcept { return event_steps_; }
  // By its path, or else its name and id.
  std::string name_of(process who) const;
  void name(process act, std::string words) { act_names_.push_back({act, std::move(words)}); }
  std::vector<life_seen> lives() const;
  void keep_messages() noexcept { keeps_messages_ = true; }
  const std::vector<message_seen>& messages() const noexcept { return messages_; }

 private:
  struct letter {
    std::uint32_t sent;
    std::uint32_t number;  // in `messages_`, counted from 1; 0: not kept
    bool overtook;         // its receiver had been woken, but not by a message
  };
  struct seen_actor {
    explicit seen_actor(mailbox_view of) : mail(of) {}
    mailbox_view mail;
    caf::actor_id id = 0;
    caf::weak_actor_ptr weak;
    const context_actor* in_context = nullptr;
    std::string path;
    std::string name;
    std::uint64_t shape = 0;           // names its path
    std::vector<std::uint64_t> above;  // the paths over its parent's
    std::uint64_t parent = 0;          // its parent's path
    bool supervises = false;
    bool lost_a_subtree = false;  // something below it ended before what it had started
    const caf::mailbox_element* newest = nullptr;
    std::deque<letter> normal, urgent;
    std::uint64_t watchers = 0;
    std::uint32_t made = 0;
    std::uint32_t ended_at = 0;
    std::uint32_t incarnation = 0;
    bool fresh = true;
    bool idle = false;
    bool ended = false;
    bool gone = false;
    bool done = false;                  // its context
    std::vector<std::uint32_t> needs;   // of its next step: what made it
    std::vector<std::uint32_t> wakes;   // the cancels that woke it; a message that came then might have, too
    std::vector<std::uint32_t> learns;  // what its next step sees, though it could have been without
  };

  // -- step_watch.cpp
  seen_actor* find(process who);
  const seen_actor* find(process who) const;
  void note_events(std::uint32_t step);
  void keep(run_step step);
  bool note_callbacks(const void* newest);
  // -- step_mail.cpp
  letter letter_of(const seen_actor& whom, const caf::mailbox_element& element, process from);
  void take(seen_actor& whom, step_record& step);
  void take(const seen_actor& whom, const letter& one, deed how, step_record& step);
  // -- step_compare.cpp
  struct changes;
  // What differs from before, as done by `who` (none: in a pause); whether anything does.
  bool compare(footprint* into, process who);
  void compare_ended(seen_actor& one, changes& found);
  void compare_living(seen_actor& one, changes& found);
  void look_around(seen_actor& one, changes& found);
  void note_end(seen_actor& one, changes& found);
  void receive(seen_actor& whom, changes& found);

  guide& guide_;
  context_runtime& contexts_;
  const event_recorder& events_;
  std::deque<seen_actor> actors_;  // by id, as they were met
  std::vector<run_step> steps_;
  std::vector<std::uint32_t> event_steps_;
  std::vector<std::uint32_t> setters_;
  std::vector<message_seen> messages_;
  std::vector<std::pair<process, std::string>> act_names_;
  step_record under_way_;
  std::vector<std::uint32_t> wakes_;  // that let the step under way be
  std::vector<std::uint32_t> flips_;  // that the step under way is the first to see
  bool within_ = false;
  caf::actor_id newest_before_ = 0;
  const void* newest_callback_ = nullptr;
  std::vector<std::uint32_t> callbacks_by_;  // whose callbacks wait, in order
  bool keeps_messages_ = false;
  std::uint32_t last_pause_ = 0;
};

}  // namespace libactor::testkit
