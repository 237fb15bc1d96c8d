// SPDX-License-Identifier: BSL-1.0
#include "supervisors/yaml/diagnostic.hpp"

#include "yaml/source.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace libactor::yaml {

namespace {

std::string head_of(const place& at) {
  if (at.line == 0)
    return at.file;
  return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

void append_excerpt(std::string& out, const place& at) {
  if (at.line == 0)
    return;
  out += "  " + at.excerpt + "\n  ";
  // The same tabs as above, so that the caret stands below its place.
  std::size_t seen = 0;
  for (const char c : at.excerpt) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80)
      continue;
    if (seen++ == at.caret)
      break;
    out += c == '\t' ? '\t' : ' ';
  }
  out += "^" + std::string(at.length > 0 ? at.length - 1 : 0, '~') + "\n";
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char c = text.front();
    const auto size = sequence_size(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
      out += buffer;
    } else if (size == 0) {
      out += "\\ufffd";  // names of files are any bytes
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out + "\"";
}

std::string json_place(const place& at) {
  return "\"file\": " + json_string(at.file) + ", \"line\": " + std::to_string(at.line) +
         ", \"column\": " + std::to_string(at.column) + ", \"length\": " + std::to_string(at.length);
}

// Workflow commands escape what would end them.
std::string command_text(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (is_property && c == ':')
      out += "%3A";
    else if (is_property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

}  // namespace

const char* to_string(severity level) noexcept { return level == severity::error ? "error" : "warning"; }

std::string render(const diagnostic& d) {
  std::string out = head_of(d.at) + ": " + to_string(d.level) + "[" + d.code + "]: " + d.text + "\n";
  append_excerpt(out, d.at);
  for (const auto& n : d.notes) {
    out += head_of(n.at) + ": note: " + n.text + "\n";
    append_excerpt(out, n.at);
  }
  return out;
}

std::string render(const std::vector<diagnostic>& all) {
  std::string out;
  for (const auto& d : all)
    out += render(d);
  return out;
}

std::string render_json(const std::vector<diagnostic>& all) {
  std::string out = "[";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& d = all[i];
    out += i == 0 ? "\n" : ",\n";
    out += "  {\"code\": " + json_string(d.code) + ", \"severity\": \"" + to_string(d.level) + "\", " +
           json_place(d.at) + ", \"text\": " + json_string(d.text) + ", \"notes\": [";
    for (std::size_t k = 0; k < d.notes.size(); ++k)
      out += std::string(k == 0 ? "" : ", ") + "{" + json_place(d.notes[k].at) +
             ", \"text\": " + json_string(d.notes[k].text) + "}";
    out += "]}";
  }
  return out + (all.empty() ? "]\n" : "\n]\n");
}

std::string render_github(const std::vector<diagnostic>& all) {
  std::string out;
  for (const auto& d : all) {
    out += std::string("::") + to_string(d.level) + " file=" + command_text(d.at.file, true);
    if (d.at.line > 0)
      out += ",line=" + std::to_string(d.at.line) + ",col=" + std::to_string(d.at.column);
    out += ",title=" + d.code + "::" + command_text(d.text, false) + "\n";
  }
  return out;
}

}  // namespace libactor::yaml
