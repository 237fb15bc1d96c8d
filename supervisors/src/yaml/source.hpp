// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/yaml/diagnostic.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace libactor::yaml {

// A place before it is put into lines and columns.
struct position {
  static constexpr std::uint32_t whole_file = 0xffff'ffff;
  std::uint32_t file = 0;
  std::uint32_t offset = whole_file;  // in bytes
  std::uint32_t length = 1;           // in bytes
};

// One file's text, and where its lines begin. Lines end with '\n' only, as in yaml-cpp's marks.
class source {
 public:
  // Takes a byte order mark off.
  source(std::string name, std::string_view text);

  const std::string& name() const noexcept { return name_; }
  const std::string& text() const noexcept { return text_; }
  // Complexity: O(log lines + length of the line).
  place locate(std::uint32_t offset, std::uint32_t length) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> lines_;
};

// The size of the UTF-8 sequence at the front of the text; 0 if it is none (RFC 3629, table 3-7 of Unicode).
std::size_t sequence_size(std::string_view text) noexcept;

// Where the text is not UTF-8, or has a character that YAML does not allow; `what` says which.
struct bad_byte {
  std::size_t offset;
  bool is_encoding;
  std::string what;
};
bool find_bad_byte(std::string_view text, bad_byte& found);

// Reads a regular file of at most `max_bytes`; on failure `error` and `code` say why. Never blocks on a pipe or a
// device.
bool read_file(const std::string& path, std::size_t max_bytes, std::string& text, std::string& error,
               const char*& code);

// The faults found so far, and the files that they are in.
class report {
 public:
  explicit report(std::size_t max_diagnostics) : most_(max_diagnostics) {}

  struct pending_note {
    position at;
    std::string text;
  };

  std::uint32_t add_source(std::string name, std::string_view text);
  const source& file(std::uint32_t index) const { return *sources_[index]; }

  // A fault that is already known at this place, with this code, is not added again: false.
  bool add(severity level, const char* code, position at, std::string text, std::vector<pending_note> notes = {});
  bool error(const char* code, position at, std::string text, std::vector<pending_note> notes = {}) {
    return add(severity::error, code, at, std::move(text), std::move(notes));
  }

  std::size_t errors() const noexcept { return errors_; }
  // By file and place.
  std::vector<diagnostic> finish();

 private:
  struct pending {
    severity level;
    std::string code;
    position at;
    std::string text;
    std::vector<pending_note> notes;
  };
  place locate(position at) const;

  std::size_t most_;
  std::size_t errors_ = 0;
  std::size_t dropped_ = 0;
  std::vector<std::unique_ptr<source>> sources_;
  std::vector<pending> found_;
  std::unordered_set<std::string> known_;
};

}  // namespace libactor::yaml
