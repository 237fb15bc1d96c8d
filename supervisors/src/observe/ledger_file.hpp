// SPDX-License-Identifier: BSL-1.0
#pragma once

// Invariants
//  1. A file that is no ledger, or whose schema is newer, is not changed.
//  2. A damaged ledger is renamed, never deleted or overwritten.
//  3. A step of the schema is taken in one transaction with its version.

#include "sqlite.hpp"
#include "stamped_event.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace libactor::observe {

struct ledger_limits {
  duration max_age{};
  std::uint64_t max_bytes = 0;
};

/// Why a file is not taken for a ledger; to be told as it is.
class ledger_refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The ledger's file, as the one who writes it sees it. For one thread at a time. Throws `sqlite_error` where nothing
/// else is said; what was to be written then is not, in whole.
class ledger_file {
 public:
  /// Makes the file, or takes it to the newest schema. Throws, besides: `ledger_refused`.
  ledger_file(const std::string& path, ledger_limits limits);

  /// Commits events from the front; how many: all, or as many as keep the file within its size. Once it returns, they
  /// outlive the process however that ends.
  std::size_t write(std::span<const stamped_event> events);

  /// Whether somebody has moved the file away, or removed it: what is written now would not be found.
  bool has_moved() const { return db_.has_moved(); }

  /// Renames the file and what SQLite keeps beside it, and gives the new name. Throws: std::system_error.
  static std::string set_aside(const std::string& path);

 private:
  void keep_run();
  void forget_old(wall_time now);
  void forget_surplus();
  std::uint64_t used_bytes();

  sqlite db_;
  const std::int64_t began_;
  ledger_limits limits_;
  std::uint64_t page_size_ = 0;
  std::int64_t run_ = 0;
  wall_time next_look_{};  // at ages
  sqlite_statement insert_;
};

/// For readers: opens an existing ledger. Throws: `ledger_refused` for all that can be said before a query.
sqlite open_ledger(const std::string& path);

/// The newest schema that this library knows.
inline constexpr std::int64_t ledger_schema_version = 1;

}  // namespace libactor::observe
