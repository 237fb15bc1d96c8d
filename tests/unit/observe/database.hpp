// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <sqlite3.h>

#include <string>
#include <vector>

namespace libactor::tests {

// Another program's connection to a ledger.
class database {
 public:
  explicit database(const std::string& path) {
    BOOST_REQUIRE(sqlite3_open_v2(path.c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) ==
                  SQLITE_OK);
    sqlite3_busy_timeout(raw_, 10'000);
  }
  ~database() { sqlite3_close(raw_); }
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  // The first column of every row.
  std::vector<std::string> query(const std::string& sql) {
    std::vector<std::string> all;
    char* why = nullptr;
    const auto row = [](void* to, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(values[0] == nullptr ? "" : values[0]);
      return 0;
    };
    const int result = sqlite3_exec(raw_, sql.c_str(), row, &all, &why);
    BOOST_TEST(result == SQLITE_OK, (why == nullptr ? "" : why));
    sqlite3_free(why);
    return all;
  }
  long number(const std::string& sql) {
    const auto all = query(sql);
    return all.empty() ? 0 : std::stol(all[0]);
  }

 private:
  sqlite3* raw_ = nullptr;
};

}  // namespace libactor::tests
