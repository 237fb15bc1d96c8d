// SPDX-License-Identifier: BSL-1.0
#include "control_acts.hpp"

#include "supervisors/observe/snapshot_formats.hpp"
#include "supervisors/runtime.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace actortree {

namespace {

using json = nlohmann::ordered_json;
using libactor::child_info;

/// Why an act was not carried out.
class refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class T>
T value_of(caf::expected<T> result) {
  if (!result)
    throw refused(libactor::describe(result.error()));
  return std::move(*result);
}

void require(const caf::error& error) {
  if (error)
    throw refused(libactor::describe(error));
}

json json_of(const child_info& child) {
  json one{{"path", child.path},
           {"type", child.is_supervisor ? "supervisor" : "worker"},
           {"state", to_string(child.state)},
           {"incarnation", child.incarnation},
           {"restarts", child.restarts}};
  if (child.handle)
    one["actor"] = child.handle.id();
  return one;
}

// A child by its path: its supervisor, and what that says of it.
struct found_child {
  libactor::supervisor_ref supervisor;
  child_info info;
  // Such a child is named by its handle: its id, if any, is that of the template.
  bool is_dynamic() const { return !info.path.ends_with("/" + info.id); }
};

found_child find(libactor::runtime& tree, const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0)
    throw refused(path + " is the root: only `shutdown` is for it");
  auto supervisor = value_of(tree.supervisor(path.substr(0, slash)));
  for (auto& child : value_of(supervisor.which_children())) {
    if (child.path == path)
      return {supervisor, std::move(child)};
  }
  throw refused("there is no " + path);
}

void stop(const found_child& child) {
  if (!child.is_dynamic())
    return require(child.supervisor.terminate_child(child.info.id));
  if (!child.info.handle)
    throw refused(child.info.path + " waits for its next start: stop it then, or its supervisor now");
  require(child.supervisor.terminate_child(child.info.handle));
}

void start(libactor::runtime& tree, const std::string& path) {
  if (path.size() > 2 && path.substr(path.size() - 2) == "/*") {
    value_of(value_of(tree.supervisor(path.substr(0, path.size() - 2))).start_child());
    return;
  }
  const auto child = find(tree, path);
  if (child.is_dynamic())
    throw refused(path + " is a dynamic supervisor's: start one more by its template, as " +
                  path.substr(0, path.rfind('/')) + "/*");
  value_of(child.supervisor.restart_child(child.info.id));
}

void restart(libactor::runtime& tree, const std::string& path) {
  const auto child = find(tree, path);
  if (child.is_dynamic())
    throw refused(path + " is a dynamic supervisor's: stop it, and start another");
  const auto spec = value_of(child.supervisor.get_child_spec(child.info.id));
  if (spec->restart == libactor::restart_type::temporary)
    throw refused(path + " is temporary: once it has stopped, nothing is left of it to start");
  if (child.info.state != libactor::child_state::idle)  // it runs, or is about to
    stop(child);
  value_of(child.supervisor.restart_child(child.info.id));
}

void describe_tree(libactor::runtime& tree, tree_format format, json& reply) {
  const auto now = snapshot(tree);
  switch (format) {
    case tree_format::text:
      reply["text"] = libactor::observe::as_text(now);
      return;
    case tree_format::json:
      reply["tree"] = json::parse(libactor::observe::as_json(now));
      return;
    case tree_format::dot:
      reply["text"] = libactor::observe::as_dot(now);
      return;
    case tree_format::mermaid:
      reply["text"] = libactor::observe::as_mermaid(now);
      return;
  }
}

// Whoever asks waits, and a machine may be slow at reading debug information just when something is stuck.
constexpr auto most_for_stacks = std::chrono::seconds(5);

json act(const control_request& request, libactor::runtime& tree, const std::function<void()>& shut_down) {
  json reply{{"ok", true}};
  switch (request.act) {
    case control_act::tree:
      describe_tree(tree, request.format, reply);
      break;
    case control_act::stacks:
      if (request.format == tree_format::json)
        reply["stacks"] = json::parse(libactor::observe::as_json(running_handlers(tree, most_for_stacks)));
      else
        reply["text"] = libactor::observe::as_text(running_handlers(tree, most_for_stacks));
      break;
    case control_act::children:
      reply["children"] = json::array();
      for (const auto& child : value_of(value_of(tree.supervisor(request.path)).which_children()))
        reply["children"].push_back(json_of(child));
      break;
    case control_act::restart:
      restart(tree, request.path);
      break;
    case control_act::stop:
      stop(find(tree, request.path));
      break;
    case control_act::start:
      start(tree, request.path);
      break;
    case control_act::resume:
      require(value_of(tree.supervisor(request.path)).resume_restarts());
      break;
    case control_act::shutdown:
      shut_down();
      break;
  }
  return reply;
}

}  // namespace

control_request parse_request(const std::string& line) {
  const auto given = nlohmann::json::parse(line, nullptr, false);
  if (!given.is_object() || !given.contains("act") || !given["act"].is_string())
    throw std::invalid_argument("a request is a JSON object with `act`");
  const auto& word = given["act"].get_ref<const std::string&>();
  const auto* known = std::find(std::begin(control_words), std::end(control_words), word);
  if (known == std::end(control_words))
    throw std::invalid_argument("unknown act `" + word + "`");
  control_request request{static_cast<control_act>(known - std::begin(control_words))};
  const bool about_one = needs_path(request.act);
  if (const auto path = given.find("path"); path != given.end() && path->is_string() && about_one)
    request.path = path->get<std::string>();
  if (about_one && (request.path.size() < 2 || request.path[0] != '/'))
    throw std::invalid_argument("`" + word + "` needs a path, such as /shop/api");
  if (const auto format = given.find("format"); format != given.end()) {
    const auto* form = std::find(std::begin(tree_format_words), std::end(tree_format_words),
                                 format->is_string() ? format->get<std::string>() : std::string());
    if (form == std::end(tree_format_words))
      throw std::invalid_argument("unknown format " + format->dump(-1, ' ', false, json::error_handler_t::replace));
    request.format = static_cast<tree_format>(form - std::begin(tree_format_words));
    if (request.act != control_act::tree && request.format != tree_format::json && request.format != tree_format::text)
      throw std::invalid_argument("`" + word + "` can't be drawn");
  }
  return request;
}

std::string render(const control_request& request) {
  json line{{"act", control_words[static_cast<int>(request.act)]}};
  if (!request.path.empty())
    line["path"] = request.path;
  if (request.act == control_act::tree || request.act == control_act::stacks)
    line["format"] = tree_format_words[static_cast<int>(request.format)];
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

json carry_out(const control_request& request, libactor::runtime& tree, const std::function<void()>& shut_down) {
  try {
    return act(request, tree, shut_down);
  } catch (const refused& why) {
    return {{"ok", false}, {"error", why.what()}};
  }
}

}  // namespace actortree
