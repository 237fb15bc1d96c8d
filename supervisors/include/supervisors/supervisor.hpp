// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/actor/reason.hpp"
#include "supervisors/child_spec.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace libactor {

/// What a child is doing.
enum class child_state : std::uint8_t {
  idle,        ///< specified, not running
  starting,    ///< asked to start, not yet acknowledged
  running,     ///< started
  stopping,    ///< asked to stop
  killing,     ///< sent a kill
  restarting,  ///< ended, and waiting for its next start
  adopted,     ///< ended, but some of what it started still lives
};
const char* to_string(child_state) noexcept;

/// One child as `which_children` lists it.
struct child_info {
  std::string id;  ///< of a dynamic supervisor's child that of the template, which may be empty
  std::string path;
  caf::actor handle;  ///< null while there is no incarnation
  child_state state = child_state::idle;
  std::uint32_t incarnation = 0;
  std::uint64_t restarts = 0;
  bool is_supervisor = false;
};

/// OTP's four counts.
struct child_counts {
  std::size_t specs = 0, active = 0, supervisors = 0, workers = 0;
  friend bool operator==(const child_counts&, const child_counts&) = default;
};

/// An act of administration, sent to a supervisor as a request; the supervisor answers when the act is complete.
/// Every supervisor answers every verb, with an error of `errc` where it can't be done; one that has ended answers at
/// once with `caf::sec::request_receiver_down`.
struct supervisor_verb {
  enum class act : std::uint8_t {
    start,
    terminate,
    restart,
    erase,
    list,
    count,
    resume,
    spec,
    address
  } what = act::list;
  std::string id{};                          ///< of the child; unused by `start`, `list`, `count`, `resume`
  std::shared_ptr<const child_spec> spec{};  ///< of `start`; null: the template of a dynamic supervisor
  caf::actor handle{};                       ///< names a child of a dynamic supervisor

  /// Answers with the handle (null if the child declined). For an id that is running, the error is
  /// `errc::already_started`, and `handle_in` has the handle.
  static supervisor_verb start_child(child_spec spec);
  /// For dynamic supervisors: one more of the template. Answers with the handle.
  static supervisor_verb start_child();
  /// Stops the child and keeps its specification; of a temporary or dynamic one nothing is kept. Answers with nothing.
  /// Who waits for its start has `errc::shutdown`.
  static supervisor_verb terminate_child(std::string id);
  static supervisor_verb terminate_child(caf::actor handle);
  /// Starts a child that is not running. Answers with the handle.
  static supervisor_verb restart_child(std::string id);
  /// Forgets a child that is not running. Answers with nothing.
  static supervisor_verb delete_child(std::string id);
  /// Answers with `std::vector<child_info>`, in start order.
  static supervisor_verb which_children();
  /// Answers with `child_counts`.
  static supervisor_verb count_children();
  /// Answers with the child's specification, a `std::shared_ptr<const libactor::child_spec>`; of a dynamic supervisor's
  /// child with the template. That of a temporary child from `start_child` has no start function and no arguments any
  /// more once the child is up.
  static supervisor_verb get_child_spec(std::string id);
  static supervisor_verb get_child_spec(caf::actor handle);
  /// Answers with the child's stable address, as `runtime::ref` gives it; a `caf::actor`.
  static supervisor_verb address_of(std::string id);
  /// Ends the pause of `on_giveup: suspend`: what crashed during it restarts, after its backoff, and does not count
  /// against the intensity, which begins anew. Answers with nothing.
  static supervisor_verb resume_restarts();
};

/// The child that holds the id: of an `errc::already_started`, and null for every other error.
caf::actor handle_in(const caf::error& reason);

/// Administers one supervisor from a thread that is not an actor: each call blocks until the act is complete. An actor
/// sends `supervisor_verb`s to `handle()` instead, with `request` and `.then`. Thread-safe.
class supervisor_ref {
 public:
  supervisor_ref(caf::actor_system& system, caf::actor handle) : system_(&system), handle_(std::move(handle)) {}
  const caf::actor& handle() const noexcept { return handle_; }

  caf::expected<caf::actor> start_child(child_spec spec) const;
  caf::expected<caf::actor> start_child() const;
  caf::error terminate_child(std::string id) const;
  caf::error terminate_child(caf::actor child) const;
  caf::expected<caf::actor> restart_child(std::string id) const;
  caf::error delete_child(std::string id) const;
  caf::expected<std::vector<child_info>> which_children() const;
  caf::expected<child_counts> count_children() const;
  caf::expected<std::shared_ptr<const child_spec>> get_child_spec(std::string id) const;
  caf::expected<std::shared_ptr<const child_spec>> get_child_spec(caf::actor child) const;
  caf::expected<caf::actor> address_of(std::string id) const;
  caf::error resume_restarts() const;

 private:
  caf::actor_system* system_;
  caf::actor handle_;
};

}  // namespace libactor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::supervisor_verb)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::child_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<libactor::child_info>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const libactor::child_spec>)
