// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace libactor::observe {

/// What SQLite could not do, in its words; `code` is its primary result code.
class sqlite_error : public std::runtime_error {
 public:
  sqlite_error(int result, const std::string& words) : std::runtime_error(words), code(result & 0xff) {}
  /// Whether the file is damaged: what is in it can't be had by trying again.
  bool is_damage() const noexcept { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB; }
  const int code;
};

/// A statement that is prepared once and run many times. Values are bound from 1.
class sqlite_statement {
 public:
  sqlite_statement() = default;
  sqlite_statement(sqlite3* on, std::string_view sql);

  sqlite_statement& bind(int place, std::int64_t value);
  /// Requires: `value` outlives the run.
  sqlite_statement& bind(int place, std::string_view value);
  sqlite_statement& bind_null(int place);
  /// Whether there is a row; at the end the statement is ready for its next run.
  bool step();
  /// Steps to the end.
  void run();
  void reset() noexcept;

  std::int64_t integer(int column) const { return sqlite3_column_int64(raw_.get(), column); }
  /// Until the next step.
  std::string_view text(int column) const;

 private:
  void check(int result) const;
  struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, finalize> raw_;
};

/// A connection; for one thread at a time. All members throw `sqlite_error`.
class sqlite {
 public:
  sqlite(const std::string& path, int flags);

  void run(const char* sql);
  std::int64_t number(const char* sql);
  std::string word(const char* sql);
  sqlite_statement prepare(std::string_view sql) { return {raw_.get(), sql}; }
  /// The file's first bytes, read by SQLite's own means. A descriptor of ours would, when it is closed, take with it
  /// what locks this process has on the file; another program would then take the journal of those who use it here.
  std::string head(std::size_t most) const;
  /// Whether another file, or none, has the name that this one was opened by.
  bool has_moved() const;
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(raw_.get()); }

 private:
  struct close {
    void operator()(sqlite3* s) const noexcept { sqlite3_close_v2(s); }
  };
  std::unique_ptr<sqlite3, close> raw_;
};

/// Undone unless `commit` was called.
class sqlite_transaction {
 public:
  explicit sqlite_transaction(sqlite& on) : on_(on) { on_.run("BEGIN IMMEDIATE"); }
  ~sqlite_transaction();
  sqlite_transaction(const sqlite_transaction&) = delete;
  sqlite_transaction& operator=(const sqlite_transaction&) = delete;
  void commit();

 private:
  sqlite& on_;
  bool open_ = true;
};

}  // namespace libactor::observe
