// SPDX-License-Identifier: BSL-1.0
#include "process/line_splitter.hpp"

#include <utility>

namespace libactor::process {

void line_splitter::append(std::string_view bytes, std::vector<output_line>& lines) {
  while (!bytes.empty()) {
    // One byte more than the limit tells a `\r` that ends a line from one inside.
    const auto room = limit_ + 1 - partial_.size();
    partial_.append(bytes.substr(0, room));
    bytes.remove_prefix(std::min(room, bytes.size()));
    if (partial_.size() <= limit_ || (partial_.back() == '\r' && bytes.empty()))
      return;
    std::string rest = partial_.substr(limit_);
    partial_.resize(limit_);
    lines.push_back({std::exchange(partial_, std::move(rest)), from_stderr_, true});
    inside_ = true;
  }
}

void line_splitter::feed(std::string_view bytes, std::vector<output_line>& lines) {
  for (;;) {
    const auto end = bytes.find('\n');
    append(bytes.substr(0, end), lines);
    if (end == std::string_view::npos)
      return;
    bytes.remove_prefix(end + 1);
    if (!partial_.empty() && partial_.back() == '\r')
      partial_.pop_back();
    lines.push_back({std::exchange(partial_, {}), from_stderr_, false});
    inside_ = false;
  }
}

void line_splitter::finish(std::vector<output_line>& lines) {
  if (!partial_.empty() || inside_)
    lines.push_back({std::exchange(partial_, {}), from_stderr_, false});
  inside_ = false;
}

}  // namespace libactor::process
