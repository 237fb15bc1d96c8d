// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "alarm_queue.hpp"
#include "child_record.hpp"
#include "libactor/actor/context_actor.hpp"
#include "supervisors/restart_intensity.hpp"
#include "supervisors/supervisor.hpp"
#include "supervisors/watchdog.hpp"
#include "tree_core.hpp"

#include <caf/response_promise.hpp>
#include <caf/result.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace libactor {

/// The actor behind every supervisor, static or dynamic. It carries out what the pure parts decide, and never blocks.
class supervisor_actor final : public context_actor {
 public:
  /// What a supervisor is made with, beside its options.
  struct setup {
    std::shared_ptr<tree_core> core;
    std::shared_ptr<const child_spec> spec;  ///< holds a `static_supervisor` or a `dynamic_supervisor`
    std::shared_ptr<family> kin;
    /// The guardian's only: called once, when all children have started, or could not.
    std::function<void(const caf::error&)> on_started{};
    std::optional<watch_spec> watch{};  ///< of what says nothing of its own
  };

  supervisor_actor(caf::actor_config& cfg, worker_options options, setup with);

  caf::behavior make_behavior() override;
  const char* name() const override { return "libactor.supervisor"; }
  void on_exit() override;

 protected:
  void context_done() override;
  void receive(detail::envelope& message, caf::mailbox_element& x) override;
  bool admits(caf::mailbox_element&) override { return true; }

 private:
  enum class mode : std::uint8_t { starting, running, stopping };

  using child = child_record;

  struct postponed {
    child* whom;
    bool after_failed_start;
    duration ran;  ///< its last incarnation
  };

  // -- children
  child& add_child(std::shared_ptr<const child_spec> spec);
  child& add_dynamic_child();
  void drop_child(child& c);
  void link_dependencies();
  void unlink(child& c);
  child* find_child(const std::string& id) const;
  child* child_of(std::uint64_t key) const;
  child* child_with(const caf::actor& handle) const;
  std::string path_of(const child& c) const;
  lifeline::place place_of(const child& c) const;
  bool keeps_spec(const child& c) const;
  const supervisor_spec& own() const noexcept { return *own_; }
  bool is_dynamic() const noexcept { return template_ != nullptr; }

  // -- the engine: stops what must stop, then starts what must start
  void advance();
  bool stop_some();
  bool start_some();
  bool may_start(const child& c) const;
  bool must_wait(child& c);
  bool waits_for_resume(const child& c) const;
  static bool meets(const child& c, dependency_state wanted);
  static child* lost_need(const child& c);
  void waits_in_vain(child& c, const child& need);
  void fail_waiting(child& c, bool for_good);
  bool may_stop(const child& c) const;
  static bool dependents_are_down(const child& c);
  void leave_engine(child& c);
  void set_stage(child& c, child_state to);
  void note_rest(const child& c);
  void forget_rest(const child& c);
  void set_aside(child& c);
  void begin_stop(caf::error reason, cause why);
  void ask_all_or_queue();
  void end_if_empty();

  // -- one incarnation
  void begin_start(child& c);
  caf::expected<started_child> call_start(child& c, worker_options options);
  void became_up(child& c);
  static void slim(child& c);
  void start_failed(child& c, caf::error reason);
  void not_started(child& c, caf::error reason);
  void after_failed_start(child& c, caf::error reason);
  static time_point began(const child& c);
  void ask(child& c);
  const cause& cause_of_asking();
  void kill(child& c);
  void record_end_of(const child& c, const family::member& who);
  void kill_below(const child& c, const family::member& who);
  void abandon(child& c, const std::string& why);
  void arm(child& c, time_point when, alarm_action what);
  void disarm(child& c);
  bool is_stale(const alarm_queue::entry& alarm) const;
  void set_timer();
  void ring();
  void act_on(child& c, alarm_action what);
  void start_timed_out(child& c);
  void own_context_done(child& c);

  // -- ends
  void child_down(child& c, detail::end_reason reason);
  bool adopt(child& c);
  static void keep_reason(child& c, detail::end_reason reason);
  static std::vector<family::member> living_below(const child& c);
  void orphan_down(child& c);
  void kill_orphans(child& c);
  void complete_down(child& c, detail::end_reason reason);
  bool is_too_late(const child& c) const;
  void restart(child& c, bool after_failed_start);
  bool set_aside_if_too_late(child& c, bool after_failed_start);
  void restart_counted(child& c, bool after_failed_start, duration ran);
  void restart_alone(child& c, bool after_failed_start);
  void restart_group(child& c, bool after_failed_start);
  void serve_mail_first();
  void give_up();
  void ended_for_good(child& c);
  void resume_restarts();

  // -- the watchdog
  const watch_spec* watch_of(const child& c) const;
  watched_child watched(const child& c) const;
  watched_child watched_below(const child& c, const family::member& who) const;
  void tell_late(const child& c);
  void tell_orphans(const child& c, const std::vector<family::member>& left);
  void tell_gone(const child& c);
  void leave_behind(const child& c, const caf::actor& whom, const std::shared_ptr<const lifeline>& line,
                    const std::shared_ptr<family>& below);
  void leave_alone(const child& c);
  void give_up_stuck(child& c);

  // -- administration
  caf::result<caf::message> on_verb(const supervisor_verb& verb);
  caf::result<caf::message> on_start(const supervisor_verb& verb);
  std::string fault_below(const std::shared_ptr<const child_spec>& of) const;
  void start_by_hand(child& c);
  caf::result<caf::message> on_terminate(child& c);
  caf::result<caf::message> on_restart(child& c);
  caf::result<caf::message> on_erase(child& c);
  std::vector<child_info> list() const;
  child_counts count() const;

  // -- reports
  bool reports() const noexcept { return !core_->hub->empty(); }
  void report(event_kind kind, const child& c, std::string reason = {}, std::string text = {}, duration elapsed = {});
  void report_below(event_kind kind, const family::member& who, std::string reason, std::string text,
                    duration elapsed = {});
  void report_self(event_kind kind, std::string text);

  std::shared_ptr<tree_core> core_;
  std::shared_ptr<const child_spec> spec_;
  std::shared_ptr<family> kin_;
  std::function<void(const caf::error&)> on_started_;
  std::optional<watch_spec> inherited_watch_;
  const supervisor_spec* own_;
  const static_supervisor* fixed_ = nullptr;
  const dynamic_supervisor* template_ = nullptr;
  const std::shared_ptr<const std::string> here_;  ///< its own path

  std::vector<std::unique_ptr<child>> children_;  ///< in start order; null where one was dropped
  std::size_t dropped_places_ = 0;
  std::unordered_map<std::string, child*> by_id_;  ///< static children
  std::vector<child*> slots_;                      ///< a child keeps its slot; null: free
  std::vector<std::uint32_t> free_slots_;
  std::size_t live_ = 0;    ///< children with an incarnation
  bool any_rests_ = false;  ///< whether `kin_` may know of any that rest
  std::uint64_t last_incarnation_ = 0;
  alarm_queue alarms_;
  timer_id timer_ = 0;
  time_point timer_at_{};
  std::uint64_t last_dynamic_ = 0;
  std::unordered_map<child*, caf::actor_addr> former_;  ///< of dynamic children that are to be restarted
  restart_intensity intensity_;

  mode mode_ = mode::starting;
  std::vector<child*> to_stop_;  ///< in start order: stops come from the back
  std::deque<child*> to_start_;  ///< in start order
  std::size_t in_engine_ = 0;    ///< children that the engine waits for
  child* starting_ = nullptr;    ///< the one that it started last, until that is over
  bool advancing_ = false;
  bool suspended_ = false;
  std::deque<postponed> postponed_;  ///< want a restart once those are resumed
  std::vector<child*> retries_;      ///< counted already; want a start once mail was served, and restarts are resumed
  bool mail_first_ = false;          ///< a marker stands behind the mail; nothing is started before it comes
  std::optional<time_point> stop_by_;
  caf::error final_reason_;
  cause stop_cause_;
  cause asked_cause_;  ///< of each child that is asked to stop while the supervisor goes on
};

}  // namespace libactor
