// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_catalog.hpp"
#include "supervisors/yaml/load.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

// Loads a text as `t.yaml`, in an environment that has POOL=8 only, and renders what is found. Raw strings in tests
// begin with a newline, which is not part of the text.
inline libactor::yaml::load_result load(std::string text, libactor::yaml::load_options options = {}) {
  if (!options.environment)
    options.environment = [](std::string_view name) {
      return name == "POOL" ? std::optional<std::string>("8") : std::nullopt;
    };
  if (!text.empty() && text.front() == '\n')
    text.erase(0, 1);
  return libactor::yaml::load_text(text, "t.yaml", demo_catalog(), options);
}

inline std::string rendered(const std::string& text, const libactor::yaml::load_options& options = {}) {
  return "\n" + libactor::yaml::render(load(text, options).diagnostics);
}

// A folder for one test.
class scratch_folder {
 public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "libactor-yaml-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no scratch folder");
    path_ = pattern;
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(const std::string& name = {}) const { return name.empty() ? path_ : path_ + "/" + name; }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  // What is found in a file of this folder, with the folder left out of the names.
  std::string rendered(const std::string& name) const {
    auto text = libactor::yaml::render(libactor::yaml::load_file(path(name), demo_catalog()).diagnostics);
    for (std::size_t at = text.find(path_ + "/"); at != std::string::npos; at = text.find(path_ + "/"))
      text.erase(at, path_.size() + 1);
    return "\n" + text;
  }

 private:
  std::string path_;
};
