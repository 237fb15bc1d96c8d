// SPDX-License-Identifier: BSL-1.0
#include "yaml/shapes.hpp"

#include "supervisors/tree_spec.hpp"
#include "supervisors/yaml/diagnostic.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace libactor::yaml {

namespace {

using enum value_type;

const word_list& node_types() {
  static const word_list all{"worker", "supervisor", "process"};
  return all;
}

constexpr std::array file_fields{
    field_shape{.name = "schema",
                .type = version,
                .doc = "the version of this format: 1",
                .least = 1,
                .most = 1,
                .required = true},
    field_shape{.name = "include",
                .type = files,
                .doc = "files whose vars, templates and policy join this one's; of two, the later wins"},
    field_shape{.name = "vars", .type = variables, .doc = "scalars by name, for ${var:name}"},
    field_shape{.name = "templates", .type = templates, .doc = "fields of nodes by name, for `use`"},
    field_shape{
        .name = "defaults", .type = defaults, .doc = "fields that every node has for which they have a meaning"},
    field_shape{.name = "shutdown", .type = map, .doc = "the stop of the whole tree", .map = &stop_shape},
    field_shape{.name = "tree", .type = node, .doc = "the root", .required = true},
    field_shape{.name = "policy", .type = rules, .doc = "rules that the tree must keep", .map = &rule_shape},
};
constexpr std::array stop_fields{
    field_shape{.name = "budget",
                .type = time,
                .doc = "how long the whole stop may take",
                .preset = "infinity",
                .also = "infinity",
                .least = 1},
    field_shape{.name = "on_overrun",
                .type = word,
                .doc = "what becomes of what is late, once it was killed",
                .preset = "abandon",
                .words = words_of<overrun_action, overrun_action::wait>},
};
constexpr std::array after_fields{
    field_shape{.name = "id", .type = id, .doc = "the sibling", .required = true},
    field_shape{.name = "when",
                .type = word,
                .doc = "what it must have come to",
                .preset = "started",
                .words = words_of<dependency_state, dependency_state::completed>},
};
constexpr std::array ready_fields{
    field_shape{.name = "timeout",
                .type = time,
                .doc = "how long the child's word is waited for; the default is its start_timeout",
                .also = "infinity",
                .least = 1},
};
constexpr std::array context_fields{
    field_shape{.name = "timeout",
                .type = time,
                .doc = "from the start of each incarnation to its deadline",
                .preset = "infinity",
                .also = "infinity",
                .least = 1},
    field_shape{.name = "values", .type = values, .doc = "values by the names that the program registers"},
};
constexpr std::array backoff_fields{
    field_shape{.name = "min", .type = time, .doc = "the first delay", .least = 1, .required = true},
    field_shape{.name = "max", .type = time, .doc = "the longest delay", .least = 1, .required = true},
    field_shape{.name = "factor",
                .type = real,
                .doc = "by which each delay is longer than the one before; 1 or more",
                .preset = "2",
                .least = 1,
                .most = 1'000'000},
    field_shape{.name = "jitter",
                .type = real,
                .doc = "the part of a delay, 0 to 1, by which it may be longer or shorter",
                .preset = "0.2",
                .most = 1},
    field_shape{.name = "reset_after",
                .type = time,
                .doc = "after so long a run the delays begin anew; the default is (min + max) / 2",
                .also = "infinity",
                .least = 1},
};
constexpr std::array watch_fields{
    field_shape{.name = "stuck_after", .type = time, .doc = "how long one handler may run", .preset = "5s", .least = 1},
    field_shape{.name = "grace",
                .type = time,
                .doc = "how long each step of the watchdog waits for its effect",
                .preset = "2s",
                .least = 1},
    field_shape{.name = "action",
                .type = word,
                .doc = "how far the watchdog goes",
                .preset = "report",
                .words = words_of<watch_action, watch_action::replace>},
    field_shape{.name = "max_mailbox",
                .type = whole,
                .doc = "messages that may wait",
                .preset = "infinity",
                .also = "infinity"},
    field_shape{.name = "max_children",
                .type = whole,
                .doc = "children that it may have",
                .preset = "infinity",
                .also = "infinity"},
    field_shape{.name = "max_restarts",
                .type = whole,
                .doc = "restarts that it may have",
                .preset = "infinity",
                .also = "infinity"},
};
constexpr std::array address_fields{
    field_shape{.name = "hold",
                .type = time,
                .doc = "how long a message is held while there is no incarnation",
                .required = true},
};
constexpr std::array rule_fields{
    field_shape{.name = "id", .type = text, .doc = "the rule's name", .required = true},
    field_shape{.name = "match",
                .type = map,
                .doc = "the nodes that it is about; all of its keys must hold",
                .map = &match_shape},
    field_shape{.name = "require", .type = terms, .doc = "what fields must be"},
    field_shape{.name = "forbid", .type = terms, .doc = "what fields must not be"},
    field_shape{.name = "level",
                .type = word,
                .doc = "whether a violation is a fault or a warning",
                .preset = "error",
                .words = words_of<severity, severity::warning>},
};
constexpr std::array match_fields{
    field_shape{.name = "type",
                .type = word,
                .doc = "what the node is; `worker` is every node that is no supervisor",
                .words = node_types},
    field_shape{.name = "kind", .type = text, .doc = "the worker's kind"},
    field_shape{.name = "path", .type = text, .doc = "a pattern: * is any part of one id, ** any part of the path"},
    field_shape{.name = "labels", .type = labels, .doc = "labels that it has"},
};

}  // namespace

const map_shape file_shape{"file", file_fields};
const map_shape stop_shape{"shutdown", stop_fields};
const map_shape after_shape{"after", after_fields};
const map_shape ready_shape{"ready", ready_fields};
const map_shape context_shape{"context", context_fields};
const map_shape backoff_shape{"backoff", backoff_fields};
const map_shape watch_shape{"watch", watch_fields};
const map_shape address_shape{"address", address_fields};
const map_shape rule_shape{"rule", rule_fields};
const map_shape match_shape{"match", match_fields};

const word_list& included_keys() {
  static const word_list all{"schema", "include", "vars", "templates", "policy"};
  return all;
}

const word_list& keys_of(const map_shape& shape) {
  static const auto all = [] {
    std::map<const map_shape*, word_list> result;
    for (const auto* known : {&file_shape, &stop_shape, &after_shape, &ready_shape, &context_shape, &backoff_shape,
                              &watch_shape, &address_shape, &rule_shape, &match_shape}) {
      for (const auto& f : known->fields)
        result[known].push_back(f.name);
    }
    return result;
  }();
  return all.at(&shape);
}

const field_shape& field_of(const map_shape& shape, std::string_view name) noexcept {
  return *std::find_if(shape.fields.begin(), shape.fields.end(), [&](const field_shape& f) { return f.name == name; });
}

bool may_be(const field_shape& shape, std::string_view word) noexcept {
  for (auto rest = shape.also; !rest.empty();) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == word)
      return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace libactor::yaml
