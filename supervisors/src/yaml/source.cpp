// SPDX-License-Identifier: BSL-1.0
#include "yaml/source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <tuple>

namespace libactor::yaml {

namespace {

constexpr std::size_t excerpt_before = 80;  // code points shown before a place in a long line
constexpr std::size_t excerpt_length = 160;

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t count_code_points(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string hex(unsigned value) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "%02X", value);
  return buffer;
}

// What can be shown on a terminal: a `?` for each byte that is not UTF-8 and each control character except the tab.
std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto size = sequence_size(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (size == 0) {
      if (!is_continuation(text.front()))
        result += '?';
      text.remove_prefix(1);
      continue;
    }
    const bool is_c1 = c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if ((c < 0x20 && c != '\t') || c == 0x7f || is_c1)
      result += '?';
    else
      result += text.substr(0, size);
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace

std::size_t sequence_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const auto b0 = byte(0);
  const auto b1 = byte(1);
  if (b0 < 0x80)
    return 1;
  if (b0 >= 0xc2 && b0 <= 0xdf)
    return tail(1) ? 2 : 0;
  if (b0 >= 0xe0 && b0 <= 0xef) {
    const bool second = tail(1) && (b0 != 0xe0 || b1 >= 0xa0) && (b0 != 0xed || b1 < 0xa0);
    return second && tail(2) ? 3 : 0;
  }
  if (b0 >= 0xf0 && b0 <= 0xf4) {
    const bool second = tail(1) && (b0 != 0xf0 || b1 >= 0x90) && (b0 != 0xf4 || b1 < 0x90);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

source::source(std::string name, std::string_view text) : name_(std::move(name)) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF")
    text.remove_prefix(3);
  text_ = text;
  lines_.push_back(0);
  for (std::size_t i = text_.find('\n'); i != std::string::npos; i = text_.find('\n', i + 1))
    lines_.push_back(static_cast<std::uint32_t>(i + 1));
}

place source::locate(std::uint32_t offset, std::uint32_t length) const {
  place result;
  result.file = name_;
  if (offset == position::whole_file)
    return result;
  offset = static_cast<std::uint32_t>(std::min<std::size_t>(offset, text_.size()));
  if (offset == text_.size() && offset > 0 && text_[offset - 1] == '\n')
    --offset;  // the end of the text belongs to its last line
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const std::size_t begin = *(next - 1);
  auto end = next == lines_.end() ? text_.size() : *next - 1;
  if (end > begin && text_[end - 1] == '\r')
    --end;
  const auto line = std::string_view(text_).substr(begin, end - begin);
  const auto before = std::min<std::size_t>(offset - begin, line.size());
  result.line = static_cast<std::size_t>(next - lines_.begin());
  result.column = 1 + count_code_points(line.substr(0, before));
  // Cut a long line, at code points.
  auto from = before;
  for (std::size_t n = 0; from > 0 && n < excerpt_before; ++n) {
    do
      --from;
    while (from > 0 && is_continuation(line[from]));
  }
  auto to = from;
  for (std::size_t n = 0; to < line.size() && n < excerpt_length; ++n) {
    do
      ++to;
    while (to < line.size() && is_continuation(line[to]));
  }
  const auto head = printable(line.substr(from, before - from));
  result.excerpt =
      (from > 0 ? "…" : "") + head + printable(line.substr(before, to - before)) + (to < line.size() ? "…" : "");
  result.caret = count_code_points(head) + (from > 0 ? 1 : 0);
  result.length =
      std::max<std::size_t>(1, count_code_points(line.substr(before, std::min<std::size_t>(length, to - before))));
  return result;
}

bool find_bad_byte(std::string_view text, bad_byte& found) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f) {
      ++i;
      continue;
    }
    const auto size = sequence_size(text.substr(i));
    if (size == 0) {
      found = {i, true, "invalid UTF-8: byte 0x" + hex(c)};
      return true;
    }
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      found = {i, false, "control character U+00" + hex(c) + ", which a YAML file can't have"};
      return true;
    }
    i += size;
  }
  return false;
}

bool read_file(const std::string& path, std::size_t max_bytes, std::string& text, std::string& error,
               const char*& code) {
  code = "Y11";
  const auto failed = [&](int number) {
    error = "can't read the file: " + std::generic_category().message(number);
    return false;
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return failed(errno);
  struct closer {
    int fd;
    ~closer() { ::close(fd); }
  } guard{fd};
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return failed(errno);
  if (S_ISDIR(info.st_mode))
    return failed(EISDIR);
  if (!S_ISREG(info.st_mode)) {
    error = "can't read the file: not a regular file";
    return false;
  }
  const auto too_large = [&](std::uintmax_t size) {
    code = "Y06";
    error =
        "the file is too large: " + std::to_string(size) + " bytes, and " + std::to_string(max_bytes) + " are allowed";
    return false;
  };
  if (static_cast<std::uintmax_t>(info.st_size) > max_bytes)
    return too_large(static_cast<std::uintmax_t>(info.st_size));
  text.clear();
  char buffer[65536];
  for (;;) {
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failed(errno);
    if (n == 0)
      return true;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > max_bytes)  // it grew meanwhile, or is one of those that claim to be empty
      return too_large(text.size());
  }
}

std::uint32_t report::add_source(std::string name, std::string_view text) {
  sources_.push_back(std::make_unique<source>(std::move(name), text));
  return static_cast<std::uint32_t>(sources_.size() - 1);
}

bool report::add(severity level, const char* code, position at, std::string text, std::vector<pending_note> notes) {
  if (at.offset != position::whole_file &&
      !known_.insert(std::to_string(at.file) + ":" + std::to_string(at.offset) + ":" + code + text).second)
    return false;
  if (level == severity::error)
    ++errors_;
  if (found_.size() >= most_)
    ++dropped_;
  else
    found_.push_back({level, code, at, std::move(text), std::move(notes)});
  return true;
}

place report::locate(position at) const { return sources_[at.file]->locate(at.offset, at.length); }

std::vector<diagnostic> report::finish() {
  std::stable_sort(found_.begin(), found_.end(), [](const pending& a, const pending& b) {
    return std::tuple(a.at.file, a.at.offset + 1) < std::tuple(b.at.file, b.at.offset + 1);
  });
  std::vector<diagnostic> result;
  result.reserve(found_.size() + 1);
  for (auto& f : found_) {
    // Texts quote what files and the environment say.
    diagnostic d{std::move(f.code), f.level, locate(f.at), printable(f.text), {}};
    for (auto& n : f.notes)
      d.notes.push_back({locate(n.at), printable(n.text)});
    result.push_back(std::move(d));
  }
  if (dropped_ > 0)
    result.push_back({"Y06",
                      errors_ > 0 ? severity::error : severity::warning,
                      locate({}),
                      std::to_string(dropped_) + " more faults are not listed",
                      {}});
  return result;
}

}  // namespace libactor::yaml
