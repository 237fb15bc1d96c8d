// SPDX-License-Identifier: BSL-1.0
#include "demo_kinds.hpp"

#include "libactor/actor/worker.hpp"
#include "libactor/context_key.hpp"
#include "supervisors/child_catalog.hpp"
#include "supervisors/child_start.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace actortree {

namespace {

using libactor::arg_fault;
using libactor::arg_map;
using libactor::arg_spec;
using libactor::arg_type;
using libactor::child_args;
using libactor::child_start;
using libactor::duration;
using libactor::stateful_worker;
using libactor::worker;
using namespace std::chrono_literals;

struct zone : libactor::context_key<std::string> {};

void tick(worker* self, duration every, std::uint64_t count) {
  self->after(every, [=] {
    const auto* where = self->ctx().value<zone>();
    self->note("tick " + std::to_string(count) + (where != nullptr ? " in " + *where : ""));
    tick(self, every, count + 1);
  });
}

caf::behavior work(worker* self, duration every) {
  tick(self, every, 1);
  return {[](const std::string& text) { return text; }};
}

struct store_state {
  std::map<std::string, std::string> values;
};

caf::behavior store(stateful_worker<store_state>* self, const std::string& url) {
  self->note("opened " + url);
  self->ready();
  self->on_down_signal([self, url](const libactor::down_signal&) {
    self->note("closed " + url + " with " + std::to_string(self->state.values.size()) + " values");
    self->finish(caf::exit_reason::user_shutdown);
  });
  return {[self](const std::string& key, std::string& value) { self->state.values[key] = std::move(value); },
          [self](const std::string& key) {
            const auto i = self->state.values.find(key);
            return i == self->state.values.end() ? std::string{} : i->second;
          }};
}

struct http_state {
  std::uint64_t served = 0;
};

caf::behavior http(stateful_worker<http_state>* self, std::int64_t port) {
  self->note("serves port " + std::to_string(port) + " (pretended)");
  return {[self](const std::string& request) { return std::to_string(++self->state.served) + " " + request; }};
}

caf::behavior crash(worker* self, duration after, const std::string& text) {
  self->after(after, [text] { throw std::runtime_error(text); });
  return {[] {}};
}

caf::behavior stick(worker* self, duration after, duration time) {
  self->after(after, [self, time] {
    self->note("blocks for " + libactor::to_string(time));
    // Blocking in a handler is what this kind is for: nothing can end it before it returns.
    std::this_thread::sleep_for(time);
    self->note("is back");
  });
  return {[] {}};
}

caf::behavior refuse_to_stop(worker* self) {
  self->on_down_signal([self](const libactor::down_signal&) { self->note("ignores its stop"); });
  return {[] {}};
}

caf::behavior complete(worker* self, duration after) {
  self->after(after, [self] { self->finish(); });
  return {[] {}};
}

arg_spec time_arg(const char* name, duration default_value, const char* doc) {
  return {name, arg_type::duration, false, default_value, doc};
}

template <class Start>
void add(libactor::child_catalog& catalog, const char* name, const char* doc, std::vector<arg_spec> args, Start start,
         std::function<std::vector<arg_fault>(const child_args&)> check = {},
         std::function<bool(const child_args&)> reports_ready = {}) {
  libactor::child_kind kind;
  kind.name = name;
  kind.doc = doc;
  kind.args = std::move(args);
  kind.start = start;
  kind.check = std::move(check);
  kind.reports_ready = std::move(reports_ready);
  catalog.add(std::move(kind));
}

}  // namespace

void register_demo_kinds(libactor::child_catalog& catalog) {
  catalog.add_context_key({"zone", arg_type::string, "where it runs; demo.worker says so in its ticks",
                           [](const libactor::context& parent, const libactor::arg_value& value) {
                             return libactor::with_value<zone>(parent, *value.get_if<std::string>());
                           }});
  add(
      catalog, "demo.worker", "notes a tick from time to time", {time_arg("every", 1s, "the time between two ticks")},
      [](child_start& start) { return start.spawn(work, start.args().get<duration>("every")); },
      [](const child_args& args) {
        std::vector<arg_fault> faults;
        if (args.get<duration>("every") < 1ms)
          faults.push_back({"every", "is shorter than 1ms"});
        return faults;
      });
  add(
      catalog, "demo.store", "keeps values in memory, and closes itself when asked to stop",
      {{"url", arg_type::string, false, "memory:", "what it says that it opens"}},
      [](child_start& start) { return start.spawn(store, start.args().get<std::string>("url")); }, {},
      [](const child_args&) { return true; });
  add(catalog, "demo.http", "pretends to be a server",
      {{.name = "port",
        .type = arg_type::integer,
        .default_value = 8080,
        .doc = "what it says",
        .least = 1,
        .most = 65535}},
      [](child_start& start) { return start.spawn(http, start.args().get<std::int64_t>("port")); });
  add(catalog, "demo.crash", "throws after a while",
      {time_arg("after", 1s, "from its start to the exception"),
       {"text", arg_type::string, false, "a planted fault", "what the exception says"}},
      [](child_start& start) {
        return start.spawn(crash, start.args().get<duration>("after"), start.args().get<std::string>("text"));
      });
  add(catalog, "demo.stuck", "blocks its thread after a while",
      {time_arg("after", 1s, "from its start to the handler that blocks"),
       time_arg("for", 3s, "how long that handler takes")},
      [](child_start& start) {
        return start.spawn(stick, start.args().get<duration>("after"), start.args().get<duration>("for"));
      });
  add(catalog, "demo.stubborn", "does not end when asked to", {},
      [](child_start& start) { return start.spawn(refuse_to_stop); });
  add(catalog, "demo.job", "ends by itself, without error, after a while",
      {time_arg("after", 1s, "from its start to its end")},
      [](child_start& start) { return start.spawn(complete, start.args().get<duration>("after")); });
}

}  // namespace actortree
