// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/cause.hpp"

#include <atomic>

namespace libactor {

// What a cause points to. Counted, unless it is one of the plain ones, which are static.
struct cause::rep {
  mutable std::atomic<std::uint32_t> refs{1};
  cause_origin origin = cause_origin::none;
  bool immortal = false;
  std::string text;
  std::string path;
  std::error_code user_error;
  source_location where;
};

namespace detail {

using cause_rep = cause::rep;

const cause_rep* plain_canceled() noexcept;
const cause_rep* plain_expired() noexcept;
const cause_rep* runtime_shutdown() noexcept;
const cause_rep* foreign_canceled() noexcept;
// A plain cancel that knows its place: one cause for each place in the program, made at its first use and kept, so that
// a cancel allocates nothing. The plain one where there is no room for more.
const cause_rep* canceled_at(source_location where) noexcept;

inline const cause_rep* retain(const cause_rep* rep) noexcept {
  if (rep != nullptr && !rep->immortal)
    rep->refs.fetch_add(1, std::memory_order_relaxed);
  return rep;
}
inline void release(const cause_rep* rep) noexcept {
  if (rep != nullptr && !rep->immortal && rep->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete rep;
}

struct cause_access {
  static const cause_rep* get(const cause& why) noexcept { return why.rep_; }
  static const cause_rep* take(cause& why) noexcept {
    const auto* rep = why.rep_;
    why.rep_ = nullptr;
    return rep;
  }
  // Shares `rep`.
  static cause share(const cause_rep* rep) noexcept {
    cause why;
    why.rep_ = retain(rep);
    return why;
  }
};

}  // namespace detail

}  // namespace libactor
