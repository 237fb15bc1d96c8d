// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "yaml/policy.hpp"

namespace libactor::yaml {

enum class fact_type : std::uint8_t { word, number, time, presence };

// The fields of nodes that rules can name; `labels.x` besides.
std::vector<std::string_view> fact_names();
std::optional<fact_type> type_of_fact(std::string_view name);
// `watch`: its own, or what it has from above; null: nothing watches it.
fact fact_of(const child_spec& spec, const watch_spec* watch, std::string_view name);

}  // namespace libactor::yaml
