// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/time.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace libactor {
struct chain_link;
struct stack_frame;
}  // namespace libactor

namespace libactor::observe {

using json = nlohmann::ordered_json;

/// Bytes that are not UTF-8 become U+FFFD. `indent` -1: on one line.
std::string dump(const json& what, int indent = -1);

json json_of(const stack_frame& frame);

/// One link of a context chain; what is left of its time counts from `now`.
json json_of(const chain_link& link, time_point now);

}  // namespace libactor::observe
