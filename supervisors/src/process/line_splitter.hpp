// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/process/process_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace libactor::process {

// Cuts a stream of bytes into lines.
//
// Invariants
//  1. `partial_` holds no `\n`, and at most `limit_` bytes, plus one `\r` that may be half of a line's end.
//  2. The pieces of a line, put together, are the line.
class line_splitter {
 public:
  explicit line_splitter(bool from_stderr, std::size_t limit = max_line) : limit_(limit), from_stderr_(from_stderr) {}

  // Appends the lines that `bytes` completes. Complexity: O(bytes).
  void feed(std::string_view bytes, std::vector<output_line>& lines);

  // The stream has ended: what stands there without a line's end is a line too.
  void finish(std::vector<output_line>& lines);

 private:
  void append(std::string_view bytes, std::vector<output_line>& lines);

  std::string partial_;
  std::size_t limit_;
  bool from_stderr_;
  bool inside_ = false;  // a piece of the current line was handed out already
};

}  // namespace libactor::process
