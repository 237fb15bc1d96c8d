// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// A tree file of n workers below supervisors of a hundred each, with the fields that such files have.
inline std::string tree_file(std::uint64_t n) {
  std::string text =
      "schema: 1\n"
      "vars: {rate: 100ms}\n"
      "templates:\n"
      "  edge: {restart: transient, shutdown: 3s, labels: {tier: edge}}\n"
      "defaults: {start_timeout: 4s}\n"
      "tree:\n"
      "  id: site\n"
      "  children:\n";
  for (std::uint64_t i = 0; i < n; ++i) {
    if (i % 100 == 0)
      text += "    - id: group-" + std::to_string(i / 100) +
              "\n      strategy: one_for_all\n      intensity: 5\n      period: 1m\n      children:\n";
    const auto name = std::to_string(i);
    text += "        - id: worker-" + name + "\n          kind: bench.worker\n";
    text += i % 2 == 0 ? "          use: edge\n" : "          restart: permanent\n          shutdown: 2s\n";
    text += "          args: {port: " + std::to_string(1024 + i % 50'000) + ", url: \"http://host-" + name +
            "/index\", every: \"${var:rate}\"}\n";
    if (i % 100 != 0)
      text += "          after: [{id: worker-" + std::to_string(i - 1) + ", when: started}]\n";
  }
  return text;
}

}  // namespace bench
