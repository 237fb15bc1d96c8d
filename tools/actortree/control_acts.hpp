// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/error.hpp"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace libactor {
class runtime;
}

namespace actortree {

/// What can be done with a running tree from another terminal. The words are those of `actortree ctl`.
enum class control_act { tree, stacks, children, restart, stop, start, resume, shutdown };
inline constexpr const char* control_words[] = {"tree", "stacks", "children", "restart",
                                                "stop", "start",  "resume",   "shutdown"};

/// Whether an act is about one child, or one supervisor.
inline bool needs_path(control_act act) {
  return act != control_act::tree && act != control_act::stacks && act != control_act::shutdown;
}

/// How `tree` and `stacks` are answered: as the member `text`, or for `json` as a member of that name. `stacks` can't
/// be drawn.
enum class tree_format { text, json, dot, mermaid };
inline constexpr const char* tree_format_words[] = {"text", "json", "dot", "mermaid"};

struct control_request {
  control_act act = control_act::tree;
  std::string path{};  ///< empty where the act needs none
  tree_format format = tree_format::json;
};

/// One JSON object a line: `{"act": "restart", "path": "/t/a"}`, `{"act": "tree", "format": "dot"}`.
/// Throws: std::invalid_argument with what is wrong.
control_request parse_request(const std::string& line);
std::string render(const control_request& request);

/// Carries out one act, and returns when it is complete: an object with `ok`, and `children`, `tree`, `stacks`, `text`
/// or an `error` in words. `tree` and `shutdown` return at once, `stacks` after some seconds at most, whatever is
/// stuck. Blocks; not from an actor.
nlohmann::ordered_json carry_out(const control_request& request, libactor::runtime& tree,
                                 const std::function<void()>& shut_down);

}  // namespace actortree
