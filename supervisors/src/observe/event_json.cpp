// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/event_json.hpp"

#include "json_text.hpp"
#include "supervisors/leak_event.hpp"

#include <cstdio>
#include <ctime>

namespace libactor::observe {

namespace {

template <class T, class Fun>
void add_list(json& to, const char* key, const std::vector<T>& all, Fun one) {
  if (all.empty())
    return;
  auto& list = to[key] = json::array();
  for (const auto& item : all)
    list.push_back(one(item));
}

// What the event itself does not say already. Times are relative, because the runtime's clock means nothing elsewhere.
json json_of_leak(const leak_event& leak) {
  json one;
  one["record"] = leak.record;
  one["opened_as"] = to_string(leak.opened_as);
  one["outcome"] = to_string(leak.outcome);
  if (!leak.message_type.empty())
    one["message_type"] = leak.message_type;
  if (leak.thread != 0)
    one["thread"] = leak.thread;
  if (leak.activity != thread_activity::unknown)
    one["activity"] = to_string(leak.activity);
  if (!leak.system_call.empty())
    one["system_call"] = leak.system_call;
  if (leak.mailbox)
    one["mailbox"] = *leak.mailbox;
  if (leak.children)
    one["children"] = *leak.children;
  if (leak.restarts)
    one["restarts"] = *leak.restarts;
  add_list(one, "stack", leak.stack, [](const stack_frame& frame) { return json_of(frame); });
  add_list(one, "context", leak.chain, [&](const chain_link& link) { return json_of(link, leak.at); });
  if (leak.deadline)
    one["left_ns"] = (*leak.deadline - leak.at).count();
  if (!leak.cause.empty())
    one["cause"] = leak.cause;
  add_list(one, "steps", leak.steps, [&](const leak_step& step) {
    return json{{"rung", to_string(step.rung)}, {"after_ns", (step.at - leak.since).count()}};
  });
  add_list(one, "blocked_behind", leak.blocked_behind, [](const std::string& path) { return json(path); });
  return one;
}

}  // namespace

json json_of(const stack_frame& frame) {
  json one;
  char address[2 + 2 * sizeof frame.address + 1];
  std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(frame.address));
  one["address"] = address;
  if (!frame.function.empty())
    one["function"] = frame.function;
  if (!frame.file.empty())
    one["file"] = frame.file;
  if (frame.line != 0)
    one["line"] = frame.line;
  return one;
}

json json_of(const chain_link& link, time_point now) {
  json one{{"kind", to_string(link.kind)}};
  if (link.where.line() != 0) {
    one["file"] = link.where.file_name();
    one["line"] = link.where.line();
    one["function"] = link.where.function_name();
  }
  if (link.due)
    one["left_ns"] = (*link.due - now).count();
  if (!link.cause.empty())
    one["cause"] = link.cause;
  return one;
}

std::string dump(const json& what, int indent) { return what.dump(indent, ' ', false, json::error_handler_t::replace); }

std::string to_string(wall_time at) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
  const auto whole = std::chrono::floor<std::chrono::seconds>(ms);
  const auto seconds = static_cast<std::time_t>(whole.count());
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>((ms - whole).count()));
  return text;
}

std::string to_json(const event& what, wall_time at) {
  json line;
  line["time"] = to_string(at);
  line["event"] = to_string(what.kind);
  line["path"] = what.path;
  line["actor"] = what.actor;
  line["incarnation"] = what.incarnation;
  if (!what.reason.empty())
    line["reason"] = what.reason;
  if (!what.text.empty())
    line["text"] = what.text;
  if (what.elapsed.count() != 0)
    line["elapsed_ns"] = what.elapsed.count();
  if (what.count != 0)
    line["count"] = what.count;
  const auto& trace = what.trace || what.leak == nullptr ? what.trace : what.leak->trace;
  if (trace)
    line["trace"] = libactor::to_string(trace);
  if (what.leak != nullptr)
    line["leak"] = json_of_leak(*what.leak);
  return dump(line);
}

}  // namespace libactor::observe
