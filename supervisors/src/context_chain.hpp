// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"
#include "libactor/context.hpp"
#include "supervisors/leak_event.hpp"

#include <string>
#include <vector>

namespace libactor::detail {

/// From the context towards the root, the nearest links of a long one.
std::vector<chain_link> chain_of(const context& ctx);

/// For people; empty where there is none.
std::string text_of(const cause& why);

}  // namespace libactor::detail
