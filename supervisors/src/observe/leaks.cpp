// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/leaks.hpp"

#include "json_text.hpp"
#include "ledger_file.hpp"

#include <algorithm>
#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <map>
#include <tuple>
#include <utility>

namespace libactor::observe {

namespace {

// What the events of one record say together: each is complete in itself, but for the stack, which is taken once.
struct leak_record {
  json last;  // event
  json stack = json::array();
  std::string opened_as, path;
  wall_time first{};
  duration longest{};
  bool is_closed = false;
  bool is_told_since = false;
  bool has_kind = false;
};

wall_time time_of(std::int64_t unix_ns) {
  return wall_time{std::chrono::duration_cast<wall_time::duration>(std::chrono::nanoseconds{unix_ns})};
}

std::string word_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json list_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : json::array();
}

std::int64_t number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string place_of(const json& of) {
  const auto file = word_of(of, "file");
  if (file.empty())
    return {};
  const auto line = number_of(of, "line");
  return " at " + file + (line == 0 ? std::string() : ":" + std::to_string(line));
}

std::string frame_text(const json& frame) {
  const auto function = word_of(frame, "function");
  return (function.empty() ? "?" : function) + place_of(frame);
}

// A stack's lines vary from one look to the next, and its addresses from one run to the next.
std::string frame_key(const json& frame) {
  const auto function = word_of(frame, "function");
  return function.empty() ? word_of(frame, "file") : function;
}

std::string path_key(const std::string& path) {
  std::string key;
  bool in_number = false;
  for (const char c : path) {
    in_number = (in_number || c == '#') && c != '/';
    if (!in_number)
      key += c;
  }
  return key;
}

std::string group_key(const leak_record& record) {
  const auto& leak = record.last.at("leak");
  std::string key = record.opened_as + '\n';
  for (const auto& frame : record.stack)
    key += frame_key(frame) + '\n';
  if (record.stack.empty())
    key += path_key(record.path) + '\n' + word_of(leak, "message_type") + '\n';
  for (const auto& link : list_of(leak, "context"))
    key += word_of(link, "kind") + place_of(link) + '\n';
  return key;
}

void count(tally& all, const std::string& word) {
  if (word.empty())
    return;
  const auto i = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == word; });
  if (i == all.end())
    all.emplace_back(word, 1);
  else
    ++i->second;
}

std::string doing_of(const json& leak) {
  const auto call = word_of(leak, "system_call");
  return word_of(leak, "activity") + (call.empty() ? "" : " in " + call);
}

void add(leak_group& group, const leak_record& record) {
  const auto& leak = record.last.at("leak");
  const bool is_newest = group.records == 0 || record.first >= group.last;
  group.kind = record.opened_as;
  group.first = group.records == 0 ? record.first : std::min(group.first, record.first);
  group.last = std::max(group.last, record.first);
  group.longest = std::max(group.longest, record.longest);
  ++group.records;
  group.open += record.is_closed ? 0 : 1;
  count(group.paths, record.path);
  count(group.messages, word_of(leak, "message_type"));
  count(group.doing, doing_of(leak));
  count(group.outcomes, word_of(leak, "outcome"));
  if (!is_newest)
    return;
  group.stack.clear();
  group.derivation.clear();
  for (const auto& frame : record.stack)
    group.stack.push_back(frame_text(frame));
  for (const auto& link : list_of(leak, "context"))
    group.derivation.push_back(word_of(link, "kind") + place_of(link));
}

void sort(tally& all) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
}

bool is_below(const std::string& path, const std::string& top) {
  return top.empty() || top == "/" ||
         (path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/' || top.back() == '/'));
}

// Run and record; and of whom, for each of several runtimes that share a ledger counts its records from 1.
using record_id = std::tuple<std::int64_t, std::int64_t, std::string, std::int64_t, std::int64_t>;

std::map<record_id, leak_record> read_records(sqlite& db, const leak_filter& filter, leak_report& into) {
  const auto since = filter.since ? std::chrono::nanoseconds(filter.since->time_since_epoch()).count() : INT64_MIN;
  std::map<record_id, leak_record> all;
  // Of a record that was told of since then, all events count.
  auto rows = db.prepare(
      "SELECT run, record, time, kind, path, json FROM events WHERE record IS NOT NULL AND (run, record) IN"
      " (SELECT run, record FROM events WHERE record IS NOT NULL AND time >= ?) ORDER BY id");
  rows.bind(1, since);
  while (rows.step()) {
    auto parsed = json::parse(rows.text(5), nullptr, false);
    if (!parsed.is_object() || !parsed.contains("leak") || !parsed["leak"].is_object()) {
      ++into.unreadable;
      continue;
    }
    const std::string path{rows.text(4)};
    auto& record =
        all[{rows.integer(0), rows.integer(1), path, number_of(parsed, "actor"), number_of(parsed, "incarnation")}];
    record.is_told_since = record.is_told_since || rows.integer(2) >= since;
    if (record.path.empty()) {
      record.path = path;
      record.first = time_of(rows.integer(2));
      record.opened_as = word_of(parsed["leak"], "opened_as");
    }
    const auto kind = rows.text(3);
    record.has_kind = record.has_kind || !filter.kind || kind == libactor::to_string(*filter.kind);
    record.is_closed = kind == libactor::to_string(event_kind::recovered);
    record.longest = std::max(record.longest, duration{number_of(parsed, "elapsed_ns")});
    if (auto stack = list_of(parsed["leak"], "stack"); !stack.empty())
      record.stack = std::move(stack);
    record.last = std::move(parsed);
  }
  auto losses = db.prepare("SELECT json FROM events WHERE kind = 'dropped' AND path = '' AND time >= ?");
  losses.bind(1, since);
  while (losses.step())
    into.lost += static_cast<std::uint64_t>(number_of(json::parse(losses.text(0), nullptr, false), "count"));
  return all;
}

}  // namespace

caf::expected<leak_report> read_leaks(const std::string& file, const leak_filter& filter) {
  try {
    auto db = open_ledger(file);
    leak_report report;
    std::map<std::string, std::size_t> places;
    for (const auto& [id, record] : read_records(db, filter, report)) {
      if (!record.is_told_since || !record.has_kind || !is_below(record.path, filter.path))
        continue;
      const auto [place, is_new] = places.try_emplace(group_key(record), report.groups.size());
      if (is_new)
        report.groups.emplace_back();
      add(report.groups[place->second], record);
      ++report.records;
    }
    for (auto& group : report.groups) {
      for (auto* words : {&group.paths, &group.messages, &group.doing, &group.outcomes})
        sort(*words);
    }
    std::stable_sort(report.groups.begin(), report.groups.end(), [](const auto& a, const auto& b) {
      return std::pair(a.records, a.longest) > std::pair(b.records, b.longest);
    });
    return report;
  } catch (const sqlite_error& e) {
    return caf::make_error(caf::sec::cannot_open_file, file + ": " + e.what());
  } catch (const ledger_refused& e) {
    return caf::make_error(caf::sec::cannot_open_file, std::string(e.what()));
  }
}

}  // namespace libactor::observe
