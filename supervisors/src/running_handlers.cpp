// SPDX-License-Identifier: BSL-1.0
#include "running_handlers.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace libactor::detail {

std::vector<running_handler> look_at_handlers(const tree_snapshot& tree, watchdog& dog, duration limit) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  const auto is_over = [&] { return clock::now() - begin >= limit; };
  std::vector<running_handler> all;
  std::vector<std::shared_ptr<const pending_stack>> stacks;
  for (const auto& node : tree.nodes) {
    if (!node.busy || node.thread == 0)
      continue;
    stacks.push_back(is_over() ? nullptr : dog.look_and_read(node.thread));
    all.push_back({node.path, node.incarnation, node.actor, node.message_type, node.busy_for, node.thread, {}});
  }
  const auto is_read = [](const auto& stack) { return !stack || stack->ready.load(std::memory_order_acquire); };
  while (!is_over() && !std::all_of(stacks.begin(), stacks.end(), is_read))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (std::size_t i = 0; i != all.size(); ++i) {
    if (stacks[i])
      all[i].stack = frames_of(*stacks[i]);
  }
  return all;
}

}  // namespace libactor::detail
