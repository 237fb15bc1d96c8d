// SPDX-License-Identifier: BSL-1.0
#include "history.hpp"

#include <algorithm>
#include <set>

namespace libactor::tests {

namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_below(const std::string& path, const std::string& above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/';
}

class judgement {
 public:
  explicit judgement(const scenario& of) : of_(of) {}

  void see(const event& what) {
    switch (what.kind) {
      case event_kind::note:
        if (what.text == "up")
          begins(what);
        else if (what.text == "down")
          ends(what);
        break;
      case event_kind::start_asked:
        stopping_.erase(what.path);
        starts(what);
        break;
      case event_kind::stop_asked:
        asked(what.path);
        stopping_.insert(what.path);
        break;
      case event_kind::gave_up:
        stopping_.insert(what.path);
        break;
      case event_kind::abandoned:
        fault_at(what, "is abandoned, though it would have ended");
        break;
      default:
        break;
    }
    if (what.kind == event_kind::started || what.kind == event_kind::start_failed || what.kind == event_kind::declined)
      starting_.erase(what.path);
    if (what.kind == event_kind::started && of_.supervisors.contains(what.path))
      up_.insert(what.path);
  }

  std::vector<std::string> over() {
    for (const auto& [path, incarnation] : living_)
      faults_.push_back(path + "#" + std::to_string(incarnation) + " lives at the end");
    return std::move(faults_);
  }

 private:
  void fault_at(const event& what, const std::string& words) {
    faults_.push_back(what.path + "#" + std::to_string(what.incarnation) + " " + words);
  }

  void begins(const event& what) {
    if (const auto i = living_.find(what.path); i != living_.end())
      fault_at(what, "begins while #" + std::to_string(i->second) + " lives");
    if (const auto i = last_.find(what.path);
        i != last_.end() && i->second.second >= what.incarnation && i->second.first == parent_incarnation(what.path))
      fault_at(what, "begins after #" + std::to_string(i->second.second));
    living_[what.path] = what.incarnation;
    last_[what.path] = {parent_incarnation(what.path), what.incarnation};
  }

  void ends(const event& what) {
    const auto i = living_.find(what.path);
    if (i == living_.end() || i->second != what.incarnation)
      fault_at(what, "ends without having begun");
    else
      living_.erase(i);
  }

  std::uint32_t parent_incarnation(const std::string& path) const {
    const auto i = incarnation_.find(parent_of(path));
    return i == incarnation_.end() ? 0 : i->second;
  }

  void starts(const event& what) {
    incarnation_[what.path] = incarnation_[what.path] + 1;
    if (lives(what.path))
      fault_at(what, "is started while it, or something below it, lives");
    if (of_.supervisors.contains(what.path)) {
      up_.erase(what.path);
      std::erase_if(starting_, [&](const auto& path) { return is_below(path, what.path); });
    }
    // While an ordered supervisor starts, it starts one child at a time.
    const auto above = of_.supervisors.find(parent_of(what.path));
    if (above != of_.supervisors.end() && !above->second.dynamic && above->second.mode == start_mode::ordered &&
        !up_.contains(above->first)) {
      for (const auto& sibling : above->second.children) {
        if (sibling != what.path && starting_.contains(sibling))
          fault_at(what, "is started while " + sibling + " is starting");
      }
    }
    starting_.insert(what.path);
  }

  /// Whether any worker at or below the path does.
  bool lives(const std::string& path) const {
    return std::any_of(living_.begin(), living_.end(),
                       [&](const auto& one) { return one.first == path || is_below(one.first, path); });
  }

  // What a supervisor stops as one of several goes in the reverse of the start order.
  void asked(const std::string& path) {
    const bool was_starting = starting_.erase(path) != 0;
    const auto at = of_.supervisors.find(parent_of(path));
    if (at == of_.supervisors.end() || at->second.dynamic)
      return;
    if (std::find(of_.terminated.begin(), of_.terminated.end(), path) != of_.terminated.end())
      return;
    if (was_starting && of_.what == fault::never_starts && (path == of_.victim || is_below(of_.victim, path)))
      return;  // asked because its time to start was up
    const auto& seen = at->second;
    const auto& dependents = seen.dependents.find(path);
    if (dependents != seen.dependents.end()) {
      for (const auto& above : dependents->second) {
        if (lives(above))
          faults_.push_back(path + " is asked to stop before " + above + ", which depends on it, has ended");
      }
    }
    const bool group = seen.how == strategy::one_for_all || seen.how == strategy::rest_for_one;
    if (seen.mode == start_mode::graph || (!group && !stopping_.contains(at->first)))
      return;
    const auto place = std::find(seen.children.begin(), seen.children.end(), path);
    for (auto later = place + 1; later < seen.children.end(); ++later) {
      if (lives(*later))
        faults_.push_back(path + " is asked to stop before " + *later + " has ended");
    }
  }

  const scenario& of_;
  std::map<std::string, std::uint32_t> living_;
  std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> last_;  // parent's incarnation, own
  std::map<std::string, std::uint32_t> incarnation_;
  std::set<std::string> starting_, up_, stopping_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> judge(const scenario& of, const std::vector<event>& seen) {
  judgement all{of};
  for (const auto& what : seen)
    all.see(what);
  return all.over();
}

std::string to_text(const std::vector<event>& seen) {
  std::string text;
  for (const auto& what : seen) {
    text += "\n  " + libactor::to_string(duration{what.at.time_since_epoch()}) + " " + to_string(what.kind) + " " +
            what.path + "#" + std::to_string(what.incarnation) + (what.reason.empty() ? "" : " (" + what.reason + ")") +
            (what.text.empty() ? "" : " " + what.text);
  }
  return text;
}

}  // namespace libactor::tests
