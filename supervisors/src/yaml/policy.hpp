// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/tree_decoder.hpp"

namespace libactor::yaml {

// What a rule can ask about a node.
struct fact {
  enum class state : std::uint8_t { meaningless, absent, given };
  state is = state::meaningless;
  std::string text{};  // as trees in YAML spell it
  double number = 0;   // of numbers, and of durations in nanoseconds
};

// The rules of a site, and the check of a tree against them.
class policy {
 public:
  policy(scalar_reader& read, const child_catalog& catalog) : read_(read), catalog_(catalog) {}

  // Takes the rules of a `policy` list; a rule that is invalid is reported and left out.
  void add(const node& list);
  // Reports each violation at the node's field.
  void apply(const tree_spec& tree, tree_decoder& decoder) const;

 private:
  struct term {
    std::string field;
    std::vector<std::string> one_of;
    std::optional<double> min, max;
    std::string min_text, max_text;
    std::optional<bool> present;
  };
  struct rule {
    const node* name;
    std::string id;
    severity level = severity::error;
    std::string type, kind, path;
    std::map<std::string, std::string> labels;
    std::vector<term> require, forbid;
  };

  // What watches a node, and the node that says so.
  struct watched {
    const watch_spec* by = nullptr;
    std::size_t node = 0;
  };

  void invalid(const node& n, std::string text) { read_.fault("Y72", n, std::move(text)); }
  bool add_rule(const node& n, rule& out);
  bool read_match(const node& n, rule& out);
  bool read_terms(const node& n, std::vector<term>& out);
  bool read_term(const map_entry& entry, term& out);
  bool read_value(const node& n, term& out);
  bool read_bounds(const node& map, term& out);

  bool matches(const rule& r, const child_spec& spec, const std::string& path) const;
  void apply_to(const child_spec& spec, const std::string& path, watched above, std::size_t& node,
                tree_decoder& decoder) const;

  scalar_reader& read_;
  const child_catalog& catalog_;
  std::vector<rule> rules_;
  std::map<std::string, const node*> ids_;
};

// Whether a path matches a pattern, in which `*` stands for any part of one id and `**` for any part of the path.
bool matches_path(std::string_view pattern, std::string_view path);

}  // namespace libactor::yaml
