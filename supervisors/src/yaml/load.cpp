// SPDX-License-Identifier: BSL-1.0
#include "supervisors/yaml/load.hpp"

#include "supervisors/child_catalog.hpp"
#include "yaml/includes.hpp"
#include "yaml/policy.hpp"

#include <cstdlib>

namespace libactor::yaml {

namespace {

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

class loader {
 public:
  loader(const child_catalog& catalog, const load_options& options)
      : catalog_(catalog),
        faults_(options.max_diagnostics),
        vars_(faults_, options.environment ? options.environment : process_environment, options.max_bytes),
        read_(faults_, vars_),
        decoder_(read_, catalog, options.max_values),
        policy_(read_, catalog),
        files_(faults_, read_, options) {}

  load_result from_file(const std::string& path) { return finish(files_.load_main(path)); }
  load_result from_text(std::string_view text, std::string name) {
    return finish(files_.parse_main(text, std::move(name)));
  }

 private:
  load_result finish(const node* root) {
    load_result result;
    if (root != nullptr) {
      auto tree = decode(*root);
      if (faults_.errors() == 0)
        result.tree = std::move(tree);
    }
    result.diagnostics = faults_.finish();
    return result;
  }

  tree_spec decode(const node& root) {
    tree_spec tree;
    // Included files come first: what this file says wins. What is read below may use the variables of all.
    const auto files = files_.collect(root);
    for (const auto* file : files)
      take_variables(*file);
    for (const auto* file : files)
      take_shared(*file);
    vars_.check_all();
    if (const auto* defaults = entry(root, "defaults")) {
      if (defaults->value->is_map())
        decoder_.set_defaults(*defaults->value);
      else
        read_.wrong_type(*defaults->value, "defaults", "a map");
    }
    decode_shutdown(root, tree);
    bool has_tree = false;
    if (const auto* declared = entry(root, "tree"))
      has_tree = decoder_.decode(*declared->value, tree.root, "tree");
    decoder_.check_shared();
    if (!has_tree)
      return tree;
    for (const auto& fault : check(tree, catalog_))
      decoder_.report_fault(severity::error, fault);
    if (decoder_.all_sound()) {
      for (const auto& doubt : find_doubts(tree, catalog_))
        decoder_.report_fault(severity::warning, doubt);
    }
    policy_.apply(tree, decoder_);
    return tree;
  }

  static const map_entry* entry(const node& root, std::string_view key) { return find_entry(root, key); }

  void take_variables(const node& file) {
    const auto* given = entry(file, "vars");
    if (given == nullptr)
      return;
    if (!given->value->is_map())
      read_.wrong_type(*given->value, "vars", "a map");
    else
      for (const auto& e : given->value->entries)
        take_variable(e);
  }

  // What else included files may have.
  void take_shared(const node& file) {
    for (const auto& [key, value] : file.entries) {
      if (key->text == "policy") {
        policy_.add(*value);
      } else if (key->text == "schema") {
        if (!read_.is_word(*value, "1") || value->quoted)
          read_.fault("Y27", *value, "this program reads tree files of `schema: 1` only");
      } else if (key->text == "templates") {
        if (!value->is_map()) {
          read_.wrong_type(*value, key->text, "a map");
          continue;
        }
        for (const auto& e : value->entries)
          take_template(e);
      }
    }
  }

  void take_variable(const map_entry& e) {
    if (e.value->is_scalar())
      vars_.define(*e.key, *e.value);
    else
      read_.wrong_type(*e.value, e.key->text, "a scalar, as every variable");
  }

  void take_template(const map_entry& e) {
    if (e.value->is_map())
      decoder_.add_template(*e.key, *e.value);
    else
      read_.wrong_type(*e.value, e.key->text, "a map");
  }

  void decode_shutdown(const node& root, tree_spec& tree) {
    const auto* given = entry(root, "shutdown");
    if (given == nullptr)
      return;
    if (!given->value->is_map()) {
      read_.wrong_type(*given->value, "shutdown", "a map");
      return;
    }
    for (const auto& [key, value] : given->value->entries) {
      if (key->text == "budget") {
        if (const auto budget = read_.time(*value, "budget", may_be(field_of(stop_shape, "budget"), "infinity"))) {
          tree.budget = *budget;
          decoder_.set_budget(*value);
        }
      } else if (key->text == "on_overrun") {
        const auto word = read_.word(*value, "on_overrun", field_of(stop_shape, "on_overrun").words());
        tree.on_overrun = static_cast<overrun_action>(word.value_or(0));
      } else {
        read_.fault(
            "Y21", *key,
            "unknown key `" + key->text + "` of `shutdown`" + read_.words().suggest(key->text, keys_of(stop_shape)));
      }
    }
  }

  const child_catalog& catalog_;
  report faults_;
  variables vars_;
  scalar_reader read_;
  tree_decoder decoder_;
  policy policy_;
  file_set files_;
};

}  // namespace

load_result load_file(const std::string& path, const child_catalog& catalog, const load_options& options) {
  return loader(catalog, options).from_file(path);
}

load_result load_text(std::string_view text, std::string name, const child_catalog& catalog,
                      const load_options& options) {
  return loader(catalog, options).from_text(text, std::move(name));
}

}  // namespace libactor::yaml
