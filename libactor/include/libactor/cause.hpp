// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "libactor/source_location.hpp"

#include <iosfwd>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace libactor {

namespace detail {
struct cause_access;
}

/// Who ended a context.
enum class cause_origin : unsigned char {
  none,          ///< the context is not done
  explicit_,     ///< a call of `scope::cancel`, or a scope that was left
  deadline,      ///< its deadline passed
  parent_ended,  ///< the parent actor died
  shutdown,      ///< its tree is stopping
  watchdog,      ///< the watchdog's ladder
  signal,        ///< a signal to the process
  foreign,       ///< a cancellation source of the user's own
};

/// The enumerator's name without a trailing underscore, such as `explicit`.
const char* to_string(cause_origin origin) noexcept;

/// Why a context is done: immutable, cheap to copy (one counted pointer; the plain causes allocate nothing).
/// Thread-safe: all members only read.
class cause {
 public:
  /// No cause: what a context that is not done answers. Given to `scope::cancel`, it stands for a plain cancel.
  cause() noexcept = default;

  /// A cause with words to it. Throws: std::bad_alloc.
  explicit cause(std::string_view text, cause_origin origin = cause_origin::explicit_, std::string_view path = {},
                 std::error_code user_error = {}, source_location where = source_location::current());

  /// A cause that carries the user's own error. Throws: std::bad_alloc.
  explicit cause(std::error_code user_error, source_location where = source_location::current());

  cause(const cause& other) noexcept;
  cause(cause&& other) noexcept : rep_{std::exchange(other.rep_, nullptr)} {}
  cause& operator=(cause other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~cause() {
    if (rep_ != nullptr)
      drop();
  }

  cause_origin origin() const noexcept;
  /// What the canceller said; for a plain cause the words of its error ("canceled", "deadline exceeded").
  std::string_view text() const noexcept;
  /// Path of the first canceller in its tree (`/shop/api`), empty outside of trees.
  std::string_view path() const noexcept;
  /// The user's own error, if one was given.
  std::error_code user_error() const noexcept;
  /// Where the cancel was asked for.
  source_location where() const noexcept;

  explicit operator bool() const noexcept { return rep_ != nullptr; }
  /// Two causes are equal if they are the same cause, not merely worded alike.
  friend bool operator==(const cause& a, const cause& b) noexcept { return a.rep_ == b.rep_; }
  friend std::ostream& operator<<(std::ostream& out, const cause& why);

  struct rep;

 private:
  friend struct detail::cause_access;
  void drop() noexcept;
  const rep* rep_ = nullptr;
};

}  // namespace libactor
