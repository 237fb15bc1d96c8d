// SPDX-License-Identifier: BSL-1.0
#include "testkit/diagram.hpp"

#include "supervisors/child_spec.hpp"

#include <algorithm>
#include <map>

namespace libactor::testkit {

std::string diagram::actor_of(std::uint32_t step) const {
  if (step >= watch_.steps().size())
    return "test";
  const auto& one = watch_.steps()[step];
  return one.is_time ? "time" : one.is_pause ? "test" : watch_.name_of(one.who);
}

bool diagram::is_marked(std::size_t place) const {
  return found_ != nullptr && (found_->first == place || found_->second == place);
}

// In the order of the steps: what happened in each, then what it sent.
template <class Message, class Happening>
void diagram::go(Message message, Happening happens) const {
  const auto& mail = watch_.messages();
  std::size_t letter = 0;
  std::size_t place = 0;
  for (std::uint32_t step = 0; step <= watch_.steps().size(); ++step) {
    for (; place != history_.all.size() && history_.all[place].step <= step; ++place)
      happens(step, place);
    for (; letter != mail.size() && mail[letter].sent <= step; ++letter)
      message(step, mail[letter]);
  }
}

std::string diagram::text() const {
  std::size_t widest = 4;
  for (std::uint32_t step = 0; step != watch_.steps().size(); ++step)
    widest = std::max(widest, std::min<std::size_t>(actor_of(step).size(), 28));
  std::string all;
  std::uint32_t last = ~std::uint32_t{0};
  auto line = [&](std::uint32_t step, bool marked, const std::string& words) {
    std::string number;
    std::string who;
    std::string at;
    if (step != last) {
      number = step < watch_.steps().size() ? std::to_string(step) : "end";
      who = actor_of(step);
      if (step < watch_.steps().size())
        at = libactor::to_string(duration{watch_.steps()[step].at.time_since_epoch()});
    }
    last = step;
    all += (marked ? ">> " : "   ") + std::string(number.size() < 4 ? 4 - number.size() : 0, ' ') + number + "  " + at +
           std::string(at.size() < 8 ? 8 - at.size() : 0, ' ') + "  " + who +
           std::string(who.size() < widest ? widest - who.size() : 0, ' ') + "  " + words + "\n";
  };
  go([&](std::uint32_t step,
         const message_seen& one) { line(step, false, "-> " + watch_.name_of(one.to) + ": " + one.text); },
     [&](std::uint32_t step, std::size_t place) {
       const auto& one = history_.all[place];
       line(step, is_marked(place),
            std::string(to_string(one.what)) + " " + one.path + (one.reason.empty() ? "" : " (" + one.reason + ")"));
     });
  return all;
}

std::string diagram::mermaid() const {
  std::map<std::string, std::string> ids;
  std::string who;
  // A semicolon ends a statement, and a hash begins a character's number.
  auto safe = [](std::string words) {
    std::replace(words.begin(), words.end(), ';', ',');
    std::replace(words.begin(), words.end(), '#', '.');
    std::replace(words.begin(), words.end(), '\n', ' ');
    return words;
  };
  auto id_of = [&](const std::string& name) -> const std::string& {
    const auto [i, fresh] = ids.try_emplace(name, "p" + std::to_string(ids.size()));
    if (fresh)
      who += "  participant " + i->second + " as " + safe(name) + "\n";
    return i->second;
  };
  std::string all;
  go(
      [&](std::uint32_t step, const message_seen& one) {
        all += "  " + id_of(actor_of(step)) + "->>" + id_of(watch_.name_of(one.to)) + ": " + safe(one.text) + "\n";
      },
      [&](std::uint32_t step, std::size_t place) {
        const auto& one = history_.all[place];
        const auto note = "  Note over " + id_of(actor_of(step)) + ": " +
                          safe(std::string(to_string(one.what)) + " " + one.path) + "\n";
        all += is_marked(place) ? "  rect rgb(255, 200, 200)\n" + note + "  end\n" : note;
      });
  return "sequenceDiagram\n" + who + all;
}

}  // namespace libactor::testkit
