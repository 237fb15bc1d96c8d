// SPDX-License-Identifier: BSL-1.0
#include "yaml/includes.hpp"

#include "yaml/shapes.hpp"

#include <algorithm>
#include <filesystem>

namespace libactor::yaml {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 256;
constexpr std::size_t deepest = 32;

std::string real_path_of(const fs::path& path) {
  std::error_code error;
  auto result = fs::canonical(path, error);
  return error ? std::string() : result.string();
}

bool lies_in(const std::string& path, const std::string& folder) {
  return folder == "/" || path == folder ||
         (path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 && path[folder.size()] == '/');
}

}  // namespace

file_set::file_set(report& faults, scalar_reader& read, const load_options& options)
    : faults_(faults), read_(read), options_(options), bytes_left_(options.max_bytes) {
  if (!options.root.empty())
    root_ = real_path_of(options.root);
}

const node* file_set::load_main(const std::string& path) {
  std::string text, error;
  const char* code = nullptr;
  if (!read_file(path, options_.max_bytes, text, error, code)) {
    faults_.error(code, {faults_.add_source(path, {})}, std::move(error));
    return nullptr;
  }
  const auto real = real_path_of(path);
  main_folder_ = fs::path(real).parent_path().string();
  shown_folder_ = fs::path(path).parent_path().string();
  if (real_path_of(shown_folder_.empty() ? "." : shown_folder_) != main_folder_)  // the file is a link
    shown_folder_ = main_folder_;
  if (options_.root.empty())
    root_ = main_folder_;
  auto& file = files_[real];
  file.is_open = true;
  file.name = path;
  return parse_main(text, path);
}

const node* file_set::parse_main(std::string_view text, std::string name) {
  if (text.size() > options_.max_bytes) {
    faults_.error("Y06", {faults_.add_source(std::move(name), {})},
                  "the text is too large: " + std::to_string(text.size()) + " bytes, and " +
                      std::to_string(options_.max_bytes) + " are allowed");
    return nullptr;
  }
  if (main_folder_.empty())
    main_folder_ = root_;
  chain_.push_back(name);
  bytes_left_ -= text.size();
  return parse_one(std::move(name), text, true);
}

const node* file_set::parse_one(std::string name, std::string_view text, bool is_main) {
  const auto file = faults_.add_source(std::move(name), text);
  const auto errors = faults_.errors();
  const auto* top = parse(file, {options_.max_values, options_.max_depth}, arena_, faults_);
  if (top == nullptr || top->is == node::type::null) {
    if (faults_.errors() == errors && is_main)
      faults_.error("Y22", {file, 0, 1}, "the file is empty: a tree file needs `schema: 1` and `tree`");
    return nullptr;
  }
  if (!top->is_map()) {
    faults_.error("Y23", {file, top->offset, 1}, std::string("a tree file must be a map, not ") + describe(*top));
    return nullptr;
  }
  check_top(*top, is_main);
  return top;
}

void file_set::check_top(const node& map, bool is_main) {
  const auto& main_keys = keys_of(file_shape);
  const auto& known = is_main ? main_keys : included_keys();
  for (const auto& entry : map.entries) {
    const auto& name = entry.key->text;
    if (std::find(known.begin(), known.end(), name) != known.end())
      continue;
    const bool is_misplaced = std::find(main_keys.begin(), main_keys.end(), name) != main_keys.end();
    read_.fault("Y21", *entry.key,
                is_misplaced ? "an included file can't have `" + name + "`"
                             : "unknown key `" + name + "`" + read_.words().suggest(name, known));
  }
  const position top{map.file, map.offset, 1};
  if (is_main && find_entry(map, "schema") == nullptr)
    faults_.error("Y22", top, "the file has no `schema`: write `schema: 1`");
  if (is_main && find_entry(map, "tree") == nullptr)
    faults_.error("Y22", top, "the file has no `tree`");
}

std::vector<const node*> file_set::collect(const node& main) {
  std::vector<const node*> result;
  include_all(main, main_folder_, result);
  result.push_back(&main);
  return result;
}

void file_set::include_all(const node& map, const std::string& folder, std::vector<const node*>& out) {
  const auto* entry = find_entry(map, "include");
  if (entry == nullptr)
    return;
  if (!entry->value->is_sequence()) {
    read_.wrong_type(*entry->value, "include", "a list of files");
    return;
  }
  for (const auto* item : entry->value->items)
    include(*item, folder, out);
}

void file_set::include(const node& at, const std::string& folder, std::vector<const node*>& out) {
  if (!at.is_scalar()) {
    read_.wrong_type(at, "include", "the name of a file");
    return;
  }
  if (root_.empty()) {
    read_.fault("Y13", at,
                options_.root.empty()
                    ? "nothing can be included here: no root folder is set"
                    : "nothing can be included here: there is no root folder `" + options_.root + "`");
    return;
  }
  // Refused before it is looked at, so that the message does not tell what exists outside.
  const auto wanted = (fs::path(folder) / at.text).lexically_normal();
  if (!lies_in(wanted.string(), root_)) {
    read_.fault("Y13", at, "`" + at.text + "` lies outside the root folder of this tree file");
    return;
  }
  const auto real = real_path_of(wanted);
  if (!real.empty() && !lies_in(real, root_)) {
    read_.fault("Y13", at, "`" + at.text + "` is a link to outside the root folder of this tree file");
    return;
  }
  const auto known = real.empty() ? files_.end() : files_.find(real);
  if (known != files_.end() && known->second.is_open) {
    std::string chain;
    const auto begin = std::find(chain_.begin(), chain_.end(), known->second.name);
    for (auto i = begin; i != chain_.end(); ++i)
      chain += *i + " -> ";
    read_.fault("Y12", at, "the files include each other: " + chain + known->second.name);
    return;
  }
  if ((files_.size() >= most_files && known == files_.end()) || chain_.size() >= deepest) {
    read_.fault("Y06", at,
                "too many files: at most " + std::to_string(most_files) + ", " + std::to_string(deepest) + " deep");
    return;
  }
  auto& file = files_[real.empty() ? wanted.string() : real];
  const bool is_new = file.name.empty();
  if (is_new && !load(at, real.empty() ? wanted.string() : real, file))
    return;
  if (file.map == nullptr)
    return;
  file.is_open = true;
  chain_.push_back(file.name);
  // A file that is included again moves to the later place: its variables and templates win there.
  if (is_new || std::find(out.begin(), out.end(), file.map) != out.end()) {
    out.erase(std::remove(out.begin(), out.end(), file.map), out.end());
    if (is_new)
      include_all(*file.map, fs::path(real).parent_path().string(), out);
    out.push_back(file.map);
  }
  chain_.pop_back();
  file.is_open = false;
}

bool file_set::load(const node& at, const std::string& real_path, included& file) {
  file.name = (fs::path(shown_folder_) / fs::path(real_path).lexically_relative(main_folder_)).string();
  std::string text, error;
  const char* code = nullptr;
  if (!read_file(real_path, bytes_left_, text, error, code)) {
    read_.fault(code, at, "`" + at.text + "`: " + error);
    return false;
  }
  bytes_left_ -= text.size();
  file.map = parse_one(file.name, text, false);
  return true;
}

}  // namespace libactor::yaml
