// SPDX-License-Identifier: BSL-1.0
#include "json_text.hpp"
#include "rounded.hpp"
#include "supervisors/observe/leaks.hpp"

#include <algorithm>

namespace libactor::observe {

namespace {

std::string listed(const tally& all) {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, all.size()); ++i)
    text += (i == 0 ? "" : ", ") + all[i].first + (all.size() == 1 ? "" : " (" + std::to_string(all[i].second) + ")");
  if (all.size() > most)
    text += " and " + std::to_string(all.size() - most) + " more";
  return text;
}

void add_line(std::string& text, const char* head, const std::string& words) {
  if (words.empty())
    return;
  text += "  " + std::string(head);
  text.append(std::string_view(head).size() < 11 ? 11 - std::string_view(head).size() : 1, ' ');
  text += words + '\n';
}

// What is further out is the way from the thread's begin to the handler.
void add_lines(std::string& text, const char* head, const std::vector<std::string>& lines) {
  constexpr std::size_t most = 12;
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i)
    add_line(text, i == 0 ? head : "", shortened(lines[i]));
  if (lines.size() > most)
    add_line(text, "", "and " + std::to_string(lines.size() - most) + " more, which the JSON has");
}

std::string counted(std::uint64_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

json json_of_tally(const tally& all) {
  auto list = json::array();
  for (const auto& [word, count] : all)
    list.push_back({{"what", word}, {"records", count}});
  return list;
}

}  // namespace

std::string as_text(const leak_report& report) {
  auto text = counted(report.records, "leak") + ", " + counted(report.groups.size(), "culprit") + '\n';
  if (report.lost != 0)
    text += counted(report.lost, "event") + " more were lost: the ledger was too slow\n";
  if (report.unreadable != 0)
    text += counted(report.unreadable, "row") + " can't be read\n";
  for (const auto& group : report.groups) {
    text += '\n' + std::to_string(group.records) + " x " + group.kind + "  " + listed(group.paths) + '\n';
    add_line(text, "longest",
             rounded(group.longest) + (group.open == 0 ? "" : ", " + std::to_string(group.open) + " not over"));
    add_line(text, "told", to_string(group.first) + (group.records == 1 ? "" : " to " + to_string(group.last)));
    add_line(text, "message", listed(group.messages));
    add_line(text, "thread", listed(group.doing));
    add_line(text, "outcome", listed(group.outcomes));
    add_lines(text, "stack", group.stack);
    add_lines(text, "derived", group.derivation);
  }
  return text;
}

std::string as_json(const leak_report& report) {
  json all{{"records", report.records}, {"lost", report.lost}, {"unreadable", report.unreadable}};
  auto& groups = all["culprits"] = json::array();
  for (const auto& group : report.groups) {
    groups.push_back({{"kind", group.kind},
                      {"records", group.records},
                      {"open", group.open},
                      {"first", to_string(group.first)},
                      {"last", to_string(group.last)},
                      {"longest_ns", group.longest.count()},
                      {"paths", json_of_tally(group.paths)},
                      {"message_types", json_of_tally(group.messages)},
                      {"threads", json_of_tally(group.doing)},
                      {"outcomes", json_of_tally(group.outcomes)},
                      {"stack", group.stack},
                      {"context", group.derivation}});
  }
  return dump(all, 2) + '\n';
}

}  // namespace libactor::observe
