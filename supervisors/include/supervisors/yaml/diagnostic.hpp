// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace libactor::yaml {

enum class severity : std::uint8_t { error, warning };
const char* to_string(severity) noexcept;

/// A place in a file. Lines and columns count from 1, columns in code points; line 0 stands for the file as a whole.
struct place {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  /// The line's text, or the part of a long line around the place; what can't be printed stands there as `?`.
  std::string excerpt;
  std::size_t caret = 0;   ///< code points of `excerpt` before the place
  std::size_t length = 1;  ///< code points that the place spans, within `excerpt`
};

/// A second place that a diagnostic is about.
struct note {
  place at;
  std::string text;
};

/// One fault of a tree file, or one doubt about it. `docs/yaml.md` lists the codes.
struct diagnostic {
  std::string code;  ///< such as `Y21`
  severity level = severity::error;
  place at;
  std::string text;
  std::vector<note> notes;
};

/// `file:line:column: error[Y21]: text`, the source line, a caret, and the notes. Each line ends with a newline.
std::string render(const diagnostic& d);
std::string render(const std::vector<diagnostic>& all);

/// A JSON array of objects with code, severity, file, line, column, length, text, notes; one diagnostic a line.
std::string render_json(const std::vector<diagnostic>& all);

/// Workflow commands that code hosting services show beside the line: `::error file=…,line=…,col=…,title=Y21::text`.
std::string render_github(const std::vector<diagnostic>& all);

}  // namespace libactor::yaml
