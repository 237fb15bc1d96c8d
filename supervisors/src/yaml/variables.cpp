// SPDX-License-Identifier: BSL-1.0
#include "yaml/variables.hpp"

#include <algorithm>
#include <utility>

namespace libactor::yaml {

namespace {

constexpr std::size_t longest_value = 64 * 1024;
constexpr int deepest = 32;

bool is_name(std::string_view name) {
  const auto is_word = [](unsigned char c) {
    return c == '_' || c == '-' || c == '.' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_word);
}

// Behind the `}` that closes the `${` at `begin`; npos if none does.
std::size_t end_of_reference(std::string_view text, std::size_t begin) {
  int depth = 0;
  for (auto i = begin; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      ++depth;
      ++i;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::size_t count_references(std::string_view text) {
  std::size_t count = 0;
  for (auto i = text.find("${"); i != std::string_view::npos; i = text.find("${", i + 2))
    ++count;
  return count;
}

}  // namespace

// One scalar of the file that is being expanded: faults are reported at its own `${`.
struct variables::expansion {
  const node* scalar;
  std::size_t reference = 0;           // which `${` of the scalar, those in defaults counted
  bool is_nested = false;              // within a default
  std::optional<std::size_t> place{};  // in the source, of the reference that `place_of` counts to; npos: not found
  std::size_t place_of = 0;
};

void variables::define(const node& key, const node& value) { known_[key.text] = variable{&key, &value}; }

void variables::check_all() {
  for (const auto& [name, v] : known_) {
    if (v.value->is_scalar())
      expand(*v.value);
  }
}

std::optional<scalar_value> variables::expand(const node& scalar) {
  if (scalar.text.find("${") == std::string::npos)
    return scalar_value{scalar.text, !scalar.quoted};
  if (is_spent_)
    return {};
  const auto& result = substituted(scalar);
  return result && spend(result->text.size(), scalar) ? result : std::nullopt;
}

// What `expand` makes of a scalar that has a `${`.
const std::optional<scalar_value>& variables::substituted(const node& scalar) {
  if (const auto known = done_.find(&scalar); known != done_.end())
    return known->second;
  expansion e{&scalar};
  std::string out;
  bool whole = false;
  std::optional<scalar_value> result;
  if (append(e, scalar.text, out, whole)) {
    texts_.push_back(std::move(out));
    result = scalar_value{texts_.back(), whole || !scalar.quoted, true};
  }
  return done_.emplace(&scalar, result).first->second;
}

std::optional<scalar_value> variables::expanded(const node& scalar) const {
  const auto known = done_.find(&scalar);
  return known == done_.end() ? std::nullopt : known->second;
}

// Whoever asks for a value copies it: a few bytes of a file could stand for any number of long ones.
bool variables::spend(std::size_t bytes, const node& at) {
  if (bytes > bytes_left_ && !is_spent_) {
    is_spent_ = true;
    faults_.error("Y06", position_of(at, faults_.file(at.file)),
                  "substitution makes more than " + std::to_string(max_bytes_) + " bytes of this file");
  }
  bytes_left_ -= std::min(bytes, bytes_left_);
  return !is_spent_;
}

void variables::fault(expansion& e, const char* code, std::string text, bool is_closed) {
  if (e.scalar->is_alias) {
    faults_.error(code, position_of(*e.scalar, faults_.file(e.scalar->file)), std::move(text));
    return;
  }
  // Its place in the source, if the scalar stands there as it reads.
  const auto& source = faults_.file(e.scalar->file).text();
  constexpr auto none = std::string::npos;
  if (!e.place)
    e.place = source.find("${", e.scalar->offset);
  for (; *e.place != none && e.place_of < e.reference; ++e.place_of)
    e.place = source.find("${", *e.place + 2);
  const auto offset = *e.place == none ? e.scalar->offset : *e.place;
  const auto rest = std::string_view(source).substr(offset, e.scalar->text.size());
  const auto end = is_closed ? end_of_reference(rest, 0) : none;
  const auto length = end == none || rest.substr(0, end).find('\n') != none ? 2 : end;
  faults_.error(code, {e.scalar->file, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length)},
                std::move(text));
}

bool variables::append(expansion& e, std::string_view text, std::string& out, bool& whole) {
  bool good = true;
  for (std::size_t i = 0; i < text.size();) {
    const auto begin = text.find("${", i);
    if (begin == std::string_view::npos) {
      out += text.substr(i);
      break;
    }
    if (begin > i && text[begin - 1] == '$') {
      out += text.substr(i, begin - 1 - i);
      out += "${";
      i = begin + 2;
    } else {
      out += text.substr(i, begin - i);
      const auto end = end_of_reference(text, begin);
      if (end == std::string_view::npos) {
        fault(e, "Y15", "this `${` is never closed: write `$${` for a plain `${`", false);
        return false;
      }
      whole = begin == 0 && end == text.size();
      good = append_reference(e, text.substr(begin + 2, end - begin - 3), out) && good;
      i = end;
    }
    if (out.size() > longest_value) {
      fault(e, "Y06", "the value is longer than " + std::to_string(longest_value) + " bytes after substitution");
      return false;
    }
    if (!e.is_nested)
      e.reference += count_references(text.substr(begin, i - begin));
  }
  return good;
}

bool variables::append_reference(expansion& e, std::string_view reference, std::string& out) {
  const auto colon = reference.find(':');
  const auto origin = reference.substr(0, colon);
  auto name = colon == std::string_view::npos ? std::string_view() : reference.substr(colon + 1);
  std::optional<std::string_view> fallback;
  if (const auto dash = name.find(":-"); dash != std::string_view::npos) {
    fallback = name.substr(dash + 2);
    name = name.substr(0, dash);
  }
  if ((origin != "env" && origin != "var") || !is_name(name)) {
    fault(
        e, "Y15",
        "`${" + std::string(reference) + "}` is neither `${env:NAME}` nor `${var:name}`: write `$${` for a plain `${`");
    return false;
  }
  if (origin == "var")
    return append_variable(e, name, fallback ? &*fallback : nullptr, out);
  if (auto value = env_(name)) {
    out += *value;
    return true;
  }
  if (!fallback) {
    fault(e, "Y14",
          "the environment has no `" + std::string(name) + "`: set it, or give a default, `${env:" + std::string(name) +
              ":-…}`");
    return false;
  }
  return append_nested(e, *fallback, out);
}

bool variables::append_variable(expansion& e, std::string_view name, const std::string_view* fallback,
                                std::string& out) {
  const auto found = known_.find(name);
  if (found == known_.end()) {
    if (fallback != nullptr)
      return append_nested(e, *fallback, out);
    if (names_.empty()) {
      for (const auto& [known, v] : known_)
        names_.push_back(known);
      std::sort(names_.begin(), names_.end());
    }
    fault(e, "Y14", "there is no variable `" + std::string(name) + "`" + words_.suggest(name, names_));
    return false;
  }
  auto& v = found->second;
  if (!v.value->is_scalar())
    return false;  // reported where it is defined
  if (v.is_open) {
    fault(e, "Y14", "the variable `" + std::string(name) + "` is defined by itself");
    return false;
  }
  if (v.value->text.find("${") == std::string::npos) {
    out += v.value->text;
    return true;
  }
  if (!enter(e))
    return false;
  v.is_open = true;
  const auto value = substituted(*v.value);
  v.is_open = false;
  --depth_;
  if (value)
    out += value->text;
  return value.has_value();
}

bool variables::append_nested(expansion& e, std::string_view text, std::string& out) {
  if (!enter(e))
    return false;
  bool ignored = false;
  const bool was_nested = std::exchange(e.is_nested, true);
  const bool good = append(e, text, out, ignored);
  e.is_nested = was_nested;
  --depth_;
  return good;
}

bool variables::enter(expansion& e) {
  if (depth_ < deepest) {
    ++depth_;
    return true;
  }
  fault(e, "Y06", "`${…}` refer to each other more than " + std::to_string(deepest) + " levels deep");
  return false;
}

}  // namespace libactor::yaml
