// SPDX-License-Identifier: BSL-1.0
#include "libactor/cause.hpp"

#include "cause_rep.hpp"
#include "libactor/error.hpp"

#include <array>
#include <cstdint>
#include <ostream>

namespace libactor {

namespace {

cause::rep* make_rep(cause_origin origin, std::string_view text, std::string_view path, std::error_code error,
                     source_location where) {
  auto* rep = new cause::rep;
  rep->origin = origin;
  try {
    rep->text = text;
    rep->path = path;
  } catch (...) {
    delete rep;
    throw;
  }
  rep->user_error = error;
  rep->where = where;
  return rep;
}

// Static, and never destroyed: contexts may outlive `main`.
const cause::rep* make_plain(cause_origin origin, const char* text) {
  auto* rep = make_rep(origin, text, {}, {}, {});
  rep->immortal = true;
  return rep;
}

}  // namespace

namespace detail {

const cause_rep* plain_canceled() noexcept {
  static const auto* rep = make_plain(cause_origin::explicit_, "canceled");
  return rep;
}

const cause_rep* plain_expired() noexcept {
  static const auto* rep = make_plain(cause_origin::deadline, "deadline exceeded");
  return rep;
}

const cause_rep* runtime_shutdown() noexcept {
  static const auto* rep = make_plain(cause_origin::shutdown, "the runtime has ended");
  return rep;
}

const cause_rep* foreign_canceled() noexcept {
  static const auto* rep = make_plain(cause_origin::foreign, "canceled by a foreign source");
  return rep;
}

const cause_rep* canceled_at(source_location where) noexcept {
  constexpr std::size_t places = 4096;
  static constinit std::array<std::atomic<const cause_rep*>, places> known{};
  if (where.line() == 0)
    return plain_canceled();
  const auto hash = (reinterpret_cast<std::uintptr_t>(where.file_name()) >> 3) * 31 + where.line() * 0x9e3779b9ULL;
  for (std::size_t probe = 0; probe < 16; ++probe) {
    auto& place = known[(hash + probe) % places];
    const auto* found = place.load(std::memory_order_acquire);
    if (found == nullptr) {
      cause_rep* fresh = nullptr;
      try {
        fresh = make_rep(cause_origin::explicit_, "canceled", {}, {}, where);
      } catch (const std::bad_alloc&) {
        return plain_canceled();
      }
      fresh->immortal = true;
      if (place.compare_exchange_strong(found, fresh, std::memory_order_acq_rel))
        return fresh;
      delete fresh;
    }
    if (found->where.line() == where.line() && found->where.file_name() == where.file_name() &&
        found->where.function_name() == where.function_name())
      return found;
  }
  return plain_canceled();
}

}  // namespace detail

const char* to_string(cause_origin origin) noexcept {
  switch (origin) {
    case cause_origin::none:
      return "none";
    case cause_origin::explicit_:
      return "explicit";
    case cause_origin::deadline:
      return "deadline";
    case cause_origin::parent_ended:
      return "parent_ended";
    case cause_origin::shutdown:
      return "shutdown";
    case cause_origin::watchdog:
      return "watchdog";
    case cause_origin::signal:
      return "signal";
    case cause_origin::foreign:
      return "foreign";
  }
  return "";
}

cause::cause(std::string_view text, cause_origin origin, std::string_view path, std::error_code user_error,
             source_location where)
    : rep_{make_rep(origin, text, path, user_error, where)} {}

cause::cause(std::error_code user_error, source_location where)
    : rep_{make_rep(cause_origin::explicit_, user_error.message(), {}, user_error, where)} {}

cause::cause(const cause& other) noexcept : rep_{detail::retain(other.rep_)} {}

void cause::drop() noexcept { detail::release(rep_); }

cause_origin cause::origin() const noexcept { return rep_ != nullptr ? rep_->origin : cause_origin::none; }
std::string_view cause::text() const noexcept { return rep_ != nullptr ? rep_->text : std::string_view{}; }
std::string_view cause::path() const noexcept { return rep_ != nullptr ? rep_->path : std::string_view{}; }
std::error_code cause::user_error() const noexcept { return rep_ != nullptr ? rep_->user_error : std::error_code{}; }
source_location cause::where() const noexcept { return rep_ != nullptr ? rep_->where : source_location{}; }

std::ostream& operator<<(std::ostream& out, const cause& why) {
  if (!why)
    return out << "none";
  out << to_string(why.origin()) << ": " << why.text();
  if (!why.path().empty())
    out << " by " << why.path();
  if (why.user_error())
    out << " [" << why.user_error() << ']';
  if (why.where().line() != 0)
    out << " at " << why.where().file_name() << ':' << why.where().line();
  return out;
}

}  // namespace libactor
