// SPDX-License-Identifier: BSL-1.0
#include "demo_catalog.hpp"

#include "libactor/context.hpp"
#include "supervisors/child_start.hpp"

#include <stdexcept>

using namespace libactor;

namespace {

child_kind kind(std::string name, std::vector<arg_spec> args) {
  child_kind result;
  result.name = std::move(name);
  result.doc = "for tests";
  result.args = std::move(args);
  result.start = [](child_start&) -> caf::expected<started_child> { throw std::logic_error("tests start nothing"); };
  return result;
}

}  // namespace

child_catalog demo_catalog() {
  child_catalog catalog;
  auto store =
      kind("demo.store", {{"url", arg_type::string, false, "sqlite::memory:"}, {"pool", arg_type::integer, false, 4}});
  store.reports_ready = [](const child_args&) { return true; };
  store.check = [](const child_args& args) {
    std::vector<arg_fault> faults;
    if (args.get<std::int64_t>("pool") < 1)
      faults.push_back({"pool", "`pool` must be at least 1"});
    return faults;
  };
  catalog.add(std::move(store));
  catalog.add(kind("demo.worker", {}));
  catalog.add(kind("demo.http", {{"port", arg_type::integer, false, 8080},
                                 {"rate", arg_type::real, false, 1.0},
                                 {"verbose", arg_type::boolean, false, {}},
                                 {"poll", arg_type::duration, false, {}}}));
  auto process = kind("process", {{"command", arg_type::string_list, true, {}},
                                  {"env", arg_type::string_map, false, {}},
                                  {"cwd", arg_type::string, false, {}},
                                  {"ready_line", arg_type::string, false, {}},
                                  {"limits", arg_type::integer_map, false, {}}});
  process.is_process = true;
  process.reports_ready = [](const child_args& args) { return args.find<std::string>("ready_line") != nullptr; };
  catalog.add(std::move(process));
  catalog.add_context_key(
      {"zone", arg_type::string, "where it runs", [](const context& parent, const arg_value&) { return parent; }});
  return catalog;
}
