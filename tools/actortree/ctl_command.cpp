// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "control_acts.hpp"
#include "control_socket.hpp"
#include "exit_status.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iostream>
#include <system_error>

namespace actortree {

namespace {

std::string table_of(const nlohmann::json& children) {
  std::size_t column = 4;
  for (const auto& child : children)
    column = std::max(column, child.value("path", "").size());
  auto text = fmt::format("{:<{}}  {:<10}  {:>11}  {:>8}\n", "PATH", column, "STATE", "INCARNATION", "RESTARTS");
  for (const auto& child : children)
    text += fmt::format("{:<{}}  {:<10}  {:>11}  {:>8}\n", child.value("path", ""), column, child.value("state", ""),
                        child.value("incarnation", 0), child.value("restarts", std::uint64_t{0}));
  return text;
}

}  // namespace

int ctl(const ctl_options& options) {
  std::string line;
  try {
    line = ask_control_socket(options.socket, render({options.act, options.path, options.format}));
  } catch (const std::system_error& e) {
    std::cerr << "actortree: no tree answers at " << e.what() << '\n';
    return unreachable;
  }
  const auto reply = nlohmann::json::parse(line, nullptr, false);
  if (!reply.is_object())
    throw std::runtime_error("what answers at " + options.socket + " is no actortree");
  if (options.format == tree_format::json)
    std::cout << line << '\n';
  else if (reply.contains("text"))
    std::cout << reply["text"].get_ref<const std::string&>();
  else if (reply.contains("children"))
    std::cout << table_of(reply["children"]);
  if (reply.value("ok", false))
    return ok;
  std::cerr << "actortree: " << reply.value("error", "refused") << '\n';
  return act_refused;
}

}  // namespace actortree
