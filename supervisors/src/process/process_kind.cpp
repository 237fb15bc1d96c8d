// SPDX-License-Identifier: BSL-1.0
#include "supervisors/process/process_kind.hpp"

#include "libactor/actor/worker.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/child_start.hpp"

#include <signal.h>
#include <caf/actor_cast.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace libactor::process {

namespace {

struct process_started {
  pid_t pid = 0;
};

struct process_status {
  std::string text;
};

struct missed_beat {};

// What the host's thread tells the worker: in the order in which it happened.
struct process_news {
  std::variant<process_started, start_failure, std::vector<output_line>, ready_sign, process_status, missed_beat,
               process_end>
      what;
};

}  // namespace

}  // namespace libactor::process

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(libactor::process::process_news)

namespace libactor::process {

namespace {

// Carries the host's words to the worker, until the worker ends.
//
// Invariant: after `cut` returns nothing here or in the host refers to the actor.
class news_line final : public process_listener {
 public:
  explicit news_line(caf::strong_actor_ptr worker) : worker_(std::move(worker)) {}

  void on_started(pid_t pid) noexcept override { post({process_started{pid}}); }
  void on_start_failed(const start_failure& why) noexcept override { post({why}); }
  void on_output(std::vector<output_line> lines) noexcept override { post({std::move(lines)}); }
  void on_ready(ready_sign which) noexcept override { post({which}); }
  void on_status(std::string text) noexcept override { post({process_status{std::move(text)}}); }
  void on_beat_missed() noexcept override { post({missed_beat{}}); }
  void on_ended(const process_end& how) noexcept override { post({how}); }

  void cut() noexcept {
    caf::strong_actor_ptr last;
    const std::lock_guard guard{mutex_};
    last.swap(worker_);
  }

 private:
  void post(process_news news) noexcept {
    const std::lock_guard guard{mutex_};
    if (worker_)
      worker_->enqueue(nullptr, caf::make_message_id(), caf::make_message(std::move(news)), nullptr);
  }

  std::mutex mutex_;
  caf::strong_actor_ptr worker_;
};

// Stands for a process whose worker was killed, as a task of that worker: so its supervisor waits for it, starts no
// successor before, and abandons it where it does not end. No message ends it.
class remains final : public caf::monitorable_actor {
 public:
  explicit remains(caf::actor_config& cfg) : caf::monitorable_actor(cfg) {}
  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {}
  const char* name() const override { return "libactor.process"; }
};

struct process_options {
  process_spec spec;
  std::optional<std::string> ready_line;
};

constexpr auto lost_words =
    "its exit status is not known: another part of this program took it, or its keeper was killed";

// How many lines go out between two looks at whether more may, and how long a closed gate is left alone.
constexpr std::size_t lines_at_a_time = 64;
constexpr auto gate_pause = std::chrono::milliseconds(10);

// One incarnation of a process. It lives as long as the process does, or takes it along.
class process_worker final : public worker {
 public:
  process_worker(caf::actor_config& cfg, worker_options options, std::shared_ptr<process_host> host,
                 process_options what, forward_gate may_forward)
      : worker(cfg, std::move(options)),
        host_(std::move(host)),
        what_(std::move(what)),
        may_forward_(std::move(may_forward)),
        waits_for_(static_cast<int>(what_.ready_line.has_value()) + static_cast<int>(what_.spec.notify) +
                   static_cast<int>(what_.spec.ready_port != 0)) {}

  const char* name() const override { return "libactor.process"; }

  caf::behavior make_behavior() override {
    defer_start();
    worker::make_behavior();
    if (ending())
      return {};
    on_down_signal([this](const down_signal&) {
      asked_ = true;
      host_->signal(process_, SIGTERM);
      forward();
    });
    news_ = std::make_shared<news_line>(caf::strong_actor_ptr{ctrl()});
    process_ = host_->start(std::move(what_.spec), news_);
    runs_ = true;
    return {[this](process_news& news) { std::visit([this](auto& x) { on(x); }, news.what); }};
  }

  void on_exit() override {
    if (news_) {
      news_->cut();
      host_->discard(process_, runs_ ? leave_remains() : nullptr);
    }
    news_ = nullptr;
    host_ = nullptr;
  }

 protected:
  // The host's words are not backlog: they are what the down-signal waits for.
  bool admits(caf::mailbox_element& x) override {
    return x.content().match_elements<process_news>() ? !ending() : worker::admits(x);
  }

 private:
  void on(const process_started& news) {
    note("pid " + std::to_string(news.pid));
    acknowledge_start();
  }

  void on(const start_failure& why) {
    runs_ = false;
    finish(asked_ ? reason_of_context() : make_error(errc::start_failed, why.text()));
  }

  void on(std::vector<output_line>& lines) {
    for (const auto& line : lines) {
      const bool is_ready = what_.ready_line && line.text.find(*what_.ready_line) != std::string::npos;
      if (is_ready && !std::exchange(saw_ready_line_, true))
        one_sign_more();
    }
    batches_.push_back(std::move(lines));
    if (!waits_for_gate_)
      forward();
  }

  // Hands out lines while the gate is open. What is held back is not consumed, and so the process waits in its turn. A
  // process that was asked to stop is not held up.
  void forward() {
    while (!batches_.empty()) {
      auto& batch = batches_.front();
      for (; next_ != batch.size(); ++next_) {
        if (next_ % lines_at_a_time == 0 && !asked_ && may_forward_ && !may_forward_())
          return wait_for_gate();
        auto& line = batch[next_];
        if (line.split && !std::exchange(told_of_split_, true))
          note("its lines longer than " + std::to_string(max_line) + " bytes come in pieces");
        emit(event_kind::output, std::move(line.text));
      }
      next_ = 0;
      batches_.pop_front();
      host_->consumed(process_);
    }
    if (end_)
      conclude(*end_);
  }

  void wait_for_gate() {
    if (std::exchange(waits_for_gate_, true))
      return;
    after(gate_pause, [this] {
      waits_for_gate_ = false;
      forward();
    });
  }

  void on(const ready_sign&) { one_sign_more(); }

  // It is ready once all that was asked for has come.
  void one_sign_more() {
    if (--waits_for_ == 0)
      ready();
  }

  void on(process_status& status) {
    note("status: " + std::move(status.text));
    host_->consumed(process_);
  }

  void on(const missed_beat&) {
    note("no WATCHDOG=1 for " + libactor::to_string(what_.spec.watchdog) + ": it gets SIGABRT");
  }

  // What it wrote comes before its end.
  void on(const process_end& how) {
    runs_ = false;
    end_ = how;
    if (batches_.empty())
      conclude(how);
  }

  // They end when what is returned is let go.
  std::shared_ptr<void> leave_remains() {
    caf::actor_config cfg;
    auto left = caf::make_actor<remains, caf::actor>(system().next_actor_id(), system().node(), &system(), cfg);
    auto* actor = static_cast<remains*>(caf::actor_cast<caf::abstract_actor*>(left));
    shared_line()->add_task({left, std::make_shared<lifeline>(line().path() + "/process", line().incarnation(),
                                                              caf::weak_actor_ptr{}, 0, line().sink())});
    return {actor, [left = std::move(left)](remains* x) { x->cleanup({}, nullptr); }};
  }

  void conclude(const process_end& how) {
    if (asked_)
      return finish(reason_of_context());
    switch (how.what) {
      case process_end::how::exited:
        return finish(how.code == 0 ? caf::error{} : make_error(errc::exit_status, how.code));
      case process_end::how::signaled:
        return finish(make_error(errc::signaled, how.code));
      case process_end::how::lost:
        return finish(make_error(errc::abandoned, lost_words));
    }
  }

  std::shared_ptr<process_host> host_;
  process_options what_;
  forward_gate may_forward_;
  std::deque<std::vector<output_line>> batches_;  // that are not consumed, oldest first: `max_unconsumed` at most
  std::size_t next_ = 0;                          // line of the first of them
  bool waits_for_gate_ = false;
  std::optional<process_end> end_;
  std::shared_ptr<news_line> news_;
  process_host::process_id process_ = 0;
  bool runs_ = false;   // or may still come to run
  bool asked_ = false;  // the down-signal came
  bool told_of_split_ = false;
  bool saw_ready_line_ = false;
  int waits_for_;  // signs of readiness
};

process_options read_options(const child_args& args) {
  process_options what;
  for (const auto& word : args.get<arg_list>("command"))
    what.spec.command.push_back(*word.get_if<std::string>());
  if (const auto* env = args.find<arg_map>("env")) {
    for (const auto& [name, value] : *env)
      what.spec.env[name] = *value.get_if<std::string>();
  }
  if (const auto* limits = args.find<arg_map>("limits")) {
    for (const auto& [name, value] : *limits)
      what.spec.limits[name] = *value.get_if<std::int64_t>();
  }
  if (const auto* cwd = args.find<std::string>("cwd"))
    what.spec.cwd = *cwd;
  if (const auto* user = args.find<std::string>("user"))
    what.spec.user = *user;
  if (const auto* line = args.find<std::string>("ready_line"))
    what.ready_line = *line;
  if (const auto* port = args.find<std::int64_t>("ready_port"))
    what.spec.ready_port = static_cast<std::uint16_t>(*port);
  if (const auto* longest = args.find<duration>("watchdog"))
    what.spec.watchdog = *longest;
  what.spec.notify = args.get<bool>("notify");
  what.spec.no_new_privs = args.get<bool>("no_new_privs");
  return what;
}

std::vector<arg_fault> check_options(const child_args& args) {
  std::vector<arg_fault> faults;
  const auto what = read_options(args);
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (what.spec.command.empty() || what.spec.command.front().empty())
    faults.push_back({"command", "`command` needs a program to run"});
  if (std::any_of(what.spec.command.begin(), what.spec.command.end(), has_nul))
    faults.push_back({"command", "`command` has a word with a zero byte"});
  for (const auto& [name, text] : {std::pair("cwd", &what.spec.cwd), std::pair("user", &what.spec.user)}) {
    if (has_nul(*text))
      faults.push_back({name, "`" + std::string(name) + "` has a zero byte"});
  }
  for (const auto& [name, value] : what.spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      faults.push_back({"env", "`env`: '" + name + "' can't be a variable"});
  }
  if (what.ready_line && what.ready_line->empty())
    faults.push_back({"ready_line", "`ready_line` is empty: every line would have it"});
  if (const auto* longest = args.find<duration>("watchdog")) {
    if (!what.spec.notify)
      faults.push_back({"watchdog", "`watchdog` needs `notify: true`, by which the beats come"});
    else if (*longest < std::chrono::milliseconds(1) || *longest == infinite)
      faults.push_back({"watchdog", "`watchdog` must be 1ms or more, and finite"});
  }
  return faults;
}

}  // namespace

void register_process_kind(child_catalog& catalog, std::shared_ptr<process_host> host, forward_gate may_forward) {
  child_kind kind;
  kind.name = "process";
  kind.doc = "an operating-system process";
  kind.args = {
      {"command", arg_type::string_list, true, {}, "the program and its arguments; no shell interprets them"},
      {"env", arg_type::string_map, false, {}, "added to the inherited environment"},
      {"cwd", arg_type::string, false, {}, "the folder it runs in"},
      {"user", arg_type::string, false, {}, "the user it runs as, with all of that user's groups"},
      {.name = "limits",
       .type = arg_type::integer_map,
       .doc = "resource limits by name, such as nofile, in the units of setrlimit",
       .least = 0,
       .words = {limit_names().begin(), limit_names().end()}},
      {"ready_line", arg_type::string, false, {}, "it is ready once a line of its output contains this"},
      {.name = "ready_port",
       .type = arg_type::integer,
       .doc = "it is ready once this TCP port of 127.0.0.1 or ::1 accepts",
       .least = 1,
       .most = 65535},
      {"notify", arg_type::boolean, false, false, "it is ready once it sends READY=1 to NOTIFY_SOCKET, as for systemd"},
      {"watchdog", arg_type::duration, false, {}, "with notify: it is aborted if no WATCHDOG=1 comes for so long"},
      {"no_new_privs", arg_type::boolean, false, true, "whether set-user-id programs gain nothing"},
  };
  kind.is_process = true;
  kind.reports_ready = [](const child_args& args) {
    return args.find<std::string>("ready_line") != nullptr || args.find<std::int64_t>("ready_port") != nullptr ||
           args.get<bool>("notify");
  };
  kind.check = check_options;
  kind.start = [host = std::move(host), may_forward = std::move(may_forward)](child_start& start) {
    return start.spawn_class<process_worker>(host, read_options(start.args()), may_forward);
  };
  catalog.add(std::move(kind));
}

}  // namespace libactor::process
