// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace libactor {
class child_catalog;
}

namespace libactor::yaml {

/// A JSON Schema (draft 2020-12) of tree files, for editors: every key with its type, words, default and meaning, and
/// the catalog's kinds and context keys with theirs. It holds for the file as YAML 1.2's core schema reads it, before
/// substitution: where a number, a word or the like is meant, a string with `${` passes. What it accepts may still have
/// faults that no schema can see; what the loader accepts, it accepts, but in a template that no node uses the loader
/// looks neither for ranges nor for what the kind lacks.
/// Complexity: O(size of the result).
std::string json_schema(const child_catalog& catalog);

}  // namespace libactor::yaml
