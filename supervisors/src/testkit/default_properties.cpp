// SPDX-License-Identifier: BSL-1.0
#include "supervisors/testkit/property.hpp"

#include "supervisors/child_spec.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace libactor::testkit {

namespace {

// What the specification says of a path.
struct node {
  const child_spec* spec = nullptr;
  const static_supervisor* above = nullptr;
  std::vector<std::string> first;  // what must be down before it is asked
};
using nodes = std::map<std::string, node>;

void add_nodes(const child_spec& spec, const std::string& path, nodes& into) {
  const auto* part = std::get_if<static_supervisor>(&spec.what);
  if (part == nullptr)
    return;
  for (std::size_t i = 0; i != part->children.size(); ++i) {
    const auto& child = part->children[i];
    auto& made = into[path + "/" + child.id];
    made.spec = &child;
    made.above = part;
    for (auto j = i + 1; j != part->children.size(); ++j) {
      const auto& later = part->children[j];
      const bool depends =
          std::any_of(later.after.begin(), later.after.end(), [&](const auto& need) { return need.id == child.id; });
      if (part->start == start_mode::ordered || depends)
        made.first.push_back(path + "/" + later.id);
    }
    add_nodes(child, path + "/" + child.id, into);
  }
}

nodes nodes_of(const history& of) {
  nodes all;
  if (of.tree) {
    const auto path = "/" + of.tree->root.id;
    all[path].spec = &of.tree->root;
    add_nodes(of.tree->root, path, all);
  }
  return all;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_at_or_below(const std::string& path, const std::string& above) {
  return path == above || (path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/');
}

std::string said(const occurrence& one) {
  return std::string(to_string(one.what)) + " " + one.path + " at " +
         libactor::to_string(duration{one.at.time_since_epoch()});
}

// What is known at a time, walking through a run.
class walk {
 public:
  explicit walk(const history& of) : of_(of) {}

  void see(const occurrence& one, std::size_t place) {
    switch (one.what) {
      case happening::start_asked:
        stopping_.erase(one.path);
        up_.erase(one.path);
        down_.erase(one.path);
        begun_[one.path] = place;
        break;
      case happening::started:
        up_.insert(one.path);
        break;
      case happening::stopped:
        ends_[one.path] = place;
        if (!stopping_.contains(one.path))
          down_.insert(one.path);
        break;
      case happening::restarted:
        down_.insert(one.path);
        break;
      case happening::abandoned:
        ends_[one.path] = place;
        abandoned_.insert({one.path, one.incarnation});
        break;
      case happening::stop_asked:
      case happening::gave_up:
        stopping_[one.path] = place;
        break;
      default:
        break;
    }
  }
  // Where the one at the path, or below it, that lives at a step was begun; abandoned ones are as good as dead.
  std::optional<std::size_t> lives(const std::string& path, std::uint32_t at) const {
    for (const auto& one : of_.lives) {
      if (one.from < at && (!one.to || *one.to > at) && is_at_or_below(one.path, path) &&
          !abandoned_.contains({one.path, one.incarnation})) {
        const auto i = begun_.find(one.path);
        return i == begun_.end() ? 0 : i->second;
      }
    }
    return std::nullopt;
  }
  std::optional<std::size_t> stopping(const std::string& path) const { return find(stopping_, path); }
  std::optional<std::size_t> ended(const std::string& path) const { return find(ends_, path); }
  bool is_up(const std::string& path) const { return up_.contains(path); }
  // Whether one right below the path has ended without being asked to, or starts again.
  bool restarts_below(const std::string& path) const {
    return std::any_of(down_.begin(), down_.end(), [&](const auto& one) { return parent_of(one) == path; });
  }

 private:
  static std::optional<std::size_t> find(const std::map<std::string, std::size_t>& in, const std::string& path) {
    const auto i = in.find(path);
    return i == in.end() ? std::nullopt : std::optional{i->second};
  }

  const history& of_;
  std::map<std::string, std::size_t> begun_, ends_, stopping_;
  std::set<std::pair<std::string, std::uint32_t>> abandoned_;
  std::set<std::string> up_, down_;
};

std::optional<finding> stops_in_order(const history& of) {
  const auto all = nodes_of(of);
  walk seen{of};
  for (std::size_t i = 0; i != of.all.size(); ++i) {
    const auto& one = of.all[i];
    const auto at = all.find(one.path);
    if (one.what == happening::stop_asked && at != all.end() && at->second.above != nullptr && seen.is_up(one.path)) {
      const auto above = parent_of(one.path);
      const bool whole = seen.stopping(above).has_value();
      // One that somebody terminates by hand goes alone.
      const auto how = at->second.above->strategy;
      const bool depends = how == strategy::one_for_dependents && at->second.above->start == start_mode::graph;
      const bool group =
          (how == strategy::one_for_all || how == strategy::rest_for_one || depends) && seen.restarts_below(above);
      for (const auto& later : at->second.first) {
        if (!whole && !group)
          continue;
        if (const auto alive = seen.lives(later, one.step))
          return finding{said(one) + ", though " + later + ", which depends on it, has not ended", alive, i};
        // Its end must be known to who asks: else it was luck.
        const auto end = seen.ended(later);
        if (whole && end && !of.leads_to(*end, i))
          return finding{said(one) + ", and nothing led to it from " + said(of.all[*end]), end, i};
      }
    }
    seen.see(one, i);
  }
  return std::nullopt;
}

std::optional<finding> starts_under_the_living(const history& of) {
  walk seen{of};
  for (std::size_t i = 0; i != of.all.size(); ++i) {
    const auto& one = of.all[i];
    if (one.what == happening::start_asked) {
      if (const auto since = seen.stopping(parent_of(one.path)))
        return finding{said(one) + ", after " + said(of.all[*since]), since, i};
    }
    seen.see(one, i);
  }
  return std::nullopt;
}

std::optional<finding> one_at_a_time(const history& of) {
  walk seen{of};
  for (std::size_t i = 0; i != of.all.size(); ++i) {
    const auto& one = of.all[i];
    if (one.what == happening::start_asked) {
      if (const auto alive = seen.lives(one.path, one.step))
        return finding{said(one) + ", though " + of.all[*alive].path + " lives", alive, i};
    }
    seen.see(one, i);
  }
  return std::nullopt;
}

std::optional<finding> nothing_is_left(const history& of) {
  std::set<std::pair<std::string, std::uint32_t>> abandoned;
  for (std::size_t i = 0; i != of.all.size(); ++i) {
    const auto& one = of.all[i];
    if (one.what == happening::abandoned)
      abandoned.insert({one.path, one.incarnation});
    else if (of.tree_ended && of.is_left(one) && !abandoned.contains({one.path, one.incarnation}))
      return finding{one.path + " lives, though its tree has ended", {}, i};
  }
  return std::nullopt;
}

std::optional<finding> budget_is_kept(const history& of) {
  if (!of.tree || of.tree->budget == infinite || of.tree->on_overrun != overrun_action::abandon || !of.stop_took)
    return std::nullopt;
  if (*of.stop_took <= of.tree->budget)
    return std::nullopt;
  return finding{
      "the stop took " + libactor::to_string(*of.stop_took) + " of a budget of " + libactor::to_string(of.tree->budget),
      {},
      {}};
}

}  // namespace

std::vector<property> default_properties() {
  return {{"a child is down before what it depends on is asked to stop", stops_in_order},
          {"nothing starts below a supervisor that stops", starts_under_the_living},
          {"no child starts while it lives", one_at_a_time},
          {"nothing is left", nothing_is_left},
          {"the budget is kept", budget_is_kept}};
}

}  // namespace libactor::testkit
