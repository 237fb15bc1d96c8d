// SPDX-License-Identifier: BSL-1.0
#include "supervisors/shutdown_report.hpp"

#include "rounded.hpp"
#include "supervisors/child_spec.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace libactor {

namespace {

constexpr std::size_t most_frames = 8;

}  // namespace

std::size_t shutdown_report::killed() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(children.begin(), children.end(), [](const auto& c) { return c.killed && !c.abandoned; }));
}

std::size_t shutdown_report::abandoned() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(children.begin(), children.end(), [](const auto& c) { return c.abandoned; }));
}

std::string to_string(const shutdown_report& report) {
  std::size_t width = 4;
  for (const auto& child : report.children)
    width = std::max(width, child.path.size());
  std::ostringstream out;
  for (const auto& child : report.children) {
    out << "  " << std::left << std::setw(static_cast<int>(width)) << child.path << "  "
        << (child.abandoned ? "ABANDONED"
            : child.killed  ? "KILLED"
                            : "stopped")
        << " after " << detail::rounded(child.took()) << ", " << child.reason
        << (child.clipped ? "; its infinity was clipped" : "") << '\n';
    for (std::size_t i = 0; i != std::min(child.stack.size(), most_frames); ++i)
      out << "    in " << to_string(child.stack[i]) << '\n';
  }
  out << report.root << ": " << report.reason << " after " << detail::rounded(report.ended - report.began) << "; "
      << report.children.size() - report.killed() - report.abandoned() << " stopped, " << report.killed() << " killed, "
      << report.abandoned() << " abandoned" << (report.within_budget ? "" : "; the budget ran out") << '\n';
  if (report.others != 0) {
    out << "held up by " << report.others << (report.others == 1 ? " actor" : " actors") << " outside of the tree";
    for (std::size_t i = 0; i != report.other_names.size(); ++i)
      out << (i == 0 ? ", registered as " : ", ") << report.other_names[i];
    out << '\n';
  }
  if (report.abandoned() != 0)
    out << "the actor system can't end while abandoned actors run: leak it, or call runtime::leave\n";
  return out.str();
}

}  // namespace libactor
