// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/yaml/load.hpp"
#include "yaml/scalars.hpp"

#include <deque>
#include <map>

namespace libactor::yaml {

// The tree file and the files that it includes: each is read and parsed once.
class file_set {
 public:
  file_set(report& faults, scalar_reader& read, const load_options& options);

  // The map at the top of the tree file; null, and a fault, if there is none. Call one of them, once.
  const node* load_main(const std::string& path);
  const node* parse_main(std::string_view text, std::string name);

  // The top-level maps of the included files and of the tree file itself, in rising precedence: a file comes after
  // those that it includes, and of those the later after the earlier.
  std::vector<const node*> collect(const node& main);

 private:
  struct included {
    const node* map = nullptr;
    std::string name;  // as the diagnostics call it
    bool is_open = false;
  };

  const node* parse_one(std::string name, std::string_view text, bool is_main);
  void check_top(const node& map, bool is_main);
  void include(const node& at, const std::string& from, std::vector<const node*>& out);
  void include_all(const node& map, const std::string& folder, std::vector<const node*>& out);
  bool load(const node& at, const std::string& real_path, included& file);

  report& faults_;
  scalar_reader& read_;
  const load_options& options_;
  std::deque<node> arena_;
  std::string root_;                       // canonical; empty: no includes
  std::string main_folder_;                // canonical
  std::string shown_folder_;               // of the tree file, as it was named
  std::map<std::string, included> files_;  // by canonical path
  std::vector<std::string> chain_;         // names of the files being included, outermost first
  std::size_t bytes_left_;
};

}  // namespace libactor::yaml
