// SPDX-License-Identifier: BSL-1.0
#include "sqlite.hpp"

#include <algorithm>
#include <system_error>

namespace libactor::observe {

sqlite_statement::sqlite_statement(sqlite3* on, std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  const int result = sqlite3_prepare_v2(on, sql.data(), static_cast<int>(sql.size()), &made, nullptr);
  raw_.reset(made);
  if (result != SQLITE_OK)
    throw sqlite_error(result, sqlite3_errmsg(on));
}

void sqlite_statement::check(int result) const {
  if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE)
    throw sqlite_error(result, sqlite3_errmsg(sqlite3_db_handle(raw_.get())));
}

sqlite_statement& sqlite_statement::bind(int place, std::int64_t value) {
  check(sqlite3_bind_int64(raw_.get(), place, value));
  return *this;
}

sqlite_statement& sqlite_statement::bind(int place, std::string_view value) {
  check(sqlite3_bind_text64(raw_.get(), place, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

sqlite_statement& sqlite_statement::bind_null(int place) {
  check(sqlite3_bind_null(raw_.get(), place));
  return *this;
}

bool sqlite_statement::step() {
  const int result = sqlite3_step(raw_.get());
  if (result == SQLITE_ROW)
    return true;
  reset();
  check(result);
  return false;
}

void sqlite_statement::run() {
  while (step()) {
  }
}

void sqlite_statement::reset() noexcept { sqlite3_reset(raw_.get()); }

std::string_view sqlite_statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(raw_.get(), column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), column)));
}

sqlite::sqlite(const std::string& path, int flags) {
  sqlite3* made = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  raw_.reset(made);
  if (result != SQLITE_OK) {
    const int why = made != nullptr ? sqlite3_system_errno(made) : 0;
    throw sqlite_error(result, (made != nullptr ? sqlite3_errmsg(made) : std::string("out of memory")) +
                                   (why == 0 ? std::string() : ": " + std::generic_category().message(why)));
  }
  sqlite3_busy_timeout(made, 1000);
}

void sqlite::run(const char* sql) {
  const int result = sqlite3_exec(raw_.get(), sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK)
    throw sqlite_error(result, sqlite3_errmsg(raw_.get()));
}

std::int64_t sqlite::number(const char* sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string sqlite::word(const char* sql) {
  auto statement = prepare(sql);
  return statement.step() ? std::string(statement.text(0)) : std::string();
}

std::string sqlite::head(std::size_t most) const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  sqlite3_int64 size = 0;
  int result = file->pMethods->xFileSize(file, &size);
  std::string bytes(std::min(most, static_cast<std::size_t>(size)), '\0');
  if (result == SQLITE_OK && !bytes.empty())
    result = file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), 0);
  if (result != SQLITE_OK)
    throw sqlite_error(result, sqlite3_errstr(result));
  return bytes;
}

bool sqlite::has_moved() const {
  int moved = 0;
  sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

sqlite_transaction::~sqlite_transaction() {
  if (!open_)
    return;
  try {
    on_.run("ROLLBACK");
  } catch (const sqlite_error&) {
    // SQLite has rolled it back itself; the error that led here is on its way.
  }
}

void sqlite_transaction::commit() {
  on_.run("COMMIT");
  open_ = false;
}

}  // namespace libactor::observe
