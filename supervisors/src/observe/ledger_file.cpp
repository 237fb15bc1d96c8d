// SPDX-License-Identifier: BSL-1.0
#include "ledger_file.hpp"

#include "supervisors/leak_event.hpp"

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace libactor::observe {

namespace {

// "lact", in the header of the file: tells a ledger from other databases.
constexpr std::int64_t application_id = 0x6c616374;

// Step n leads from version n to version n + 1.
constexpr const char* steps[] = {
    "CREATE TABLE ledger_schema (version INTEGER NOT NULL);"
    "INSERT INTO ledger_schema VALUES (0);"
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, began INTEGER NOT NULL, pid INTEGER NOT NULL, program TEXT NOT NULL);"
    "CREATE TABLE events (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, time INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, path TEXT NOT NULL, record INTEGER, json TEXT NOT NULL);"
    "CREATE INDEX events_by_time ON events (time);"
    "PRAGMA application_id = 1818321780;"};
static_assert(std::size(steps) == ledger_schema_version);
static_assert(application_id == 1818321780);

std::int64_t unix_ns(wall_time at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

enum class first_look { nothing, database, damaged, foreign };

// What a file is, by its first bytes: before a query, which may take in what an old journal beside it holds. What is
// neither a database nor a text is taken for a damaged one.
first_look look_at(const sqlite& db) {
  const auto bytes = db.head(512);
  constexpr std::string_view magic("SQLite format 3\0", 16);
  if (bytes.empty())
    return first_look::nothing;
  if (bytes.starts_with(magic))
    return first_look::database;
  return bytes.find('\0') == bytes.npos ? first_look::foreign : first_look::damaged;
}

bool is_no_file(const std::string& path) {
  std::error_code none;
  const auto what = std::filesystem::status(path, none);
  return std::filesystem::exists(what) && !std::filesystem::is_regular_file(what);
}

// The schema's version; 0 for a database without anything in it.
std::int64_t version_of(sqlite& db, const std::string& path) {
  const bool is_empty = db.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (!is_empty && db.number("PRAGMA application_id") != application_id)
    throw ledger_refused(path + ": is a database of another program, and no ledger");
  std::int64_t version = 0;
  try {
    version = is_empty ? 0 : db.number("SELECT version FROM ledger_schema");
  } catch (const sqlite_error& e) {
    // A ledger always has this table.
    throw sqlite_error(e.code == SQLITE_ERROR ? SQLITE_CORRUPT : e.code, e.what());
  }
  if (version > ledger_schema_version)
    throw ledger_refused(path + ": has schema version " + std::to_string(version) + ", and this program knows " +
                         std::to_string(ledger_schema_version) + " at most: a newer one wrote it");
  return version;
}

void take_steps(sqlite& db, const std::string& path) {
  sqlite_transaction all(db);
  // Another program may have been quicker.
  for (auto version = version_of(db, path); version < ledger_schema_version; ++version) {
    db.run(steps[version]);
    db.prepare("UPDATE ledger_schema SET version = ?").bind(1, version + 1).run();
  }
  all.commit();
}

std::string program_name() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).string();
}

sqlite open_for_writing(const std::string& path) {
  if (is_no_file(path))
    throw ledger_refused(path + ": is no ledger");
  sqlite db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  switch (look_at(db)) {
    case first_look::foreign:
      throw ledger_refused(path + ": is no ledger");
    case first_look::damaged:
      throw sqlite_error(SQLITE_NOTADB, "file is not a database");
    case first_look::nothing:
    case first_look::database:
      break;
  }
  const auto version = version_of(db, path);
  if (version != 0 && db.word("PRAGMA quick_check(1)") != "ok")
    throw sqlite_error(SQLITE_CORRUPT, "database disk image is malformed");
  if (version == 0)
    db.run("PRAGMA auto_vacuum = INCREMENTAL");
  // What a process has handed to the kernel outlives it: to sync at each commit would help only where the machine
  // itself stops, and then the last events are lost, but never the file.
  db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  if (version < ledger_schema_version)
    take_steps(db, path);
  return db;
}

}  // namespace

ledger_file::ledger_file(const std::string& path, ledger_limits limits)
    : db_(open_for_writing(path)),
      began_(unix_ns(std::chrono::system_clock::now())),
      limits_{limits.max_age, std::max<std::uint64_t>(limits.max_bytes, 256 * 1024)} {
  page_size_ = static_cast<std::uint64_t>(db_.number("PRAGMA page_size"));
  const auto journal = std::min<std::uint64_t>(limits_.max_bytes / 8, 4 * 1024 * 1024);
  db_.run(("PRAGMA wal_autocheckpoint = " + std::to_string(journal / page_size_) +
           "; PRAGMA journal_size_limit = " + std::to_string(journal))
              .c_str());
  keep_run();
  insert_ = db_.prepare("INSERT INTO events (run, time, kind, path, record, json) VALUES (?, ?, ?, ?, ?, ?)");
}

// Another program may have forgotten this run while it had no events, and its number may be another's now.
void ledger_file::keep_run() {
  auto kept = db_.prepare("SELECT 1 FROM runs WHERE id = ? AND began = ? AND pid = ?");
  if (kept.bind(1, run_).bind(2, began_).bind(3, ::getpid()).step())
    return;
  db_.prepare("INSERT INTO runs (began, pid, program) VALUES (?, ?, ?)")
      .bind(1, began_)
      .bind(2, ::getpid())
      .bind(3, program_name())
      .run();
  run_ = db_.last_row();
}

std::size_t ledger_file::write(std::span<const stamped_event> events) {
  constexpr std::size_t most = 256;
  std::size_t count = 0;
  std::size_t bytes = 0;
  sqlite_transaction all(db_);
  keep_run();
  for (; count < std::min(most, events.size()) && bytes < limits_.max_bytes / 16; ++count) {
    const auto& [what, at] = events[count];
    const auto line = to_json(what, at);
    bytes += line.size();
    insert_.bind(1, run_).bind(2, unix_ns(at)).bind(3, to_string(what.kind)).bind(4, what.path).bind(6, line);
    if (what.leak != nullptr)
      insert_.bind(5, static_cast<std::int64_t>(what.leak->record));
    else
      insert_.bind_null(5);
    insert_.run();
  }
  forget_old(std::chrono::system_clock::now());
  forget_surplus();
  all.commit();
  return count;
}

void ledger_file::forget_old(wall_time now) {
  if (limits_.max_age == infinite || now < next_look_)
    return;
  next_look_ = now + std::min<wall_time::duration>(
                         std::chrono::minutes(1), std::chrono::duration_cast<wall_time::duration>(limits_.max_age) / 8);
  db_.prepare("DELETE FROM events WHERE time < ?").bind(1, unix_ns(now) - limits_.max_age.count()).run();
  db_.prepare("DELETE FROM runs WHERE id <> ? AND id NOT IN (SELECT run FROM events)").bind(1, run_).run();
}

std::uint64_t ledger_file::used_bytes() {
  return static_cast<std::uint64_t>(db_.number("PRAGMA page_count") - db_.number("PRAGMA freelist_count")) * page_size_;
}

// An eighth at a time, so that it is rarely needed.
void ledger_file::forget_surplus() {
  while (used_bytes() > limits_.max_bytes / 8 * 7) {
    const auto count = db_.number("SELECT count(*) FROM events");
    if (count < 2)
      return;
    db_.prepare("DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id LIMIT 1 OFFSET ?)")
        .bind(1, std::max<std::int64_t>(count / 8 - 1, 0))
        .run();
    db_.prepare("DELETE FROM runs WHERE id <> ? AND id NOT IN (SELECT run FROM events)").bind(1, run_).run();
    db_.run("PRAGMA incremental_vacuum");
  }
}

std::string ledger_file::set_aside(const std::string& path) {
  auto stamp = to_string(std::chrono::system_clock::now());
  std::replace(stamp.begin(), stamp.end(), ':', '-');
  auto aside = path + ".damaged-" + stamp;
  for (int i = 2; std::filesystem::exists(aside); ++i)
    aside = path + ".damaged-" + stamp + "-" + std::to_string(i);
  // The journal first: without it, what is left of the database would be taken for all of it.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    std::error_code failed;
    std::filesystem::rename(path + suffix, aside + suffix, failed);
    if (failed && failed != std::errc::no_such_file_or_directory)
      throw std::system_error(failed, "can't rename " + path + suffix);
  }
  return aside;
}

sqlite open_ledger(const std::string& path) {
  try {
    if (::access(path.c_str(), F_OK) != 0)
      throw ledger_refused(path + ": no such file");
    if (is_no_file(path))
      throw ledger_refused(path + ": is no ledger");
    sqlite db(path, SQLITE_OPEN_READONLY);
    switch (look_at(db)) {
      case first_look::nothing:
        throw ledger_refused(path + ": is empty, and no ledger");
      case first_look::foreign:
      case first_look::damaged:
        throw ledger_refused(path + ": is no ledger");
      case first_look::database:
        break;
    }
    if (version_of(db, path) == 0)
      throw ledger_refused(path + ": is a database of another program, and no ledger");
    return db;
  } catch (const sqlite_error& e) {
    throw ledger_refused(path + ": " + e.what());
  }
}

}  // namespace libactor::observe
