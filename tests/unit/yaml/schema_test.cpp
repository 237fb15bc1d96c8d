// SPDX-License-Identifier: BSL-1.0
#include "supervisors/yaml/schema.hpp"

#include "demo_catalog.hpp"
#include "supervisors/child_start.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace libactor;

namespace {

std::string schema_with(std::string name, std::vector<arg_spec> args) {
  child_kind kind;
  kind.name = std::move(name);
  kind.args = std::move(args);
  kind.start = demo_catalog().find("demo.worker")->start;
  child_catalog catalog;
  catalog.add(std::move(kind));
  return yaml::json_schema(catalog);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(schemas)

BOOST_AUTO_TEST_CASE(a_kind_of_any_name_is_referred_to_by_a_pointer_in_a_uri) {
  const auto schema = schema_with("a/b~c 5%é", {});
  BOOST_TEST(has(schema, "\"args of a/b~c 5%é\": {"));
  BOOST_TEST(has(schema, "\"$ref\": \"#/$defs/args%20of%20a~1b~0c%205%25%C3%A9\""));
}

BOOST_AUTO_TEST_CASE(words_that_are_numbers_or_booleans_without_quotes_are_those_too) {
  arg_spec level{.name = "level", .type = arg_type::string};
  level.words = {"1", "true", "high", "null"};
  auto schema = schema_with("x", {level});
  schema.erase(std::remove_if(schema.begin(), schema.end(), [](char c) { return c == ' ' || c == '\n'; }),
               schema.end());
  BOOST_TEST(has(schema, "\"enum\":[\"1\",\"true\",\"high\",\"null\",1,true]"));
}

BOOST_AUTO_TEST_SUITE_END()
