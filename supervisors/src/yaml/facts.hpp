// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/policy.hpp"
#include "yaml/shapes.hpp"

namespace libactor::yaml {

enum class fact_type : std::uint8_t { word, number, time, presence };

// What a field can be. `words`: of a word, all that there are; of a time, those that stand for no duration; null: any
// word, and none.
struct fact_kind {
  fact_type type = fact_type::word;
  const word_list& (*words)() = nullptr;
};

// The fields of nodes that rules can name; `labels.x` besides.
std::vector<std::string_view> fact_names();
std::optional<fact_kind> kind_of_fact(std::string_view name);
// `watch`: its own, or what it has from above; null: nothing watches it.
fact fact_of(const child_spec& spec, const watch_spec* watch, std::string_view name);

}  // namespace libactor::yaml
